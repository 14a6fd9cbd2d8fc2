"""Pairwise terms: measured as defined, scaled by the sizes of errors, and exact in the program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, product

import pytest

from sq_micro.assign.allocators.exact_program import bitwidths_of, program_of, solve_lazily
from sq_micro.assign.completion import violations
from sq_micro.assign.interactions import with_interactions
from sq_micro.assign.problem import Evaluation
from sq_micro.assign.sensitivity import Sensitivity
from sq_micro.cost.budget import Budget
from sq_micro.ir.bitwidths import Bitwidths
from tests.unit.assign.small_problem import NAMES, made_up_sensitivity, small_options, small_problem

INT8_BYTES = sum(option.at(8).weight_bytes for option in small_options())
TERMS = {pair: (-1) ** index * 0.01 * (index + 1) for index, pair in enumerate(combinations(NAMES, 2))}


def divergence(plan: Bitwidths) -> float:
    """One for each narrow operator, and the term of each narrow pair."""
    narrow = [name for name in NAMES if plan.weights[name] == 2]
    return 0.5 + len(narrow) + sum(TERMS[pair] for pair in combinations(narrow, 2))


def evaluate(plans: Sequence[Bitwidths]) -> list[Evaluation]:
    return [Evaluation((divergence(plan),), 1.0, 0.0) for plan in plans]


@pytest.fixture(scope="module")
def table() -> Sensitivity:
    return with_interactions(made_up_sensitivity(), evaluate)


def test_a_term_is_what_two_do_beyond_the_sum(table: Sensitivity) -> None:
    for (first, second), term in TERMS.items():
        assert table.together(first, 2, second, 2) == pytest.approx(term)
        assert table.together(second, 2, first, 2) == pytest.approx(term)


def test_terms_shrink_with_the_errors_and_vanish_at_eight_bits(table: Sensitivity) -> None:
    (first, second), term = next(iter(TERMS.items()))
    ratio = (table.of(first, 4) / table.of(first, 2)) ** 0.5
    assert table.together(first, 4, second, 2) == pytest.approx(term * ratio)
    assert table.together(first, 8, second, 2) == 0


def test_without_terms_the_prediction_is_the_sum() -> None:
    plan = Bitwidths(dict.fromkeys(NAMES, 2))
    additive, known = made_up_sensitivity(), with_interactions(made_up_sensitivity(), evaluate)
    assert known.total(plan) - additive.total(plan) == pytest.approx(sum(TERMS.values()))


@pytest.mark.parametrize("share", [0.3, 0.4, 0.6])
def test_the_program_is_exhaustive_search_with_terms(table: Sensitivity, share: float) -> None:
    widths = (2, 4, 8)
    problem = replace(
        small_problem(Budget(weights=share * INT8_BYTES), widths=widths),
        sensitivity=with_interactions(made_up_sensitivity(widths=widths), evaluate),
    )
    assert problem.sensitivity is not None
    plans = (Bitwidths(dict(zip(NAMES, bits, strict=True))) for bits in product(widths, repeat=len(NAMES)))
    best = min(problem.sensitivity.total(plan) for plan in plans if not violations(problem, plan))
    found, _ = solve_lazily(problem, program_of(problem))
    assert found is not None
    assert problem.sensitivity.total(bitwidths_of(problem, found.choices)) == pytest.approx(best, abs=2e-7)
