"""The one rounding rule: int32 accumulators to the scale of the output, as TFLite Micro's reference kernels do it.

Two roundings follow each other: `doubling_high_mul` (gemmlowp's SaturatingRoundingDoublingHighMul) to the
nearest, halves up; `divide_by_power_of_two` (RoundingDivideByPOT) to the nearest, halves away from zero.
One rounding instead of two differs in about 0.2 % of the values, so both are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sq_micro.errors import QuantizationError
from sq_micro.quant.params import Int8Array, Int32Array

Int64Array = NDArray[np.int64]
Accumulators = NDArray[np.integer[Any]] | NDArray[np.floating[Any]]

_BLOCK_ELEMENTS = 1 << 15  # two int64 blocks of this size stay in a 1 MiB level-2 cache
_FRACTION_BITS = 31
_HALF = 1 << (_FRACTION_BITS - 1)


def requantize(accumulator: NDArray[np.integer], multiplier: ArrayLike, shift: ArrayLike) -> Int32Array:
    """Scale accumulators by multiplier · 2^(shift − 31), bit for bit as `sqm_requantize` does in C.

    accumulator  (..., channels), integers with bias and input zero point folded in.
    multiplier   0 or 2^29 … 2^31−1; shift −31 … 30; both (channels,) or one for all.
    Result       same shape; the output's zero point is not added and nothing is clamped.

    q = divide_by_power_of_two(doubling_high_mul(accumulator · 2^left, multiplier), right)

    Bit-identical to TFLite's reference kernels for every accumulator whose accumulator · 2^left is an int32
    (beyond, C overflows; `verify_quant_graph` shows that it never is); the product is taken in int64.
    Source: Jacob et al. 2018, §2.2; TFLite quantization specification.
    Raises QuantizationError iff a shift is outside [−31, 30].
    """
    left_multiplier, right = _split(multiplier, shift)
    product = accumulator.astype(np.int64)
    product *= left_multiplier
    product += _HALF
    product >>= _FRACTION_BITS
    return divide_by_power_of_two(product, right).astype(np.int32)


def doubling_high_mul(left: Int64Array, right: Int64Array | int) -> Int64Array:
    """left · right / 2^31 to the nearest integer, halves up; both in the range of int32.

    gemmlowp adds ±2^30 by the sign of the product and truncates towards zero; that is a floor after adding
    2^30, whatever the sign. Its one saturating case, both operands −2^31, does not occur here.
    """
    product = left * right
    product += _HALF
    product >>= _FRACTION_BITS
    return product


def divide_by_power_of_two(value: Int64Array, exponent: Int64Array | int) -> Int64Array:
    """value / 2^exponent to the nearest integer, halves away from zero; exponent 0 … 31.

    >>> [int(divide_by_power_of_two(np.int64(v), 1)) for v in (-3, -1, 0, 1, 3)]
    [-2, -1, 0, 1, 2]
    """
    nudge = (np.int64(1) << np.asarray(exponent, np.int64)) >> 1
    negative = (value >> 63) & -(nudge != 0).astype(np.int64)  # −1 turns halves away from zero below it
    return np.asarray((value + negative + nudge) >> exponent, np.int64)


@dataclass(frozen=True, slots=True)
class Requantizer:
    """`requantize`, prepared for a layer: accumulators of GEMM to clamped int8 codes in few passes.

    product = a·left_multiplier + product_offset                      (bias folded in, and 2^30)
    code    = ((product >> 31) − (negative and right > 0) + code_offset) >> right     (zero point folded in)
    """

    left_multiplier: Int64Array
    product_offset: Int64Array
    right: Int64Array
    code_offset: Int64Array
    minimum: int
    maximum: int

    @classmethod
    def prepare(
        cls,
        multiplier: ArrayLike,
        shift: ArrayLike,
        bias: Int64Array,
        zero_point: int,
        minimum: int,
        maximum: int,
    ) -> Requantizer:
        """`bias` (channels,) is added to the accumulators before scaling. Raises as `requantize`."""
        left_multiplier, right = _split(multiplier, shift)
        channels = bias.shape
        left_multiplier = np.broadcast_to(left_multiplier, channels)
        right = np.broadcast_to(right, channels)
        return cls(
            left_multiplier=left_multiplier,
            product_offset=bias * left_multiplier + _HALF,
            right=right,
            code_offset=((np.int64(1) << right) >> 1) + (np.int64(zero_point) << right),
            minimum=minimum,
            maximum=maximum,
        )

    def codes(self, accumulator: Accumulators) -> Int8Array:
        """Integer-valued accumulators (rows, channels) without bias to int8 codes (rows, channels)."""
        rows, channels = accumulator.shape
        result = np.empty((rows, channels), np.int8)
        block = max(1, _BLOCK_ELEMENTS // channels)
        height = min(block, rows)
        # Operands of the block's full shape: a broadcast along so few channels costs twice as much.
        left_multiplier = np.tile(self.left_multiplier, (height, 1))
        product_offset = np.tile(self.product_offset, (height, 1))
        right = np.tile(self.right, (height, 1))
        code_offset = np.tile(self.code_offset, (height, 1))
        exact = not (self.right == 0).any()
        scaled, sign = np.empty((height, channels), np.int64), np.empty((height, channels), np.int64)
        for first in range(0, rows, block):
            count = min(block, rows - first)
            value, negative = scaled[:count], sign[:count]
            np.copyto(value, accumulator[first : first + count], casting="unsafe")
            value *= left_multiplier[:count]
            value += product_offset[:count]
            value >>= _FRACTION_BITS
            np.right_shift(value, 63, out=negative)
            if not exact:
                negative *= right[:count] > 0
            value += negative
            value += code_offset[:count]
            value >>= right[:count]
            np.clip(value, self.minimum, self.maximum, out=value)
            np.copyto(result[first : first + count], value, casting="unsafe")
        return result


def _split(multiplier: ArrayLike, shift: ArrayLike) -> tuple[Int64Array, Int64Array]:
    """(multiplier · 2^left, right) as int64, of shift = left − right with one of them 0."""
    shifts = np.asarray(shift, np.int64)
    if (shifts < -31).any() or (shifts > 30).any():
        raise QuantizationError("shift", f"{shifts.min()} … {shifts.max()} leaves [-31, 30]; recalibrate the model")
    return np.asarray(multiplier, np.int64) << np.maximum(shifts, 0), np.maximum(-shifts, 0)
