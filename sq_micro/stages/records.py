"""What a stage leaves for the next one beside its artefacts: small JSON files in the workspace."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from sq_micro.cost.budget import Resource
from sq_micro.cost.cost import Cost
from sq_micro.errors import UsageError
from sq_micro.ir.kernel_set import KernelSet
from sq_micro.notebook import fact_table
from sq_micro.paths import write_atomically
from sq_micro.report.evidence import ArenaPlanRecord, ArenaTableRecord, FidelityRecord, WeightedOperatorRecord
from sq_micro.report.result import (
    AccuracyRecord,
    AssignmentRecord,
    BitsRecord,
    BuildRecord,
    MemoryRecord,
    QuantizationRecord,
)
from sq_micro.workspace import Stage, Workspace


def _text(value: object) -> str:
    """A field in a table's cell; empty for what is absent, or has fields of its own."""
    if isinstance(value, BaseModel) or value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(map(str, value)) if all(isinstance(part, str | int) for part in value) else ""
    return " ".join(f"{name}={part}" for name, part in value.items()) if isinstance(value, dict) else str(value)


class StageRecord(BaseModel):
    """One stage's record; `extra` fields are refused, so that another version's file is noticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def _repr_html_(self) -> str:
        """A small table, for notebooks."""
        return fact_table({name: _text(value) for name, value in self if _text(value)})

    def to_json(self) -> str:
        """As written to the workspace, and printed by `--json`."""
        return self.model_dump_json(indent=2, by_alias=True) + "\n"


class AnalyzeRecord(StageRecord):
    """sha256 is of the model file; parameters and macs are those of the canonical graph.

    equalised says whether channels of neighbouring layers were balanced against each other.
    """

    name: str
    file: str
    sha256: str
    parameters: int
    macs: int
    input_shape: list[int]
    output_shape: list[int]
    operators: list[str]
    equalised: bool = False

    def __str__(self) -> str:
        note = ", channels equalised" if self.equalised else ""
        return f"{self.name}: {len(self.operators)} operators, {self.parameters:,} parameters, {self.macs:,} MACs{note}"


class AssignRecord(StageRecord):
    """The plan that was chosen; `warnings` name what a person should look at.

    activations  bits of the outputs that have not 8
    cost         what the plan is predicted to take
    least        of each resource that has a budget what no plan is predicted to take less of
    """

    bits: dict[str, int]
    activations: dict[str, int]
    cost: Cost
    least: dict[Resource, float]
    assignment: AssignmentRecord
    warnings: list[str]

    def __str__(self) -> str:
        plan = " ".join(f"{name}={bits}" for name, bits in self.bits.items())
        lines = [f"{self.assignment.allocator}: {plan}; {self.assignment.reason}"]
        if self.activations:
            lines.append(
                f"8-bit activations do not fit into SRAM, so these outputs have 4: {', '.join(self.activations)}"
            )
        return "\n".join([*lines, *(f"warning: {warning}" for warning in self.warnings)])


class QuantizeRecord(StageRecord):
    """oracle names what computed the golden outputs.

    macs           of the whole network, which the oracle computes
    executed_macs  of what the firmware computes: channels that never vary are left out, with the same outputs
    model_hash     of what the firmware computes
    kernels        that the plan file names, by operator
    """

    model_hash: str
    macs: int
    executed_macs: int
    bits: BitsRecord
    quantization: QuantizationRecord
    fidelity: list[FidelityRecord]
    accuracy: AccuracyRecord | None
    kernels: dict[str, KernelSet]
    golden_samples: int
    oracle: str
    assignment: AssignmentRecord | None

    def __str__(self) -> str:
        widths = sorted(set(self.bits.weights.values()), reverse=True)
        text = f"weights of {'/'.join(map(str, widths)) or 'no'} bits"
        if self.bits.activations:
            text += f", {len(self.bits.activations)} activations of 4"
        text += f"; {self.golden_samples} golden samples by {self.oracle}"
        if self.executed_macs != self.macs:
            text += f"; {self.executed_macs:,} of {self.macs:,} MACs are left without constant channels"
        if self.accuracy is not None:
            text += f"; {self.accuracy.metric} {self.accuracy.quantized:.2%} (float {self.accuracy.float_:.2%})"
        return text


class GenerateRecord(StageRecord):
    """board is an id, or the path of a board file. The sizes are known before any compiler runs.

    kernels            by operator, where they are not the fastest
    arena_limit_bytes  by which the arena was planned; null: none but the board's memory
    """

    board: str
    arena_bytes: int
    arena_lower_bound_bytes: int
    arena_limit_bytes: int | None
    weights_bytes: int
    tables_bytes: int
    kernels: dict[str, KernelSet]
    operators: list[WeightedOperatorRecord]
    plan: ArenaPlanRecord
    arena_by_width: ArenaTableRecord | None

    def __str__(self) -> str:
        constants = f"{self.weights_bytes:,} B of packed weights, {self.tables_bytes:,} B of tables"
        least = self.arena_lower_bound_bytes
        proof = "the least possible" if least == self.arena_bytes else f"at least {least:,} B needed"
        shares = "".join(f", {size:,} B of it in {region}" for region, size in self.plan.share_bytes.items())
        return f"arena {self.arena_bytes:,} B ({proof}){shares}, {constants}"


class BuiltRecord(StageRecord):
    """What came out of the compiler. carried_inputs: golden inputs that are in the image."""

    build: BuildRecord
    memory: MemoryRecord
    carried_inputs: int

    def __str__(self) -> str:
        memory = self.memory
        sizes = f"flash {memory.flash_bytes.total:,} B, SRAM {memory.sram_bytes.total:,} B"
        return f"{sizes}, {self.build.compiler}"


Record = TypeVar("Record", bound=StageRecord)
_FILES: dict[type[StageRecord], tuple[Stage, str]] = {
    AnalyzeRecord: (Stage.ANALYZE, "analyze.json"),
    AssignRecord: (Stage.ASSIGN, "assign.json"),
    QuantizeRecord: (Stage.QUANTIZE, "quantize.json"),
    GenerateRecord: (Stage.GENERATE, "generate.json"),
    BuiltRecord: (Stage.BUILD, "build.json"),
}


def save_record(workspace: Workspace, record: StageRecord) -> None:
    """The last thing that a stage writes: with its record there, the stage is complete."""
    _, name = _FILES[type(record)]
    write_atomically(workspace / name, record.to_json())


def load_record(workspace: Workspace, record_type: type[Record]) -> Record:
    """Raises UsageError naming the stage to run iff it did not run, or its record is of another version."""
    stage, name = _FILES[record_type]
    path = workspace.need(stage, name)
    try:
        return record_type.model_validate_json(Path(path).read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: is not of this sq-micro; run `sq-micro {stage.command}` again") from error
