"""Searches, builds and measures until an image keeps what was allowed: each search leaves room for what the predictions
of those before it missed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from sq_micro.cost.budget import UNIT, Budget, Resource, Violation
from sq_micro.cost.cost import Cost
from sq_micro.errors import BudgetError

ATTEMPTS = 4  # one correction is the rule; more are for errors that differ from plan to plan

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Attempt(Generic[T]):
    """A plan that was searched for, and what became of it.

    predicted, measured  what the search said that it takes; what its image takes
    least                of each stated resource what no plan is predicted to take less of
    """

    result: T
    predicted: Cost
    measured: Cost
    least: Mapping[Resource, float]


def first_within(stated: Budget, attempt: Callable[[Budget], Attempt[T]]) -> T:
    """The result of the first attempt whose image keeps the stated budget.

    attempt  searches within a budget, the stated one or less, builds and measures. BudgetError: there is no such plan
    Raises BudgetError iff there is no plan, or no image keeps the budget.
    """
    made: list[Attempt[T]] = []
    exceeded: tuple[Violation, ...] = ()
    budget = stated
    while len(made) < ATTEMPTS:
        try:
            latest = attempt(budget)
        except BudgetError as error:
            if not exceeded:
                raise
            detail = f"{_listed(exceeded)}; with room for that, {error.detail}"
            raise BudgetError(error.binding, detail, error.nearest) from error
        made.append(latest)
        exceeded = stated.violations(latest.measured)
        if not exceeded:
            return latest.result
        budget = with_room(stated, made)
        if not budget.violations(latest.predicted):
            break  # the next search would find the same plan
    raise BudgetError(tuple(violation.resource for violation in exceeded), _listed(exceeded))


def with_room(stated: Budget, made: Sequence[Attempt[T]]) -> Budget:
    """The budget less the largest error of any prediction so far, by resource; what is not exceeded may err, too.

    Not less than the leanest plan is predicted to take: its own error is known only once it was built.
    """
    bounds: dict[str, float] = {}
    for resource in UNIT:
        allowed = getattr(stated, resource)
        if allowed is not None:
            missed = max(_error(one, resource) for one in made)
            bounds[resource] = min(allowed, max(allowed - max(missed, 0.0), made[-1].least[resource]))
    return replace(stated, **bounds)


def _error(made: Attempt[T], resource: Resource) -> float:
    """By how much an image takes more than was predicted; 0 where either is not known."""
    measured, predicted = getattr(made.measured, resource), getattr(made.predicted, resource)
    return 0.0 if measured is None or predicted is None else float(measured.value - predicted.value)


def _listed(exceeded: tuple[Violation, ...]) -> str:
    return "; ".join(map(str, exceeded))
