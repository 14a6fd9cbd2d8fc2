"""Patches and small kernels cost time, and a search under budgets for memory and time counts it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
import pytest

from sq_micro.assign.allocators.exact_program import bitwidths_of, program_of, solve_lazily
from sq_micro.assign.assign import assign
from sq_micro.assign.completion import cost_of, violations
from sq_micro.assign.options import operator_options
from sq_micro.assign.problem import Problem
from sq_micro.assign.sensitivity import Sensitivity
from sq_micro.cost.budget import Budget
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.plan.plan import make_plan, slowdowns
from sq_micro.quant.calibrate import observe
from sq_micro.quant.quantize import Frame
from tests.models.random_quant_graph import RandomQuantGraph, random_codes
from tests.unit.assign.small_problem import NAMES, small_problem, with_latency
from tests.unit.quant.random_float_graph import float_graph_of

WIDTHS = (2, 8)
SRAM = 1_600  # bytes: patches alone are small enough


@cache
def wide_between_small() -> Problem:
    """A wide tensor between two small ones; 8 bits are the more accurate and the faster width, except of one layer."""
    builder = RandomQuantGraph(3, (16, 16, 2))
    x = builder.depthwise_conv2d(builder.conv2d(builder.input, 8), stride=(2, 2))
    network = builder.build(builder.softmax(builder.dense(builder.mean(builder.conv2d(x, 4, (1, 1))), 3)))
    graph = float_graph_of(network)
    frame = Frame.of(graph, observe(graph, network.input_params.dequantize(random_codes(network, 4))))
    names = tuple(operator.name for operator in frame.topology.weighted())
    damage = np.array([[0.1 + 0.01 * index, 0.0] for index in range(len(names))])
    options = operator_options(frame.topology, WIDTHS)
    problem = Problem(frame, options, Budget(), Sensitivity(names, WIDTHS, damage, damage, 0.001))
    return with_latency(problem, lambda name, bits: 0.01 + 0.001 * ((bits == 8) == (name == names[0])))


def plans(problem: Problem) -> list[Bitwidths]:
    names = [option.operator for option in problem.options]
    return [Bitwidths(dict(zip(names, bits, strict=True))) for bits in product(WIDTHS, repeat=len(names))]


def test_time_in_patches_is_more_than_the_sum() -> None:
    problem = wide_between_small()
    alone = cost_of(problem, plans(problem)[0]).latency
    patched = cost_of(replace(problem, budget=Budget(sram=SRAM)), plans(problem)[0]).latency
    assert alone is not None
    assert patched is not None
    assert patched.value > 1.05 * alone.value


@pytest.mark.parametrize("quantile", [0.0, 0.3, 0.6, 1.0])
def test_the_best_plan_is_found_among_those_whose_patches_are_fast_enough(quantile: float) -> None:
    """Against all plans, each with the time of its own patches."""
    roomy = replace(wide_between_small(), budget=Budget(sram=SRAM))
    costs = [cost_of(roomy, plan) for plan in plans(roomy)]
    fitting = sorted(c.latency.value for c in costs if c.latency and c.sram and c.sram.value <= SRAM)
    problem = replace(roomy, budget=Budget(sram=SRAM, latency=fitting[int(quantile * (len(fitting) - 1))]))
    assert problem.sensitivity is not None
    best = min(problem.sensitivity.total(plan) for plan in plans(problem) if not violations(problem, plan))
    found, _ = solve_lazily(problem, program_of(problem))
    assert found is not None
    plan = bitwidths_of(problem, found.choices)
    assert not violations(problem, plan)
    assert problem.sensitivity.total(plan) == pytest.approx(best, abs=2e-7)


def test_a_latency_that_patches_break_is_refused_with_what_is_short() -> None:
    """Each budget alone is met: by patches the one, without them the other."""
    free = wide_between_small()
    fastest = min(cost.latency.value for plan in plans(free) if (cost := cost_of(free, plan)).latency)
    both = assign(replace(free, budget=Budget(sram=SRAM, latency=1.02 * fastest)))
    assert assign(replace(free, budget=Budget(sram=SRAM))).status == "feasible"
    assert assign(replace(free, budget=Budget(latency=1.02 * fastest))).status == "feasible"
    assert both.status == "infeasible"
    assert both.reason.startswith(
        "no plan meets the budgets for sram and latency; the nearest one is short of latency by"
    )


def test_smaller_kernels_take_longer_in_the_cost_too() -> None:
    problem = with_latency(small_problem(widths=(2, 8)), lambda name, bits: 0.01)
    plan = Bitwidths(dict.fromkeys(NAMES, 2))
    loose, tight = problem, replace(problem, budget=Budget(sram=1))
    at_rest = problem.at_rest(plan)
    expected = slowdowns(problem.topology, at_rest, make_plan(problem.topology, at_rest, arena_limit_bytes=1))
    assert max(expected.values()) > 1
    fast, slow = cost_of(loose, plan).latency, cost_of(tight, plan).latency
    assert fast is not None
    assert slow is not None
    assert slow.value == pytest.approx(sum(0.01 * expected.get(name, 1.0) for name in NAMES))
    assert slow.value > fast.value == pytest.approx(0.05)


def test_of_equal_damage_the_faster_plan_then_the_smaller_one() -> None:
    problem = small_problem(Budget(sram=100_000))
    assert problem.sensitivity is not None
    none = np.zeros_like(problem.sensitivity.divergence)
    equal = replace(problem, sensitivity=replace(problem.sensitivity, divergence=none))
    fastest_at_6 = with_latency(equal, lambda name, bits: 0.010 + 0.0005 * abs(bits - 6))
    found, _ = solve_lazily(fastest_at_6, program_of(fastest_at_6))
    assert found is not None
    assert set(bitwidths_of(equal, found.choices).weights.values()) == {6}
    alike = with_latency(equal, lambda name, bits: 0.010 if bits >= 4 else 0.012)
    found, _ = solve_lazily(alike, program_of(alike))
    assert found is not None
    assert set(bitwidths_of(equal, found.choices).weights.values()) == {4}
