"""The default: an exact integer program over measured sensitivities, then the best few plans are tried for real.

The additive prediction misses how damages combine, so several good plans, those of the rules that need no data among
them, are rounded and run; from the best one the search goes on to plans next to it while that helps. What is taken may
then be a faster one that the trials cannot tell from the best.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import inf, isfinite

from sq_micro.assign.allocators.exact_program import (
    apart,
    bitwidths_of,
    has_plan,
    program_of,
    sets_of,
    solve_lazily,
)
from sq_micro.assign.allocators.memory_driven import memory_driven
from sq_micro.assign.allocators.neighbours import neighbours
from sq_micro.assign.allocators.size_ranked import size_ranked
from sq_micro.assign.allocators.trials import Tried, best_of, explained, preferred
from sq_micro.assign.allocators.uniform import uniform
from sq_micro.assign.completion import cost_of, kernels_of, least, price_of_time, violations
from sq_micro.assign.costs import cost_at, stated
from sq_micro.assign.integer_program import least_excess, relaxed_prices
from sq_micro.assign.problem import Evaluate, Evaluation, FrontierPoint, Price, Problem, Proposal
from sq_micro.cost.budget import UNIT, Resource
from sq_micro.ir.bitwidths import Bitwidths

_PRICED_BYTES = 1024.0
_PRICED_SHARE = 0.01  # of a budget in seconds or joules
_WORTH = 1e-6  # nats: a budget whose removal gains less did not decide anything


@dataclass(frozen=True, slots=True)
class ExactOptions:
    """How much is tried and shown beyond the optimum.

    candidates       plans of the integer program that are tried for real
    distance         in how many operators they differ at least
    with_rules       try the plans of `uniform`, `memory-driven` and `size-ranked` too: then the result diverges no
                     more on calibration data than theirs, as far as that data can tell
    rounds           of trying plans next to the best one; a round that finds no better plan is the last
    neighbours       plans tried in a round
    frontier_points  budgets for which the program is solved, from the smallest plan to the largest
    """

    candidates: int = 8
    distance: int = 2
    with_rules: bool = True
    rounds: int = 3
    neighbours: int = 4
    frontier_points: int = 16


def ilp(problem: Problem, evaluate: Evaluate | None = None, options: ExactOptions | None = None) -> Proposal:
    """The plan of least divergence within the budgets; of several good ones the best when tried.

    With goal `flash` or `weights`: the smallest plan of the frontier whose drop, when tried, is within `max_drop`.
    Where no plan fits: the one that exceeds the budgets least, as shares of them.
    """
    chosen = options or ExactOptions()
    best, _ = solve_lazily(problem, program_of(problem))
    if best is None:
        nearest = bitwidths_of(problem, least_excess(program_of(problem)))
        return Proposal(
            nearest,
            binding=_conflicting(problem, nearest),
            log=("no plan meets all budgets; this one exceeds them least",),
        )
    if problem.goal != "divergence" and evaluate is not None:
        return _smallest(problem, evaluate, chosen)
    plans = candidate_plans(problem, chosen)
    if evaluate is None:
        tried: dict[str, Tried] = {}
        winner, evaluation = plans[0], None
        log = tuple(f"predicted {_predicted(problem, plan):.5f}: {plan}" for plan in plans)
    else:
        tried = _search(problem, evaluate, plans, chosen)
        best_trial, taken = best_of(tried.values()), preferred(problem, tried.values())
        winner, evaluation = taken.plan, taken.evaluation
        plans = [found.plan for found in tried.values()]
        log = tuple(
            f"predicted {_predicted(problem, found.plan):.5f}: {found.plan}; {found.why},"
            f" tried {found.evaluation.divergence:.5f}"
            for found in tried.values()
        )
        if taken is not best_trial:
            log = (*log, explained(problem, taken, best_trial))
    frontier = frontier_of(problem, chosen.frontier_points, plans)
    return Proposal(
        winner,
        evaluation,
        binding=binding_budgets(problem),
        prices=prices_of(problem, evaluation),
        frontier=tuple(
            replace(point, evaluation=found.evaluation) if (found := tried.get(str(point.bitwidths))) else point
            for point in frontier
        ),
        log=log,
    )


def _search(
    problem: Problem, evaluate: Evaluate, candidates: list[Bitwidths], options: ExactOptions
) -> dict[str, Tried]:
    """All plans that were tried, by their text: the candidates, then round after round those next to the best."""
    tried: dict[str, Tried] = {}

    def add(plans: list[Bitwidths], why: str) -> None:
        for plan, evaluation in zip(plans, evaluate(plans), strict=True):
            tried[str(plan)] = Tried(plan, evaluation, why, price_of_time(problem, plan))

    add(candidates, "candidate")
    for number in range(1, options.rounds + 1):
        best = best_of(tried.values())
        alike = problem.with_kernels(kernels_of(problem, best.plan))
        fresh = [plan for plan in neighbours(alike, best.plan) if str(plan) not in tried][: options.neighbours]
        if not fresh:
            break
        add(fresh, f"round {number}")
        if best_of(tried.values()) is best:
            break
    return tried


def candidate_plans(problem: Problem, options: ExactOptions) -> list[Bitwidths]:
    """The best plans of the integer program, best first, then those of the rules; without repetition, all fitting."""
    plans: list[Bitwidths] = []
    program = program_of(problem)
    for _ in range(options.candidates):
        found, program = solve_lazily(problem, program)
        if found is None:
            break
        plans.append(bitwidths_of(problem, found.choices))
        program = program.with_cuts(apart(problem, found.choices, options.distance))
    if options.with_rules:
        own_bits = problem.options[0].bits
        rules = (uniform(problem), memory_driven(problem), memory_driven(problem, bits=own_bits), size_ranked(problem))
        for rule in rules:
            known = has_plan(problem, rule.bitwidths) and not violations(problem, rule.bitwidths)
            if known and rule.bitwidths not in plans:
                plans.append(rule.bitwidths)
    return plans


def binding_budgets(problem: Problem) -> tuple[str, ...]:
    """The budgets without which a better plan would be predicted."""
    return tuple(r for r in stated(problem) if _optimum(problem) - _optimum(_with(problem, r, None)) > _WORTH)


def _conflicting(problem: Problem, nearest: Bitwidths) -> tuple[str, ...]:
    """The budgets of which each, left out, would let some plan fit; where no single one does, those exceeded."""
    alone = tuple(r for r in stated(problem) if isfinite(_optimum(_with(problem, r, None))))
    return alone or tuple(violation.resource for violation in violations(problem, nearest))


def prices_of(problem: Problem, evaluation: Evaluation | None) -> tuple[Price, ...]:
    """What 1 KiB, or one percent of a budget of another unit, more of each stated budget buys."""
    program = program_of(problem)
    duals = relaxed_prices(program)
    before = _optimum(problem)
    prices = []
    for resource in stated(problem):
        bound = float(getattr(problem.budget, resource))
        amount = _PRICED_BYTES if UNIT[resource] == "bytes" else bound * _PRICED_SHARE
        gain = max(before - _optimum(_with(problem, resource, bound + amount)), 0.0)
        marginal = sum(dual for dual, row in zip(duals, program.rows, strict=True) if row.name == resource)
        points = None
        if evaluation is not None and before > 0:
            points = gain * max(evaluation.expected_drop, 0.0) / before
        prices.append(Price(resource, amount, gain, marginal, points))
    return tuple(prices)


def frontier_of(problem: Problem, points: int, known: Iterable[Bitwidths] = ()) -> tuple[FrontierPoint, ...]:
    """Predicted optima over flash, the other budgets kept, and `known`; over weights where only they have a budget."""
    resource: Resource = "weights" if stated(problem) == ("weights",) or problem.goal == "weights" else "flash"
    widest = Bitwidths({option.operator: max(option.bits) for option in problem.allowed})
    low, high = least(problem, resource), getattr(cost_of(problem, widest), resource).value
    costs = {str(plan): (plan, cost_of(problem, plan)) for plan in known}
    for step in range(points):
        bound = low + (high - low) * step / max(points - 1, 1)
        relaxed = _with(problem, resource, bound)
        found, _ = solve_lazily(relaxed, program_of(relaxed))
        if found is not None:
            plan = bitwidths_of(problem, found.choices)
            costs[str(plan)] = plan, cost_at(problem, plan, sets_of(problem, found.choices))
    seen = [FrontierPoint(plan, cost, _predicted(problem, plan), None) for plan, cost in costs.values()]
    return tuple(sorted(seen, key=lambda point: (getattr(point.cost, resource).value, point.predicted or 0.0)))


def _smallest(problem: Problem, evaluate: Evaluate, options: ExactOptions) -> Proposal:
    """Bisect the frontier for the smallest plan whose drop is within `max_drop`; the best one where none is."""
    assert problem.max_drop is not None
    frontier = [point for point in frontier_of(problem, options.frontier_points) if _fits(problem, point)]
    log = []
    low, high = 0, len(frontier)
    while low < high:
        middle = (low + high) // 2
        found = evaluate([frontier[middle].bitwidths])[0]
        frontier[middle] = replace(frontier[middle], evaluation=found)
        log.append(f"{frontier[middle].cost.weights}: drop {found.expected_drop:.2f} points")
        if found.expected_drop <= problem.max_drop:
            high = middle
        else:
            low = middle + 1
    chosen = frontier[min(low, len(frontier) - 1)]
    return Proposal(
        chosen.bitwidths,
        chosen.evaluation or evaluate([chosen.bitwidths])[0],
        binding=binding_budgets(problem) if low == len(frontier) else ("max-drop",),
        prices=prices_of(problem, chosen.evaluation),
        frontier=tuple(frontier),
        log=tuple(log),
    )


def _fits(problem: Problem, point: FrontierPoint) -> bool:
    return not problem.budget.violations(point.cost)


def _predicted(problem: Problem, plan: Bitwidths) -> float:
    assert problem.sensitivity is not None
    return problem.sensitivity.total(plan)


def _optimum(problem: Problem) -> float:
    """The least predicted divergence; infinite where nothing fits."""
    found, _ = solve_lazily(problem, program_of(problem))
    return inf if found is None else _predicted(problem, bitwidths_of(problem, found.choices))


def _with(problem: Problem, resource: Resource, bound: float | None) -> Problem:
    return replace(problem, budget=replace(problem.budget, **{resource: bound}))
