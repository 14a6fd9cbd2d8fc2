"""Rounding one operator: scales from many starts, a codebook per channel, error feedback, coordinate descent, bias."""

from __future__ import annotations

import numpy as np

from sq_micro.quant.params import Float32Array, Levels
from sq_micro.quant.quantize import QuantizedWeights
from sq_micro.quant.weights import RoundedWeights, round_weights
from sq_micro.rounding.quadratic import Codebooks, FloatArray, Quadratic, descend, error_feedback
from sq_micro.rounding.statistics import Float64Array, LayerStatistics

_STARTS = {2: (0.25, 1.1, 12), 3: (0.4, 1.1, 10), 4: (0.5, 1.05, 8)}
_FINE_STARTS = (0.7, 1.02, 5)
_KEPT = 3
_SWEEPS = 8


def round_operator(
    rows: Float32Array, bias: Float32Array, statistics: LayerStatistics, bits: int
) -> QuantizedWeights:
    """Round real weights (channels, k) to `bits` so that the operator's output errs least on the calibration data.

    bias  as trained; unused where the statistics have a target, whose mean it is a part of
    """
    groups = len(statistics.covariance)
    channels = len(rows) // groups
    weights = rows.astype(np.float64).reshape(groups, channels, -1)
    problem = Quadratic.of(statistics, weights)
    codes, levels = _search(problem, channels, bits)
    codes = problem.unsorted(codes).transpose(0, 2, 1).astype(np.float64)
    levels = levels.reshape(-1)
    scale = _scales(codes, statistics, weights).reshape(-1)
    codes = codes.reshape(len(rows), -1)
    nearest = round_weights(rows, bits)
    silent = ~(scale > 0)
    rounded = RoundedWeights(
        np.where(silent[:, None], nearest.codes, codes).astype(np.int8),
        np.where(silent, nearest.scale, scale).astype(np.float32),
        np.where(silent, nearest.levels, levels).astype(np.int8),
    )
    return QuantizedWeights(rounded, corrected_bias(rounded, statistics))


def corrected_bias(rounded: RoundedWeights, statistics: LayerStatistics) -> Float32Array:
    """The bias with which the mean output is the target's mean: E y − ŵᵀ E x."""
    groups, k = statistics.input_mean.shape
    real = (rounded.codes * rounded.scale.astype(np.float64)[:, None]).reshape(groups, -1, k)
    shift = (real @ statistics.input_mean[:, :, None]).reshape(-1)
    return np.asarray(statistics.target_mean - shift, np.float32)


def _search(problem: Quadratic, channels: int, bits: int) -> tuple[FloatArray, np.ndarray]:
    """The best codes (groups, k, channels) and levels (groups, channels) over all starts."""
    books = Levels.of_width(bits)
    low, high, count = _STARTS.get(bits, _FINE_STARTS)
    fractions = np.geomspace(low, high, count)
    target = problem.target
    scales, levels = [], []
    for book in books:
        limits = book.limits(bits)
        full = np.maximum(target.max(axis=1) / limits[1], target.min(axis=1) / limits[0])
        full = np.where(full > 0, full, 1.0)
        for fraction in fractions:
            scales.append(full * fraction)
            levels.append(np.full(channels, book, np.int8))
    scale = np.concatenate(scales, axis=1).astype(np.float32)
    level = np.concatenate(levels)
    starts = len(scales)
    tiled = np.tile(target, (1, 1, starts))
    r = np.tile(problem.r, (1, 1, starts))
    codebooks = Codebooks.of(level, bits)
    codes = error_feedback(problem, tiled, scale, codebooks)
    codes, reward = descend(problem, r, codes, scale, codebooks, _SWEEPS)
    best = reward.reshape(len(reward), starts, channels).argmax(axis=1)
    index = best * channels + np.arange(channels)
    return np.take_along_axis(codes, index[:, None, :], 2), level[index]


def _scales(codes: Float64Array, statistics: LayerStatistics, weights: Float64Array) -> Float64Array:
    """qᵀr / qᵀHq of codes (groups, channels, k), undamped, in float64; 0 where it is undefined."""
    fit = (codes * statistics.correlation.transpose(0, 2, 1)).sum(axis=2)
    energy = ((codes @ statistics.covariance) * codes).sum(axis=2)
    usable = (fit > 0) & (energy > 0)
    return np.where(usable, fit / np.where(usable, energy, 1), 0)
