"""Rounding one operator: scales from many starts, a codebook per channel, error feedback, coordinate descent, bias."""

from __future__ import annotations

import numpy as np

from sq_micro.quant.params import Float32Array, Int8Array, Levels
from sq_micro.quant.quantize import QuantizedWeights
from sq_micro.quant.weights import RoundedWeights, round_weights
from sq_micro.rounding.quadratic import Codebooks, Quadratic, descend, error_feedback
from sq_micro.rounding.statistics import Float64Array, LayerStatistics

# Starting scales by width: lowest and highest fraction of the one that clips nothing, and how many.
_STARTS = {2: (0.25, 1.1, 12), 3: (0.4, 1.1, 10), 4: (0.5, 1.05, 8)}
_FINE_STARTS = (0.7, 1.02, 5)
_SWEEPS = 8
_CANDIDATE_ELEMENTS = 1 << 22  # codes that are searched at a time: a few arrays of 16 MB
_SMALLEST_SCALE = 4 * float(np.finfo(np.float32).tiny)


def round_operator(
    rows: Float32Array, bias: Float32Array, statistics: LayerStatistics, bits: int, int4: bool = False
) -> QuantizedWeights:
    """Round trained weights (channels, k) to `bits` so that the operator's output errs least on the calibration data.

    Per channel, over all codebooks of the width and many scales: error feedback, then coordinate descent with the
    scale refitted between sweeps; the best end wins. A channel of which the data say nothing (its input never
    varies, or its target does not depend on it) is rounded to the nearest levels.
    """
    books, groups = Levels.of_width(bits, int4), len(statistics.covariance)
    weights = rows.astype(np.float64).reshape(groups, -1, rows.shape[1])
    problem = Quadratic.of(statistics, weights)
    per_group = weights.shape[1]
    block = max(1, _CANDIDATE_ELEMENTS // (groups * rows.shape[1] * _candidates(books, bits)))
    found = [_search(problem.channels(slice(at, at + block)), books, bits) for at in range(0, per_group, block)]
    codes = problem.unsorted(np.concatenate([part[0] for part in found], axis=2)).transpose(0, 2, 1)
    levels = np.concatenate([part[1] for part in found], axis=1)
    scale = _best_scales(codes.astype(np.float64), statistics).reshape(-1)
    nearest, known = round_weights(rows, bits, int4=int4), scale > _SMALLEST_SCALE
    rounded = RoundedWeights(
        np.where(known[:, None], codes.reshape(rows.shape), nearest.codes).astype(np.int8),
        np.where(known, scale, nearest.scale).astype(np.float32),
        np.where(known, levels.reshape(-1), nearest.levels).astype(np.int8),
    )
    return QuantizedWeights(rounded, corrected_bias(rounded, bias, statistics))


def corrected_bias(rounded: RoundedWeights, bias: Float32Array, statistics: LayerStatistics) -> Float32Array:
    """The bias with which the mean output is the target's: b + E y − ŵᵀ E x."""
    groups, k = statistics.input_mean.shape
    real = (rounded.codes * rounded.scale.astype(np.float64)[:, None]).reshape(groups, -1, k)
    mean = (real @ statistics.input_mean[:, :, None]).reshape(-1)
    return (bias + statistics.target_mean - mean).astype(np.float32)


def _candidates(books: tuple[Levels, ...], bits: int) -> int:
    return len(books) * _STARTS.get(bits, _FINE_STARTS)[2]


def _search(problem: Quadratic, books: tuple[Levels, ...], bits: int) -> tuple[Float32Array, Int8Array]:
    """The best codes (groups, k, channels) and levels (groups, channels) over all starts."""
    target = problem.target
    channels = target.shape[2]
    scales: list[Float32Array] = []
    chosen: list[Int8Array] = []
    for levels in books:
        low, high = levels.limits(bits)
        covering = np.maximum(target.max(axis=1) / high, target.min(axis=1) / low)
        covering = np.where(covering > _SMALLEST_SCALE, covering, 1)
        for fraction in np.geomspace(*_STARTS.get(bits, _FINE_STARTS)):
            scales.append((covering * fraction).astype(np.float32))
            chosen.append(np.full(channels, levels, np.int8))
    starts, book = len(scales), np.concatenate(chosen)
    codebooks, scale = Codebooks.of(book, bits), np.concatenate(scales, axis=1)
    codes = error_feedback(problem, np.tile(target, (1, 1, starts)), scale, codebooks)
    codes, reward = descend(problem, np.tile(problem.r, (1, 1, starts)), codes, scale, codebooks, _SWEEPS)
    best = reward.reshape(len(reward), starts, channels).argmax(axis=1) * channels + np.arange(channels)
    return np.take_along_axis(codes, best[:, None, :], 2), book[best]


def _best_scales(codes: Float64Array, statistics: LayerStatistics) -> Float64Array:
    """qᵀr / qᵀHq of codes (groups, channels, k) on the undamped moments; 0 where no positive scale suits them."""
    fit = (codes * statistics.correlation.transpose(0, 2, 1)).sum(axis=2)
    energy = ((codes @ statistics.covariance) * codes).sum(axis=2)
    usable = (fit > 0) & (energy > 0)
    return np.where(usable, fit / np.where(usable, energy, 1), 0)
