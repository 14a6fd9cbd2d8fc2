"""What a measured result takes, and loses: the linked image and the measured cycles decide about budgets."""

from __future__ import annotations

from sq_micro.cost.cost import Cost
from sq_micro.cost.figure import Figure
from sq_micro.report.result import Result


def cost_of_result(result: Result) -> Cost:
    """The figures of a result as a cost."""
    measured, memory = result.measurement, result.memory
    return Cost(
        flash=Figure(memory.flash_bytes.total, "bytes", "exact"),
        sram=Figure(memory.sram_bytes.total, "bytes", "exact"),
        latency=None if measured.latency_s is None else Figure(measured.latency_s, "s", "modelled"),
        energy=None if measured.energy_j is None else Figure(measured.energy_j, "J", "modelled"),
        weights=Figure(memory.flash_bytes.weights, "bytes", "exact"),
    )


def accuracy_missed(result: Result, max_drop: float | None) -> str | None:
    """One sentence iff more accuracy was lost on the evaluation set than allowed. Points are percentage points."""
    if max_drop is None or result.accuracy is None:
        return None
    drop = 100.0 * (result.accuracy.float_ - result.accuracy.quantized)
    if drop <= max_drop:
        return None
    return f"{drop:.2f} points of accuracy lost on the evaluation set, {max_drop:g} allowed"
