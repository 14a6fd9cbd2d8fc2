"""Plans that were rounded and run, and which of them is taken.

The samples are a few hundred, so that a small difference between two plans may be theirs alone. Both plans have seen
the same samples: the standard error of the mean difference, sample by sample, says how far it can be trusted.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from math import inf

from sq_micro.assign.allocators.exact_program import TIME_PRICE, fastest_s
from sq_micro.assign.completion import cost_of
from sq_micro.assign.problem import Evaluation, Problem
from sq_micro.cost.figure import amount
from sq_micro.ir.bitwidths import Bitwidths


@dataclass(frozen=True, slots=True)
class Tried:
    """A plan, how it did, where it came from, and the price in nats of the time that smaller kernels take."""

    plan: Bitwidths
    evaluation: Evaluation
    why: str
    price: float

    @property
    def worth(self) -> float:
        """Smaller is better: the divergence, and the price of the kernels."""
        return self.evaluation.divergence + self.price


def best_of(tried: Collection[Tried]) -> Tried:
    """The one that is worth most; the first of several."""
    return min(tried, key=lambda one: one.worth)


def preferred(problem: Problem, tried: Collection[Tried]) -> Tried:
    """The best; but of those that nobody can tell from it the one whose divergence and time cost least together.

    Here all of a plan's time has the price that smaller kernels have, whether it comes from bits, kernels or memory; of
    equal ones the smaller image. Where time is not known the best is taken. All of `tried` keep the budgets.
    """
    best = best_of(tried)
    drop = inf if problem.max_drop is None else max(best.evaluation.expected_drop, problem.max_drop)
    found, fastest = [], fastest_s(problem)
    for one in tried:
        if one.evaluation.expected_drop > drop or _is_worse(one.evaluation, best.evaluation):
            continue
        cost = cost_of(problem, one.plan)
        if cost.latency is None or not fastest:
            return best
        time = TIME_PRICE * cost.latency.value / fastest
        found.append((one.evaluation.divergence + time, cost.flash.value, one))
    return min(found, key=lambda entry: entry[:2])[2]


def explained(problem: Problem, taken: Tried, best: Tried) -> str:
    """Why it is not the best that is taken."""
    more = taken.evaluation.divergence - best.evaluation.divergence
    error = taken.evaluation.error_beside(best.evaluation)
    slow, fast = cost_of(problem, best.plan).latency, cost_of(problem, taken.plan).latency
    assert slow is not None  # where time is not known the best is taken
    assert fast is not None
    saved = amount(slow.value - fast.value, "s")
    return f"taken: {taken.plan}, {more:+.5f} beside the best (standard error {error:.5f}), for {saved} less"


def _is_worse(one: Evaluation, other: Evaluation) -> bool:
    """Whether it diverges more, by more than one standard error of the difference."""
    return one.divergence - other.divergence > one.error_beside(other)
