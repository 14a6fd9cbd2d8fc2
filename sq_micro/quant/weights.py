"""Weights to integers, channel by channel: which codebook, which scale.

The scale of a channel minimises its squared rounding error: a grid of scales, each refitted to its codes;
`minmax` takes the smallest scale that clips nothing instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sq_micro.quant.params import Float32Array, Int8Array, Levels

WeightScales = Literal["mse", "minmax"]

_FRACTIONS = (0.15, 1.2)  # of the covering scale: where the best one can lie
_GRID_POINTS = (100, 2000)  # long rows have smooth errors; short ones jagged errors, and time for a fine grid
_GRID_ELEMENTS = 4_000_000  # weights that are rounded in the search of one codebook, about a tenth of a second
_BLOCK_ELEMENTS = 1 << 16
_REFITS = 4
_SMALLEST_SCALE = 4 * float(np.finfo(np.float32).tiny)  # a quarter of it is still a normal float32


@dataclass(frozen=True, slots=True)
class RoundedWeights:
    """codes int8 (channels, k); scale float32 (channels,); levels int8 (channels,), see `Levels`."""

    codes: Int8Array
    scale: Float32Array
    levels: Int8Array


def round_weights(rows: Float32Array, bits: int, scales: WeightScales = "mse", int4: bool = False) -> RoundedWeights:
    """Round rows (channels, k) of real weights to `bits`; every codebook of the width is tried per channel."""
    best: RoundedWeights | None = None
    best_error: NDArray[np.float64] | None = None
    for levels in Levels.of_width(bits, int4):
        candidate, error = _round_with(rows.astype(np.float64), levels, bits, scales)
        if best is None or best_error is None:
            best, best_error = candidate, error
            continue
        better = error < best_error
        best = RoundedWeights(
            np.where(better[:, None], candidate.codes, best.codes),
            np.where(better, candidate.scale, best.scale),
            np.where(better, candidate.levels, best.levels),
        )
        best_error = np.minimum(error, best_error)
    assert best is not None
    return best


def nearest_levels(scaled: NDArray[np.float64], levels: Levels, bits: int) -> NDArray[np.float64]:
    """The nearest integers of a codebook to real numbers in units of the scale."""
    low, high = levels.limits(bits)
    if levels is Levels.ODD:
        return np.clip(2 * np.round((scaled - 1) / 2) + 1, low, high)
    return np.clip(np.round(scaled), low, high)


def _round_with(
    rows: NDArray[np.float64], levels: Levels, bits: int, scales: WeightScales
) -> tuple[RoundedWeights, NDArray[np.float64]]:
    full = _covering_scale(rows, levels, bits)
    scale = full
    if scales == "mse":
        scale = _search(rows, full, levels, bits)
        for _ in range(_REFITS):
            scale, _ = _refit(rows, scale, levels, bits)
    scale = scale.astype(np.float32).astype(np.float64)
    codes = nearest_levels(rows / scale[:, None], levels, bits)
    error = ((rows - codes * scale[:, None]) ** 2).sum(axis=1)
    channels = len(rows)
    rounded = RoundedWeights(codes.astype(np.int8), scale.astype(np.float32), np.full(channels, levels, np.int8))
    return rounded, error


def _covering_scale(rows: NDArray[np.float64], levels: Levels, bits: int) -> NDArray[np.float64]:
    """The smallest scale per channel at which no weight is clipped; 1 for a channel of zeros, or of next to zeros."""
    low, high = levels.limits(bits)
    scale = np.maximum(rows.max(axis=1) / high, rows.min(axis=1) / low)
    return np.where(scale > _SMALLEST_SCALE, scale, 1.0)


def _search(rows: NDArray[np.float64], full: NDArray[np.float64], levels: Levels, bits: int) -> NDArray[np.float64]:
    """The best scale per channel, each fitted to the codes of one fraction of the covering scale; 1 is among them."""
    points = min(max(_GRID_ELEMENTS // rows.size, _GRID_POINTS[0]), _GRID_POINTS[1])
    fractions = np.append(1.0, np.linspace(*_FRACTIONS, points))
    block = max(1, _BLOCK_ELEMENTS // rows.size)
    scale, error = full, np.full(len(full), np.inf)
    for start in range(0, len(fractions), block):
        fitted, errors = _refit(rows, full * fractions[start : start + block, None], levels, bits)
        first = errors.argmin(axis=0)[None]
        found, found_error = np.take_along_axis(fitted, first, 0)[0], np.take_along_axis(errors, first, 0)[0]
        scale = np.where(found_error < error, found, scale)
        error = np.minimum(found_error, error)
    return scale


def _refit(
    rows: NDArray[np.float64], scale: NDArray[np.float64], levels: Levels, bits: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The scale that suits the codes at `scale` best, Σ w·q / Σ q², and the squared error of those codes with it.

    scale  (channels,) or (candidates, channels); both results have its shape.
    """
    codes = nearest_levels(rows / scale[..., None], levels, bits)
    energy = (codes**2).sum(axis=-1)
    fitted = np.divide((rows * codes).sum(axis=-1), energy, out=scale.copy(), where=energy > 0)
    fitted = np.where(fitted > _SMALLEST_SCALE, fitted, scale)
    return fitted, np.asarray(((rows - codes * fitted[..., None]) ** 2).sum(axis=-1))
