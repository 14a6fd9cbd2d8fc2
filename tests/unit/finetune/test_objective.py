from __future__ import annotations

import numpy as np
import pytest

from sq_micro.finetune.objective import Head, Objective
from tests.unit.finetune.small_networks import small_network

RNG = np.random.default_rng(0)
TAUGHT = RNG.normal(size=(5, 3)).astype(np.float32)
SCORES = RNG.normal(size=(5, 3)).astype(np.float32)


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x.astype(np.float64))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


@pytest.mark.parametrize(
    ("head", "name"), [(Head.SOFTMAX, "softmax"), (Head.SIGMOID, "sigmoid"), (Head.VALUES, "values")]
)
def test_the_head_is_that_of_the_last_operator(head: Head, name: str) -> None:
    assert Head.of(small_network(name).graph.topology) is head


@pytest.mark.parametrize("head", list(Head))
def test_equal_scores_cost_nothing(head: Head) -> None:
    losses = Objective(head, 0.5, 2.0).losses(TAUGHT, TAUGHT, None, 2.0)
    np.testing.assert_allclose(losses, np.zeros(5), atol=1e-6)


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_softmax_is_compared_by_divergence(temperature: float) -> None:
    p, q = softmax(TAUGHT / temperature), softmax(SCORES / temperature)
    expected = temperature**2 * (p * np.log(p / q)).sum(axis=-1)
    np.testing.assert_allclose(
        Objective(Head.SOFTMAX, 0.5, 1.0).losses(SCORES, TAUGHT, None, temperature), expected, rtol=1e-4
    )


def test_sigmoids_are_compared_by_the_divergence_of_each_output() -> None:
    p, q = (1 / (1 + np.exp(-x.astype(np.float64))) for x in (TAUGHT, SCORES))
    expected = (p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))).sum(axis=-1)
    np.testing.assert_allclose(Objective(Head.SIGMOID, 0.5, 1.0).losses(SCORES, TAUGHT, None, 1.0), expected, rtol=1e-4)


def test_values_are_compared_in_variances_whatever_the_temperature() -> None:
    expected = ((SCORES - TAUGHT) ** 2).mean(axis=-1) / 4.0
    np.testing.assert_allclose(Objective(Head.VALUES, 0.5, 4.0).losses(SCORES, TAUGHT, None, 3.0), expected, rtol=1e-5)


def test_labels_take_their_share() -> None:
    targets = np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1]]
    divergence = np.asarray(Objective(Head.SOFTMAX, 0.0, 1.0).losses(SCORES, TAUGHT, targets, 1.0))
    entropy = np.asarray(Objective(Head.SOFTMAX, 1.0, 1.0).losses(SCORES, TAUGHT, targets, 1.0))
    np.testing.assert_allclose(entropy, -np.log(softmax(SCORES)[np.arange(5), [0, 1, 2, 0, 1]]), rtol=1e-4)
    mixed = Objective(Head.SOFTMAX, 0.25, 1.0).losses(SCORES, TAUGHT, targets, 1.0)
    np.testing.assert_allclose(mixed, 0.75 * divergence + 0.25 * entropy, rtol=1e-5)


def test_one_sigmoid_takes_labels() -> None:
    scores, targets = np.array([[2.0], [-1.0]], np.float32), np.array([[1.0], [1.0]], np.float32)
    losses = Objective(Head.SIGMOID, 1.0, 1.0).losses(scores, scores, targets, 2.0)
    np.testing.assert_allclose(losses, np.log1p(np.exp([-2.0, 1.0])), rtol=1e-5)


def test_images_of_classes_are_averaged_over_pixels() -> None:
    scores, taught = RNG.normal(size=(2, 4, 6, 6, 3)).astype(np.float32)
    losses = np.asarray(Objective(Head.SOFTMAX, 0.5, 1.0).losses(scores, taught, None, 1.0))
    p, q = softmax(taught), softmax(scores)
    np.testing.assert_allclose(losses, (p * np.log(p / q)).sum(-1).mean((1, 2)), rtol=1e-4)
