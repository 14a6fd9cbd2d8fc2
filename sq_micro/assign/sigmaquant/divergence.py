"""Statistics of weights alone: sigma, and the divergence of a layer's weights from their quantized selves (equation 1).

The quantized distribution is compared by cells. Weights become a fine histogram p. A b-bit quantizer maps each bin to a
cell, and q spreads every cell's mass evenly over the cell's bins, so that D(p‖q) is finite, and decided by the shape of
p inside the cells rather than by how empty bins are treated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sq_micro.assign.sigmaquant.options import SigmaQuantOptions
from sq_micro.ir.float_graph import Float32Array, FloatGraph
from sq_micro.quant.quantize import weight_rows

Float64Array = NDArray[np.float64]
_EPSILON = 1e-12


@dataclass(frozen=True, slots=True)
class WeightStatistics:
    """One operator: sigma of its weights; divergence from quantized weights by width."""

    operator: str
    sigma: float
    divergence: dict[int, float]
    constant: bool


def weight_statistics(
    graph: FloatGraph, bits: tuple[int, ...], options: SigmaQuantOptions | None = None
) -> tuple[WeightStatistics, ...]:
    """The statistics of every weighted operator, in execution order; weights are taken as they are, folded."""
    settings = options or SigmaQuantOptions()
    rows = {op.name: weight_rows(op, graph.constants[op.weights]) for op in graph.topology.weighted()}
    widest = max((float(np.abs(values).max(initial=0)) for values in rows.values()), default=1.0) or 1.0
    found = []
    for name, values in rows.items():
        scaled = _per_channel(values)
        sigma = float((scaled if settings.relative_sigma else values.astype(np.float64)).std())
        by_width = {width: histogram_divergence(values, width, settings, widest) for width in bits}
        found.append(WeightStatistics(name, sigma, by_width, bool(np.ptp(values) == 0)))
    return tuple(found)


def histogram_divergence(rows: Float32Array, bits: int, options: SigmaQuantOptions, widest: float = 1.0) -> float:
    """D(p‖q) in nats of weights (channels, k) at a width.

    widest  the largest magnitude of any layer's weights: what `absolute` bins cover
    """
    half = 1 << (bits - 1)
    top, steps = half - 1, half - 1 if options.codes == "narrow" else half  # steps: from zero to the largest magnitude
    count = options.bin_count
    if options.bins == "relative":
        counts = np.histogram(_per_channel(rows), count, (-1.0, 1.0))[0]
        centres = (np.arange(count) + 0.5) / count * 2 - 1
        cells = np.clip(np.round(centres * steps), -steps, top)
        return _cell_divergence(counts, cells)
    # One bin width for all layers. Channels have scales, hence cells, of their own; masses of q are added up.
    centres = ((np.arange(count) + 0.5) / count * 2 - 1) * widest
    counts = np.histogram(rows, count, (-widest, widest))[0].astype(np.float64)
    spread = np.zeros(count)
    for row in rows.astype(np.float64):
        scale = np.abs(row).max() / steps
        own = np.histogram(row, count, (-widest, widest))[0]
        cells = np.clip(np.round(centres / scale), -steps, top) if scale > 0 else np.zeros(count)
        spread += _spread(own, cells)
    return _kullback_leibler(counts, spread)


def scores(
    statistics: tuple[WeightStatistics, ...], chosen: dict[str, int], options: SigmaQuantOptions
) -> dict[str, float]:
    """Phase 2's score of every operator at its present width: the normalised divergence."""
    low, high = min(options.bits), max(options.bits)
    largest = max((s.divergence[low] - s.divergence[high] for s in statistics), default=0.0)
    lowest = min((s.sigma for s in statistics), default=0.0)
    span = max((s.sigma for s in statistics), default=0.0) - lowest
    found = {}
    for s in statistics:
        now, base = s.divergence[chosen[s.operator]], s.divergence[high]
        match options.score_norm:
            case "difference":
                score = (now - base) / (largest + _EPSILON)
            case "ratio":
                score = now / (base + _EPSILON)
            case "none":
                score = now
        if options.sigma_score:
            score *= (s.sigma - lowest) / span if span > 0 else 1.0
        found[s.operator] = score
    return found


def _per_channel(rows: Float32Array) -> Float64Array:
    """Each channel divided by its largest magnitude; channels of zeros stay."""
    values = rows.astype(np.float64)
    largest = np.abs(values).max(axis=1, keepdims=True)
    return np.asarray(values / np.where(largest > 0, largest, 1.0))


def _spread(counts: NDArray[np.int64], cells: Float64Array) -> Float64Array:
    """Every cell's count, evenly over its bins."""
    _, index, members = np.unique(cells, return_inverse=True, return_counts=True)
    return np.asarray((np.bincount(index, counts) / members)[index])


def _cell_divergence(counts: NDArray[np.int64], cells: Float64Array) -> float:
    return _kullback_leibler(counts.astype(np.float64), _spread(counts, cells))


def _kullback_leibler(p: Float64Array, q: Float64Array) -> float:
    p, q = p / max(p.sum(), 1.0), q / max(q.sum(), 1.0)
    return float(max((p * np.log((p + _EPSILON) / (q + _EPSILON))).sum(), 0.0))
