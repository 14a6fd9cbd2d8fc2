"""A Program as matrices for HiGHS, scaled so that its absolute tolerances are harmless.

Each choice is a binary variable. A product of two choices gets a continuous variable that the equations
Σ_d y[i, c, j, d] = x[i, c] force to its value at integer points (reformulation-linearisation, Adams and Sherali), so
that pairwise terms of either sign are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, isfinite

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import LinearConstraint
from scipy.sparse import csr_array

from sq_micro.assign.program import ROUNDING, Choices, Program, Row

_OBJECTIVE_SPAN = 1e5  # HiGHS stops at an absolute gap of 1e-6: eleven digits of the objective
_ROW_SPAN = 1e4  # HiGHS' tolerance of 1e-6 is then far below one byte, and below 1e-10 of a latency
_HALF = 0.5  # rows of whole numbers: nothing lies between the bound and the bound plus a half


@dataclass(frozen=True, slots=True)
class LinearForm:
    """A program as HiGHS takes it: costs and rows as what each choice adds to the item's cheapest, in handy units.

    unit        real objective per scaled one; row_units likewise per row
    offset      the real objective of the cheapest choices
    """

    sizes: tuple[int, ...]
    objective: NDArray[np.float64]
    unit: float
    offset: float
    rows: tuple[NDArray[np.float64], ...]
    bounds: tuple[float, ...]
    row_units: tuple[float, ...]
    cuts: tuple[tuple[NDArray[np.float64], float], ...]
    equations: csr_array
    right_sides: NDArray[np.float64]
    integrality: NDArray[np.int64]

    @classmethod
    def of(cls, program: Program) -> LinearForm:
        sizes = tuple(len(item) for item in program.costs)
        starts = np.concatenate([[0], np.cumsum(sizes)])
        binaries = int(starts[-1])
        products = [sizes[pair.first] * sizes[pair.second] for pair in program.pairs]
        width = binaries + sum(products)

        lowest = [min(item) for item in program.costs]
        own = [value - low for item, low in zip(program.costs, lowest, strict=True) for value in item]
        together = [value for pair in program.pairs for line in pair.values for value in line]
        costs = np.array(own + together, np.float64)
        unit = float(np.abs(costs).max(initial=0.0)) / _OBJECTIVE_SPAN or 1.0

        rows, bounds, units = [], [], []
        for row in program.rows:
            scaled, bound, row_unit = _scaled(row)
            rows.append(np.concatenate([scaled, np.zeros(width - binaries)]))
            bounds.append(bound)
            units.append(row_unit)
        cuts = []
        for cut in program.cuts:
            line = np.zeros(width)
            for start, listed in zip(starts, cut.choices, strict=False):
                line[[int(start) + choice for choice in listed]] = 1.0
            cuts.append((line, float(cut.most)))
        equations, right_sides = _equations(program, sizes, starts, width)
        integrality = np.concatenate([np.ones(binaries, np.int64), np.zeros(width - binaries, np.int64)])
        return cls(
            *(sizes, costs / unit, unit, fsum(lowest), tuple(rows), tuple(bounds), tuple(units), tuple(cuts)),
            *(equations, right_sides, integrality),
        )

    def constraints(self) -> list[LinearConstraint]:
        lines = [*self.rows, *(line for line, _ in self.cuts)]
        upper = [*self.bounds, *(bound for _, bound in self.cuts)]
        found = [LinearConstraint(self.equations, self.right_sides, self.right_sides)]
        if lines:
            found.append(LinearConstraint(csr_array(np.array(lines)), -np.inf, np.array(upper)))
        return found

    def decode(self, x: NDArray[np.float64]) -> Choices:
        """The choice of each item whose variable is largest."""
        ends = np.cumsum(self.sizes)
        return tuple(int(x[end - size : end].argmax()) for end, size in zip(ends, self.sizes, strict=True))

    def real_objective(self, scaled: float) -> float:
        return scaled * self.unit + self.offset if isfinite(scaled) else -np.inf


def _scaled(row: Row) -> tuple[NDArray[np.float64], float, float]:
    """What each choice adds to the item's smallest, the bound that is left, and the unit of both."""
    lowest = [min(item) for item in row.coefficients]
    values = [value - low for item, low in zip(row.coefficients, lowest, strict=True) for value in item]
    left = row.bound - fsum(lowest)
    whole = all(float(value).is_integer() for item in row.coefficients for value in item)
    left = np.floor(left) + _HALF if whole else left + ROUNDING * abs(row.bound)
    unit = max(max(values, default=0.0) / _ROW_SPAN, 1.0 if whole else 0.0) or 1.0
    return np.array(values, np.float64) / unit, float(left / unit), unit


def _equations(
    program: Program, sizes: Sequence[int], starts: NDArray[np.int64], width: int
) -> tuple[csr_array, NDArray[np.float64]]:
    """Each item takes one choice; each product has its factors as margins."""
    lines: list[NDArray[np.float64]] = []
    right: list[float] = []
    for start, size in zip(starts, sizes, strict=False):
        line = np.zeros(width)
        line[start : start + size] = 1.0
        lines.append(line)
        right.append(1.0)
    position = int(starts[-1])
    for pair in program.pairs:
        rows, columns = sizes[pair.first], sizes[pair.second]
        block = position + np.arange(rows * columns).reshape(rows, columns)
        for item, members in ((pair.first, block), (pair.second, block.T)):
            for choice, variables in enumerate(members):
                line = np.zeros(width)
                line[variables] = 1.0
                line[int(starts[item]) + choice] = -1.0
                lines.append(line)
                right.append(0.0)
        position += rows * columns
    return csr_array(np.array(lines)), np.array(right)
