"""Weights and tables of the kernels for cores with DSP instructions, as `firmware/kernels/README.md` draws them.

Layout `lanes`: blocks of four output channels; taps in groups of four, in the order 0, 2, 1, 3, which is the one that
SXTB16 yields. At 8 bits a word is two halves, taps k and k + 2, each `even + 256·odd` of two channels. Below, the
codes are unsigned, weight − base, in planes of bytes with 8 / bits codes each.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sq_micro.kernels.packing import PLANES
from sq_micro.quant.params import Int8Array, Int32Array, Levels

UInt32Array = NDArray[np.uint32]
Int64Array = NDArray[np.int64]

BLOCK = 4  # output channels that share the loads of a column
TABLE_WORDS = 12
MEANING_WORDS = 4
_ODD_SUM_LIMIT = 1 << 23  # armv7em_dsp/gemm.h: the odd channel's sum is known modulo 2^24
_INT8_MAGNITUDE = 128
_ORDER = (0, 2, 1, 3)


def padded(count: int, multiple: int) -> int:
    """The next multiple.

    >>> padded(27, 4), padded(16, 4)
    (28, 16)
    """
    return -(-count // multiple) * multiple


def lanes_bytes(channels: int, taps: int, bits: int) -> int:
    """Bytes of `channels` rows of `taps` (padded) codes."""
    return padded(channels, BLOCK) * taps * bits // 8


def odd_sums_fit(weights: Int8Array) -> bool:
    """Whether no sum of an odd channel can leave 24 bits, whatever the input: |x| is at most 128."""
    magnitude = np.abs(weights[1::2].astype(np.int64)).sum(axis=1)
    return bool((magnitude * _INT8_MAGNITUDE < _ODD_SUM_LIMIT).all())


def pack_lanes(weights: Int8Array, levels: Int8Array, bits: int, taps: int) -> UInt32Array:
    """Weights (channels, k) of any width as words, block after block; rows are padded to `taps` by zero."""
    blocks = _blocks(weights, taps)
    if bits == 8:
        halves = (blocks[:, :, 0::2] + 256 * blocks[:, :, 1::2]) & 0xFFFF  # (block, taps, pair of channels)
        pairs = halves.reshape(len(blocks), taps // 2, 2, 2)  # (…, pair of taps, tap in it, pair of channels)
        words = pairs[:, :, 0] | pairs[:, :, 1] << 16
        return words.reshape(-1).astype(np.uint32)
    codes = _blocks(unsigned_codes(weights, levels, bits), taps).reshape(len(blocks), taps // 2, 2, 2, 2)
    # Bytes of a word: both channels at the first tap, then both at the second.
    as_bytes = codes.transpose(0, 1, 3, 2, 4).reshape(len(blocks), taps, 4)
    high_bits, low_bits = PLANES[bits]
    planes = [_plane(as_bytes >> low_bits, high_bits)]
    if low_bits:
        planes.append(_plane(as_bytes & ((1 << low_bits) - 1), low_bits))
    return np.concatenate(planes, axis=1).reshape(-1)


def unpack_lanes(words: UInt32Array, levels: Int8Array, bits: int, taps: int) -> Int8Array:
    """The inverse of `pack_lanes`, padding included: (channels, taps)."""
    channels = len(levels)
    count = padded(channels, BLOCK) // BLOCK
    rows = words.astype(np.int64).reshape(count, -1)
    if bits == 8:
        pairs = rows.reshape(count, taps // 2, 1, 2)
        halves = np.concatenate([pairs & 0xFFFF, pairs >> 16], axis=2).reshape(count, taps, 2)
        even = (halves + 128) % 256 - 128
        odd = ((halves - even) // 256 + 128) % 256 - 128
        return _rows(np.stack([even, odd], axis=3).reshape(count, taps, BLOCK))[:channels].astype(np.int8)
    high_bits, low_bits = PLANES[bits]
    split = taps * high_bits // 8
    as_bytes = _unplane(rows[:, :split], high_bits)
    if low_bits:
        as_bytes = (as_bytes << low_bits) + _unplane(rows[:, split:], low_bits)
    codes = as_bytes.reshape(count, taps // 2, 2, 2, 2).transpose(0, 1, 3, 2, 4).reshape(count, taps, BLOCK)
    base, scale = bases(levels, bits)
    return np.asarray(_rows(codes)[:channels] * scale[:, None] + base[:, None], np.int8)


def bases(levels: Int8Array, bits: int) -> tuple[Int64Array, Int64Array]:
    """(base, scale) of every channel: weight = scale · code + base, codes unsigned."""
    half = 1 << (bits - 1)
    base = np.select([levels == Levels.ODD, levels == Levels.MIRRORED], [1 - 2 * half, 1 - half], -half)
    return base.astype(np.int64), np.where(levels == Levels.ODD, 2, 1).astype(np.int64)


def unsigned_codes(weights: Int8Array, levels: Int8Array, bits: int) -> Int64Array:
    """(weight − base) / scale by channel."""
    base, scale = bases(levels, bits)
    return np.asarray((weights.astype(np.int64) - base[:, None]) // scale[:, None])


def meaning_words(levels: Int8Array, bits: int) -> UInt32Array:
    """Four words a block: bases of channels 0 and 1, of 2 and 3; masks of those whose codes count twice."""
    base, scale = bases(levels, bits)
    words = []
    for values in (base, np.where(scale == 2, 255, 0)):
        full = _padded_channels(values).reshape(-1, 2, 2)
        halves = (full[:, :, 0] + 256 * full[:, :, 1]) & 0xFFFF
        words.append(halves * 0x10001)
    return np.concatenate(words, axis=1).reshape(-1).astype(np.uint32)


def folded_bias(bias: Int32Array, weights: Int8Array, zero_point: int) -> Int64Array:
    """bias − zero_point · Σ w: what is left of (x − zero_point) when x alone is multiplied, padding included."""
    return np.asarray(bias.astype(np.int64) - zero_point * weights.astype(np.int64).sum(axis=1))


def is_plain(shift: Int32Array, minimum: int, maximum: int) -> bool:
    """Whether the kernels' own requantization serves: every shift at most −2, the clamp int8's range."""
    return bool((shift <= -2).all()) and (minimum, maximum) == (-128, 127)


def channel_tables(bias: Int64Array, multiplier: Int32Array, shift: Int32Array, general_from: int) -> Int32Array:
    """TABLE_WORDS a block. Blocks from `general_from` on hold multiplier and shift; before it 2·multiplier − 2^32 and
    2^(32 + shift): SMMLAR(a, m, a) is then the first rounding, SMMLAR(a, s, zero point) the second.
    """
    columns = [_padded_channels(values.astype(np.int64)) for values in (bias, multiplier, shift)]
    words = []
    for block, (b, m, s) in enumerate(zip(*(values.reshape(-1, BLOCK) for values in columns), strict=True)):
        if block < general_from:
            m, s = 2 * m - (1 << 32), 1 << (32 + s)
        words += [b[0], b[2], m[0], s[0], b[1], m[1], s[1], m[2], s[2], b[3], m[3], s[3]]
    return np.array(words, np.int64).astype(np.int32)


def _padded_channels(values: Int64Array) -> Int64Array:
    return np.pad(values, (0, -len(values) % BLOCK))


def _blocks(rows: NDArray[np.signedinteger], taps: int) -> Int64Array:
    """(channels, k) → (block, taps, channel in it), taps in the order of the layout."""
    channels, k = rows.shape
    full = np.zeros((padded(channels, BLOCK), taps), np.int64)
    full[:channels, :k] = rows
    ordered = full.reshape(-1, BLOCK, taps // 4, 4)[..., _ORDER].reshape(-1, BLOCK, taps)
    return np.ascontiguousarray(ordered.transpose(0, 2, 1))


def _rows(blocks: Int64Array) -> Int64Array:
    """The inverse of `_blocks`, padding included."""
    count, taps, _ = blocks.shape
    grouped = blocks.transpose(0, 2, 1).reshape(count * BLOCK, taps // 4, 4)
    return np.asarray(grouped[..., np.argsort(_ORDER)].reshape(count * BLOCK, taps))


def _plane(values: Int64Array, bits: int) -> UInt32Array:
    """(block, words, 4 bytes) → (block, words · bits / 8): word i of 8 / bits ones lies i · bits higher."""
    words = values[..., 0] | values[..., 1] << 8 | values[..., 2] << 16 | values[..., 3] << 24
    grouped = words.reshape(len(words), -1, 8 // bits)
    return np.asarray((grouped << (np.arange(8 // bits) * bits)).sum(axis=2), np.uint32)


def _unplane(words: Int64Array, bits: int) -> Int64Array:
    mask = 0x01010101 * ((1 << bits) - 1)
    spread = (words[:, :, None] >> (np.arange(8 // bits) * bits)) & mask
    flat = spread.reshape(len(words), -1)
    return np.stack([flat >> 8 * byte & 255 for byte in range(4)], axis=2)
