"""Which of several trials is taken, by made-up divergences of single samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sq_micro.assign.allocators.exact import ilp
from sq_micro.assign.allocators.exact_program import TIME_PRICE, fastest_s
from sq_micro.assign.allocators.trials import Tried, best_of, explained, preferred
from sq_micro.assign.problem import Evaluation, Problem
from sq_micro.cost.budget import Budget
from sq_micro.ir.bitwidths import Bitwidths
from tests.unit.assign.small_problem import NAMES, small_problem, with_latency

SAMPLES = 100
EIGHT = Bitwidths(dict.fromkeys(NAMES, 8))
SIX = Bitwidths(dict.fromkeys(NAMES, 6))  # takes twice the time
FIVE = Bitwidths(dict.fromkeys(NAMES, 5))
SECONDS = {8: 0.1, 6: 0.2, 5: 0.1}


def timed_problem() -> Problem:
    """Half a second at 8 and at 5 bits, a second at 6."""
    return with_latency(small_problem(), lambda name, bits: SECONDS.get(bits, 0.1))


def evaluation(mean: float, noise: NDArray[np.float64] | float = 0.0, drop: float = 0.0) -> Evaluation:
    """Divergences of that mean, apart from it by ± the noise in turn, or by one that is given for each sample."""
    apart = noise * (-1.0) ** np.arange(SAMPLES) if isinstance(noise, float) else noise - noise.mean()
    return Evaluation(tuple((mean + apart).tolist()), 1.0, drop)


def tried(plan: Bitwidths, found: Evaluation, price: float = 0.0) -> Tried:
    return Tried(plan, found, "candidate", price)


def test_the_error_is_of_the_difference_between_pairs() -> None:
    """What both plans find hard is in both: their own spread does not count."""
    rng = np.random.default_rng(2)
    hard = rng.exponential(1.0, SAMPLES)
    apart = rng.normal(0.0, 0.01, SAMPLES)
    one, other = evaluation(1.0, hard), evaluation(1.1, hard + apart)
    assert one.error_beside(other) == pytest.approx(apart.std(ddof=1) / sqrt(SAMPLES))
    assert one.error_beside(other) == other.error_beside(one) < hard.std() / sqrt(SAMPLES) / 20
    assert one.error_beside(one) == 0.0


def test_one_sample_says_nothing_of_its_error() -> None:
    assert Evaluation((0.1,), 1.0, 0.0).error_beside(Evaluation((0.2,), 1.0, 0.0)) == inf


def test_the_faster_of_two_that_nobody_can_tell_apart_is_taken() -> None:
    slow, fast = tried(SIX, evaluation(0.0031)), tried(EIGHT, evaluation(0.0032, 0.002))
    assert 0.0001 < fast.evaluation.error_beside(slow.evaluation) < 0.00021
    assert best_of([slow, fast]) is slow
    assert preferred(timed_problem(), [slow, fast]) is fast
    assert preferred(timed_problem(), [fast, slow]) is fast


def test_a_difference_beyond_its_error_decides_whatever_the_time() -> None:
    slow, fast = tried(SIX, evaluation(0.0031)), tried(EIGHT, evaluation(0.0032, 0.0005))
    assert fast.evaluation.error_beside(slow.evaluation) < 0.0001
    assert preferred(timed_problem(), [slow, fast]) is slow


@given(
    difference=st.floats(0.0, 0.02),
    noise=st.floats(0.0, 0.1),
    seconds=st.floats(0.1, 0.3),
)
def test_accuracy_is_given_up_within_the_error_and_for_what_time_is_worth_alone(
    difference: float, noise: float, seconds: float
) -> None:
    """Much noise, as between plans of few bits, is no reason to lose 0.005 nats for a percent of the time."""
    problem = with_latency(small_problem(), lambda name, bits: seconds if bits == 6 else 0.1)
    slow, fast = tried(SIX, evaluation(0.04)), tried(EIGHT, evaluation(0.04 + difference, noise))
    taken = preferred(problem, [slow, fast])
    if taken is fast:
        gained = fast.evaluation.divergence - slow.evaluation.divergence
        assert gained <= fast.evaluation.error_beside(slow.evaluation)
        assert gained <= TIME_PRICE * (seconds - 0.1) / 0.1 + 1e-12
        assert fastest_s(problem) == pytest.approx(0.5)


def test_of_equal_divergence_and_time_the_smaller_image_is_taken() -> None:
    small, large = tried(FIVE, evaluation(0.01)), tried(EIGHT, evaluation(0.01))
    for order in ([small, large], [large, small]):
        assert preferred(timed_problem(), order) is small


def test_without_known_time_the_best_is_taken() -> None:
    better, other = tried(EIGHT, evaluation(0.0100)), tried(FIVE, evaluation(0.0101, 0.1))
    assert preferred(small_problem(), [better, other]) is better


def test_a_faster_plan_does_not_miss_the_drop_that_the_best_keeps() -> None:
    slow, fast = tried(SIX, evaluation(0.0031, drop=0.9)), tried(EIGHT, evaluation(0.0032, 0.002, drop=1.1))
    problem = timed_problem()
    assert preferred(replace(problem, max_drop=1.0), [slow, fast]) is slow
    assert preferred(replace(problem, max_drop=1.2), [slow, fast]) is fast
    assert preferred(replace(problem, max_drop=0.5), [slow, fast]) is slow


def test_what_was_taken_and_for_what_is_said() -> None:
    slow, fast = tried(SIX, evaluation(0.0031)), tried(EIGHT, evaluation(0.0032, 0.002))
    text = explained(timed_problem(), fast, slow)
    assert text == f"taken: {EIGHT}, +0.00010 beside the best (standard error 0.00020), for 500.00 ms less"


def test_the_integer_program_takes_the_faster_plan_of_trials_within_noise() -> None:
    """Where the table has nothing against 6 bits, and their trials are better by less than the error."""
    problem = with_latency(small_problem(Budget(flash=1e6)), lambda name, bits: 0.2 if bits == 6 else 0.1)
    noisy = {str(EIGHT): evaluation(0.0032, 0.002)}

    def evaluate(plans: Sequence[Bitwidths]) -> list[Evaluation]:
        wide = [min(plan.weights.values()) >= 6 for plan in plans]
        return [noisy.get(str(plan), evaluation(0.0031 if ok else 0.1)) for plan, ok in zip(plans, wide, strict=True)]

    found = ilp(problem, evaluate)
    assert found.bitwidths == EIGHT
    assert found.evaluation == noisy[str(EIGHT)]
    assert found.log[-1].startswith("taken: ")
    best = min((p.evaluation for p in found.frontier if p.evaluation is not None), key=lambda e: e.divergence)
    assert best.divergence == pytest.approx(0.0031)
    assert noisy[str(EIGHT)].divergence > best.divergence
