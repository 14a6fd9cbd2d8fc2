"""The tables of depthwise kernels for cores with DSP instructions, by a model of the instructions that read them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sq_micro.kernels.band import BandRequantization, band_table
from sq_micro.quant.arithmetic import ChannelRequantization, derive_multiplier
from sq_micro.quant.requantize import requantize

_TAPS = 9
_LARGEST_SUM = _TAPS * 127 * 128
_INT32 = 1 << 31
reals = st.floats(2.0**-31, 127.9) | st.sampled_from([0.0, 0.25, 0.5, 1.0, 2.0, 64.0])
sums = st.integers(-_LARGEST_SUM, _LARGEST_SUM) | st.integers(-300, 300)
biases = st.integers(-(1 << 20), 1 << 20) | st.integers(-300, 300)


def code_of(words: list[int], total: int, zero_point: int, *, away: bool) -> int:
    """SMMLAR, SMMLA by 1 where a product goes away from zero, SMMLSR and SSAT, as the loops have them.

    total  of products of weights that are not doubled yet
    away   whether the loop has an SMMLA; RELU's has none
    """
    bias, factor, m = words
    acc = bias + (total << max(m, 0))
    assert -_INT32 <= acc < _INT32
    m = min(m, 0)
    product = acc + ((acc * m + (1 << 31)) >> 32)
    product -= away and m < 0 and product < 0
    return min(max(((zero_point << 32) - product * factor + (1 << 31)) >> 32, -128), 127)


@given(st.lists(reals, min_size=1, max_size=4), st.integers(-128, 127), st.data())
def test_one_loop_takes_channels_that_are_scaled_down_and_up(
    factors: list[float], zero_point: int, data: st.DataObject
) -> None:
    multiplier, shift = (np.array(part, np.int32) for part in zip(*map(derive_multiplier, factors), strict=True))
    found = ChannelRequantization(multiplier, shift, -128, 127)
    how = BandRequantization.of(found, zero_point, _TAPS)
    assert how is (BandRequantization.RELU if zero_point == -128 else BandRequantization.ANY)
    bias = np.array([data.draw(biases) for _ in factors], np.int64)
    total = np.array([data.draw(sums) for _ in factors], np.int64)
    expected = np.clip(requantize(bias + total, multiplier, shift).astype(np.int64) + zero_point, -128, 127)
    words = band_table(bias, found, how, _TAPS).reshape(-1, 3).tolist()
    got = [
        code_of(row, int(one), zero_point, away=how is BandRequantization.ANY)
        for row, one in zip(words, total, strict=True)
    ]
    assert got == expected.tolist()


def test_a_bias_that_no_sum_brings_back_is_cut_off() -> None:
    """Shifted as it is, it would not be an int32; the code is the same."""
    found = ChannelRequantization(np.array([1 << 30] * 2, np.int32), np.array([7] * 2, np.int32), -128, 127)
    bias = np.array([-(1 << 23), 1 << 23], np.int64)
    words = band_table(bias, found, BandRequantization.ANY, _TAPS).reshape(-1, 3).tolist()
    for total in (-_LARGEST_SUM, 0, _LARGEST_SUM):
        assert [code_of(row, total, 5, away=True) for row in words] == [-128, 127]


def test_what_the_loop_does_not_take_goes_through_sums() -> None:
    """A factor of 128, weights doubled nine times being no int16; sums of so many taps, doubled, no int32; a clamp."""
    high = ChannelRequantization(np.array([1 << 30], np.int32), np.array([8], np.int32), -128, 127)
    assert BandRequantization.of(high, 0, _TAPS) is BandRequantization.SUMS
    seven = ChannelRequantization(np.array([1 << 30], np.int32), np.array([7], np.int32), -128, 127)
    assert BandRequantization.of(seven, 0, _TAPS) is BandRequantization.ANY
    assert BandRequantization.of(seven, 0, 300) is BandRequantization.SUMS
    clamped = ChannelRequantization(np.array([1 << 30], np.int32), np.array([-3], np.int32), -128, 90)
    assert BandRequantization.of(clamped, 0, _TAPS) is BandRequantization.SUMS
    table = band_table(np.array([77], np.int64), clamped, BandRequantization.SUMS, _TAPS)
    assert table.tolist() == [77, 1 << 30, -34]
