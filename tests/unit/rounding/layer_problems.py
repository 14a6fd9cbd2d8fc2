"""Small layers with correlated inputs, and what they are rounded by."""

from __future__ import annotations

import numpy as np

from sq_micro.quant.params import Float32Array
from sq_micro.quant.weights import RoundedWeights
from sq_micro.rounding.statistics import Float64Array, LayerStatistics


def dense_problem(
    seed: int, channels: int = 6, k: int = 10, rows: int = 200
) -> tuple[Float32Array, LayerStatistics, Float64Array]:
    """Weights (channels, k), statistics whose target is their own output, and the inputs (rows, k)."""
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(rows, k)) @ rng.normal(size=(k, k)) + rng.normal(size=k)
    weights = rng.normal(size=(channels, k)).astype(np.float32)
    return weights, statistics_of(inputs, inputs @ weights.T), inputs


def statistics_of(inputs: Float64Array, target: Float64Array) -> LayerStatistics:
    x, y = inputs - inputs.mean(axis=0), target - target.mean(axis=0)
    return LayerStatistics(
        "dense", (x.T @ x / len(x))[None], (x.T @ y / len(x))[None], inputs.mean(axis=0)[None], target.mean(axis=0)
    )


def real_weights_of(rounded: RoundedWeights) -> Float64Array:
    return rounded.codes * rounded.scale.astype(np.float64)[:, None]


def output_error(real: Float64Array, weights: Float32Array, inputs: Float64Array) -> float:
    """Mean squared error of the output, with the best bias."""
    return float(((inputs - inputs.mean(axis=0)) @ (real - weights).T).var(axis=0).sum())
