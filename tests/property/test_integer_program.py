"""The integer program against exhaustive search: same objective, whatever the tables, rows, cuts and pairs."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sq_micro.assign.integer_program import best_solutions, least_excess, relaxed_prices, solve
from sq_micro.assign.program import Cut, Pair, Program, Row, no_good

PLAIN = settings(max_examples=120, deadline=None)


def exhaustive_plans(program: Program) -> list[tuple[float, tuple[int, ...]]]:
    """All plans that are allowed, best first."""
    plans = product(*(range(len(item)) for item in program.costs))
    return sorted((program.objective(plan), plan) for plan in plans if program.allows(plan))


@st.composite
def programs(draw: st.DrawFn, pairs: bool = False) -> Program:
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=5))
    costs = st.floats(0, 10, allow_subnormal=False).map(lambda value: round(value, 6))
    amounts = draw(st.sampled_from([st.integers(0, 40_000), st.floats(0, 0.05, allow_subnormal=False)]))

    def table(values: st.SearchStrategy[float]) -> tuple[tuple[float, ...], ...]:
        return tuple(tuple(draw(values) for _ in range(size)) for size in sizes)

    rows = []
    for index in range(draw(st.integers(0, 3))):
        coefficients = table(amounts)
        low, high = sum(map(min, coefficients)), sum(map(max, coefficients))
        rows.append(Row(f"row {index}", coefficients, low + draw(st.floats(-0.1, 1)) * (high - low)))
    cuts = [
        Cut(
            tuple(frozenset(draw(st.sets(st.integers(0, size - 1)))) for size in sizes),
            draw(st.integers(0, len(sizes))),
        )
        for _ in range(draw(st.integers(0, 2)))
    ]
    joined = []
    if pairs and len(sizes) > 1:
        signed = st.floats(-3, 3, allow_subnormal=False).map(lambda value: round(value, 6))
        for first, second in draw(st.sets(st.sampled_from([(a, b) for b in range(len(sizes)) for a in range(b)]))):
            values = tuple(tuple(draw(signed) for _ in range(sizes[second])) for _ in range(sizes[first]))
            joined.append(Pair(first, second, values))
    return Program(table(costs), tuple(rows), tuple(cuts), tuple(joined))


@PLAIN
@given(programs())
def test_the_optimum_is_that_of_exhaustive_search(program: Program) -> None:
    plans, found = exhaustive_plans(program), solve(program)
    if not plans:
        assert found is None
        return
    assert found is not None
    assert found.proven
    assert program.allows(found.choices)
    assert found.objective == pytest.approx(plans[0][0], abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(programs(pairs=True))
def test_pairwise_terms_of_either_sign_are_exact(program: Program) -> None:
    plans, found = exhaustive_plans(program), solve(program)
    assert (found is None) == (not plans)
    if found is not None:
        assert found.objective == pytest.approx(plans[0][0], abs=1e-8)


@settings(max_examples=60, deadline=None)
@given(programs(), st.integers(1, 6))
def test_the_best_few_are_the_best_few_of_exhaustive_search(program: Program, count: int) -> None:
    expected = [objective for objective, _ in exhaustive_plans(program)[:count]]
    found = list(best_solutions(program, count))
    assert [solution.objective for solution in found] == pytest.approx(expected, abs=1e-9)
    assert len({solution.choices for solution in found}) == len(found)


@settings(max_examples=60, deadline=None)
@given(programs())
def test_the_nearest_plan_has_the_least_relative_excess(program: Program) -> None:
    program = Program(program.costs, program.rows)

    def share(row: Row) -> float:
        return max(abs(row.bound), 1e-3 * max(map(max, row.coefficients))) or 1.0

    def excess(plan: tuple[int, ...]) -> float:
        return sum(max(row.total(plan) - row.bound, 0) / share(row) for row in program.rows)

    best = min(excess(plan) for plan in product(*(range(len(item)) for item in program.costs)))
    assert excess(least_excess(program)) == pytest.approx(best, abs=2e-5)


@settings(max_examples=60, deadline=None)
@given(programs())
def test_a_relaxed_price_is_never_more_than_what_the_relaxation_allows(program: Program) -> None:
    """Duals are non-negative, one per row, and zero for a row that never binds."""
    program = Program(program.costs, program.rows)
    prices = relaxed_prices(program)
    assert len(prices) == len(program.rows)
    assert all(price >= 0 for price in prices)
    for row, price in zip(program.rows, prices, strict=True):
        if sum(map(max, row.coefficients)) < row.bound:
            assert price == pytest.approx(0, abs=1e-9)


# Of ResNet8 of ../shared/data, measured on its 510 calibration images, weights rounded by feedback: nats beyond 8 bits
# at 2, 4 and 6.
RESNET8_DAMAGE = (
    (0.062369, 0.005740, 0.000621),
    (0.025628, 0.001446, 0.000635),
    (0.031402, 0.002127, 0.000509),
    (0.020780, 0.002394, 0.000303),
    (0.029824, 0.003622, 0.000237),
    (0.003913, 0.000818, 0.000785),
    (0.025788, 0.002251, 0.000309),
    (0.028547, 0.002728, 0.000508),
    (0.002818, 0.000314, 0.000175),
    (0.043485, 0.003303, 0.000428),
)


def test_resnet8s_table_equals_exhaustive_search_over_all_plans() -> None:
    """Ten operators, widths 2, 4, 6 and 8: 4^10 plans, under byte and cycle budgets."""
    import numpy as np

    elements = np.array([432, 2304, 2304, 4608, 9216, 512, 18432, 36864, 2048, 640])
    bits = np.array([2, 4, 6, 8])
    damage = np.array([(*row, 0.0) for row in RESNET8_DAMAGE])
    weight_bytes = elements[:, None] * bits // 8
    cycles = elements[:, None] * np.array([140, 120, 150, 100])

    def total(table: np.ndarray) -> np.ndarray:
        sums = table[0]
        for line in table[1:]:
            sums = np.add.outer(sums, line).reshape(-1)
        return sums

    damages, sizes, times = total(damage), total(weight_bytes), total(cycles)

    def rows(byte_bound: float, cycle_bound: float) -> tuple[Row, ...]:
        return (
            Row("weights", tuple(map(tuple, weight_bytes.tolist())), byte_bound),
            Row("latency", tuple(map(tuple, cycles.tolist())), cycle_bound),
        )

    for share in (0.26, 0.28, 0.375, 0.5, 0.8):
        for slack in (1.02, 1.1, 2.0):
            byte_bound, cycle_bound = share * 8 / 8 * elements.sum(), slack * times.min()
            allowed = (sizes <= byte_bound) & (times <= cycle_bound)
            found = solve(Program(tuple(map(tuple, damage.tolist())), rows(byte_bound, cycle_bound)))
            assert (found is None) == (not allowed.any())
            if found is not None:
                assert found.objective == pytest.approx(damages[allowed].min(), abs=1e-12)


def test_a_no_good_cut_of_distance_two_forbids_the_neighbours() -> None:
    cut = no_good((0, 1, 2), 2)
    assert not cut.holds((0, 1, 2))
    assert not cut.holds((0, 1, 0))
    assert cut.holds((0, 0, 0))


def test_more_of_a_binding_budget_never_costs() -> None:
    program = Program(((3.0, 1.0, 0.0), (2.0, 0.5, 0.0)), (Row("bytes", ((1, 2, 4), (1, 2, 4)), 5),))
    tight, wide = solve(program), solve(program.with_bound("bytes", 3))
    assert tight is not None
    assert wide is not None
    assert (tight.objective, wide.objective) == (1.0 + 0.5, 0.0)
    assert solve(program.without_row("bytes")) == wide
