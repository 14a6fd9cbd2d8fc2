"""Writes a quantized network as a .tflite file for stock TFLite Micro."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from sq_micro.errors import ToolchainError, UsageError
from sq_micro.paths import write_atomically
from sq_micro.reference.golden_vectors import GoldenVectors, require_equal
from sq_micro.stages.quantize import whole_graph
from sq_micro.stages.records import StageRecord
from sq_micro.tflite.compact import StoredWeights, write_compact_tflite
from sq_micro.tflite.export import write_tflite
from sq_micro.tflite.twin import oracle_version, run_tflite_micro
from sq_micro.workspace import Stage, Workspace

ExportFormat = Literal["tflite", "tflite-compact"]
EXPORT_FORMATS: tuple[ExportFormat, ...] = ("tflite", "tflite-compact")


class StoredRecord(StageRecord):
    """How one operator's weights are stored; `reason` is why not as int4."""

    operator: str
    bits: int
    stored_bits: int
    reason: str


class ExportRecord(StageRecord):
    """What was written. verified_by names what ran the file on the golden inputs; null: the wheel is not installed."""

    file: str
    format: str
    bytes: int
    samples: int
    verified_by: str | None
    weights: list[StoredRecord]

    def __str__(self) -> str:
        verified = "not verified: the tflite-micro wheel is not installed"
        if self.verified_by is not None:
            verified = f"outputs on {self.samples} golden samples are the firmware's, by {self.verified_by}"
        lines = [f"{self.file}: {self.bytes:,} B; {verified}"]
        for stored in self.weights:
            because = f" ({stored.reason})" if stored.reason else ""
            lines.append(f"  {stored.operator}: {stored.bits} bits, stored as int{stored.stored_bits}{because}")
        return "\n".join(lines)


def export(workspace: Workspace, form: ExportFormat, file: Path) -> ExportRecord:
    """Write the file, having run it on the golden inputs.

    Raises UsageError iff nothing is quantized yet or the file cannot be written, GoldenMismatchError iff TFLite Micro
    computes something else of it than the firmware does.
    """
    graph = whole_graph(workspace)
    golden = GoldenVectors.load(workspace.need(Stage.QUANTIZE, "07_golden.npz"))
    if form == "tflite-compact":
        content, stored = write_compact_tflite(graph)
    else:
        bits = graph.bitwidths.weights
        content = write_tflite(graph)
        stored = tuple(StoredWeights(name, bits[name], 8, "") for name in bits)
    verified_by = _verified(content, golden, graph.topology.operators[-1].name)
    try:
        write_atomically(file, content)
    except OSError as error:
        raise UsageError(f"{file}: cannot be written ({error.strerror})") from error
    return ExportRecord(
        file=str(file),
        format=form,
        bytes=len(content),
        samples=len(golden),
        verified_by=verified_by,
        weights=[
            StoredRecord(operator=one.operator, bits=one.bits, stored_bits=one.stored_bits, reason=one.reason)
            for one in stored
        ],
    )


def _verified(content: bytes, golden: GoldenVectors, operator: str) -> str | None:
    try:
        oracle = oracle_version()
    except ToolchainError:
        return None
    outputs = run_tflite_micro(content, golden.inputs)
    require_equal(operator, golden.outputs, outputs.reshape(golden.outputs.shape))
    return oracle
