"""`result.json`: the one record of a run. Its JSON schema is `result.schema.json` beside this file.

Every figure says in its name what unit it has, and in a neighbouring field where it comes from. What was not
measured is null, never 0.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA_VERSION = "1.0"

Count = Annotated[int, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Bits = Literal[2, 3, 4, 5, 6, 8]


class _Record(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, json_schema_serialization_defaults_required=True
    )


class ToolRecord(_Record):
    """What wrote this file."""

    name: Literal["sq-micro"] = "sq-micro"
    version: str


class ModelRecord(_Record):
    """sha256 is of the model file; model_hash is of the quantized model, as the firmware reports it.

    macs are those of the whole network; executed_macs leave out channels that were found constant and folded.
    """

    name: str
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    model_hash: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    parameters: Count
    macs: Count
    executed_macs: Count
    input_shape: list[int]
    output_shape: list[int]


class BoardRecord(_Record):
    """clock_hz is null where the core's clock is not known, as on the host."""

    id: str
    title: str
    core: str
    clock_hz: Count | None


class BitsRecord(_Record):
    """Bits of each operator's weights, by its name."""

    weights: dict[str, Bits]
    activations: Literal[8] = 8


class FinetuningRecord(_Record):
    """Training of the plan, against the float network, and against labels where the samples had some."""

    samples: Count
    labelled: bool
    epochs: Count
    learning_rate: float
    seed: Count


class QuantizationRecord(_Record):
    """How the scales were found."""

    observer: Literal["mse", "minmax", "percentile"]
    rounding: Literal["feedback", "nearest"]
    weight_scales: Literal["mse", "minmax"] | None
    calibration_samples: Count
    finetuning: FinetuningRecord | None


class BudgetRecord(_Record):
    """What the person allowed; null is no bound. max_drop_points are percentage points of accuracy."""

    flash_bytes: float | None
    sram_bytes: float | None
    latency_s: float | None
    energy_j: float | None
    weight_bytes: float | None
    max_drop_points: float | None


class AssignmentRecord(_Record):
    """How the bits were chosen; null in the result where the person gave them. Predictions precede the build."""

    allocator: str
    budget: BudgetRecord
    binding: list[str]
    reason: str
    predicted_divergence: float | None
    predicted_flash_bytes: float | None
    predicted_latency_s: float | None


class AccuracyRecord(_Record):
    """`quantized` is by the firmware's own arithmetic, on the host."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    metric: Literal["top1", "binary"]
    samples: Annotated[int, Field(ge=1)]
    float_: Fraction = Field(alias="float")
    quantized: Fraction


class FlashRecord(_Record):
    """Bytes; total is the sum of the rest."""

    total: Count
    weights: Count
    code: Count
    tables: Count


class SramRecord(_Record):
    """Bytes; total is the sum of the rest."""

    total: Count
    arena: Count
    stack: Count
    static: Count


class MemoryRecord(_Record):
    """From the linked image. stack is what is set aside; the worst case is computed from the machine code."""

    flash_bytes: FlashRecord
    sram_bytes: SramRecord
    worst_case_stack_bytes: Count | None
    measured_stack_bytes: Count | None


class BuildRecord(_Record):
    """What compiled the firmware."""

    compiler: str


class CyclesRecord(_Record):
    """Core cycles of one whole inference, over the runs."""

    min: Count
    median: Count
    max: Count


class OperatorRecord(_Record):
    """One operator that is executed, in execution order."""

    index: Count
    name: str
    kind: str
    weight_bits: Bits | None
    macs: Count
    cycles: Count | None


class MeasurementRecord(_Record):
    """cycle_source: `modelled` by the cycle model of the core at zero wait states, `measured` on silicon, or none."""

    link: str
    cycle_source: Literal["modelled", "measured", "none"]
    runs: Annotated[int, Field(ge=1)]
    cycles: CyclesRecord | None
    instructions: Count | None
    latency_s: float | None
    energy_j: float | None
    operators: list[OperatorRecord]


class VerificationRecord(_Record):
    """`identical` of `samples` outputs equal the oracle's, byte for byte."""

    oracle: str
    samples: Count
    identical: Count


class Result(_Record):
    """One run: which model, on which board, how well, how large, how fast, and how that was checked."""

    schema_version: Literal["1.0"] = "1.0"
    tool: ToolRecord
    model: ModelRecord
    board: BoardRecord
    bits: BitsRecord
    quantization: QuantizationRecord
    assignment: AssignmentRecord | None
    accuracy: AccuracyRecord | None
    memory: MemoryRecord
    build: BuildRecord
    measurement: MeasurementRecord
    verification: VerificationRecord

    def to_json(self) -> str:
        """The text of `result.json`."""
        return self.model_dump_json(indent=2, by_alias=True) + "\n"


def schema_path() -> Path:
    """The JSON schema that `write_schema` wrote."""
    return Path(__file__).with_name("result.schema.json")
