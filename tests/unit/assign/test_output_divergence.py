"""How outputs are compared."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import entropy

from sq_micro.assign.output_divergence import FloatOutputs, Probe, decisions, float_outputs, output_probe
from tests.models.random_quant_graph import RandomQuantGraph
from tests.unit.assign.small_problem import small_network

RNG = np.random.default_rng(0)
LOGITS, OTHER = RNG.normal(size=(7, 4)) * 3, RNG.normal(size=(7, 4)) * 3


def outputs(measure: str, real: np.ndarray = LOGITS) -> FloatOutputs:
    return FloatOutputs(Probe("logits", measure), real)  # type: ignore[arg-type]


def softmaxes(logits: np.ndarray) -> np.ndarray:
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def test_behind_a_softmax_it_is_kullback_leibler_in_nats() -> None:
    expected = entropy(softmaxes(LOGITS), softmaxes(OTHER), axis=1)
    assert outputs("categorical").divergence(OTHER) == pytest.approx(expected)


def test_behind_a_sigmoid_it_is_that_of_coins() -> None:
    p, q = 1 / (1 + np.exp(-LOGITS)), 1 / (1 + np.exp(-OTHER))
    expected = (p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))).sum(axis=1)
    assert outputs("bernoulli").divergence(OTHER) == pytest.approx(expected)


def test_other_outputs_by_squared_error_over_variance() -> None:
    found = outputs("squared").divergence(np.broadcast_to(LOGITS.mean(axis=0), LOGITS.shape))
    assert found.mean() == pytest.approx(1.0)


@pytest.mark.parametrize("measure", ["categorical", "bernoulli", "squared"])
def test_equal_outputs_do_not_diverge_and_batches_are_rows_of_the_whole(measure: str) -> None:
    found = outputs(measure)
    assert found.divergence(LOGITS) == pytest.approx(np.zeros(7))
    assert found.agreement(LOGITS).tolist() == [1.0] * 7
    assert found.expected_drop(LOGITS) == pytest.approx(np.zeros(7))
    assert found.divergence(OTHER[3:5], 3) == pytest.approx(found.divergence(OTHER)[3:5])


@pytest.mark.parametrize("measure", ["categorical", "bernoulli"])
def test_huge_logits_stay_finite(measure: str) -> None:
    real = np.array([[900.0, -900.0]])
    assert np.isfinite(outputs(measure, real).divergence(-real)).all()


def test_an_expected_drop_is_the_probability_that_is_given_up() -> None:
    real = np.log(np.array([[0.7, 0.2, 0.1]]))
    assert outputs("categorical", real).expected_drop(np.array([[0.0, 1.0, 0.0]])) == pytest.approx([0.5])
    assert outputs("bernoulli", np.array([[np.log(3.0)]])).expected_drop(np.array([[-1.0]])) == pytest.approx([0.5])


def test_the_first_of_equal_scores_is_the_decision() -> None:
    assert decisions(np.array([[1.0, 1.0], [0.0, 2.0]])).tolist() == [[0], [1]]
    assert decisions(np.array([[0.1], [0.0]])).tolist() == [[1], [0]]


def test_the_probe_lies_before_the_probabilities() -> None:
    builder = RandomQuantGraph(0, (4, 4, 2))
    dense = builder.dense(builder.mean(builder.input), 3)
    assert output_probe(builder.build(dense).topology) == Probe(dense, "squared")
    assert output_probe(builder.build(builder.sigmoid(dense)).topology) == Probe(dense, "bernoulli")
    flat = builder.reshape(builder.softmax(dense), (1, 3))
    assert output_probe(builder.build(flat).topology) == Probe(dense, "categorical")


def test_float_outputs_are_the_networks_own() -> None:
    graph, _, samples = small_network()
    found = float_outputs(graph, samples)
    assert found.probe == Probe("dense_5", "categorical")
    assert found.real.shape == (len(samples), 5)
