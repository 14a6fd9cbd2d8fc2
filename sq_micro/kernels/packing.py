"""Weights into bits, exactly as `firmware/kernels/README.md` draws it; and back, for tests.

Layout `linear`: in a plane, element i of p bits sits at bit i·p, counted from the least significant bit
of byte 0. Widths 6, 5 and 3 are two planes: the high bits as two's complement (4, 4, 2 bits), then the low
bits unsigned (2, 1, 1 bits).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sq_micro.quant.params import Int8Array, Levels

UInt8Array = NDArray[np.uint8]

PLANES: dict[int, tuple[int, int]] = {8: (8, 0), 6: (4, 2), 5: (4, 1), 4: (4, 0), 3: (2, 1), 2: (2, 0)}


def plane_bytes(elements: int, bits: int) -> int:
    """Bytes of one run of packed elements, both planes.

    >>> plane_bytes(9, 8), plane_bytes(9, 4), plane_bytes(9, 3)
    (9, 5, 5)
    """
    high, low = PLANES[bits]
    return -(-elements * high // 8) + -(-elements * low // 8)


def to_codes(weights: Int8Array, levels: Int8Array) -> Int8Array:
    """Weights (channels, k) to the two's complement codes that are stored: v, −v or (w − 1)/2 by channel."""
    wide = weights.astype(np.int16)
    step = levels.astype(np.int16)[:, None]
    codes = np.where(step == Levels.ODD, (wide - 1) >> 1, np.where(step == Levels.MIRRORED, -wide, wide))
    return np.asarray(codes, np.int8)


def to_weights(codes: Int8Array, levels: Int8Array) -> Int8Array:
    """The inverse of `to_codes`."""
    wide = codes.astype(np.int16)
    step = levels.astype(np.int16)[:, None]
    return np.asarray(wide * step + (step == Levels.ODD), np.int8)


def pack_run(codes: Int8Array, bits: int) -> UInt8Array:
    """One run of codes (k,) to bytes.

    >>> pack_run(np.array([1, -2, 3], np.int8), 4).tolist()   # nibbles 1, E, 3
    [225, 3]
    """
    high_bits, low_bits = PLANES[bits]
    wide = codes.astype(np.int16)
    planes = [_pack_plane(wide >> low_bits, high_bits)]
    if low_bits:
        planes.append(_pack_plane(wide & ((1 << low_bits) - 1), low_bits))
    return np.concatenate(planes)


def unpack_run(packed: UInt8Array, elements: int, bits: int) -> Int8Array:
    """The inverse of `pack_run`."""
    high_bits, low_bits = PLANES[bits]
    split = -(-elements * high_bits // 8)
    high = _unpack_plane(packed[:split], elements, high_bits)
    signed = np.where(high >= 1 << (high_bits - 1), high - (1 << high_bits), high)
    if not low_bits:
        return signed.astype(np.int8)
    return ((signed << low_bits) | _unpack_plane(packed[split:], elements, low_bits)).astype(np.int8)


def pack_rows(weights: Int8Array, levels: Int8Array, bits: int) -> UInt8Array:
    """Weights (channels, k) for conv2d and dense: each channel's row begins at a byte of its own."""
    return np.concatenate([pack_run(row, bits) for row in to_codes(weights, levels)])


def pack_taps(weights: Int8Array, levels: Int8Array, bits: int) -> UInt8Array:
    """Weights (taps, channels) for depthwise_conv2d: one run over all of them."""
    return pack_run(to_codes(weights.T, levels).T.reshape(-1), bits)


def _pack_plane(values: NDArray[np.int16], bits: int) -> UInt8Array:
    digits = (values.astype(np.uint16)[:, None] >> np.arange(bits, dtype=np.uint16)) & 1
    return np.packbits(digits.reshape(-1).astype(np.uint8), bitorder="little")


def _unpack_plane(packed: UInt8Array, elements: int, bits: int) -> NDArray[np.int16]:
    digits = np.unpackbits(packed, bitorder="little")[: elements * bits].reshape(elements, bits)
    values = digits.astype(np.int16) << np.arange(bits, dtype=np.int16)
    return np.asarray(values.sum(axis=1), np.int16)
