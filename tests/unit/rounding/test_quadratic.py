"""The search for integers: against its formulas, and against trying everything."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from sq_micro.quant.params import Float32Array, Levels
from sq_micro.quant.weights import nearest_levels
from sq_micro.rounding.quadratic import Codebooks, Quadratic, descend, error_feedback
from tests.unit.rounding.layer_problems import dense_problem, statistics_of


def problem_of(seed: int, **size: int) -> Quadratic:
    weights, statistics, _ = dense_problem(seed, **size)
    return Quadratic.of(statistics, weights[None].astype(np.float64))


def error_of(problem: Quadratic, codes: Float32Array, scale: Float32Array) -> np.ndarray:
    """E without its constant, of each candidate."""
    real = (codes * scale[:, None]).astype(np.float64)
    h, r = problem.h.astype(np.float64), problem.r.astype(np.float64)
    return ((h @ real - 2 * r) * real).sum(axis=1)


def start_of(problem: Quadratic, levels: Levels, bits: int) -> tuple[Float32Array, Codebooks]:
    channels = problem.target.shape[2]
    high = levels.limits(bits)[1]
    scale = (np.abs(problem.target).max(axis=1) * 0.7 / high).astype(np.float32)
    return scale, Codebooks.of(np.full(channels, levels, np.int8), bits)


@pytest.mark.parametrize("bits", [2, 3, 4, 5, 6, 8])
def test_codebooks_are_those_of_quant(bits: int) -> None:
    scaled = (np.linspace(-140, 140, 4001) + 1e-4)[:, None]  # no ties: float32 may see others than float64
    for levels in Levels.of_width(bits):
        books = Codebooks.of(np.array([levels], np.int8), bits)
        np.testing.assert_array_equal(books.nearest(scaled.astype(np.float32)), nearest_levels(scaled, levels, bits))


def test_the_target_is_the_unrounded_optimum_and_u_the_factor_of_the_inverse() -> None:
    problem = problem_of(0)
    h = problem.h[0].astype(np.float64)
    np.testing.assert_allclose(h @ problem.target[0], problem.r[0], rtol=1e-3, atol=1e-3)
    u = problem.feedback[0].astype(np.float64)
    assert (np.tril(u, -1) == 0).all()
    np.testing.assert_allclose(u.T @ u @ h, np.eye(len(h)), atol=1e-3)
    assert (np.diff(np.diagonal(h)) <= 0).all()


def test_what_was_sorted_comes_back() -> None:
    weights, statistics, _ = dense_problem(1)
    problem = Quadratic.of(statistics, weights[None].astype(np.float64))
    back = problem.unsorted(problem.target)[0].T
    np.testing.assert_allclose(back, weights, atol=0.2)  # the target is nearly the weights: it is their own output


def test_the_data_decide_where_they_say_something_and_the_weights_where_not() -> None:
    weights, _, inputs = dense_problem(2, channels=2, k=4)
    silent = inputs.copy()
    silent[:, 3] = 0
    problem = Quadratic.of(statistics_of(silent, silent @ (2 * weights.T.astype(np.float64))), weights[None] * 1.0)
    target = problem.unsorted(problem.target)[0].T
    np.testing.assert_allclose(target[:, 3], weights[:, 3], rtol=1e-4)
    assert np.abs(target[:, :3] - 2 * weights[:, :3]).max() < 0.5


@pytest.mark.parametrize("k", [1, 5, 48, 49, 130])
def test_feedback_is_what_the_textbook_loop_gives(k: int) -> None:
    problem = problem_of(5, k=k, rows=400)
    scale, books = start_of(problem, Levels.TWOS, 4)
    codes = error_feedback(problem, problem.target, scale, books)

    h, w = problem.h[0].astype(np.float64), problem.target[0].astype(np.float64)
    expected = np.empty_like(w)
    for j in range(k):  # the least change of the rest is that of a smaller problem each time
        inverse = np.linalg.inv(h[j:, j:])
        expected[j] = np.clip(np.round(w[j] / scale[0]), -8, 7)
        w[j:] -= inverse[:, :1] * (w[j] - expected[j] * scale[0]) / inverse[0, 0]
    assert (codes[0] != expected).mean() < 0.01  # float32 may decide a tie otherwise


@pytest.mark.parametrize("levels", [Levels.TWOS, Levels.MIRRORED, Levels.ODD])
@pytest.mark.parametrize("seed", range(4))
def test_feedback_beats_nearest_and_descent_beats_feedback(levels: Levels, seed: int) -> None:
    problem = problem_of(seed, k=60, rows=300)
    scale, books = start_of(problem, levels, 2)
    nearest = books.nearest(problem.target / scale[:, None])
    fed = error_feedback(problem, problem.target, scale, books)
    assert error_of(problem, fed, scale).sum() < error_of(problem, nearest, scale).sum()

    codes, reward = descend(problem, problem.r, fed, scale, books, sweeps=8)
    assert (reward >= -error_of(problem, fed, scale) * (1 - 1e-4)).all()
    low, high = levels.limits(2)
    assert codes.min() >= low
    assert codes.max() <= high
    assert levels is not Levels.ODD or (codes % 2 != 0).all()


def test_reward_is_the_error_that_the_best_scale_saves() -> None:
    problem = problem_of(6)
    scale, books = start_of(problem, Levels.TWOS, 3)
    codes, reward = descend(problem, problem.r, error_feedback(problem, problem.target, scale, books), scale, books, 3)
    fit = (codes * problem.r).sum(axis=1) / (codes * (problem.h @ codes)).sum(axis=1)
    np.testing.assert_allclose(reward, -error_of(problem, codes, fit), rtol=1e-4)


def test_candidates_that_point_nowhere_have_no_reward() -> None:
    problem = problem_of(7, channels=1)
    scale, books = start_of(problem, Levels.TWOS, 2)
    for codes in (np.zeros_like(problem.target), -np.sign(problem.target)):
        assert descend(problem, problem.r, codes, scale, books, sweeps=0)[1].tolist() == [[0.0]]


@pytest.mark.parametrize("levels", [Levels.TWOS, Levels.ODD])
def test_descent_from_many_starts_finds_nearly_the_best_of_all_codes(levels: Levels) -> None:
    problem = problem_of(8, channels=3, k=6)
    low, high = levels.limits(2)
    every = np.array(list(product(range(low, high + 1, 2 if levels is Levels.ODD else 1), repeat=6)), np.float64)
    energy = ((every @ problem.h[0]) * every).sum(axis=1)
    fit = np.maximum(every @ problem.r[0], 0)
    best = (fit**2 / np.where(energy > 0, energy, 1)[:, None]).max(axis=0)
    rewards = []
    for fraction in np.geomspace(0.25, 1.1, 12):
        scale = (np.abs(problem.target).max(axis=1) * fraction / high).astype(np.float32)
        books = Codebooks.of(np.full(3, levels, np.int8), 2)
        fed = error_feedback(problem, problem.target, scale, books)
        rewards.append(descend(problem, problem.r, fed, scale, books, sweeps=8)[1][0])
    total = -error_of(problem, problem.target, np.ones_like(scale))[0]
    missed = (best - np.max(rewards, axis=0)) / (total - best)
    assert (missed > -1e-3).all(), "nothing is better than the best"
    assert missed.mean() < 0.25


def test_statistics_that_rounding_errors_made_indefinite_are_repaired() -> None:
    """Inputs that hardly vary around a large mean: the covariance's errors are larger than the damping."""
    weights, statistics, _ = dense_problem(3)
    covariance = statistics.covariance.copy()
    covariance[0] -= 0.5 * np.trace(covariance[0]) / len(covariance[0]) * np.eye(len(covariance[0]))
    broken = replace(statistics, covariance=covariance)
    problem = Quadratic.of(broken, weights[None].astype(np.float64))
    assert (np.linalg.eigvalsh(problem.h.astype(np.float64)) > 0).all()
    assert np.isfinite(problem.feedback).all()
    assert np.isfinite(problem.target).all()
