"""Packing for DSP cores: back again to the same weights, in the bytes that were reckoned, as the README works out."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sq_micro.ir.bitwidths import WEIGHT_BITS
from sq_micro.kernels.lane_codes import lane_codes, rounds_of
from sq_micro.kernels.lanes import lane_format, lanes_bytes, pack_lanes, padded, sums_fit, unpack_lanes
from sq_micro.quant.params import Int8Array, Levels


@st.composite
def rows(draw: st.DrawFn) -> tuple[Int8Array, Int8Array, int]:
    """Weights (channels, k), their levels and their bits."""
    bits = draw(st.sampled_from(WEIGHT_BITS))
    channels, k = draw(st.integers(1, 11)), draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    levels = rng.choice(np.array(Levels.of_width(bits), np.int8), channels).astype(np.int8)
    weights = np.empty((channels, k), np.int8)
    for row, level in zip(weights, levels, strict=True):
        low, high = Levels(int(level)).limits(bits)
        row[:] = rng.choice(np.arange(low, high + 1, 2 if level == Levels.ODD else 1), k)
    return weights, levels, bits


@given(rows())
def test_weights_come_back(case: tuple[Int8Array, Int8Array, int]) -> None:
    weights, levels, bits = case
    taps = padded(weights.shape[1], 8)
    coded = lane_codes(weights, levels, bits)
    for layout in {"lanes2" if bits in {8, 6, 5, 3} else f"lanes{16 // bits}", "lanes2" if bits == 4 else None} - {
        None
    }:
        form = lane_format(bits, layout)
        packed = pack_lanes(weights, levels, bits, taps, form)
        assert packed.nbytes == lanes_bytes(len(weights), taps, bits)
        unpacked = unpack_lanes(packed, coded.base, coded.scale, bits, taps, form)
        assert (unpacked[:, : weights.shape[1]] == weights).all()


def test_the_words_of_the_readme() -> None:
    """Taps 0 ... 3 of four channels, as firmware/kernels/README.md works them out."""
    weights = np.array([[1, 2, 3, 4], [-1, -2, -3, -4], [5, 6, 7, 0], [-5, -6, -7, -8]], np.int8)
    plain = np.full(4, Levels.TWOS, np.int8)
    words = {
        (8, "lanes2"): ["fd03ff01", "f907fb05", "fc04fe02", "f800fa06"],
        (4, "lanes2"): ["15fb37d9", "048c26ea"],
        (4, "lanes4"): ["9f5bbd79", "884cae6a"],
    }
    for (bits, layout), expected in words.items():
        packed = pack_lanes(weights, plain, bits, 4, lane_format(bits, layout))
        assert [f"{word:08x}" for word in packed] == expected


def test_large_weights_are_noticed() -> None:
    plain, none = np.full(2, Levels.TWOS, np.int8), np.zeros(2, np.int64)
    assert sums_fit(np.full((2, 516), 127, np.int8), plain, 8, none, lane_format(8, "lanes2"))
    assert not sums_fit(np.full((2, 517), 127, np.int8), plain, 8, none, lane_format(8, "lanes2"))


def test_large_accumulators_are_noticed_at_four_bits() -> None:
    """512 weights of -8 times -128 are 2^19, which the fourth channel of a block just cannot hold; others can."""
    plain, none = np.full(4, Levels.TWOS, np.int8), np.zeros(4, np.int64)
    weights, form = np.full((4, 512), -8, np.int8), lane_format(4, "lanes4")
    assert not sums_fit(weights, plain, 4, none, form)
    assert sums_fit(weights[:3], plain[:3], 4, none[:3], form)
    assert sums_fit(weights, plain, 4, none - 1, form)
    assert not sums_fit(weights, plain, 4, none - 4097, form)


@given(rows())
def test_rounds_hold_the_largest_sums(case: tuple[Int8Array, Int8Array, int]) -> None:
    """The first round has what is left over; of each the codes of an even channel times 128 stay below 2^13."""
    weights, levels, bits = case
    coded = lane_codes(weights, levels, bits)
    if bits != 2:
        return
    for block, size in enumerate(rounds_of(coded, 8).tolist()):
        assert size in {5, 6, 7, 8}
        for row in coded.codes[8 * block : 8 * block + 8 : 2]:
            quads = -(-len(row) // 4)
            ends = [4 * end for end in range(1 + (quads - 1) % size, quads + 1, size)]
            assert all(part.sum() * 128 < 1 << 13 for part in np.split(row, ends))


def test_small_codes_make_long_rounds() -> None:
    """Weights at either end of their range, which are codes of 0 in one direction."""
    plain = np.full(2, Levels.TWOS, np.int8)
    for weight in (-2, 1):
        assert rounds_of(lane_codes(np.full((2, 64), weight, np.int8), plain, 2), 8).tolist() == [8]
    mixed = np.tile(np.array([-3, 3, 3, -3], np.int8), (2, 16))
    assert rounds_of(lane_codes(mixed, np.full(2, Levels.ODD, np.int8), 2), 8).tolist() == [8]
    apart = np.repeat(np.array([[3, -3]], np.int8), 32, axis=1)
    assert rounds_of(lane_codes(np.tile(apart, (2, 1)), np.full(2, Levels.ODD, np.int8), 2), 8).tolist() == [6]
