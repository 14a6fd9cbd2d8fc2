"""exp, 1/(1+x) and the logistic function in fixed point, bit for bit as gemmlowp computes them in int32.

A number in format Qm has m integer bits: it stands for raw / 2^(31 − m). The arrays are int64 so that no
step can overflow; where gemmlowp saturates to int32, so does this. Constants are the roundings of
the real numbers named beside them.
"""

from __future__ import annotations

import numpy as np

from sq_micro.quant.requantize import Int64Array, divide_by_power_of_two, doubling_high_mul

INT32_MAXIMUM = (1 << 31) - 1
_INT32_MINIMUM = -(1 << 31)

_EXP_MINUS_EIGHTH = 1895147668  # exp(−1/8) in Q0
_ONE_THIRD = 715827883  # 1/3 in Q0
_EXP_OF_MINUS_POWER = {  # exp(−2^k) in Q0
    -2: 1672461947,
    -1: 1302514674,
    0: 790015084,
    1: 290630308,
    2: 39332535,
    3: 720401,
    4: 242,
}
_48_OVER_17 = 1515870810  # in Q2
_MINUS_32_OVER_17 = -1010580540  # in Q2
_ONE_Q2 = 1 << 29
_NEWTON_STEPS = 3


def exp_of_negative(value: Int64Array, integer_bits: int) -> Int64Array:
    """exp(value) in Q0, for value <= 0 in Q`integer_bits`; integer_bits 0 … 5.

    value is split into a multiple of 1/4 and a rest in [−1/4, 0): the rest goes through a Taylor
    polynomial, each bit of the multiple through one multiplication.
    """
    fraction_bits = 31 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    rest = (value & (quarter - 1)) - quarter
    result = _exp_near_minus_eighth(rest << integer_bits)
    multiple = rest - value
    for power, factor in _EXP_OF_MINUS_POWER.items():
        if power < integer_bits:
            bit = multiple & (1 << (fraction_bits + power))
            result = np.where(bit != 0, doubling_high_mul(result, factor), result)
    return np.where(value == 0, np.int64(INT32_MAXIMUM), result)


def _exp_near_minus_eighth(value: Int64Array) -> Int64Array:
    """exp(value) in Q0 for value in [−1/4, 0) in Q0: four terms of the Taylor series around −1/8."""
    x = value + (1 << 28)
    x2 = doubling_high_mul(x, x)
    x3 = doubling_high_mul(x2, x)
    x4_over_4 = divide_by_power_of_two(doubling_high_mul(x2, x2), 2)
    tail = divide_by_power_of_two(doubling_high_mul(x4_over_4 + x3, _ONE_THIRD) + x2, 1)
    return _EXP_MINUS_EIGHTH + doubling_high_mul(x + tail, _EXP_MINUS_EIGHTH)


def one_over_one_plus(value: Int64Array) -> Int64Array:
    """1 / (1 + value) in Q0, for value in [0, 1) in Q0: Newton-Raphson from 48/17 − 32/17·d."""
    half_denominator = (value + (1 << 31)) >> 1
    x = _48_OVER_17 + doubling_high_mul(half_denominator, _MINUS_32_OVER_17)
    for _ in range(_NEWTON_STEPS):
        error = _ONE_Q2 - doubling_high_mul(half_denominator, x)
        x = x + _shift_left_saturating(doubling_high_mul(x, error), 2)
    return _shift_left_saturating(x, 1)


def logistic(value: Int64Array, integer_bits: int) -> Int64Array:
    """1 / (1 + exp(−value)) in Q0, for value in Q`integer_bits`."""
    positive = one_over_one_plus(exp_of_negative(-np.abs(value), integer_bits))
    result = np.where(value > 0, positive, INT32_MAXIMUM - positive)
    return np.where(value == 0, np.int64(1 << 30), result)


def reciprocal(value: Int64Array, integer_bits: int) -> tuple[Int64Array, Int64Array]:
    """(r, n) with 1/value = r·2^(−n), r in Q0, for value >= 1 in Q`integer_bits`."""
    leading_zeros = 32 - np.frexp(value.astype(np.float64))[1].astype(np.int64)
    fraction = (value << leading_zeros) - (1 << 31)
    return one_over_one_plus(fraction), integer_bits - leading_zeros


def _shift_left_saturating(value: Int64Array, bits: int) -> Int64Array:
    """value · 2^bits; beyond ±(2^(31−bits) − 1) the ends of int32."""
    threshold = (1 << (31 - bits)) - 1
    shifted = np.where(value > threshold, np.int64(INT32_MAXIMUM), value << bits)
    return np.where(value < -threshold, np.int64(_INT32_MINIMUM), shifted)
