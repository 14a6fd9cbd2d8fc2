"""Plans next to a plan. The additive table misses how damages combine, most of all at 2 and 3 bits, where operators
make up for what those before them lost; so from the best plan that was tried the search goes on to those around it.

Each operator in turn goes one width down, and what that frees is spent where the table says it gains most; or one width
up, and others go down, least damage for what they free first, until the budgets are met again.
"""

from __future__ import annotations

from collections.abc import Iterator

from sq_micro.assign.completion import budgeted_of
from sq_micro.assign.costs import load
from sq_micro.assign.problem import Problem
from sq_micro.ir.bitwidths import Bitwidths


def neighbours(problem: Problem, plan: Bitwidths) -> list[Bitwidths]:
    """The plans around one that keep all budgets, least predicted damage first. Needs a sensitivity table."""
    around = _Around(problem)
    found: dict[str, Bitwidths] = {}
    for option in problem.unpinned:
        for widths in (around.narrowed(plan, option.operator), around.widened(plan, option.operator)):
            if widths is not None and widths != dict(plan.weights):
                other = Bitwidths(widths)
                found[str(other)] = other
    return sorted(found.values(), key=around.predicted)


class _Around:
    """The two kinds of steps in one problem."""

    def __init__(self, problem: Problem) -> None:
        assert problem.sensitivity is not None
        self._problem = problem
        self._table = problem.sensitivity
        self._bits = {option.operator: option.bits for option in problem.unpinned}

    def predicted(self, plan: Bitwidths) -> float:
        return self._table.total(plan)

    def narrowed(self, plan: Bitwidths, operator: str) -> dict[str, int] | None:
        """One width less for the operator, and as much more for others as then fits."""
        widths = dict(plan.weights)
        narrower = self._next(operator, widths[operator], wider=False)
        if narrower is None:
            return None
        widths[operator] = narrower
        if self._load(widths) > 1:  # a narrower operator may be a slower one
            return None
        while True:
            gains = [
                (self._table.of(name, widths[name]) - self._table.of(name, bits), name, bits)
                for name, bits in self._steps(widths, operator, wider=True)
                if self._load({**widths, name: bits}) <= 1
            ]
            if not gains:
                return widths
            _, name, bits = max(gains)
            widths[name] = bits

    def widened(self, plan: Bitwidths, operator: str) -> dict[str, int] | None:
        """One width more for the operator, and less for others until everything fits; None iff it never does."""
        widths = dict(plan.weights)
        wider = self._next(operator, widths[operator], wider=True)
        if wider is None:
            return None
        widths[operator] = wider
        while (now := self._load(widths)) > 1:
            prices = []
            for name, bits in self._steps(widths, operator, wider=False):
                relief = now - self._load({**widths, name: bits})
                if relief > 0:
                    damage = self._table.of(name, bits) - self._table.of(name, widths[name])
                    prices.append((damage / relief, name, bits))
            if not prices:
                return None
            _, name, bits = min(prices)
            widths[name] = bits
        return widths

    def _steps(self, widths: dict[str, int], but: str, wider: bool) -> Iterator[tuple[str, int]]:
        """The next width of every other operator that is free and has one."""
        for name in self._bits:
            bits = self._next(name, widths[name], wider)
            if name != but and bits is not None:
                yield name, bits

    def _next(self, operator: str, bits: int, wider: bool) -> int | None:
        found = self._bits[operator]
        index = found.index(bits) + (1 if wider else -1)
        return found[index] if 0 <= index < len(found) else None

    def _load(self, widths: dict[str, int]) -> float:
        """The largest share of any budget that a plan takes."""
        return load(self._problem, budgeted_of(self._problem, Bitwidths(widths)))
