"""Solves a Program exactly, by HiGHS through SciPy: the best choices, the best few, what a budget is worth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from sq_micro.assign.linear_form import LinearForm
from sq_micro.assign.program import Choices, Program, Row, no_good

TIME_LIMIT_S = 60.0
_TIE_BREAK = 1e-6  # of a whole budget
_SMALLEST_BOUND = 1e-3  # of the largest coefficient


@dataclass(frozen=True, slots=True)
class Solution:
    """The best choices, their objective, and a lower bound on that of any other; `proven` iff the two are equal."""

    choices: Choices
    objective: float
    lower_bound: float
    proven: bool


def solve(program: Program, time_limit_s: float = TIME_LIMIT_S) -> Solution | None:
    """The best choices; None iff no choices keep all rows and cuts.

    Rows are checked once more with exact sums; a plan that only the solver's tolerance lets through is cut off.
    Raises TimeoutError iff nothing was found within the time limit.
    """
    while True:
        form = LinearForm.of(program)
        found = milp(
            form.objective,
            integrality=form.integrality,
            bounds=Bounds(0, 1),
            constraints=form.constraints(),
            options={"time_limit": time_limit_s, "mip_rel_gap": 0.0},
        )
        if found.x is None:
            if found.status == 1:
                raise TimeoutError(f"the integer program found nothing within {time_limit_s:g} s")
            return None
        choices = form.decode(found.x)
        if program.allows(choices):
            objective = program.objective(choices)
            proven = found.status == 0
            bound = objective if proven else form.real_objective(float(found.mip_dual_bound))
            return Solution(choices, objective, min(bound, objective), proven)
        program = program.with_cuts(no_good(choices))


def best_solutions(program: Program, count: int, distance: int = 1) -> Iterator[Solution]:
    """The best solution, then the best that differs from all before in at least `distance` items; at most `count`."""
    for _ in range(count):
        found = solve(program)
        if found is None:
            return
        yield found
        program = program.with_cuts(no_good(found.choices, distance))


def relaxed_prices(program: Program) -> tuple[float, ...]:
    """How fast the objective of the linear relaxation falls per unit of each row's bound: its dual variables, ≥ 0.

    All zero where the relaxation is infeasible; pairwise terms are left out. The relaxation may mix two widths of one
    operator, so these are slopes of a convex curve below the true one; what a definite amount buys comes from solving
    again.
    """
    form = LinearForm.of(replace(program, pairs=()))
    if not form.rows:
        return ()
    found = linprog(
        form.objective,
        A_ub=np.array([*form.rows, *(line for line, _ in form.cuts)]),
        b_ub=np.array([*form.bounds, *(most for _, most in form.cuts)]),
        A_eq=form.equations.toarray(),
        b_eq=form.right_sides,
        bounds=(0, 1),
        method="highs",
    )
    if found.status != 0:
        return (0.0,) * len(program.rows)
    slopes = -found.ineqlin.marginals[: len(program.rows)]
    return tuple(
        max(float(slope) * form.unit / row_unit, 0.0) for slope, row_unit in zip(slopes, form.row_units, strict=True)
    )


def least_excess(program: Program) -> Choices:
    """The choices that exceed the rows least, as the sum of shares of their bounds; the objective breaks ties.

    Each row gets a continuous variable for what is beyond its bound. Cuts are kept, pairwise terms are left out.
    """
    form = LinearForm.of(replace(program, rows=(), pairs=()))
    variables, rows = len(form.objective), len(program.rows)
    shares = np.array([_share(row) for row in program.rows])
    lines = np.array([np.concatenate(row.coefficients) for row in program.rows]).reshape(rows, variables)
    bounds = np.array([row.bound for row in program.rows])
    tie_break = form.objective / max(form.objective.max(initial=0.0), 1.0) * _TIE_BREAK
    cuts = np.array([line for line, _ in form.cuts]).reshape(len(form.cuts), variables)
    found = milp(
        np.concatenate([tie_break, np.ones(rows)]),
        integrality=np.concatenate([form.integrality, np.zeros(rows)]),
        bounds=Bounds(0, np.concatenate([np.ones(variables), np.full(rows, np.inf)])),
        constraints=[
            LinearConstraint(np.hstack([form.equations.toarray(), np.zeros((len(program.costs), rows))]), 1, 1),
            LinearConstraint(np.hstack([cuts, np.zeros((len(cuts), rows))]), -np.inf, [most for _, most in form.cuts]),
            LinearConstraint(np.hstack([lines / shares[:, None], -np.eye(rows)]), -np.inf, bounds / shares),
        ],
    )
    assert found.x is not None  # any choices that the cuts allow do, with enough excess
    return form.decode(found.x[:variables])


def _share(row: Row) -> float:
    """What an excess is measured in: the bound, unless it is next to nothing."""
    largest = max((abs(value) for item in row.coefficients for value in item), default=0.0)
    return max(abs(row.bound), largest * _SMALLEST_BOUND) or 1.0
