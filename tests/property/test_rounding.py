"""Rounding an operator, for any weights and any data."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sq_micro.ir.bitwidths import WEIGHT_BITS
from sq_micro.quant.params import Float32Array, Levels
from sq_micro.rounding.layer import round_operator
from tests.unit.rounding.layer_problems import statistics_of

magnitudes = st.sampled_from([0.0, 1e-30, 1e-3, 1.0, 1e3, 1e6])


@st.composite
def layers(draw: st.DrawFn) -> tuple[Float32Array, np.ndarray]:
    """Weights (channels, k), and inputs (rows, k) of any size, dead ones and copies of others among them."""
    k, channels = draw(st.integers(1, 9)), draw(st.integers(1, 4))
    weights = draw(arrays(np.float32, (channels, k), elements=st.floats(-4, 4, width=32)))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    inputs = rng.normal(size=(draw(st.integers(1, 30)), k)) @ rng.normal(size=(k, k))
    inputs = inputs[:, draw(st.lists(st.integers(0, k - 1), min_size=k, max_size=k))]
    scales = np.array(draw(st.lists(magnitudes, min_size=k, max_size=k)))
    return weights * np.float32(draw(magnitudes)), inputs * scales


@settings(max_examples=150, deadline=None)
@given(layer=layers(), bits=st.sampled_from(WEIGHT_BITS))
def test_whatever_the_data_codes_are_legal_and_numbers_finite(
    layer: tuple[Float32Array, np.ndarray], bits: int
) -> None:
    weights, inputs = layer
    statistics = statistics_of(inputs, inputs @ weights.T.astype(np.float64))
    found = round_operator(weights, np.zeros(len(weights), np.float32), statistics, bits)
    assert (found.rounded.scale > 0).all()
    assert np.isfinite(found.rounded.scale).all()
    assert np.isfinite(found.bias).all()
    for codes, level in zip(found.rounded.codes, found.rounded.levels, strict=True):
        low, high = Levels(int(level)).limits(bits)
        assert low <= codes.min()
        assert codes.max() <= high
        assert level != Levels.ODD or (codes % 2 != 0).all()
