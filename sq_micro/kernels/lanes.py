"""Weights and tables of the kernels for cores with DSP instructions, as `firmware/kernels/README.md` draws them.

Blocks of output channels; taps in groups of four, in the order 0, 2, 1, 3, which is the one that SXTB16 yields. A word
holds two taps of two, four or eight channels:

    lanes2  8 bits: halves `even + 256·odd`, signed. Below 8 bits: planes of unsigned codes, which unpack to it
    lanes4  4 bits: halves of four nibbles, the last one signed
    lanes8  2 bits: four words `u_even + 2^14·v_odd` in one, the j-th rotated left by 4j

An unsigned code means base + scale · code.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sq_micro.kernels.lane_codes import INT8_MAGNITUDE, Int64Array, LaneCodes, bases, lane_codes, rounds_of
from sq_micro.kernels.packing import PLANES
from sq_micro.quant.arithmetic import ChannelRequantization
from sq_micro.quant.params import ACTIVATION_MAXIMUM, ACTIVATION_MINIMUM, Int8Array, Int32Array

UInt32Array = NDArray[np.uint32]

_INT32_MAXIMUM = (1 << 31) - 1
_ORDER = (0, 2, 1, 3)
_NIBBLE = 4


@dataclass(frozen=True, slots=True)
class LaneFormat:
    """What a width's kernel expects.

    block           output channels of a block
    table_words     of a block: its round, what its sums start from, then m and s of each channel
    head_words      of them that are its round
    meaning_words   of a block: bases for unpacking
    signed_offset   what lies between the unsigned code of a block's signed channels and the stored one
    sum_limit       a signed channel's sum must stay below it in magnitude, since it is known modulo twice that: Σ x·w,
                    at 4 bits with its bias, else Σ x·stored
    """

    block: int
    table_words: int
    head_words: int
    meaning_words: int
    signed_offset: int
    sum_limit: int

    @property
    def nested(self) -> bool:
        """Whether sums are of all of a block's channels up to one: those of lanes4."""
        return self.signed_offset == 8

    def signed(self, channels: int) -> NDArray[np.bool_]:
        """Which channels are stored as signed numbers: the last of a half."""
        step = 4 if self.nested else 2
        return np.asarray(np.arange(channels) % step == step - 1, np.bool_)


_PLANAR = LaneFormat(block=4, table_words=12, head_words=0, meaning_words=2, signed_offset=0, sum_limit=1 << 23)
_IN_PLACE = {
    8: LaneFormat(block=4, table_words=12, head_words=0, meaning_words=0, signed_offset=0, sum_limit=1 << 23),
    4: LaneFormat(block=4, table_words=16, head_words=0, meaning_words=0, signed_offset=8, sum_limit=1 << 19),
    2: LaneFormat(block=8, table_words=41, head_words=1, meaning_words=0, signed_offset=2, sum_limit=1 << 17),
}


def lane_format(bits: int, layout: str | None) -> LaneFormat:
    """That of a kernel's layout: below 8 bits what becomes lanes2 is planes."""
    return _PLANAR if bits < 8 and layout == "lanes2" else _IN_PLACE[bits]


def padded(count: int, multiple: int) -> int:
    """The next multiple.

    >>> padded(27, 4), padded(16, 4)
    (28, 16)
    """
    return -(-count // multiple) * multiple


def block_words(bits: int, taps: int) -> int:
    """Words of one block's packed weights."""
    return block_of(bits) * taps * bits // 32


def lanes_bytes(channels: int, taps: int, bits: int) -> int:
    """Bytes of `channels` rows of `taps` (padded) weights."""
    return blocks_of(channels, bits) * block_words(bits, taps) * 4


def blocks_of(channels: int, bits: int) -> int:
    """How many blocks."""
    return padded(channels, block_of(bits)) // block_of(bits)


def block_of(bits: int) -> int:
    """Channels of a block."""
    return 8 if bits == 2 else 4


def sums_fit(weights: Int8Array, levels: Int8Array, bits: int, bias: Int64Array, form: LaneFormat) -> bool:
    """Whether no input can make a sum leave what it is known modulo. `bias` is the folded one.

    Nested sums are of accumulators, those of a block's channel j times 16^j; else those of signed channels matter, of
    what is stored.
    """
    if form.nested:
        wide = weights.astype(np.int64)
        up, down = np.maximum(wide, 0).sum(axis=1), np.minimum(wide, 0).sum(axis=1)
        largest = bias + (INT8_MAGNITUDE - 1) * up - INT8_MAGNITUDE * down
        least = bias - INT8_MAGNITUDE * up + (INT8_MAGNITUDE - 1) * down
        limit = form.sum_limit << (_NIBBLE * (3 - np.arange(len(weights)) % form.block))
        return bool(((largest < limit) & (least >= -limit)).all())
    stored = lane_codes(weights, levels, bits).codes - form.signed_offset
    magnitude = np.abs(stored[form.signed(len(weights))]).sum(axis=1)
    return bool((magnitude * INT8_MAGNITUDE < form.sum_limit).all())


def pack_lanes(weights: Int8Array, levels: Int8Array, bits: int, taps: int, form: LaneFormat) -> UInt32Array:
    """Weights (channels, k) of any width as words, block after block; rows are padded to `taps`, where x is 0."""
    codes = lane_codes(weights, levels, bits).codes
    codes = codes - form.signed_offset * form.signed(len(codes))[:, None]
    pairs = _pairs(codes, form.block, taps)  # (block, pair of taps, tap in it, channel)
    match bits:
        case 8:
            halves = (pairs[..., 0::2] + 256 * pairs[..., 1::2]) & 0xFFFF
            words = halves[:, :, 0] | halves[:, :, 1] << 16
        case 4 if form.nested:
            halves = (pairs * 16 ** np.arange(4)).sum(axis=3) & 0xFFFF
            words = halves[:, :, 0] | halves[:, :, 1] << 16
        case 2:
            halves = (pairs[..., 0::2] + (pairs[..., 1::2] << 14)) & 0xFFFF
            lanes = halves[:, :, 0] | halves[:, :, 1] << 16
            turn = 4 * np.arange(4)
            words = (((lanes << turn) | (lanes >> (32 - turn))) & 0xFFFFFFFF).sum(axis=2)
        case _:
            words = _planes(pairs, bits)
    return words.reshape(-1).astype(np.uint32)


def unpack_lanes(
    words: UInt32Array, base: Int64Array, scale: Int64Array, bits: int, taps: int, form: LaneFormat
) -> Int8Array:
    """The inverse of `pack_lanes`, padding included: (channels, taps). Base and scale are those of `lane_codes`."""
    channels = len(base)
    rows = words.astype(np.int64).reshape(blocks_of(channels, bits), -1)
    match bits:
        case 8:
            halves = np.stack([rows & 0xFFFF, rows >> 16], axis=2).reshape(len(rows), taps // 2, 2, 2)
            even = _signed(halves.swapaxes(2, 3), 8)
            odd = _signed((halves.swapaxes(2, 3) - even) >> 8, 8)
            pairs = np.stack([even, odd], axis=4).reshape(len(rows), taps // 2, 2, 4)
        case 4 if form.nested:
            halves = np.stack([rows & 0xFFFF, rows >> 16], axis=2)
            pairs = halves[..., None] >> 4 * np.arange(4) & 15
        case 2:
            turn = 4 * np.arange(4)
            lanes = (rows[..., None] >> turn | rows[..., None] << (32 - turn)) & 0xC003C003
            halves = np.stack([lanes & 0xFFFF, lanes >> 16], axis=2)
            pairs = np.stack([halves & 3, halves >> 14], axis=4).reshape(len(rows), taps // 2, 2, 8)
        case _:
            pairs = _unplanes(rows, bits, taps)
    if form.signed_offset:
        pairs = np.where(form.signed(form.block), _signed(pairs, bits) + form.signed_offset, pairs)
    grouped = pairs.reshape(len(rows), taps // 4, 4, form.block)[:, :, np.argsort(_ORDER)]
    codes = grouped.transpose(0, 3, 1, 2).reshape(-1, taps)[:channels]
    return np.asarray(codes * scale[:, None] + base[:, None], np.int8)


def meaning_words(levels: Int8Array, bits: int) -> UInt32Array:
    """For planes, two words a block: base_even + 256·base_odd in both halves."""
    base, _ = bases(levels, bits)
    pairs = np.pad(base, (0, -len(base) % 4)).reshape(-1, 2)
    return (((pairs[:, 0] + 256 * pairs[:, 1]) & 0xFFFF) * 0x10001).astype(np.uint32)


def sum_magnitudes(bias: Int64Array, weights: Int8Array) -> Int64Array:
    """What no sum of a channel exceeds in magnitude, `bias` being the folded one."""
    return np.asarray(np.abs(bias) + INT8_MAGNITUDE * np.abs(weights.astype(np.int64)).sum(axis=1))


def folded_bias(bias: Int32Array, weights: Int8Array, zero_point: int) -> Int64Array:
    """bias − zero_point · Σ w: what is left of (x − zero_point) when x alone is multiplied, padding included."""
    return np.asarray(bias.astype(np.int64) - zero_point * weights.astype(np.int64).sum(axis=1))


def table_words(
    bias: Int64Array,
    magnitudes: Int64Array,
    coded: LaneCodes,
    form: LaneFormat,
    found: ChannelRequantization,
    zero_point: int | None,
) -> Int32Array:
    """(blocks, words): at 2 bits its round, what a block's sums start from, then m and s of each channel.

    Where weights are true numbers sums start from the biases of channels 0, 2, 1, 3. In lanes4, where sum j is that of
    channels 0 ... j, each times a power of 16, from its bias (sums 0, 2, 1, 3) and from its base (0 ... 3). At 2 bits
    from bias, base and scale of each channel. A signed channel's base is that of a stored 0.

    m = 2·multiplier − 2^32 and s = −2^(32 + shift): SMMLAR(a, m, a) is then the first rounding, SMMLSR(a, s, zero
    point) the second. At 2 bits, with an output `zero_point` of −128, a channel that is scaled up starts from
    2^(shift + 1) times all that, m = 0 and s = −multiplier, if its `magnitudes` stay an int32; None rules that out. A
    block that they do not serve has multiplier and shift: another shift is above −1, the clamp is not int8's range, or
    channels are missing. C tells it by its first two words: m is not negative, and s is a shift.
    """
    of_two_bits = form.head_words > 0
    columns = [bias]
    if form.signed_offset:
        columns.append(coded.base + form.signed(len(bias)).astype(np.int64) * form.signed_offset * coded.scale)
        columns += [coded.scale] if of_two_bits else []
    start = _by_block(np.stack(columns, axis=1), form.block)
    multiplier, shift, largest = (
        _by_block(part.astype(np.int64)[:, None], form.block) for part in (found.multiplier, found.shift, magnitudes)
    )
    up = shift > -1
    raised = start << np.where(up, shift + 1, 0)
    scales_up = of_two_bits and zero_point == ACTIVATION_MINIMUM
    fits = (largest << np.where(up, shift + 1, 0) <= _INT32_MAXIMUM) & (multiplier > 0)
    whole = (found.minimum, found.maximum) == (ACTIVATION_MINIMUM, ACTIVATION_MAXIMUM)
    missing = np.arange(len(up))[:, None, None] >= len(bias) // form.block
    general = (up & ~(scales_up & fits)).any(axis=1, keepdims=True) | missing | (not whole)
    start = np.where(general, start, raised)
    m = np.where(general, multiplier, np.where(up, 0, 2 * multiplier - (1 << 32)))
    s = np.where(general, shift, np.where(up, -multiplier, -(np.int64(1) << np.where(up, 0, 32 + shift))))
    if form.nested:
        start = np.cumsum(start << (_NIBBLE * np.arange(form.block))[:, None], axis=1)
        first = np.concatenate([start[:, [0, 2, 1, 3], 0], start[:, :, 1]], axis=1)
    else:
        first = start.reshape(len(start), -1)
    if not form.signed_offset:
        first = first[:, [0, 2, 1, 3]]
    head = rounds_of(coded, form.block)[:, None] if form.head_words else first[:, :0]
    return np.concatenate([head, first, np.concatenate([m, s], axis=2).reshape(len(m), -1)], axis=1).astype(np.int32)


def _by_block(rows: Int64Array, block: int) -> Int64Array:
    """(channels, n) → (block, channel in it, n), filled up by zeros."""
    return np.pad(rows, ((0, -len(rows) % block), (0, 0))).reshape(-1, block, rows.shape[1])


def _pairs(codes: Int64Array, block: int, taps: int) -> Int64Array:
    """(channels, k) → (block, pair of taps, tap in it, channel in the block), taps in the order of the layouts."""
    channels, k = codes.shape
    full = np.zeros((padded(channels, block), taps), np.int64)
    full[:channels, :k] = codes
    ordered = full.reshape(-1, block, taps // 4, 4)[..., _ORDER].reshape(-1, block, taps // 2, 2)
    return np.ascontiguousarray(ordered.transpose(0, 2, 3, 1))


def _planes(pairs: Int64Array, bits: int) -> Int64Array:
    """Words of a code a byte, both channels of a pair at the first tap, then at the second; then packed by plane."""
    blocks, count = pairs.shape[:2]
    as_bytes = pairs.reshape(blocks, count, 2, 2, 2).transpose(0, 1, 3, 2, 4).reshape(blocks, 2 * count, 4)
    high_bits, low_bits = PLANES[bits]
    high = _plane(as_bytes >> low_bits, high_bits)
    if low_bits == 0:
        return high
    return np.concatenate([high, _plane(as_bytes & ((1 << low_bits) - 1), low_bits)], axis=1)


def _unplanes(rows: Int64Array, bits: int, taps: int) -> Int64Array:
    high_bits, low_bits = PLANES[bits]
    split = taps * high_bits // 8
    as_bytes = _unplane(rows[:, :split], high_bits) << low_bits
    if low_bits:
        as_bytes = as_bytes + _unplane(rows[:, split:], low_bits)
    grouped = as_bytes.reshape(len(rows), taps // 2, 2, 2, 2).transpose(0, 1, 3, 2, 4)
    return np.asarray(grouped.reshape(len(rows), taps // 2, 2, 4))


def _plane(values: Int64Array, bits: int) -> Int64Array:
    """(block, words, 4 bytes) → (block, words · bits / 8): word i of 8 / bits ones lies i · bits higher."""
    words = values[..., 0] | values[..., 1] << 8 | values[..., 2] << 16 | values[..., 3] << 24
    grouped = words.reshape(len(words), -1, 8 // bits)
    return np.asarray((grouped << (np.arange(8 // bits) * bits)).sum(axis=2))


def _unplane(words: Int64Array, bits: int) -> Int64Array:
    mask = 0x01010101 * ((1 << bits) - 1)
    spread = (words[:, :, None] >> (np.arange(8 // bits) * bits)) & mask
    flat = spread.reshape(len(words), -1)
    return np.stack([flat >> 8 * byte & 255 for byte in range(4)], axis=2)


def _signed(values: Int64Array, bits: int) -> Int64Array:
    half = 1 << (bits - 1)
    return np.asarray((values + half) % (2 * half) - half)
