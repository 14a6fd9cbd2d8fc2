"""What a run would do, told without doing it: `--dry-run`."""

from __future__ import annotations

from sq_micro.board import Board
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.topology import Topology
from sq_micro.kernels.sizes import weight_bytes
from sq_micro.plan.plan import Plan
from sq_micro.stages.quantize import QuantizeInputs
from sq_micro.stages.records import AnalyzeRecord, StageRecord


class Preview(StageRecord):
    """Sizes follow from shapes and bits alone; no weight was looked at, and nothing was compiled.

    budget  under which the bits would be chosen; the sizes are then those of 8 bits everywhere
    """

    model: str
    board: str
    compiler: str
    macs: int
    bits: dict[str, int]
    packed_weights_bytes: int
    arena_bytes: int
    peak_operator: str
    calibration_samples: int
    evaluation_samples: int
    budget: str | None

    def __str__(self) -> str:
        bits = sorted(set(self.bits.values()), reverse=True)
        return (
            f"{self.model} on {self.board}, {self.compiler}: {self.macs:,} MACs, weights of {'/'.join(map(str, bits))}"
            f" bits in {self.packed_weights_bytes:,} B, arena {self.arena_bytes:,} B (fullest at"
            f" '{self.peak_operator}'), {self.calibration_samples:,} samples to calibrate,"
            f" {self.evaluation_samples:,} to evaluate;"
            f"{self._pending} nothing was written"
        )

    @property
    def _pending(self) -> str:
        return f" bits are to be chosen ({self.budget}), the sizes are those of 8 bits;" if self.budget else ""


def make_preview(
    analyzed: AnalyzeRecord,
    board: Board,
    compiler: str,
    bitwidths: Bitwidths,
    plan: Plan,
    topology: Topology,
    inputs: QuantizeInputs,
    budget: str | None = None,
) -> Preview:
    """Put together what is known before anything runs."""
    return Preview(
        model=analyzed.name,
        board=board.id,
        compiler=compiler,
        macs=analyzed.macs,
        bits=dict(bitwidths.weights),
        packed_weights_bytes=sum(
            weight_bytes(plan.choices[op.name], op, bitwidths.weights[op.name], topology) for op in topology.weighted()
        ),
        arena_bytes=plan.arena_bytes,
        peak_operator=plan.peak_operator,
        calibration_samples=len(inputs.calibration or ()),
        evaluation_samples=len(inputs.evaluation) if inputs.evaluation else 0,
        budget=budget,
    )
