"""Softmax as TFLite Micro's int8 reference kernel computes it."""

from __future__ import annotations

import numpy as np

from sq_micro.quant.arithmetic import SOFTMAX_INTEGER_BITS, SoftmaxScaling
from sq_micro.quant.params import Int8Array
from sq_micro.quant.requantize import Int64Array, divide_by_power_of_two, doubling_high_mul, requantize
from sq_micro.reference.fixed_point import exp_of_negative, reciprocal

_SUM_INTEGER_BITS = 12
_OUTPUT_BITS = 8


def exponential_table(scaling: SoftmaxScaling) -> Int64Array:
    """exp(−d · input scale) in Q0 for each difference d = 0 … 255 to the row's maximum; 0 where it is left out."""
    difference = -np.arange(256, dtype=np.int64)
    counted = difference >= scaling.diff_min
    in_q5 = requantize(np.where(counted, difference, 0), scaling.multiplier, scaling.shift).astype(np.int64)
    return np.where(counted, exp_of_negative(in_q5, SOFTMAX_INTEGER_BITS), 0)


def softmax(x: Int8Array, exponentials: Int64Array) -> Int8Array:
    """Over the last axis of x (..., depth); the output is 1/256·(q+128)."""
    rows = x.reshape(-1, x.shape[-1]).astype(np.int64)
    difference = rows.max(axis=1, keepdims=True) - rows
    exps = exponentials[difference]
    total = divide_by_power_of_two(exps, _SUM_INTEGER_BITS).sum(axis=1, keepdims=True)
    inverse, bits_over_unit = reciprocal(total, _SUM_INTEGER_BITS)
    codes = divide_by_power_of_two(doubling_high_mul(exps, inverse), bits_over_unit + 31 - _OUTPUT_BITS) - 128
    return np.clip(codes, -128, 127).astype(np.int8).reshape(x.shape)
