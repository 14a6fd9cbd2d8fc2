"""What the kernels for cores with DSP instructions store for a weight: weight = base + scale · code, by channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sq_micro.quant.params import Int8Array, Levels

Int64Array = NDArray[np.int64]

INT8_MAGNITUDE = 128
QUAD = 4  # taps that the inner loops take at a time
_ROUNDS = (8, 7, 6, 5)  # of so many quads; five hold all sums
_FIELD_LIMIT = 1 << 13  # of sums of an even channel of 2 bits, in either direction


@dataclass(frozen=True, slots=True)
class LaneCodes:
    """Codes (channels, k), never negative below 8 bits, and what they mean."""

    codes: Int64Array
    base: Int64Array
    scale: Int64Array


def lane_codes(weights: Int8Array, levels: Int8Array, bits: int) -> LaneCodes:
    """Codes count upwards from the least weight; but at 2 bits those of an even channel downwards from the largest
    where they are smaller so, because their sums have 14 bits.
    """
    wide = weights.astype(np.int64)
    if bits == 8:
        return LaneCodes(wide, np.zeros(len(wide), np.int64), np.ones(len(wide), np.int64))
    base, scale = bases(levels, bits)
    codes = (wide - base[:, None]) // scale[:, None]
    if bits == 2:
        largest = (1 << bits) - 1
        turned = (np.arange(len(codes)) % 2 == 0) & (2 * codes.sum(axis=1) > largest * codes.shape[1])
        codes = np.where(turned[:, None], largest - codes, codes)
        base, scale = base + largest * scale * turned, np.where(turned, -scale, scale)
    return LaneCodes(codes, base, scale)


def bases(levels: Int8Array, bits: int) -> tuple[Int64Array, Int64Array]:
    """(base, scale) of codes that count upwards, below 8 bits."""
    half = 1 << (bits - 1)
    base = np.select([levels == Levels.ODD, levels == Levels.MIRRORED], [1 - 2 * half, 1 - half], -half)
    return base.astype(np.int64), np.where(levels == Levels.ODD, 2, 1).astype(np.int64)


def rounds_of(coded: LaneCodes, block: int) -> Int64Array:
    """Quads, by block of channels, after which the kernel of 2 bits takes out the even channels' sums: as many as
    hold with any input. The first round has what is left over of the others, at least one.
    """
    even = coded.codes[0::2]
    quads = -(-even.shape[1] // QUAD)
    filled = np.pad(even, ((0, -len(even) % (block // 2)), (0, quads * QUAD - even.shape[1])))
    sums = filled.reshape(-1, block // 2, quads, QUAD).sum(axis=3)
    found = np.full(len(sums), _ROUNDS[-1], np.int64)
    for size in reversed(_ROUNDS):
        starts = np.append(0, np.arange(1 + (quads - 1) % size, quads, size))
        largest = np.add.reduceat(sums, starts, axis=2).max(axis=(1, 2))
        found[largest * INT8_MAGNITUDE < _FIELD_LIMIT] = size
    return found
