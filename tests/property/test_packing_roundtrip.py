"""Packing against a reader of bits written here from the drawings in firmware/kernels/README.md."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sq_micro.ir.bitwidths import WEIGHT_BITS
from sq_micro.kernels.packing import pack_rows, pack_run, pack_taps, plane_bytes, to_codes, to_weights, unpack_run
from sq_micro.quant.params import Int8Array, Levels

LOW_PLANE_BITS = {8: 0, 6: 2, 5: 1, 4: 0, 3: 1, 2: 0}


def field(plane: bytes, index: int, bits: int) -> int:
    return int.from_bytes(plane, "little") >> (index * bits) & ((1 << bits) - 1)


def read_run(packed: bytes, elements: int, bits: int) -> list[int]:
    """The codes of a run: high plane, low plane, each in whole bytes; the code is a two's complement number."""
    low = LOW_PLANE_BITS[bits]
    split = (elements * (bits - low) + 7) // 8
    joined = [field(packed[:split], i, bits - low) << low | field(packed[split:], i, low) for i in range(elements)]
    return [code - (1 << bits) if code >> (bits - 1) else code for code in joined]


@st.composite
def matrices(draw: st.DrawFn) -> tuple[int, Int8Array, Int8Array]:
    """A width, weights (channels, k) within their channels' levels, and these levels."""
    bits = draw(st.sampled_from(WEIGHT_BITS))
    channels, k = draw(st.integers(1, 6)), draw(st.integers(1, 40))
    levels = draw(st.lists(st.sampled_from(Levels.of_width(bits)), min_size=channels, max_size=channels))
    rows = []
    for level in levels:
        low, high = level.limits(bits)
        values = st.sampled_from(range(low, high + 1, 2 if level is Levels.ODD else 1))
        rows.append(draw(st.lists(values, min_size=k, max_size=k)))
    return bits, np.array(rows, np.int8), np.array(levels, np.int8)


@given(matrices())
def test_codes_are_read_back_from_a_run(matrix: tuple[int, Int8Array, Int8Array]) -> None:
    bits, weights, levels = matrix
    for codes in to_codes(weights, levels):
        packed = pack_run(codes, bits)
        assert len(packed) == plane_bytes(len(codes), bits)
        assert read_run(packed.tobytes(), len(codes), bits) == codes.tolist()
        assert unpack_run(packed, len(codes), bits).tolist() == codes.tolist()


@given(matrices())
def test_unused_bits_are_zero(matrix: tuple[int, Int8Array, Int8Array]) -> None:
    """The bytes of a model depend on its weights alone."""
    bits, weights, levels = matrix
    k = weights.shape[1]
    low = LOW_PLANE_BITS[bits]
    split = (k * (bits - low) + 7) // 8
    packed = pack_run(to_codes(weights, levels)[0], bits).tobytes()
    assert int.from_bytes(packed[:split], "little") >> (k * (bits - low)) == 0
    assert int.from_bytes(packed[split:], "little") >> (k * low) == 0


@given(matrices())
def test_weights_are_read_back_from_rows(matrix: tuple[int, Int8Array, Int8Array]) -> None:
    bits, weights, levels = matrix
    row_bytes = plane_bytes(weights.shape[1], bits)
    packed = pack_rows(weights, levels, bits).tobytes()
    assert len(packed) == len(weights) * row_bytes
    for channel, (row, level) in enumerate(zip(weights, levels, strict=True)):
        codes = read_run(packed[channel * row_bytes :][:row_bytes], len(row), bits)
        assert [meaning(code, int(level)) for code in codes] == row.tolist()


@given(matrices())
def test_weights_are_read_back_from_taps(matrix: tuple[int, Int8Array, Int8Array]) -> None:
    """Weight (tap, channel) is code tap · channels + channel of one run."""
    bits, rows, levels = matrix
    taps = np.ascontiguousarray(rows.T)
    packed = pack_taps(taps, levels, bits).tobytes()
    assert len(packed) == plane_bytes(taps.size, bits)
    codes = read_run(packed, taps.size, bits)
    channels = taps.shape[1]
    assert [meaning(code, int(levels[i % channels])) for i, code in enumerate(codes)] == taps.reshape(-1).tolist()


@given(matrices())
def test_codes_fit_and_mean_their_weights(matrix: tuple[int, Int8Array, Int8Array]) -> None:
    bits, weights, levels = matrix
    codes = to_codes(weights, levels)
    assert codes.min() >= -(1 << (bits - 1))
    assert codes.max() < 1 << (bits - 1)
    assert (to_weights(codes, levels) == weights).all()


def meaning(code: int, level: int) -> int:
    return {Levels.TWOS: code, Levels.MIRRORED: -code, Levels.ODD: 2 * code + 1}[Levels(level)]
