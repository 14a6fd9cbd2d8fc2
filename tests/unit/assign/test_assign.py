"""Status, reasons, and every kind of bad request."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sq_micro.assign.assign import assign
from sq_micro.assign.completion import cost_of
from sq_micro.assign.problem import ALLOCATORS, Allocator, Problem
from sq_micro.cost.budget import Budget
from sq_micro.errors import UsageError
from sq_micro.ir.bitwidths import Bitwidths
from tests.unit.assign.small_problem import (
    NAMES,
    CountingEvaluate,
    made_up_sensitivity,
    mean_bits,
    small_options,
    small_problem,
    with_latency,
)

INT8_BYTES = sum(option.at(8).weight_bytes for option in small_options())
LEAST_BYTES = sum(option.at(2).weight_bytes for option in small_options())


def by_bits() -> CountingEvaluate:
    return CountingEvaluate(lambda plan: 8 - mean_bits(plan))


@pytest.mark.parametrize("allocator", ALLOCATORS)
@pytest.mark.parametrize("share", [0.3, 0.5])
def test_every_allocator_meets_a_budget_that_can_be_met(allocator: Allocator, share: float) -> None:
    found = assign(small_problem(Budget(weights=share * INT8_BYTES)), allocator, by_bits())
    assert found.status == "feasible"
    assert not found.shortfalls
    assert found.cost.weights.value <= share * INT8_BYTES
    assert found.evaluation is not None
    assert found.minimum == {"weights": LEAST_BYTES}
    assert found.log


@pytest.mark.parametrize("allocator", ALLOCATORS)
def test_below_the_minimum_plan_the_minimum_is_said(allocator: Allocator) -> None:
    found = assign(small_problem(Budget(weights=LEAST_BYTES - 1)), allocator, by_bits())
    assert found.status == "infeasible"
    assert found.binding == ("weights",)
    assert found.reason == f"no plan fits: this network takes weights at least {LEAST_BYTES:,} B (short of 1 B)"
    assert found.shortfalls[0].allowed == LEAST_BYTES - 1


@pytest.mark.parametrize("allocator", ["ilp", "uniform", "memory-driven", "size-ranked"])
def test_the_nearest_plan_stands_beside_it(allocator: Allocator) -> None:
    found = assign(small_problem(Budget(weights=LEAST_BYTES - 1)), allocator)
    assert set(found.bitwidths.weights.values()) == {2}


def test_a_pin_in_conflict_with_a_budget_is_blamed() -> None:
    problem = small_problem(Budget(weights=LEAST_BYTES + 10), pins={"conv2d_3": 8})
    found = assign(problem, "ilp", by_bits())
    assert found.status == "infeasible"
    assert found.reason.endswith("; without the pins (conv2d_3=8) it could fit")


def test_budgets_that_only_contradict_each_other() -> None:
    """Narrow weights are slow, wide ones large; each budget alone can be met."""
    problem = with_latency(
        small_problem(Budget(weights=1.1 * LEAST_BYTES, latency=5 * 0.21)), lambda _, bits: 0.2 + (8 - bits) / 10
    )
    found = assign(problem, "ilp")
    assert found.status == "infeasible"
    assert found.reason.startswith("no plan meets the budgets for latency and weights; the nearest one is short of ")
    assert set(found.binding) == {"weights", "latency"}


def test_an_accuracy_that_is_missed_is_no_silent_miss() -> None:
    found = assign(small_problem(Budget(weights=0.3 * INT8_BYTES), max_drop=1.0), "ilp", by_bits())
    assert found.status == "infeasible"
    assert not found.shortfalls
    assert "max-drop" in found.binding
    assert found.reason.endswith("points are lost by calibration data, 1 allowed")


def test_without_budgets_everything_stays_wide() -> None:
    found = assign(small_problem(), "ilp")
    assert set(found.bitwidths.weights.values()) == {8}
    assert found.reason == "no budget: the least divergence"


def test_which_budget_decided() -> None:
    wide = Budget(weights=0.4 * INT8_BYTES, flash=1e6)
    assert assign(small_problem(wide), "ilp").binding == ("weights",)
    loose = assign(small_problem(Budget(weights=2 * INT8_BYTES)), "ilp")
    assert loose.binding == ()
    assert loose.reason == "within every budget"


def test_a_network_of_one_operator() -> None:
    frame = small_problem().frame
    last = next(op for op in frame.topology.operators if op.name == "dense_5")
    only = replace(frame.topology, operators=(last, *frame.topology.operators[-1:]), input=last.input)
    problem = Problem(
        replace(frame, topology=only, graph=replace(frame.graph, topology=only)),
        tuple(option for option in small_options() if option.operator == "dense_5"),
        Budget(weights=21),
        made_up_sensitivity(),
    )
    for allocator in ALLOCATORS:
        found = assign(problem, allocator, CountingEvaluate(lambda plan: 0.0))
        assert (found.status, dict(found.bitwidths.weights)) in [("feasible", {"dense_5": b}) for b in (2, 4)]


@pytest.mark.parametrize(
    ("pins", "message"),
    [
        ({"nothing": 4}, "no operator 'nothing' can be pinned"),
        ({"dense_5": 7}, "cannot be pinned to 7 bits; it takes 2, 3"),
    ],
)
def test_impossible_pins(pins: dict[str, int], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        small_problem(pins=pins)


def test_all_operators_pinned() -> None:
    pins = dict(zip(NAMES, (8, 2, 4, 6, 3), strict=True))
    for allocator in ALLOCATORS:
        found = assign(small_problem(pins=pins), allocator, by_bits())
        assert dict(found.bitwidths.weights) == pins


def test_requests_that_make_no_sense() -> None:
    with pytest.raises(UsageError, match="needs a sensitivity table"):
        assign(replace(small_problem(), sensitivity=None), "ilp")
    with pytest.raises(UsageError, match="sigmaquant needs calibration samples"):
        assign(small_problem(), "sigmaquant")
    with pytest.raises(UsageError, match="a bound on the accuracy drop needs calibration samples"):
        assign(small_problem(max_drop=1.0), "ilp")
    with pytest.raises(UsageError, match="no operator with weights"):
        replace(small_problem(), options=())
    with pytest.raises(UsageError, match="say how much accuracy may be lost"):
        replace(small_problem(), goal="flash")


def test_the_cost_is_that_of_the_plan() -> None:
    problem = small_problem(Budget(weights=0.4 * INT8_BYTES))
    found = assign(problem, "ilp", by_bits())
    assert found.cost == cost_of(problem, found.bitwidths)
    assert problem.sensitivity is not None
    assert found.predicted == problem.sensitivity.total(Bitwidths(found.bitwidths.weights))
