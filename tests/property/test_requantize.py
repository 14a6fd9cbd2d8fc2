"""requantize equals an exact rational model of TFLite's two roundings."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sq_micro.errors import QuantizationError
from sq_micro.quant.arithmetic import derive_multiplier
from sq_micro.quant.requantize import Requantizer, requantize

INT32 = (1 << 31) - 1
reals = st.floats(2.0**-32, 2.0**29)
accumulators = st.integers(-INT32 - 1, INT32)


def exact_rational_model(accumulator: int, multiplier: int, shift: int) -> int:
    """Two roundings in exact arithmetic: halves up, then halves away from zero."""
    left, right = max(shift, 0), max(-shift, 0)
    once = floor(Fraction(accumulator * 2**left * multiplier, 2**31) + Fraction(1, 2))
    twice = Fraction(once, 2**right)
    return floor(twice + Fraction(1, 2)) if twice >= 0 else ceil(twice - Fraction(1, 2))


def inside(accumulator: int, shift: int) -> int:
    """An accumulator made small enough that shifting it left stays in int32, as the contract asks."""
    return accumulator >> max(shift, 0)


@given(accumulators, reals)
def test_requantize_is_tflites(accumulator: int, real: float) -> None:
    multiplier, shift = derive_multiplier(real)
    accumulator = inside(accumulator, shift)
    expected = exact_rational_model(accumulator, multiplier, shift)
    for kind in (np.int32, np.int64):
        assert requantize(np.array([accumulator], kind), multiplier, shift).tolist() == [expected]


@given(st.integers(-6, 6), st.integers(0, 8), st.integers(1, 31))
def test_requantize_is_tflites_at_ties(odd: int, distance: int, right: int) -> None:
    """Accumulators around the halves of the second rounding; multiplier 2^30 makes the first meet halves too."""
    multiplier, shift = 1 << 30, -right
    accumulator = max(-INT32 - 1, min(INT32, ((2 * odd + 1) << right) + distance - 4))
    expected = exact_rational_model(accumulator, multiplier, shift)
    assert requantize(np.array([accumulator], np.int32), multiplier, shift).tolist() == [expected]


@given(st.data())
def test_prepared_requantizer_is_requantize_then_clamp(data: st.DataObject) -> None:
    channels = data.draw(st.integers(1, 5))
    rows = data.draw(st.integers(1, 7))
    pairs = [derive_multiplier(data.draw(st.floats(2.0**-20, 8.0))) for _ in range(channels)]
    multiplier = np.array([pair[0] for pair in pairs], np.int32)
    shift = np.array([pair[1] for pair in pairs], np.int32)
    values = st.integers(-(1 << 23), 1 << 23)
    accumulator = np.array([[data.draw(values) for _ in range(channels)] for _ in range(rows)], np.int64)
    bias = np.array([data.draw(values) for _ in range(channels)], np.int64)
    zero_point = data.draw(st.integers(-128, 127))
    minimum = data.draw(st.integers(-128, 127))
    maximum = data.draw(st.integers(minimum, 127))
    expected = np.clip(requantize(accumulator + bias, multiplier, shift) + zero_point, minimum, maximum)
    prepared = Requantizer.prepare(multiplier, shift, bias, zero_point, minimum, maximum)
    for kind in (np.int64, np.float32, np.float64):
        assert prepared.codes(accumulator.astype(kind)).tolist() == expected.tolist()


def test_blocks_make_no_difference() -> None:
    rng = np.random.default_rng(0)
    accumulator = rng.integers(-100_000, 100_000, (70_001, 3))
    multiplier, shift = np.array([1 << 30, 1_500_000_000, 0]), np.array([-7, 0, -3])
    prepared = Requantizer.prepare(multiplier, shift, np.zeros(3, np.int64), 5, -128, 127)
    assert np.array_equal(
        prepared.codes(accumulator), np.clip(requantize(accumulator, multiplier, shift) + 5, -128, 127)
    )


@given(reals)
def test_derived_multiplier_is_the_nearest(real: float) -> None:
    multiplier, shift = derive_multiplier(real)
    assert 1 << 30 <= multiplier <= INT32
    error = abs(Fraction(multiplier) * Fraction(2) ** (shift - 31) - Fraction(real))
    assert error <= Fraction(2) ** (shift - 32)


@pytest.mark.parametrize("shift", [-32, 31])
def test_shifts_outside_the_range_are_refused(shift: int) -> None:
    with pytest.raises(QuantizationError):
        requantize(np.zeros(1, np.int32), 1 << 30, shift)
