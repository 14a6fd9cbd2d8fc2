"""What `result.json` says of a search."""

from __future__ import annotations

from sq_micro.assign.baselines import Baseline
from sq_micro.assign.explain import Explanation, OperatorReason
from sq_micro.assign.problem import Evaluation, FrontierPoint
from sq_micro.cost.budget import Budget
from sq_micro.report.evidence import (
    KernelChoiceRecord,
    PlanPointRecord,
    PriceRecord,
    SearchedOperatorRecord,
    SearchedWidthRecord,
    TrialRecord,
)
from sq_micro.report.result import AssignmentRecord, BudgetRecord

SEARCHED = "searched"


def budget_record(budget: Budget, max_drop: float | None) -> BudgetRecord:
    """What was allowed, as result.json has it."""
    return BudgetRecord(
        flash_bytes=budget.flash,
        sram_bytes=budget.sram,
        latency_s=budget.latency,
        energy_j=budget.energy,
        weight_bytes=budget.weights,
        max_drop_points=max_drop,
    )


def assignment_record(
    explanation: Explanation, baselines: tuple[Baseline, ...], budget: Budget, max_drop: float | None
) -> AssignmentRecord:
    """The whole search: what was allowed, what was chosen and why, and what else was seen."""
    assignment = explanation.assignment
    cost = assignment.cost
    built = explanation.characterised
    plans = [_plan(baseline.origin, baseline.point, built) for baseline in baselines]
    chosen = FrontierPoint(assignment.bitwidths, cost, assignment.predicted, assignment.evaluation)
    seen = assignment.frontier
    if all(point.bitwidths != chosen.bitwidths for point in seen):
        seen = (*seen, chosen)
    plans += [_plan(SEARCHED, point, built) for point in seen]
    return AssignmentRecord(
        allocator=assignment.allocator,
        budget=budget_record(budget, max_drop),
        arena_limit_bytes=explanation.arena_limit_bytes,
        stack_bytes=explanation.stack_bytes if built else None,
        binding=list(assignment.binding),
        reason=assignment.reason,
        predicted_divergence=assignment.predicted,
        predicted_flash_bytes=cost.flash.value if built else None,
        predicted_latency_s=cost.latency.value if cost.latency else None,
        trial=_trial(assignment.evaluation),
        operators=[_operator(reason, built) for reason in explanation.operators],
        kernels=[
            KernelChoiceRecord(
                name=reason.operator,
                kernels=reason.kernels,
                chosen=reason.chosen,
                flash_bytes=reason.flash_bytes,
                latency_s=reason.latency_s,
                exceeds=list(reason.blocked_by),
            )
            for reason in explanation.kernels
        ],
        plans=plans,
        prices=[
            PriceRecord(resource=price.resource, amount=price.amount, gain=price.gain, gain_points=price.gain_points)
            for price in assignment.prices
        ],
        sigma_correlation=explanation.sigma_correlation,
        warnings=list(explanation.warnings),
    )


def _operator(reason: OperatorReason, built: bool) -> SearchedOperatorRecord:
    return SearchedOperatorRecord(
        name=reason.operator,
        pinned=reason.pinned,
        widths=[
            SearchedWidthRecord.model_validate(
                {
                    "bits": width.bits,
                    "code_bytes": width.code_bytes if built else None,
                    "calls": dict(width.calls),
                    "stack_bytes": width.stack_bytes if built else None,
                    "cycles": width.cycles,
                    "damage": width.sensitivity,
                    "exceeds": list(width.blocked_by),
                }
            )
            for width in reason.widths
        ],
    )


def _plan(origin: str, point: FrontierPoint, built: bool) -> PlanPointRecord:
    cost = point.cost
    return PlanPointRecord.model_validate(
        {
            "origin": origin,
            "bits": dict(point.bitwidths.weights),
            "weight_bytes": int(cost.weights.value),
            "flash_bytes": int(cost.flash.value) if built else None,
            "sram_bytes": int(cost.sram.value) if built and cost.sram else None,
            "latency_s": cost.latency.value if cost.latency else None,
            "energy_j": cost.energy.value if cost.energy else None,
            "predicted_divergence": point.predicted,
            "trial": _trial(point.evaluation),
        }
    )


def _trial(found: Evaluation | None) -> TrialRecord | None:
    if found is None:
        return None
    return TrialRecord(
        divergence=found.divergence,
        agreement=found.agreement,
        expected_drop_points=found.expected_drop,
        accuracy=found.accuracy,
        float_accuracy=found.float_accuracy,
    )
