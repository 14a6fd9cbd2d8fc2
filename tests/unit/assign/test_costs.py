"""What plans cost, and what the least is."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from sq_micro.assign import costs
from sq_micro.assign.completion import budgeted_of, cost_of, least, violations
from sq_micro.assign.costs import load, memory_plan, stated
from sq_micro.assign.options import FixedCosts, fixed_costs, operator_options
from sq_micro.cost.budget import Budget
from sq_micro.cost.profile import NetworkProfile, OperatorFigures, candidate_cost
from sq_micro.errors import UsageError
from sq_micro.ir.bitwidths import WEIGHT_BITS, Bitwidths
from sq_micro.kernels.packing import pack_rows, pack_taps
from sq_micro.kernels.select import kernel_choices
from sq_micro.plan.plan import make_plan
from sq_micro.quant.quantize import quantize, weight_rows
from tests.unit.assign.small_problem import (
    NAMES,
    small_frame,
    small_network,
    small_options,
    small_problem,
    with_latency,
)

EIGHT = Bitwidths(dict.fromkeys(NAMES, 8))
MIXED = Bitwidths(dict(zip(NAMES, (2, 3, 4, 5, 6), strict=True)))
CORE = SimpleNamespace(clock_hz=1_000_000, isa="armv7em_dsp")
BOARD = SimpleNamespace(core=CORE, active_power_w=0.5, stack_bytes=512)


def made_up_profile() -> NetworkProfile:
    operators = {
        op.name: {bits: OperatorFigures(1000 * bits, 10 + bits) for bits in WEIGHT_BITS}
        if op.name in NAMES
        else {0: OperatorFigures(7, 3)}
        for op in small_frame().topology.operators
    }
    return NetworkProfile(operators, shared_code_bytes=100, overhead_cycles=50, static_bytes=20, stack_bytes=400)


def test_weight_bytes_are_those_of_the_packed_weights() -> None:
    graph, ranges, _ = small_network()
    quantized = quantize(graph, ranges, MIXED)
    packed = 0
    for op in quantized.topology.weighted():
        rows, levels = weight_rows(op, quantized.codes[op.weights]), quantized.levels[op.weights]
        bits = MIXED.weights[op.name]
        depthwise = op.name.startswith("depthwise")
        packed += len(
            pack_taps(np.ascontiguousarray(rows.T), levels, bits) if depthwise else pack_rows(rows, levels, bits)
        )
    assert cost_of(small_problem(), MIXED).weights.value == packed


def test_a_cost_equals_that_of_the_cost_room() -> None:
    """Search and final report must not disagree."""
    topology, profile = small_frame().topology, made_up_profile()
    options = operator_options(topology, WEIGHT_BITS, profile, BOARD)  # type: ignore[arg-type]
    fixed = fixed_costs(topology, profile, BOARD)  # type: ignore[arg-type]
    problem = replace(small_problem(), options=options, fixed=fixed, isa=BOARD.core.isa)
    for plan in (EIGHT, MIXED):
        found, expected = cost_of(problem, plan), candidate_cost(topology, plan, profile, BOARD)  # type: ignore[arg-type]
        for resource in ("flash", "sram", "weights", "latency", "energy"):
            assert getattr(found, resource).value == pytest.approx(getattr(expected, resource).value, rel=1e-12)


def test_an_unknown_latency_stays_unknown_and_cannot_be_bounded() -> None:
    assert cost_of(small_problem(), EIGHT).latency is None
    with pytest.raises(UsageError, match="a budget for latency needs a board"):
        stated(small_problem(Budget(latency=1.0)))
    assert stated(with_latency(small_problem(Budget(latency=1.0)), lambda *_: 0.1)) == ("latency",)


def test_the_arena_is_the_planned_one_and_scratch_that_of_the_kernels() -> None:
    topology = small_frame().topology
    assert memory_plan(small_problem(), MIXED, {}).arena_bytes == make_plan(topology, MIXED).arena_bytes
    leanest = {name: choices[-1] for name, choices in kernel_choices(topology, MIXED).items()}
    for option in small_options():
        width, kernel = option.at(MIXED.weights[option.operator]), leanest[option.operator]
        assert (width.scratch_bytes, dict(width.overlaps)) == (kernel.scratch_bytes, dict(kernel.overlaps))


def test_the_least_of_each_resource() -> None:
    problem = replace(small_problem(pins={"conv2d_3": 8}), fixed=FixedCosts(flash_bytes=100, sram_bytes=64))
    narrow = Bitwidths({**dict.fromkeys(NAMES, 2), "conv2d_3": 8})
    assert least(problem, "weights") == cost_of(problem, narrow).weights.value
    assert least(problem, "flash") == cost_of(problem, narrow).flash.value
    assert least(problem, "sram") == cost_of(problem, EIGHT).sram.value


def test_load_is_the_fullest_budget_and_violations_name_the_exceeded() -> None:
    cost = cost_of(small_problem(), EIGHT)
    problem = small_problem(Budget(weights=2 * cost.weights.value, sram=cost.sram.value / 3))
    assert load(problem, cost) == pytest.approx(3)
    assert [violation.resource for violation in violations(problem, EIGHT)] == ["sram"]
    assert load(small_problem(), cost) == 0


@pytest.mark.parametrize(
    "budget", [Budget(), Budget(flash=1.0), Budget(sram=9e5), Budget(latency=1.0, weights=9.0), Budget(energy=1e-9)]
)
def test_what_is_held_against_budgets_is_the_same_and_takes_no_memory_plan_of_others(
    budget: Budget, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = with_latency(small_problem(budget), lambda name, bits: bits / 8)
    problem = replace(problem, fixed=FixedCosts(sram_bytes=1000, latency_s=0.0, energy_j=0.0))
    whole, found = cost_of(problem, MIXED), budgeted_of(problem, MIXED)
    assert budget.violations(found) == budget.violations(whole)
    assert load(problem, found) == load(problem, whole)
    bounded = {resource for resource in ("sram", "latency", "energy") if getattr(budget, resource) is not None}
    for resource in ("sram", "latency", "energy"):
        assert getattr(found, resource) == (getattr(whole, resource) if resource in bounded else None)
    planned = []
    monkeypatch.setattr(costs, "make_plan", lambda *given: (planned.append(given), make_plan(*given))[1])
    budgeted_of(problem, MIXED)
    assert bool(planned) == bool(bounded)
