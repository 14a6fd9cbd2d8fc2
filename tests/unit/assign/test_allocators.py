"""Each rule by itself, and the integer program against all plans of a small network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from sq_micro.assign.allocators.exact import ExactOptions, candidate_plans, frontier_of, ilp, prices_of
from sq_micro.assign.allocators.exact_program import bitwidths_of, program_of, solve_lazily
from sq_micro.assign.allocators.memory_driven import memory_driven
from sq_micro.assign.allocators.neighbours import neighbours
from sq_micro.assign.allocators.size_ranked import ranking, sequence, size_ranked
from sq_micro.assign.allocators.uniform import uniform
from sq_micro.assign.completion import cost_of, least, violations
from sq_micro.assign.options import operator_options
from sq_micro.assign.problem import Problem
from sq_micro.assign.sensitivity import Sensitivity
from sq_micro.cost.budget import Budget
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.plan.plan import make_plan
from sq_micro.quant.calibrate import observe
from sq_micro.quant.quantize import Frame
from tests.models.random_quant_graph import RandomQuantGraph, random_codes
from tests.unit.assign.small_problem import (
    NAMES,
    CountingEvaluate,
    mean_bits,
    small_options,
    small_problem,
    with_latency,
)
from tests.unit.quant.random_float_graph import float_graph_of

INT8_BYTES = sum(option.at(8).weight_bytes for option in small_options())
EIGHT = Bitwidths(dict.fromkeys(NAMES, 8))


def share_of_int8(plan: Bitwidths) -> float:
    return sum(o.at(plan.weights[o.operator]).weight_bytes for o in small_options()) / INT8_BYTES


def fitting_plans(problem: Problem) -> Iterator[Bitwidths]:
    for bits in product(*(option.bits for option in problem.allowed)):
        plan = Bitwidths(dict(zip(NAMES, bits, strict=True)))
        if not violations(problem, plan):
            yield plan


def predicted(problem: Problem, plan: Bitwidths) -> float:
    assert problem.sensitivity is not None
    return problem.sensitivity.total(plan)


# ---- uniform


def test_uniform_takes_the_widest_that_fits() -> None:
    found = uniform(small_problem(Budget(weights=0.55 * INT8_BYTES)))
    assert set(found.bitwidths.weights.values()) == {4}
    assert [line.split(":")[0] for line in found.log] == ["8 bits", "6 bits", "5 bits", "4 bits"]
    assert found.log[-1] == "4 bits: fits"


def test_uniform_keeps_pins_and_without_a_fit_is_the_narrowest() -> None:
    found = uniform(small_problem(Budget(weights=1), pins={"conv2d_2": 6}))
    assert dict(found.bitwidths.weights) == {**dict.fromkeys(NAMES, 2), "conv2d_2": 6}


# ---- memory-driven


def test_the_rom_rule_narrows_the_largest_share_first() -> None:
    """conv2d_3 has 576 of 882 weights; the others are more than 5 % behind."""
    found = memory_driven(small_problem(Budget(weights=0.7 * INT8_BYTES)))
    assert found.log == ("ROM rule: conv2d_3 to 4 bits",)
    assert dict(found.bitwidths.weights) == {**dict.fromkeys(NAMES, 8), "conv2d_3": 4}


def test_of_shares_within_the_margin_the_one_nearest_the_input_goes_first() -> None:
    found = memory_driven(small_problem(Budget(weights=0.7 * INT8_BYTES)), margin=1.0)
    assert found.log[0] == "ROM rule: conv2d_0 to 4 bits"


def test_the_ram_rule_gives_the_fullest_operator_a_width_without_scratch() -> None:
    narrow = small_problem(widths=(2, 4))
    assert not memory_driven(narrow).log
    fuller = replace(small_problem(), budget=Budget(sram=least(small_problem(), "sram"), weights=0.9 * INT8_BYTES))
    found = memory_driven(fuller)
    assert any(line.startswith("ROM rule") for line in found.log)
    assert any(line.startswith("RAM rule") for line in found.log) == bool(
        violations(fuller, Bitwidths({**dict.fromkeys(NAMES, 8), "conv2d_3": 4}))
    )


def test_memory_driven_ends_where_nothing_is_left_to_narrow() -> None:
    assert set(memory_driven(small_problem(Budget(weights=1))).bitwidths.weights.values()) == {2}


# ---- size-ranked


def test_the_ranking_is_by_size_then_by_weights_per_channel() -> None:
    assert ranking(small_problem()) == ("conv2d_3", "conv2d_0", "depthwise_conv2d_1", "conv2d_2", "dense_5")
    assert "conv2d_3" not in ranking(small_problem(pins={"conv2d_3": 8}))


def test_the_sequence_narrows_one_operator_at_a_time() -> None:
    plans = sequence(small_problem())
    assert len(plans) == 1 + 2 * len(NAMES)
    assert [round(mean_bits(plan) * 5) for plan in plans] == [40, 36, 32, 28, 24, 20, 18, 16, 14, 12, 10]


@pytest.mark.parametrize("share", [0.26, 0.3, 0.5, 0.7, 1.0])
def test_size_ranked_takes_the_first_plan_that_fits(share: float) -> None:
    problem = small_problem(Budget(weights=share * INT8_BYTES))
    expected = next(plan for plan in sequence(problem) if not violations(problem, plan))
    assert size_ranked(problem).bitwidths == expected


def test_without_budgets_it_bisects_for_the_last_plan_within_the_tolerance() -> None:
    evaluate = CountingEvaluate(lambda plan: 8 - mean_bits(plan))
    found = size_ranked(small_problem(max_drop=3.0), evaluate)
    assert mean_bits(found.bitwidths) == pytest.approx(5.6)
    assert len(evaluate.plans) <= 4  # of 11


# ---- the integer program


@pytest.mark.parametrize("share", [0.255, 0.28, 0.375, 0.5, 0.8])
@pytest.mark.parametrize("pins", [{}, {"conv2d_2": 6}])
def test_the_integer_program_is_the_best_of_all_plans(share: float, pins: dict[str, int]) -> None:
    problem = small_problem(Budget(weights=share * INT8_BYTES), pins, widths=(2, 3, 4, 8) if not pins else (2, 4, 6))
    best = min((predicted(problem, plan) for plan in fitting_plans(problem)), default=None)
    found, _ = solve_lazily(problem, program_of(problem))
    assert (found is None) == (best is None)
    if found is not None:
        assert predicted(problem, bitwidths_of(problem, found.choices)) == pytest.approx(best, abs=2e-7)


def test_flash_sram_latency_and_energy_together() -> None:
    """SRAM against the real plan: the lazily cut optimum equals that of all plans whose arena fits."""
    plain = with_latency(
        small_problem(widths=(2, 4, 8)), lambda name, bits: 0.1 + 0.01 * (8 - bits) + 0.001 * len(name)
    )
    plans = list(fitting_plans(plain))
    for quantile in (0.3, 0.5, 0.8):
        costs = [cost_of(plain, plan) for plan in plans]

        def at(resource: str, q: float = quantile, costs: list = costs) -> float:  # type: ignore[type-arg]
            values = sorted(getattr(cost, resource).value for cost in costs)
            return float(values[int(q * (len(values) - 1))])

        budget = Budget(flash=at("flash"), sram=at("sram"), latency=at("latency"), energy=at("energy"))
        problem = replace(plain, budget=budget)
        best = min((predicted(problem, plan) for plan in fitting_plans(problem)), default=None)
        found, _ = solve_lazily(problem, program_of(problem))
        assert (found is None) == (best is None)
        if found is not None:
            plan = bitwidths_of(problem, found.choices)
            assert not violations(problem, plan)
            assert predicted(problem, plan) == pytest.approx(best, abs=2e-7)


def test_sram_that_is_enough_in_patches_alone_is_enough() -> None:
    """A wide tensor between two small ones: whole, it takes more than the budget at every width."""
    builder = RandomQuantGraph(3, (16, 16, 2))
    x = builder.depthwise_conv2d(builder.conv2d(builder.input, 8), stride=(2, 2))
    network = builder.build(builder.softmax(builder.dense(builder.mean(builder.conv2d(x, 4, (1, 1))), 3)))
    graph = float_graph_of(network)
    ranges = observe(graph, network.input_params.dequantize(random_codes(network, 4)))
    frame = Frame.of(graph, ranges)
    names = tuple(operator.name for operator in frame.topology.weighted())
    damage = np.array([[0.1, 0.0]] * len(names))
    sensitivity = Sensitivity(names, (2, 8), damage, damage, 0.001)
    budget = Budget(sram=1_600)
    problem = Problem(frame, operator_options(frame.topology, (2, 8)), budget, sensitivity)
    assert min(make_plan(frame.topology, Bitwidths(dict.fromkeys(names, bits))).arena_bytes for bits in (2, 8)) >= 2_048
    found, _ = solve_lazily(problem, program_of(problem))
    assert found is not None
    assert not violations(problem, bitwidths_of(problem, found.choices))


def test_sram_alone_is_exact_down_to_the_last_byte() -> None:
    plain = small_problem(widths=(2, 8))
    for sram in sorted({cost_of(plain, plan).sram.value for plan in fitting_plans(plain)}):
        for bound in (sram, sram - 1):
            problem = replace(plain, budget=Budget(sram=bound, weights=0.6 * INT8_BYTES))
            best = min((predicted(problem, plan) for plan in fitting_plans(problem)), default=None)
            found, _ = solve_lazily(problem, program_of(problem))
            assert (None if found is None else predicted(problem, bitwidths_of(problem, found.choices))) == (
                best if best is None else pytest.approx(best, abs=2e-7)
            )


def with_functions(problem: Problem, seed: int) -> Problem:
    """Every operator calls one function of its width and one of them all, some operators another one."""
    rng = np.random.default_rng(seed)
    sizes = {bits: int(rng.integers(20, 400)) for bits in (2, 4, 8)}
    options = []
    for index, option in enumerate(problem.options):
        widths = []
        for width in option.widths:
            calls = {"gemm": 800, f"unpack_{width.bits}": sizes[width.bits]}
            if index % 2 and width.bits < 8:
                calls["meaning"] = 150
            widths.append(replace(width, calls=calls))
        options.append(replace(option, widths=tuple(widths)))
    fixed = replace(problem.fixed, flash_bytes=1_000, calls={"unpack_8": sizes[8], "divide": 90})
    return replace(problem, options=tuple(options), fixed=fixed)


@pytest.mark.parametrize("seed", range(3))
def test_functions_that_operators_share_count_once(seed: int) -> None:
    plain = with_functions(small_problem(widths=(2, 4, 8)), seed)
    everywhere = {option.operator: 8 for option in plain.options}
    constants = sum(option.at(8).flash_bytes for option in plain.options)
    own = plain.options[0].at(8).calls["unpack_8"]
    assert cost_of(plain, Bitwidths(everywhere)).flash.value == 1_000 + constants + 800 + 90 + own
    plans = list(fitting_plans(plain))
    flash = sorted(cost_of(plain, plan).flash.value for plan in plans)
    assert least(plain, "flash") <= flash[0]
    for bound in (flash[0] - 1, flash[0], *(flash[int(share * (len(flash) - 1))] for share in (0.1, 0.3, 0.6, 1.0))):
        problem = replace(plain, budget=Budget(flash=bound))
        best = min((predicted(problem, plan) for plan in fitting_plans(problem)), default=None)
        found, _ = solve_lazily(problem, program_of(problem))
        assert (found is None) == (best is None)
        if found is not None:
            plan = bitwidths_of(problem, found.choices)
            assert not violations(problem, plan)
            assert predicted(problem, plan) == pytest.approx(best, abs=2e-7)


@pytest.mark.parametrize("seed", range(3))
def test_where_nothing_fits_the_nearest_plan_counts_functions_too(seed: int) -> None:
    plain = with_functions(small_problem(widths=(2, 4, 8)), seed)
    smallest = min(cost_of(plain, plan).flash.value for plan in fitting_plans(plain))
    found = ilp(replace(plain, budget=Budget(flash=smallest - 500)))
    assert cost_of(plain, found.bitwidths).flash.value == smallest


def test_candidates_differ_in_operators_not_in_functions() -> None:
    problem = with_functions(small_problem(Budget(flash=4_000.0), widths=(2, 4, 8)), 0)
    plans = candidate_plans(problem, ExactOptions(candidates=6, with_rules=False))
    assert len(plans) == 6
    for index, plan in enumerate(plans):
        for other in plans[:index]:
            assert sum(plan.weights[name] != other.weights[name] for name in NAMES) >= 2


def test_the_best_of_the_tried_plans_is_kept() -> None:
    """What is tried decides: here a plan that the table did not put first."""
    problem = small_problem(Budget(weights=0.4 * INT8_BYTES))
    first = candidate_plans(problem, ExactOptions())[0]
    evaluate = CountingEvaluate(lambda plan: 9.0 if plan == first else mean_bits(plan))
    found = ilp(problem, evaluate)
    assert found.bitwidths == min((p for p in evaluate.plans if p != first), key=mean_bits)
    assert found.evaluation is not None
    assert len(evaluate.plans) == len({str(plan) for plan in evaluate.plans}) == len(found.log)


def test_candidates_fit_differ_and_hold_those_of_the_rules() -> None:
    problem = small_problem(Budget(weights=0.4 * INT8_BYTES))
    plans = candidate_plans(problem, ExactOptions(candidates=4, distance=2))
    assert all(not violations(problem, plan) for plan in plans)
    for a, b in product(plans[:4], repeat=2):
        assert a == b or sum(a.weights[name] != b.weights[name] for name in NAMES) >= 2
    for rule in (uniform, memory_driven, size_ranked):
        assert rule(problem).bitwidths in plans


@pytest.mark.parametrize("pins", [{}, {"conv2d_2": 4}])
def test_neighbours_fit_keep_pins_and_differ_from_the_plan(pins: dict[str, int]) -> None:
    problem = small_problem(Budget(weights=0.4 * INT8_BYTES), pins)
    plan = candidate_plans(problem, ExactOptions(candidates=1, with_rules=False))[0]
    found = neighbours(problem, plan)
    assert found
    assert plan not in found
    assert len({str(other) for other in found}) == len(found)
    assert [predicted(problem, other) for other in found] == sorted(predicted(problem, other) for other in found)
    for other in found:
        assert not violations(problem, other)
        assert all(other.weights[name] == bits for name, bits in pins.items())


def test_a_neighbour_that_is_freed_spends_what_it_frees() -> None:
    """Nothing can be widened any more in a plan that came from narrowing one operator."""
    problem = small_problem(Budget(weights=0.4 * INT8_BYTES))
    plan = candidate_plans(problem, ExactOptions(candidates=1, with_rules=False))[0]
    for other in neighbours(problem, plan):
        lower = [name for name in NAMES if other.weights[name] < plan.weights[name]]
        higher = [name for name in NAMES if other.weights[name] > plan.weights[name]]
        assert lower
        assert higher or len(lower) == 1


def test_the_search_goes_on_from_the_best_plan_while_that_helps() -> None:
    """The table says nothing of what really matters here, the width of the last operator: only trying finds it."""
    problem = small_problem(Budget(weights=0.4 * INT8_BYTES))
    options = ExactOptions(candidates=1, with_rules=False)
    evaluate = CountingEvaluate(lambda plan: float(plan.weights["conv2d_0"]) + plan.weights["conv2d_2"])
    start = candidate_plans(problem, options)[0]
    without = ilp(problem, CountingEvaluate(lambda plan: 1.0), replace(options, rounds=0))
    assert without.bitwidths == start
    found = ilp(problem, evaluate, options)
    assert found.evaluation is not None
    assert found.evaluation.divergence < evaluate([start])[0].divergence
    assert not violations(problem, found.bitwidths)
    rounds = [line.split("; ")[1].split(",")[0] for line in found.log]
    assert rounds[0] == "candidate"
    assert "round 1" in rounds
    assert len(evaluate.plans) <= 2 + options.rounds * options.neighbours


def test_a_round_without_a_better_plan_is_the_last() -> None:
    problem = small_problem(Budget(weights=0.4 * INT8_BYTES))
    start = candidate_plans(problem, ExactOptions(candidates=1, with_rules=False))[0]
    evaluate = CountingEvaluate(lambda plan: 0.0 if plan == start else 1.0)
    options = ExactOptions(candidates=1, with_rules=False, neighbours=3)
    assert ilp(problem, evaluate, options).bitwidths == start
    assert len(evaluate.plans) == 1 + 3


def test_the_frontier_falls() -> None:
    problem = small_problem(Budget(weights=0.4 * INT8_BYTES))
    points = frontier_of(problem, 12)
    sizes = [point.cost.weights.value for point in points]
    assert sizes == sorted(sizes)
    damages = [point.predicted or 0 for point in points]
    assert damages == sorted(damages, reverse=True)
    assert points[-1].bitwidths == EIGHT


def test_a_price_is_what_one_kibibyte_more_really_buys() -> None:
    problem = small_problem(Budget(weights=0.3 * INT8_BYTES))
    price = prices_of(problem, None)[0]
    richer = replace(problem, budget=Budget(weights=0.3 * INT8_BYTES + 1024))
    gain = min(predicted(problem, plan) for plan in fitting_plans(problem)) - predicted(richer, EIGHT)
    assert (price.resource, price.amount) == ("weights", 1024)
    assert price.gain == pytest.approx(gain, abs=2e-7)
    assert price.marginal > 0
    assert price.gain_points is None


def test_the_smallest_plan_within_a_drop() -> None:
    evaluate = CountingEvaluate(lambda plan: 100 * (0.6 - share_of_int8(plan)))
    problem = replace(small_problem(max_drop=10.0), goal="weights")
    found = ilp(problem, evaluate)
    assert 0.5 <= share_of_int8(found.bitwidths) < 0.56
    assert found.binding == ("max-drop",)
    assert len(evaluate.plans) <= 6
