"""The tables hold what the real functions give, to the nearest code."""

from __future__ import annotations

import numpy as np

from sq_micro.ir.operators import NONE, RELU
from sq_micro.quant.arithmetic import addition, relu_rescaling, sigmoid_scaling
from sq_micro.quant.params import ActivationParams
from sq_micro.reference.lookup import addition_table, look_up, look_up_pairs, rescaling_table, sigmoid_table

ALL_CODES = np.arange(-128, 128, dtype=np.int64).astype(np.int8)
LEFT, RIGHT, OUTPUT = ActivationParams(0.05, -3), ActivationParams(0.11, 17), ActivationParams(0.12, 5)


def off_by(got: np.ndarray, expected: np.ndarray) -> int:
    return int(np.abs(got.astype(int) - expected.astype(int)).max())


def test_rescaling_table_is_relu() -> None:
    table = rescaling_table(relu_rescaling(LEFT, RIGHT, RELU), LEFT.zero_point, RIGHT.zero_point)
    expected = RIGHT.quantize(np.maximum(LEFT.dequantize(ALL_CODES), 0))
    assert off_by(look_up(table, ALL_CODES), expected) <= 1


def test_sigmoid_table_is_the_logistic_function() -> None:
    expected = ActivationParams(1 / 256, -128).quantize(1 / (1 + np.exp(-LEFT.dequantize(ALL_CODES))))
    assert off_by(look_up(sigmoid_table(sigmoid_scaling(LEFT), LEFT.zero_point), ALL_CODES), expected) <= 1


def test_addition_table_adds_left_and_right() -> None:
    scaling = addition("add", LEFT, RIGHT, OUTPUT, NONE)
    table = addition_table(scaling, LEFT.zero_point, RIGHT.zero_point, OUTPUT.zero_point)
    left, right = (codes.reshape(-1).copy() for codes in np.meshgrid(ALL_CODES, ALL_CODES))
    expected = OUTPUT.quantize(LEFT.dequantize(left) + RIGHT.dequantize(right))
    assert off_by(look_up_pairs(table, left, right), expected) <= 1


def test_looking_up_keeps_the_shape() -> None:
    codes = ALL_CODES.reshape(4, 8, 8)
    assert np.array_equal(look_up(np.arange(256, dtype=np.uint8).view(np.int8), codes), codes)
