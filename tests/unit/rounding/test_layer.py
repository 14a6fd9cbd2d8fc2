"""One operator: better than nearest, the bias right, and sense where there are no data."""

from __future__ import annotations

import numpy as np
import pytest

from sq_micro.ir.bitwidths import WEIGHT_BITS
from sq_micro.quant.weights import round_weights
from sq_micro.rounding import layer
from sq_micro.rounding.layer import round_operator
from sq_micro.rounding.statistics import LayerStatistics
from tests.unit.rounding.layer_problems import dense_problem, output_error, real_weights_of, statistics_of

ZERO = np.zeros(6, np.float32)


@pytest.mark.parametrize("bits", WEIGHT_BITS)
def test_outputs_err_less_than_with_nearest_rounding(bits: int) -> None:
    weights, statistics, inputs = dense_problem(0, k=40, rows=400)
    found = output_error(real_weights_of(round_operator(weights, ZERO, statistics, bits).rounded), weights, inputs)
    nearest = output_error(real_weights_of(round_weights(weights, bits)), weights, inputs)
    assert found < (0.75 if bits < 8 else 1.0) * nearest


@pytest.mark.parametrize("bits", [2, 4])
def test_the_mean_output_is_the_targets(bits: int) -> None:
    weights, statistics, inputs = dense_problem(1)
    bias = np.linspace(-2, 2, 6).astype(np.float32)
    found = round_operator(weights, bias, statistics, bits)
    outputs = inputs @ real_weights_of(found.rounded).T + found.bias
    np.testing.assert_allclose(outputs.mean(axis=0), (inputs @ weights.T + bias).mean(axis=0), atol=1e-5)


def test_the_target_is_the_wanted_output_not_the_trained_weights() -> None:
    """What the layers before did wrong is put right: here they halved every input."""
    weights, _, inputs = dense_problem(2)
    statistics = statistics_of(inputs / 2, inputs @ weights.T.astype(np.float64))
    found = real_weights_of(round_operator(weights, ZERO, statistics, 8).rounded)
    assert output_error(found, 2 * weights, inputs) < 0.01 * output_error(1.0 * weights, 2 * weights, inputs)


@pytest.mark.parametrize("bits", WEIGHT_BITS)
def test_without_any_data_weights_go_to_their_nearest_levels(bits: int) -> None:
    weights, _, _ = dense_problem(3)
    dead = LayerStatistics("dense", np.zeros((1, 10, 10)), np.zeros((1, 10, 6)), np.zeros((1, 10)), np.zeros(6))
    found, nearest = round_operator(weights, ZERO, dead, bits), round_weights(weights, bits)
    np.testing.assert_array_equal(found.rounded.codes, nearest.codes)
    np.testing.assert_array_equal(found.rounded.scale, nearest.scale)
    np.testing.assert_array_equal(found.rounded.levels, nearest.levels)
    np.testing.assert_array_equal(found.bias, ZERO)


def test_an_input_that_is_always_zero_leaves_the_others_alone() -> None:
    weights, _, inputs = dense_problem(4)
    inputs[:, 3] = 0
    found = round_operator(weights, ZERO, statistics_of(inputs, inputs @ weights.T.astype(np.float64)), 8)
    np.testing.assert_allclose(real_weights_of(found.rounded), weights, atol=0.1)


@pytest.mark.parametrize("bits", WEIGHT_BITS)
def test_a_channel_of_zeros_stays_one(bits: int) -> None:
    weights, _, inputs = dense_problem(5)
    weights[2] = 0
    found = round_operator(weights, ZERO, statistics_of(inputs, inputs @ weights.T.astype(np.float64)), bits)
    assert not found.rounded.codes[2].any()
    assert found.rounded.scale[2] == 1.0
    assert found.bias[2] == 0.0


def test_groups_are_rounded_each_on_its_own_input() -> None:
    weights, first, inputs = dense_problem(6, channels=2, k=5)
    more, second, others = dense_problem(7, channels=2, k=5)
    both = LayerStatistics(
        "depthwise",
        np.concatenate([first.covariance, second.covariance]),
        np.concatenate([first.correlation, second.correlation]),
        np.concatenate([first.input_mean, second.input_mean]),
        np.concatenate([first.target_mean, second.target_mean]),
    )
    together = round_operator(np.concatenate([weights, more]), np.zeros(4, np.float32), both, 3).rounded
    alone = round_operator(weights, np.zeros(2, np.float32), first, 3).rounded
    np.testing.assert_array_equal(together.codes[:2], alone.codes)
    assert output_error(real_weights_of(together)[2:], more, others) <= output_error(
        real_weights_of(round_weights(more, 3)), more, others
    )
    assert len(inputs) == len(others)


def test_a_wide_layer_is_searched_part_by_part_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    weights, statistics, _ = dense_problem(8, channels=9, k=12)
    bias = np.zeros(9, np.float32)
    whole = round_operator(weights, bias, statistics, 2)
    monkeypatch.setattr(layer, "_CANDIDATE_ELEMENTS", 2 * 12 * 36)
    parts = round_operator(weights, bias, statistics, 2)
    np.testing.assert_array_equal(whole.rounded.codes, parts.rounded.codes)
    np.testing.assert_array_equal(whole.rounded.levels, parts.rounded.levels)
    np.testing.assert_array_equal(whole.bias, parts.bias)


def test_two_bit_channels_choose_their_codebooks() -> None:
    """A channel with many zeros takes one with a zero, a channel of two sizes and signs the odd one."""
    rng = np.random.default_rng(9)
    inputs = rng.normal(size=(400, 12))
    weights = np.array([[-3, -1, 1, 3] * 3, [-2, 1, 0, 0] * 3, [2, -1, 0, 0] * 3], np.float32) * 0.3
    found = round_operator(weights, np.zeros(3, np.float32), statistics_of(inputs, inputs @ weights.T * 1.0), 2)
    assert found.rounded.levels.tolist() == [2, 1, -1]
    np.testing.assert_allclose(real_weights_of(found.rounded), weights, atol=0.01)
