"""The errors of sq-micro, one tree; `cli.py` alone turns them into a line and an exit code.

    SqMicroError                                                  exit
    ├─ UsageError              what the person asked cannot be done  2
    │  ├─ DataError            a samples file is unusable
    │  ├─ PlanFileError        a bits.json is unusable
    │  └─ BoardError           a board file is wrong, or unknown
    ├─ DoesNotFitError         the board is too small                3
    ├─ BudgetError             no plan meets what the person allows   3
    ├─ GateError               a result takes more than a gate lets by 3
    ├─ ModelError              the model says something not taken    4
    │  ├─ UnsupportedLayerError
    │  └─ UnsupportedOperatorError
    ├─ QuantizationError       no valid integers for this tensor     4
    ├─ TrainingError           fine-tuning failed                    4
    ├─ ToolchainError          a tool is missing or failed           5
    ├─ LinkError               the device cannot be talked to        6
    │  ├─ LinkTimeoutError
    │  ├─ FrameError
    │  └─ DeviceError          the firmware answered with an error
    ├─ GoldenMismatchError     outputs differ from the oracle        7
    └─ GraphError              a stage left the graph invalid: ours  1

Each error carries data as fields, and its text ends with what to do about it.
"""

from __future__ import annotations

from pathlib import Path


class SqMicroError(Exception):
    """Root of the tree. `exit_code` is what the command line ends with."""

    exit_code = 1


class UsageError(SqMicroError):
    """The request itself cannot be carried out."""

    exit_code = 2


class DataError(UsageError):
    """A file of samples is missing, corrupt or does not suit the model."""

    def __init__(self, file: Path, problem: str) -> None:
        super().__init__(f"{file}: {problem}")
        self.file = file
        self.problem = problem


class PlanFileError(UsageError):
    """A file of bitwidths is missing, malformed or names an unknown operator."""

    def __init__(self, file: Path | str, problem: str) -> None:
        super().__init__(f"{file}: {problem}")
        self.file = file
        self.problem = problem


class BoardError(UsageError):
    """A board file is wrong. `mistakes` holds all of them, each with its path in the file."""

    def __init__(self, file: Path | str, mistakes: tuple[str, ...]) -> None:
        count = f"{len(mistakes)} mistakes: " if len(mistakes) > 1 else ""
        super().__init__(f"{file}: {count}" + "; ".join(mistakes))
        self.file = file
        self.mistakes = mistakes


class DoesNotFitError(SqMicroError):
    """The model needs more of a resource than there is."""

    exit_code = 3

    def __init__(self, resource: str, short_bytes: int, detail: str) -> None:
        super().__init__(f"short of {short_bytes:,} B of {resource}: {detail}")
        self.resource = resource
        self.short_bytes = short_bytes
        self.detail = detail


class BudgetError(SqMicroError):
    """No plan meets the budgets, or the built image does not. `nearest` is the file of the nearest plan, if any."""

    exit_code = 3

    def __init__(self, binding: tuple[str, ...], detail: str, nearest: Path | None = None) -> None:
        written = f" (nearest plan: {nearest})" if nearest is not None else ""
        super().__init__(f"budget not met ({', '.join(binding) or 'none binds'}): {detail}{written}")
        self.binding = binding
        self.detail = detail
        self.nearest = nearest


class GateError(SqMicroError):
    """A result takes more than `sq-micro compare` was told to let by. `gates` names what exceeded."""

    exit_code = 3

    def __init__(self, gates: tuple[str, ...], detail: str) -> None:
        super().__init__(f"gate not passed ({', '.join(gates)}): {detail}")
        self.gates = gates
        self.detail = detail


class ModelError(SqMicroError):
    """The model cannot be taken as it is."""

    exit_code = 4


class UnsupportedLayerError(ModelError):
    """A layer, or one setting of it, is outside what sq-micro computes."""

    def __init__(self, layer: str, configuration: str, supported: str) -> None:
        super().__init__(f"layer '{layer}': {configuration} is not supported; supported: {supported}")
        self.layer = layer
        self.configuration = configuration
        self.supported = supported


class UnsupportedOperatorError(ModelError):
    """An operator of a .tflite file, or one setting of it, is outside what sq-micro computes."""

    def __init__(self, index: int, operator: str, tensor: str, configuration: str, supported: str) -> None:
        super().__init__(
            f"operator {index}, {operator} writing '{tensor}': {configuration} is not supported; supported: {supported}"
        )
        self.index = index
        self.operator = operator
        self.configuration = configuration
        self.supported = supported


class QuantizationError(SqMicroError):
    """A tensor has no valid integer form."""

    exit_code = 4

    def __init__(self, tensor: str, problem: str) -> None:
        super().__init__(f"tensor '{tensor}': {problem}")
        self.tensor = tensor
        self.problem = problem


class TrainingError(SqMicroError):
    """Fine-tuning ended without a result; what it had reached is in its folder."""

    exit_code = 4


class ToolchainError(SqMicroError):
    """A tool is missing, or ended with an error; `log_path` holds what it said."""

    exit_code = 5

    def __init__(self, problem: str, log_path: Path | None = None) -> None:
        super().__init__(problem if log_path is None else f"{problem} (log: {log_path})")
        self.problem = problem
        self.log_path = log_path


class LinkError(SqMicroError):
    """The device cannot be reached, or says something that is not ours."""

    exit_code = 6


class LinkTimeoutError(LinkError):
    """Fewer bytes than wanted came within the time limit; `got` holds them."""

    def __init__(self, wanted_bytes: int, got: bytes, timeout_s: float) -> None:
        super().__init__(f"the device sent {len(got)} of {wanted_bytes} bytes within {timeout_s:.2g} s")
        self.wanted_bytes = wanted_bytes
        self.got = got
        self.timeout_s = timeout_s


class FrameError(LinkError):
    """A frame is damaged: COBS, CRC or length."""

    def __init__(self, reason: str, frame: bytes = b"") -> None:
        super().__init__(f"damaged frame: {reason}")
        self.reason = reason
        self.frame = frame


class DeviceError(LinkError):
    """The firmware answered with a status other than OK, or reported a fault."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(f"the device reports {status}: {message}")
        self.status = status
        self.message = message


class GoldenMismatchError(SqMicroError):
    """Outputs differ from the oracle's. The first difference is named."""

    exit_code = 7

    def __init__(self, operator: str, index: int, got: int, expected: int, differing_count: int) -> None:
        super().__init__(
            f"outputs differ at operator '{operator}', index {index}: got {got}, expected {expected}"
            f" ({differing_count} values differ)"
        )
        self.operator = operator
        self.index = index
        self.got = got
        self.expected = expected
        self.differing_count = differing_count


class GraphError(SqMicroError):
    """A stage left the graph invalid. This is a defect of sq-micro, not of the model."""

    def __init__(self, operator: str, rule: str) -> None:
        super().__init__(f"internal: operator '{operator}' breaks the rule '{rule}'; please report this model")
        self.operator = operator
        self.rule = rule
