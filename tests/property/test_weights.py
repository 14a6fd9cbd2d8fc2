"""Rounding of weights, for any row of real numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sq_micro.ir.bitwidths import WEIGHT_BITS
from sq_micro.kernels.packing import pack_rows, to_codes, unpack_run
from sq_micro.quant.params import Float32Array, Levels
from sq_micro.quant.weights import RoundedWeights, round_weights

widths = st.sampled_from(WEIGHT_BITS)
weights = st.floats(-8, 8, width=32) | st.floats(width=32, allow_nan=False, allow_infinity=False)
rows_of_weights = st.tuples(st.integers(1, 4), st.integers(1, 20)).flatmap(
    lambda shape: arrays(np.float32, shape, elements=weights)
)


def errors(rows: Float32Array, rounded: RoundedWeights) -> np.ndarray:
    real = rounded.codes * rounded.scale.astype(np.float64)[:, None]
    return ((rows.astype(np.float64) - real) ** 2).sum(axis=1)


@given(rows_of_weights, widths, st.sampled_from(["mse", "minmax"]))
def test_codes_are_legal_and_scales_usable(rows: Float32Array, bits: int, scales: str) -> None:
    rounded = round_weights(rows, bits, scales)  # type: ignore[arg-type]
    assert rounded.codes.shape == rows.shape
    assert (rounded.scale > 0).all()
    assert np.isfinite(rounded.scale).all()
    for codes, level in zip(rounded.codes.tolist(), rounded.levels.tolist(), strict=True):
        levels = Levels(level)
        low, high = levels.limits(bits)
        assert levels in Levels.of_width(bits)
        assert all(low <= code <= high for code in codes)
        assert levels is not Levels.ODD or all(code % 2 for code in codes)


@given(rows_of_weights, widths)
def test_mse_is_never_worse_than_minmax(rows: Float32Array, bits: int) -> None:
    best, plain = errors(rows, round_weights(rows, bits)), errors(rows, round_weights(rows, bits, "minmax"))
    rounding_of_the_scale = 1e-6 * (rows.astype(np.float64) ** 2).sum(axis=1)
    assert (best <= plain + rounding_of_the_scale).all()


@given(rows_of_weights, widths)
def test_minmax_clips_nothing(rows: Float32Array, bits: int) -> None:
    rounded = round_weights(rows, bits, "minmax")
    step = np.where(rounded.levels == Levels.ODD, 2, 1)  # the levels of ODD are two scales apart
    off = np.abs(rows.astype(np.float64) - rounded.codes * rounded.scale.astype(np.float64)[:, None])
    assert (off.max(axis=1) <= rounded.scale * step * (0.5 + 1e-4) + np.finfo(np.float32).tiny * 4 * 128).all()


@given(rows_of_weights, widths)
def test_what_is_rounded_can_be_packed_and_read_back(rows: Float32Array, bits: int) -> None:
    rounded = round_weights(rows, bits)
    packed = pack_rows(rounded.codes, rounded.levels, bits).reshape(len(rows), -1)
    stored = to_codes(rounded.codes, rounded.levels)
    assert all((unpack_run(run, rows.shape[1], bits) == codes).all() for run, codes in zip(packed, stored, strict=True))


@given(rows_of_weights, widths)
def test_channels_do_not_know_of_each_other(rows: Float32Array, bits: int) -> None:
    """The grid is as fine as the whole array allows, so only minmax is exactly the same for a part of it."""
    together = round_weights(rows, bits, "minmax")
    alone = round_weights(rows[:1], bits, "minmax")
    assert (together.codes[0] == alone.codes[0]).all()
    assert together.scale[0] == alone.scale[0]
