from __future__ import annotations

import numpy as np
import pytest

from sq_micro.quant.arithmetic import softmax_scaling
from sq_micro.quant.params import ActivationParams
from sq_micro.reference.softmax import exponential_table, softmax

LOGITS = ActivationParams(0.07, 11)


@pytest.mark.parametrize("depth", [1, 2, 10, 300])
def test_softmax_is_the_real_one_to_a_code(depth: int) -> None:
    codes = np.random.default_rng(depth).integers(-128, 128, (50, depth)).astype(np.int8)
    exps = np.exp(LOGITS.dequantize(codes).astype(np.float64))
    expected = ActivationParams(1 / 256, -128).quantize(exps / exps.sum(axis=1, keepdims=True))
    got = softmax(codes, exponential_table(softmax_scaling("softmax", LOGITS)))
    assert np.abs(got.astype(int) - expected).max() <= 1


def test_a_thousand_equal_logits_are_all_nothing() -> None:
    codes = np.zeros((1, 1000), np.int8)
    assert (softmax(codes, exponential_table(softmax_scaling("softmax", LOGITS))) == -128).all()


def test_the_last_axis_counts() -> None:
    codes = np.random.default_rng(0).integers(-128, 128, (2, 3, 4, 5)).astype(np.int8)
    table = exponential_table(softmax_scaling("softmax", LOGITS))
    assert np.array_equal(softmax(codes, table)[1, 2], softmax(codes[1, 2], table))
