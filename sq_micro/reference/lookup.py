"""Operators that map codes one by one or in pairs: a table of all their values, computed once.

An int8 code has 256 values, a pair 65,536: every value that the operator can take is computed with
TFLite Micro's arithmetic beforehand, and a batch of images is one look-up.
"""

from __future__ import annotations

import numpy as np

from sq_micro.quant.arithmetic import ADD_LEFT_SHIFT, SIGMOID_INTEGER_BITS, Addition, Rescaling, SigmoidScaling
from sq_micro.quant.params import Int8Array
from sq_micro.quant.requantize import Int64Array, divide_by_power_of_two, requantize
from sq_micro.reference.fixed_point import logistic

_CODES = np.arange(256, dtype=np.uint8).view(np.int8).astype(np.int64)  # entry b is the code whose byte is b


def rescaling_table(scaling: Rescaling, zero_in: int, zero_out: int) -> Int8Array:
    """Relu, Requantize: the output code for each input byte, (256,)."""
    scaled = requantize(_CODES - zero_in, scaling.multiplier, scaling.shift)
    return np.clip(scaled.astype(np.int64) + zero_out, scaling.minimum, scaling.maximum).astype(np.int8)


def sigmoid_table(scaling: SigmoidScaling, zero_in: int) -> Int8Array:
    """Sigmoid: the output code for each input byte, (256,); the output is 1/256·(q+128)."""
    centred = _CODES - zero_in
    inside = np.where(np.abs(centred) < scaling.radius, centred, 0)
    in_q4 = requantize(inside, scaling.multiplier, scaling.shift).astype(np.int64)
    codes = divide_by_power_of_two(logistic(in_q4, SIGMOID_INTEGER_BITS), 31 - 8) - 128
    codes = np.where(centred >= scaling.radius, 127, codes)
    codes = np.where(centred <= -scaling.radius, -128, codes)
    return np.clip(codes, -128, 127).astype(np.int8)


def addition_table(scaling: Addition, zero_left: int, zero_right: int, zero_out: int) -> Int8Array:
    """Add: the output code for each pair of bytes, (65536,); the left byte is the upper half of the index."""

    def scaled(zero: int, multiplier: int, shift: int) -> Int64Array:
        return requantize((_CODES - zero) << ADD_LEFT_SHIFT, multiplier, shift).astype(np.int64)

    left = scaled(zero_left, scaling.left_multiplier, scaling.left_shift)
    right = scaled(zero_right, scaling.right_multiplier, scaling.right_shift)
    total = (left[:, None] + right[None, :]).reshape(-1)
    output = requantize(total, scaling.output_multiplier, scaling.output_shift).astype(np.int64)
    return np.clip(output + zero_out, scaling.minimum, scaling.maximum).astype(np.int8)


def look_up(table: Int8Array, x: Int8Array) -> Int8Array:
    """table (256,) at each code of x."""
    return table[x.view(np.uint8)]


def look_up_pairs(table: Int8Array, left: Int8Array, right: Int8Array) -> Int8Array:
    """table (65536,) at each pair of codes."""
    index = left.view(np.uint8).astype(np.uint16)
    index <<= 8
    index |= right.view(np.uint8)
    return table[index]
