"""Why each operator has its width: statistics of its weights, measured damage, what one step would cost and gain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sq_micro.assign.costs import budgeted_at, cost_at
from sq_micro.assign.problem import Assignment, Problem
from sq_micro.assign.sigmaquant.divergence import WeightStatistics, weight_statistics
from sq_micro.assign.sigmaquant.options import SigmaQuantOptions
from sq_micro.cost.budget import Resource
from sq_micro.cost.cost import Cost
from sq_micro.cost.profile import called_bytes
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.kernel_set import KernelSet
from sq_micro.ir.operators import WeightedOperator, kind
from sq_micro.quant.calibrate import Ranges


@dataclass(frozen=True, slots=True)
class WidthReason:
    """One operator at one width, all others as assigned, with the kernels that were chosen.

    calls, stack_bytes see `assign.options.WidthOption`
    cycles, latency_s, energy_j     None where nobody knows them
    sensitivity        nats beyond 8 bits, None without a table
    weight_divergence  of the weights' histogram, equation 1 of SigmaQuant
    flash_bytes        what the image has for this operator alone
    blocked_by         the budgets that this width would exceed
    """

    bits: int
    weight_bytes: int
    flash_bytes: int
    code_bytes: int
    calls: Mapping[str, int]
    stack_bytes: int
    cycles: int | None
    latency_s: float | None
    energy_j: float | None
    sensitivity: float | None
    weight_divergence: float
    blocked_by: tuple[Resource, ...]


@dataclass(frozen=True, slots=True)
class OperatorReason:
    """One operator: `chosen` is one of `widths`, narrower and wider are next to it; None at the ends and for pins."""

    operator: str
    kind: str
    weights: int
    sigma: float
    pinned: bool
    chosen: WidthReason
    narrower: WidthReason | None
    wider: WidthReason | None
    widths: tuple[WidthReason, ...]


@dataclass(frozen=True, slots=True)
class KernelReason:
    """One operator with one set of kernels, all else as assigned, against what was chosen.

    flash_bytes, latency_s  more than with the chosen kernels; of these 0. Seconds are None where nobody knows them
    blocked_by              the budgets that it would exceed
    """

    operator: str
    kernels: KernelSet
    chosen: bool
    flash_bytes: int
    latency_s: float | None
    blocked_by: tuple[Resource, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why this assignment.

    kernels            every operator whose kernels were a choice, with every set; empty where none were
    sigma_correlation  rank correlation of sigma with the damage at the narrowest width; None where undefined
    characterised      whether code was counted: flash bytes are otherwise those of constants alone
    arena_limit_bytes  see `Problem`
    stack_bytes        that is set aside whatever the widths
    """

    assignment: Assignment
    operators: tuple[OperatorReason, ...]
    kernels: tuple[KernelReason, ...]
    sigma_correlation: float | None
    warnings: tuple[str, ...]
    characterised: bool
    arena_limit_bytes: int | None
    stack_bytes: int


def explain(problem: Problem, assignment: Assignment, ranges: Ranges | None = None) -> Explanation:
    """All that is known about an assignment. `ranges` lets operators be named that no sample brings to life."""
    every = tuple(sorted({bits for option in problem.options for bits in option.bits}))
    options = SigmaQuantOptions(bits=every)
    statistics = {s.operator: s for s in weight_statistics(problem.graph, every, options)}
    by_name = {operator.name: operator for operator in problem.topology.weighted()}
    decided = problem.with_kernels(assignment.kernels)
    reasons = tuple(
        _reason(decided, assignment, by_name[option.operator], statistics[option.operator])
        for option in decided.options
    )
    characterised = problem.fixed.flash_bytes > 0
    return Explanation(
        assignment=assignment,
        operators=reasons,
        kernels=_kernel_reasons(problem, assignment),
        sigma_correlation=_sigma_correlation(reasons),
        warnings=warnings_about(problem, ranges),
        characterised=characterised,
        arena_limit_bytes=problem.arena_limit_bytes,
        stack_bytes=max([decided.fixed.stack_bytes, *(option.at(0).stack_bytes for option in decided.others)]),
    )


def _kernel_reasons(problem: Problem, assignment: Assignment) -> tuple[KernelReason, ...]:
    found = []
    for option in (*problem.options, *problem.others):
        bits = assignment.bitwidths.weights.get(option.operator, 0)
        sets = [width.kernels for width in option.widths if width.bits == bits]
        for kernels in sets if len(sets) > 1 else ():
            cost = cost_at(problem, assignment.bitwidths, {**assignment.kernels, option.operator: kernels})
            now, then = assignment.cost.latency, cost.latency
            found.append(
                KernelReason(
                    operator=option.operator,
                    kernels=kernels,
                    chosen=kernels == assignment.kernels[option.operator],
                    flash_bytes=int(cost.flash.value - assignment.cost.flash.value),
                    latency_s=None if now is None or then is None else then.value - now.value,
                    blocked_by=_exceeded(problem, cost),
                )
            )
    return tuple(found)


def warnings_about(problem: Problem, ranges: Ranges | None = None) -> tuple[str, ...]:
    """What a person should look at before trusting an assignment: dead operators, constant weights."""
    found = []
    for operator in problem.topology.weighted():
        weights = problem.graph.constants[operator.weights]
        if not weights.any():
            found.append(f"operator '{operator.name}': all weights are zero; its width changes nothing but bytes")
        elif np.ptp(weights) == 0:
            found.append(f"operator '{operator.name}': all weights are equal; was it trained?")
        span = ranges.tensors.get(operator.output) if ranges is not None else None
        if span is not None and span.minimum == span.maximum:
            found.append(
                f"operator '{operator.name}': its output is the same for every calibration sample; it is dead, or the"
                " samples are too few or not like real inputs"
            )
    return tuple(found)


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Spearman's: the correlation of ranks, of equal values their mean rank. None iff either is constant.

    >>> rank_correlation([1, 2, 3], [10, 30, 20])
    0.5
    """
    one, other = _ranks(first), _ranks(second)
    if len(first) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    return round(float(np.corrcoef(one, other)[0, 1]), 12)


def _ranks(values: Sequence[float]) -> NDArray[np.float64]:
    _, index, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[index])


def _sigma_correlation(reasons: tuple[OperatorReason, ...]) -> float | None:
    narrowest = [reason.widths[0].sensitivity for reason in reasons]
    known = [value for value in narrowest if value is not None]
    return rank_correlation([reason.sigma for reason in reasons], known) if len(known) == len(reasons) else None


def _reason(
    problem: Problem, assignment: Assignment, operator: WeightedOperator, statistics: WeightStatistics
) -> OperatorReason:
    option = next(option for option in problem.options if option.operator == operator.name)
    widths = tuple(_width(problem, assignment, operator.name, bits, statistics) for bits in option.bits)
    position = option.bits.index(assignment.bitwidths.weights[operator.name])
    pinned = operator.name in problem.pins
    return OperatorReason(
        operator=operator.name,
        kind=kind(operator),
        weights=problem.topology.elements(operator.weights),
        sigma=statistics.sigma,
        pinned=pinned,
        chosen=widths[position],
        narrower=widths[position - 1] if position > 0 and not pinned else None,
        wider=widths[position + 1] if position + 1 < len(widths) and not pinned else None,
        widths=widths,
    )


def _width(
    problem: Problem, assignment: Assignment, operator: str, bits: int, statistics: WeightStatistics
) -> WidthReason:
    option = next(option for option in problem.options if option.operator == operator).at(bits)
    changed = Bitwidths({**assignment.bitwidths.weights, operator: bits})
    table = problem.sensitivity
    return WidthReason(
        bits=bits,
        weight_bytes=option.weight_bytes,
        flash_bytes=option.flash_bytes + _called_beyond(problem, changed, operator),
        code_bytes=option.code_bytes,
        calls=option.calls,
        stack_bytes=option.stack_bytes,
        cycles=option.cycles,
        latency_s=option.latency_s,
        energy_j=option.energy_j,
        sensitivity=table.of(operator, bits) if table is not None else None,
        weight_divergence=statistics.divergence[bits],
        blocked_by=_exceeded(problem, budgeted_at(problem, changed, assignment.kernels)),
    )


def _called_beyond(problem: Problem, bitwidths: Bitwidths, operator: str) -> int:
    """Bytes of the functions that are in the image for one operator alone."""
    calls = {option.operator: option.at(bitwidths.weights[option.operator]).calls for option in problem.options}
    calls |= {option.operator: option.at(0).calls for option in problem.others}
    others = [problem.fixed.calls, *(called for name, called in calls.items() if name != operator)]
    return called_bytes([*others, calls[operator]]) - called_bytes(others)


def _exceeded(problem: Problem, cost: Cost) -> tuple[Resource, ...]:
    return tuple(violation.resource for violation in problem.budget.violations(cost))
