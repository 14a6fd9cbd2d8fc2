"""Kernels chosen with the bits: against every combination, one by one."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from sq_micro.assign.allocators.exact_program import bitwidths_of, program_of, sets_of, solve_lazily, time_price
from sq_micro.assign.assign import assign
from sq_micro.assign.completion import cost_of, kernels_of, least, price_of_time, violations
from sq_micro.assign.costs import cost_at
from sq_micro.assign.explain import explain
from sq_micro.assign.explain_text import explanation_text
from sq_micro.assign.options import FixedCosts, OperatorOptions, WidthOption
from sq_micro.assign.problem import Problem
from sq_micro.cost.budget import Budget
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.kernel_set import KernelSet
from tests.unit.assign.small_problem import NAMES, small_problem

WIDTHS = (4, 8)
MEAN = "mean_4"
SETS: tuple[KernelSet, ...] = ("fast", "shared", "small")
SECONDS = {"fast": 1.0, "shared": 1.1, "small": 3.0}
OWN_BYTES = {"fast": 400, "shared": 150, "small": 100}


def calls(kernels: KernelSet, bits: int) -> dict[str, int]:
    """The fast and the shared ones call a kernel of their width; the small one is the same at every width."""
    if kernels == "small":
        return {"small": 600}
    nest = {f"nest{bits}": 500} if kernels == "shared" else {}
    return {f"gemm{bits}": 1500, **nest}


def width(option: WidthOption, kernels: KernelSet, factor: float) -> WidthOption:
    return replace(
        option,
        kernels=kernels,
        code_bytes=OWN_BYTES[kernels],
        calls=calls(kernels, option.bits),
        latency_s=factor * SECONDS[kernels],
        energy_j=factor * SECONDS[kernels],
    )


def problem(budget: Budget | None = None) -> Problem:
    """Five operators with two widths and three sets each, and a sixth without weights that has two sets."""
    plain = small_problem(budget, widths=WIDTHS)
    options = tuple(
        OperatorOptions(
            option.operator,
            tuple(width(one, kernels, 1.0 + index) for one in option.widths for kernels in SETS),
        )
        for index, option in enumerate(plain.options)
    )
    mean = (
        WidthOption(0, 0, code_bytes=260, latency_s=0.1, energy_j=0.1),
        WidthOption(0, 0, code_bytes=100, latency_s=0.2, energy_j=0.2, kernels="small"),
    )
    fixed = FixedCosts(flash_bytes=1000, sram_bytes=None, latency_s=1.0, energy_j=1.0)
    return replace(plain, options=options, others=(OperatorOptions(MEAN, mean),), fixed=fixed)


def every_set() -> list[dict[str, KernelSet]]:
    named = product(SETS, repeat=len(NAMES))
    return [{**dict(zip(NAMES, sets, strict=True)), MEAN: mean} for sets in named for mean in ("fast", "small")]


def price(asked: Problem, bits: Bitwidths, sets: dict[str, KernelSet]) -> float:
    whole = 1.0 + 0.1 + sum(range(1, 6))
    return sum(
        time_price(o, o.at(bits.weights.get(o.operator, 0), sets[o.operator]), whole)
        for o in (*asked.options, *asked.others)
    )


MIXED = Bitwidths(dict(zip(NAMES, (4, 8, 4, 8, 8), strict=True)))


def test_without_a_budget_that_binds_all_kernels_are_the_fastest() -> None:
    for budget in (Budget(), Budget(flash=1e6), Budget(latency=100.0)):
        assert set(kernels_of(problem(budget), MIXED).values()) == {"fast"}
        assert price_of_time(problem(budget), MIXED) == 0


@pytest.mark.parametrize("saved", [100, 900, 2500, 4000])
@pytest.mark.parametrize("latency", [None, 24.0])
def test_a_plan_is_completed_by_the_kernels_that_cost_least_time(saved: int, latency: float | None) -> None:
    fast = cost_of(problem(), MIXED).flash.value
    asked = problem(Budget(flash=fast - saved, latency=latency))
    fitting = [sets for sets in every_set() if not asked.budget.violations(cost_at(asked, MIXED, sets))]
    found = kernels_of(asked, MIXED)
    if not fitting:
        assert violations(asked, MIXED)
        return
    assert not violations(asked, MIXED)
    assert found in fitting
    best = min(price(asked, MIXED, sets) for sets in fitting)
    assert price_of_time(asked, MIXED) == pytest.approx(best, abs=2e-7)


@pytest.mark.parametrize("saved", [500, 2500, 3100, 5000])
def test_bits_and_kernels_are_chosen_together(saved: int) -> None:
    widest = Bitwidths(dict.fromkeys(NAMES, 8))
    asked = problem(Budget(flash=cost_of(problem(), widest).flash.value - saved, latency=44.0))
    found, _ = solve_lazily(asked, program_of(asked))
    assert asked.sensitivity is not None
    worth = [
        asked.sensitivity.total(bits) + price(asked, bits, every)
        for widths in product(WIDTHS, repeat=len(NAMES))
        for bits in [Bitwidths(dict(zip(NAMES, widths, strict=True)))]
        for every in every_set()
        if not asked.budget.violations(cost_at(asked, bits, every))
    ]
    if not worth:
        assert found is None
        return
    assert found is not None
    best, plan, sets = min(worth), bitwidths_of(asked, found.choices), sets_of(asked, found.choices)
    assert not asked.budget.violations(cost_at(asked, plan, sets))
    assert asked.sensitivity.total(plan) + price(asked, plan, sets) == pytest.approx(best, abs=2e-7)


def test_the_least_flash_counts_functions_that_operators_share() -> None:
    narrow = Bitwidths(dict.fromkeys(NAMES, 4))
    smallest = min(cost_at(problem(), narrow, sets).flash.value for sets in every_set())
    assert least(problem(), "flash") == smallest


def test_reasons_name_the_kernels_and_what_others_would_take() -> None:
    fast = cost_of(problem(), MIXED).flash.value
    asked = replace(problem(Budget(flash=fast - 2500)), pins=dict(MIXED.weights))
    assignment = assign(asked)
    found = explain(asked, assignment)
    assert assignment.status == "feasible"
    assert set(assignment.kernels) == {operator.name for operator in asked.topology.operators}
    assert {reason.operator for reason in found.kernels} == {*NAMES, MEAN}
    for reason in found.kernels:
        changed = {**assignment.kernels, reason.operator: reason.kernels}
        cost = cost_at(asked, assignment.bitwidths, changed)
        assert reason.flash_bytes == cost.flash.value - assignment.cost.flash.value
        assert reason.chosen == (reason.kernels == assignment.kernels[reason.operator])
    text = explanation_text(found)
    small = next(name for name, kernels in assignment.kernels.items() if kernels != "fast")
    assert "fast: +" in next(line for line in text.split("others would take")[1].splitlines() if small in line)


def test_a_set_for_all_operators_leaves_nothing_open() -> None:
    asked = problem(Budget(flash=1.0))
    decided = asked.with_kernels(dict.fromkeys((*NAMES, MEAN), "small"))
    assert asked.kernels_are_open
    assert not decided.kernels_are_open
    assert set(kernels_of(decided, MIXED).values()) == {"small"}
