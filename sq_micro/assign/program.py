"""A choice per item, linear rows to keep, a sum to minimise: the problem that `integer_program` solves.

    minimise   Σ_i cost[i, c_i]  +  Σ_{i<j} pair[i, j][c_i, c_j]
    subject to Σ_i row[i, c_i] ≤ bound      for every row
               #{i : c_i ∈ cut[i]} ≤ most   for every cut

Nothing here knows what an item is; `allocators.exact` says what its operators and budgets mean.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import fsum

Matrix = tuple[tuple[float, ...], ...]
Choices = tuple[int, ...]

ROUNDING = 1e-9  # relative: sums of seconds and joules are equal within this


@dataclass(frozen=True, slots=True)
class Row:
    """A budget: Σ_i coefficients[i][c_i] ≤ bound."""

    name: str
    coefficients: Matrix
    bound: float

    def total(self, choices: Choices) -> float:
        """The left side."""
        return fsum(item[choice] for item, choice in zip(self.coefficients, choices, strict=True))

    def holds(self, choices: Choices) -> bool:
        """Whether the row is kept, up to rounding of the sum itself."""
        return self.total(choices) <= self.bound + ROUNDING * abs(self.bound)


@dataclass(frozen=True, slots=True)
class Cut:
    """Of all items at most `most` may take one of their listed choices."""

    choices: tuple[frozenset[int], ...]
    most: int

    def holds(self, choices: Choices) -> bool:
        """Whether a plan is allowed."""
        return sum(choice in listed for choice, listed in zip(choices, self.choices, strict=True)) <= self.most


def no_good(choices: Choices, distance: int = 1) -> Cut:
    """Forbids a plan, and every plan that differs from it in fewer than `distance` items."""
    return Cut(tuple(frozenset({choice}) for choice in choices), len(choices) - distance)


@dataclass(frozen=True, slots=True)
class Pair:
    """What two choices cost together beyond the sum of their own costs: values[c_first][c_second]."""

    first: int
    second: int
    values: Matrix


@dataclass(frozen=True, slots=True)
class Program:
    """costs[i][c] for item i and choice c; items may have different numbers of choices."""

    costs: Matrix
    rows: tuple[Row, ...] = ()
    cuts: tuple[Cut, ...] = ()
    pairs: tuple[Pair, ...] = ()

    def objective(self, choices: Choices) -> float:
        """The sum that is minimised."""
        own = [item[choice] for item, choice in zip(self.costs, choices, strict=True)]
        return fsum(own + [pair.values[choices[pair.first]][choices[pair.second]] for pair in self.pairs])

    def allows(self, choices: Choices) -> bool:
        """Whether all rows and cuts hold."""
        return all(row.holds(choices) for row in self.rows) and all(cut.holds(choices) for cut in self.cuts)

    def with_cuts(self, *cuts: Cut) -> Program:
        """The same with more cuts."""
        return replace(self, cuts=self.cuts + cuts)

    def with_rows(self, *rows: Row) -> Program:
        """The same with more rows."""
        return replace(self, rows=self.rows + rows)

    def without_row(self, name: str) -> Program:
        """The same without the rows of a name."""
        return replace(self, rows=tuple(row for row in self.rows if row.name != name))

    def with_bound(self, name: str, extra: float) -> Program:
        """The same with `extra` more of one budget."""
        rows = tuple(replace(row, bound=row.bound + extra) if row.name == name else row for row in self.rows)
        return replace(self, rows=rows)
