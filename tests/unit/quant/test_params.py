"""Activation params from ranges, as TFLite chooses them, and what codes stand for."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from sq_micro.quant.calibrate import Range
from sq_micro.quant.params import ActivationParams, Levels
from sq_micro.quant.sharing import params_of_range


@pytest.mark.parametrize(
    ("minimum", "maximum", "scale", "zero_point"),
    [
        (0.0, 6.0, 6 / 255, -128),
        (-6.0, 0.0, 6 / 255, 127),
        (-1.0, 1.0, 2 / 255, -1),  # the zero point is −0.5 before it is rounded away from zero
        (-1.0, 3.0, 4 / 255, -64),
        (0.5, 2.55, 0.01, -128),  # zero is always covered
        (-2.55, -0.5, 0.01, 127),
        (0.0, 0.0, 1.0, -128),  # a tensor that is always zero
        (0.0, 1e-7, 1e-7 / 255, -128),
    ],
)
def test_a_range_is_covered_as_in_tflite(minimum: float, maximum: float, scale: float, zero_point: int) -> None:
    params = params_of_range(Range(minimum, maximum))
    assert params.scale == float(np.float32(scale))
    assert params.zero_point == zero_point


def test_codes_round_half_away_from_zero() -> None:
    params = ActivationParams(0.5, 3)
    real = np.array([-0.75, -0.25, 0.0, 0.25, 0.75, 1000.0, -1000.0], np.float32)
    assert params.quantize(real).tolist() == [1, 2, 3, 4, 5, 127, -128]
    assert params.dequantize(np.array([3, 4, -128], np.int8)).tolist() == [0.0, 0.5, -65.5]


def test_every_code_stands_for_a_value_that_is_quantized_to_it() -> None:
    codes = np.arange(-128, 128).astype(np.int8)
    for scale, zero_point in ((1 / 256, -128), (0.1, 0), (3.7e-5, 127), (12345.678, -7)):
        params = ActivationParams(scale, zero_point)
        assert (params.quantize(params.dequantize(codes)) == codes).all()


def test_the_scale_is_a_float32() -> None:
    assert Fraction(ActivationParams(0.1, 0).scale) == Fraction(float(np.float32(0.1))) != Fraction(0.1)


@pytest.mark.parametrize("bits", [2, 3, 4, 5, 6])
def test_codebooks_below_8_bits_have_all_their_levels(bits: int) -> None:
    for levels in Levels.of_width(bits):
        low, high = levels.limits(bits)
        step = 2 if levels is Levels.ODD else 1
        assert len(range(low, high + 1, step)) == 1 << bits
    assert (Levels.ODD in Levels.of_width(bits)) == (bits == 2)


def test_8_bit_weights_have_tflites_narrow_range() -> None:
    assert [levels.limits(8) for levels in Levels.of_width(8)] == [(-127, 127)]
