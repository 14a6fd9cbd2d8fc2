"""Observers against brute force: the extremes, the percentiles, and the quantization error itself."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from sq_micro.quant.calibrate import Range
from sq_micro.quant.observers import BINS, KEPT_FRACTION, OBSERVERS, Histogram, ObserverName
from sq_micro.quant.params import Float32Array
from sq_micro.quant.sharing import params_of_range

DISTRIBUTIONS = ("normal", "laplace", "relu", "negative", "outlier", "uniform")


def drawn(distribution: str, seed: int = 1, count: int = 20_000) -> Float32Array:
    rng = np.random.default_rng(seed)
    match distribution:
        case "normal":
            values = rng.normal(0.3, 2.0, count)
        case "laplace":
            values = rng.laplace(0.0, 1.0, count)
        case "relu":
            values = np.maximum(rng.normal(0.0, 1.0, count), 0.0)
        case "negative":
            values = -rng.gamma(2.0, 1.5, count) - 0.1
        case "outlier":
            values = np.append(rng.normal(0.0, 1.0, count - 1), 60.0)
        case _:
            values = rng.uniform(-1.0, 3.0, count)
    return values.astype(np.float32)


def observed(values: Float32Array, batches: int = 7) -> Histogram:
    histogram = Histogram()
    for batch in np.array_split(values, batches):
        histogram.see_range(batch)
    for batch in np.array_split(values, batches):
        histogram.see_values(batch)
    return histogram


def squared_error(values: Float32Array, low: float, high: float) -> float:
    params = params_of_range(Range(low, high))
    return float(((params.dequantize(params.quantize(values)).astype(np.float64) - values) ** 2).mean())


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_minmax_is_the_extremes_and_zero(distribution: str) -> None:
    values = drawn(distribution)
    low, high = observed(values).covered("minmax")
    assert (low, high) == (min(float(values.min()), 0.0), max(float(values.max()), 0.0))


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_percentile_is_numpys_within_a_bin(distribution: str) -> None:
    values = drawn(distribution)
    low, high = observed(values).covered("percentile")
    bin_width = float(values.max() - values.min()) / BINS
    cut = 100 * (1 - KEPT_FRACTION)
    expected_low, expected_high = np.percentile(values, [cut, 100 - cut])
    assert abs(low - min(expected_low, 0.0)) <= 1.5 * bin_width
    assert abs(high - max(expected_high, 0.0)) <= 1.5 * bin_width


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_mse_is_as_good_as_a_dense_search(distribution: str) -> None:
    """The true error of the chosen range, on the values themselves, against that of 60 x 60 ranges."""
    values = drawn(distribution)
    low, high = observed(values).covered("mse")
    lowest, highest = observed(values).covered("minmax")
    fractions = np.linspace(0.1, 1.0, 60)
    lows = sorted({lowest * float(f) for f in fractions})
    highs = sorted({highest * float(f) for f in fractions})
    best = min(squared_error(values, *candidate) for candidate in product(lows, highs))
    assert squared_error(values, low, high) <= 1.05 * best


def test_mse_gives_an_outlier_up_and_minmax_does_not() -> None:
    values = drawn("outlier")
    assert squared_error(values, *observed(values).covered("mse")) < squared_error(values, -4.0, 60.0)
    assert observed(values).covered("mse")[1] < 60.0
    assert observed(values).covered("percentile")[1] < 5.0


@pytest.mark.parametrize("observer", OBSERVERS)
@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_a_range_holds_zero_and_lies_inside_the_extremes(distribution: str, observer: ObserverName) -> None:
    histogram = observed(drawn(distribution, seed=2))
    low, high = histogram.covered(observer)
    assert min(histogram.minimum, 0.0) <= low <= 0.0 <= high <= max(histogram.maximum, 0.0)


@pytest.mark.parametrize("observer", OBSERVERS)
@pytest.mark.parametrize("value", [0.0, 2.5, -3.0])
def test_a_constant_tensor_is_covered(value: float, observer: ObserverName) -> None:
    assert observed(np.full(50, value, np.float32)).covered(observer) == (min(value, 0.0), max(value, 0.0))


@pytest.mark.parametrize("observer", OBSERVERS)
def test_a_tensor_of_two_neighbouring_numbers_is_covered(observer: ObserverName) -> None:
    """Between them lie no 2,048 bins of float32."""
    neighbours = np.array([1.0, np.nextafter(np.float32(1), np.float32(2))], np.float32)
    low, high = observed(neighbours, batches=1).covered(observer)
    assert (low, high) == (0.0, pytest.approx(1.0, rel=0.01))


@pytest.mark.parametrize("observer", OBSERVERS)
def test_the_order_and_size_of_batches_do_not_matter(observer: ObserverName) -> None:
    values = drawn("laplace", seed=3)
    shuffled = np.random.default_rng(4).permutation(values)
    assert observed(values, 1).covered(observer) == observed(shuffled, 50).covered(observer)
