"""Whether a measured result keeps what the person allowed: the linked image and the measured cycles decide."""

from __future__ import annotations

from dataclasses import replace

from sq_micro.cost.budget import Budget, Violation
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


def excess(result: Result, budget: Budget) -> tuple[Violation, ...]:
    """The budgets that the image exceeds."""
    return budget.violations(cost_of_result(result))


def tightened(budget: Budget, exceeded: tuple[Violation, ...]) -> Budget:
    """The budget less what a first image exceeded it by, so that the next search leaves that much room."""
    smaller = {violation.resource: violation.needed - violation.allowed for violation in exceeded}
    return replace(budget, **{name: getattr(budget, name) - more for name, more in smaller.items()})


def accuracy_missed(result: Result, max_drop: float | None) -> str | None:
    """One sentence iff more accuracy was lost on the evaluation set than allowed. Points are percentage points."""
    if max_drop is None or result.accuracy is None:
        return None
    drop = 100.0 * (result.accuracy.float_ - result.accuracy.quantized)
    if drop <= max_drop:
        return None
    return f"{drop:.2f} points of accuracy lost on the evaluation set, {max_drop:g} allowed"
