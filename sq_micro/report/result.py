"""`result.json`: the one record of a run. Its JSON schema is `result.schema.json` beside this file.

Every figure says in its name what unit it has, and in a neighbouring field where it comes from. What was not
measured is null, never 0.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from sq_micro.ir.kernel_set import KernelSet
from sq_micro.report.evidence import (
    ArenaPlanRecord,
    ArenaTableRecord,
    ConfusionRecord,
    FidelityRecord,
    KernelChoiceRecord,
    PlanPointRecord,
    PriceRecord,
    SearchedOperatorRecord,
    TrialRecord,
    WeightedOperatorRecord,
)
from sq_micro.report.record import Bits, Count, Fraction, Record

SCHEMA_VERSION = "1.2"
"""1.2 only adds to 1.1, which is read, too: what it lacks is null."""


class ToolRecord(Record):
    """What wrote this file."""

    name: Literal["sq-micro"] = "sq-micro"
    version: str


class ModelRecord(Record):
    """sha256 is of the model file; model_hash is of the quantized model, as the firmware reports it.

    macs are those of the whole network; executed_macs leave out channels that were found constant and folded.
    equalised: channels of neighbouring layers were balanced before quantization.
    """

    name: str
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    model_hash: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    parameters: Count
    macs: Count
    executed_macs: Count
    input_shape: list[int]
    output_shape: list[int]
    equalised: bool = False


class CycleModelRecord(Record):
    """What modelled cycles of this board are worth: of the cycle table of its core, and of the board's file.

    core         what the table describes
    error        against silicon, in words
    leaves_out   what of the board's memories these cycles do not hold; null where its file does not say
    wait_factor  cycles were multiplied by it for the board's memories; null: they are those without wait states
    """

    core: str
    trust: Literal["validated", "±15 %", "unvalidated"]
    error: str
    leaves_out: str | None
    wait_factor: Annotated[float, Field(ge=1.0)] | None


class BoardRecord(Record):
    """clock_hz is null where the core's clock is not known, as on the host; so are the sizes of its memories.

    cycle_model  null where there is none of the core, and with it no modelled cycles
    """

    id: str
    title: str
    core: str
    clock_hz: Count | None
    flash_bytes: Count | None
    sram_bytes: Count | None
    cycle_model: CycleModelRecord | None = None


class BitsRecord(Record):
    """Bits of each operator's weights, and of its output at rest where it has not 8; by the operator's name."""

    weights: dict[str, Bits]
    activations: dict[str, Literal[4]] = Field(default_factory=dict)


class FinetuningRecord(Record):
    """Training of the plan, against the float network, and against labels where the samples had some."""

    samples: Count
    labelled: bool
    epochs: Count
    learning_rate: float
    seed: Count


class QuantizationRecord(Record):
    """How the scales were found; given: by the int8 model's own file. int4_levels: 4-bit weights fit TFLite's int4."""

    observer: Literal["mse", "minmax", "percentile", "given"]
    rounding: Literal["feedback", "nearest", "given"]
    weight_scales: Literal["mse", "minmax"] | None
    calibration_samples: Count
    int4_levels: bool = False
    finetuning: FinetuningRecord | None


class BudgetRecord(Record):
    """What the person allowed; null is no bound. max_drop_points are percentage points of accuracy."""

    flash_bytes: float | None
    sram_bytes: float | None
    latency_s: float | None
    energy_j: float | None
    weight_bytes: float | None
    max_drop_points: float | None


class AssignmentRecord(Record):
    """How the bits were chosen; null in the result where the person gave them. Predictions precede the build.

    arena_limit_bytes  what the SRAM budget left for the arena; null without one
    stack_bytes        that is set aside whatever the widths; null where no image was built
    kernels            every operator whose kernels were a choice, with every set
    sigma_correlation  rank correlation of sigma with the damage at the narrowest width; null where undefined
    """

    allocator: str
    budget: BudgetRecord
    arena_limit_bytes: int | None
    stack_bytes: Count | None = None
    binding: list[str]
    reason: str
    predicted_divergence: float | None
    predicted_flash_bytes: float | None
    predicted_latency_s: float | None
    trial: TrialRecord | None
    operators: list[SearchedOperatorRecord]
    kernels: list[KernelChoiceRecord] = Field(default_factory=list)
    plans: list[PlanPointRecord]
    prices: list[PriceRecord]
    sigma_correlation: float | None
    warnings: list[str]


class AccuracyRecord(Record):
    """`quantized` is by the firmware's own arithmetic, on the host. confusion is null beyond 64 classes."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    metric: Literal["top1", "binary"]
    samples: Annotated[int, Field(ge=1)]
    float_: Fraction = Field(alias="float")
    quantized: Fraction
    confusion: ConfusionRecord | None


class FlashRecord(Record):
    """Bytes; total is the sum of the rest."""

    total: Count
    weights: Count
    code: Count
    tables: Count


class SramRecord(Record):
    """Bytes; total is the sum of the rest."""

    total: Count
    arena: Count
    stack: Count
    static: Count


class RegionRecord(Record):
    """A RAM of the board: how much there is, and how much of it the image takes."""

    name: str
    size_bytes: Count
    used_bytes: Count


class MemoryRecord(Record):
    """From the linked image. stack is what is set aside; the worst case is computed from the machine code.

    arena_lower_bound_bytes  no arena is smaller for these kernels; `optimal` iff this one is no larger
    arena_by_width  null where it would be too long, or the first operators run in patches
    regions         every RAM of the board; sram_bytes is what they hold together. Empty on the host
    """

    flash_bytes: FlashRecord
    sram_bytes: SramRecord
    regions: tuple[RegionRecord, ...] = ()
    arena_lower_bound_bytes: Count
    optimal: bool
    worst_case_stack_bytes: Count | None
    measured_stack_bytes: Count | None
    plan: ArenaPlanRecord | None
    arena_by_width: ArenaTableRecord | None


class BuildRecord(Record):
    """What compiled the firmware."""

    compiler: str


class CyclesRecord(Record):
    """Core cycles of one whole inference, over the runs; p95 is the smallest that 95 % of them do not exceed."""

    min: Count
    median: Count
    p95: Count
    max: Count


class OperatorRecord(Record):
    """One operator that is executed, in execution order.

    cycles        modelled or measured, as `cycle_source` of the whole says; null where the link has none
    instructions  null on silicon and on a host, where nobody counts them
    """

    index: Count
    name: str
    kind: str
    weight_bits: Bits | None
    macs: Count
    cycles: Count | None
    instructions: Count | None


class ModelledRecord(Record):
    """What the cycle model makes of the same image where the link has no cycles: one inference.

    by         what has counted the basic blocks
    operators  cycles of each operator that is executed; null where they were not told apart. Of those that run in
               patches the last has all
    """

    by: Literal["simulator", "qemu"]
    cycles: Count
    instructions: Count
    latency_s: float | None
    operators: list[Count] | None


class DeviceAccuracyRecord(Record):
    """Accuracy counted on the device: `correct` of `samples`, drawn at random from `available`; fewer if that sufficed.

    low, high  the Wilson score interval at `confidence`
    """

    metric: Literal["top1", "binary"]
    available: Annotated[int, Field(ge=1)]
    samples: Annotated[int, Field(ge=1)]
    correct: Count
    accuracy: Fraction
    low: Fraction
    high: Fraction
    confidence: Fraction


class MeasurementRecord(Record):
    """cycle_source: `modelled` by the board's cycle model, `measured` on silicon, or none.

    warm_up         inferences before the timed ones
    carried_inputs  inputs that were in the image and not sent
    notes           why something is null, each a sentence
    """

    link: str
    cycle_source: Literal["modelled", "measured", "none"]
    warm_up: Count
    carried_inputs: Count
    runs: Annotated[int, Field(ge=1)]
    cycles: CyclesRecord | None
    instructions: Count | None
    latency_s: float | None
    energy_j: float | None
    operators: list[OperatorRecord]
    modelled: ModelledRecord | None
    accuracy: DeviceAccuracyRecord | None
    notes: list[str]


class VerificationRecord(Record):
    """`identical` of `samples` outputs equal the oracle's, byte for byte."""

    oracle: str
    samples: Count
    identical: Count


class Result(Record):
    """One run: which model, on which board, how well, how large, how fast, and how that was checked.

    kernels  by operator, where they are not the fastest, see `ir.kernel_set`
    """

    schema_version: Literal["1.1", "1.2"] = "1.2"
    tool: ToolRecord
    model: ModelRecord
    board: BoardRecord
    bits: BitsRecord
    quantization: QuantizationRecord
    kernels: dict[str, KernelSet] = Field(default_factory=dict)
    assignment: AssignmentRecord | None
    accuracy: AccuracyRecord | None
    operators: list[WeightedOperatorRecord]
    fidelity: list[FidelityRecord]
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
