"""Plans that need no search, tried beside the chosen one: what a person would have got without."""

from __future__ import annotations

from dataclasses import dataclass

from sq_micro.assign.allocators.memory_driven import memory_driven
from sq_micro.assign.allocators.size_ranked import size_ranked
from sq_micro.assign.allocators.uniform import uniform_plan
from sq_micro.assign.completion import cost_of
from sq_micro.assign.problem import Evaluate, Evaluation, FrontierPoint, Problem

_TRIED = (8, 4, 2)  # uniform widths that are tried for real; a trial takes as long as a candidate of the search


@dataclass(frozen=True, slots=True)
class Baseline:
    """origin is `uniform 4`, `memory-driven` or `size-ranked`; the rules' plans are for the same budgets."""

    origin: str
    point: FrontierPoint


def baselines(problem: Problem, evaluate: Evaluate | None = None) -> tuple[Baseline, ...]:
    """Every uniform width, and the plans of the rules; pins kept, budgets not always. Some are tried, in one call."""
    every = sorted({bits for option in problem.options for bits in option.bits}, reverse=True)
    plans = {f"uniform {bits}": uniform_plan(problem, bits) for bits in every}
    plans["memory-driven"] = memory_driven(problem).bitwidths
    plans["size-ranked"] = size_ranked(problem, evaluate).bitwidths
    untried = {f"uniform {bits}" for bits in every if bits not in _TRIED}
    chosen = [origin for origin in plans if origin not in untried]
    tried: dict[str, Evaluation] = {}
    if evaluate is not None:
        tried = dict(zip(chosen, evaluate([plans[origin] for origin in chosen]), strict=True))
    table = problem.sensitivity
    return tuple(
        Baseline(
            origin,
            FrontierPoint(
                plan, cost_of(problem, plan), table.total(plan) if table is not None else None, tried.get(origin)
            ),
        )
        for origin, plan in plans.items()
    )
