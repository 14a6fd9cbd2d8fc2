"""`params_of_range` is TFLite's ChooseQuantizationParams, and what follows from it."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sq_micro.quant.calibrate import Range
from sq_micro.quant.sharing import params_of_range

reals = st.floats(-1e4, 1e4, width=32)


def zero_point_of_tflite(low: float, high: float) -> int:
    """ChooseQuantizationParams of TFLite's quantization_util.h, line by line, with qmin = −128 and qmax = 127."""
    scale = (high - low) / 255
    from_min, from_max = -128.0 - low / scale, 127.0 - high / scale
    error_min, error_max = abs(-128.0) + abs(low / scale), abs(127.0) + abs(high / scale)
    chosen = from_min if error_min < error_max else from_max
    return max(-128, min(127, int(Decimal(chosen).quantize(Decimal(1), ROUND_HALF_UP))))


@given(reals, reals)
def test_zero_points_are_tflites(one: float, other: float) -> None:
    low, high = min(one, other, 0.0), max(one, other, 0.0)
    if high - low > 1e-12:
        assert params_of_range(Range(low, high)).zero_point == zero_point_of_tflite(low, high)


@given(reals, reals)
def test_the_whole_range_and_zero_are_covered(one: float, other: float) -> None:
    low, high = min(one, other), max(one, other)
    params = params_of_range(Range(low, high))
    first, last = params.dequantize(np.array([-128, 127], np.int8)).astype(np.float64)
    # Moving zero onto a code shifts the range by half a code at most; the rest is float32.
    slack = params.scale * (0.5 + 1e-4)
    assert first - slack <= min(low, 0.0)
    assert max(high, 0.0) <= last + slack
    assert params.dequantize(params.quantize(np.zeros(1, np.float32)))[0] == 0.0


@given(reals, reals, st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_values_inside_the_range_are_off_by_half_a_code_at_most(one: float, other: float, where: list[float]) -> None:
    low, high = min(one, other, 0.0), max(one, other, 0.0)
    params = params_of_range(Range(low, high))
    values = (low + np.array(where) * (high - low)).astype(np.float32)
    error = np.abs(params.dequantize(params.quantize(values)).astype(np.float64) - values)
    assert error.max() <= params.scale * (1 + 1e-3)  # half for rounding, half where zero's move clips an end
