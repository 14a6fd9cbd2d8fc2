"""Which scale and which codebook a channel of weights gets."""

from __future__ import annotations

import numpy as np
import pytest

from sq_micro.ir.bitwidths import WEIGHT_BITS
from sq_micro.quant.params import Levels
from sq_micro.quant.weights import nearest_levels, round_weights


def drawn(distribution: str, taps: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = {
        "normal": rng.normal(0, 1, taps),
        "laplace": rng.laplace(0, 1, taps),
        "skewed": rng.gamma(2, 1, taps) - 1,
        "heavy": rng.standard_t(3, taps),
        "uniform": rng.uniform(-1, 1, taps),
    }[distribution]
    return values.astype(np.float32)


def squared_error(row: np.ndarray, codes: np.ndarray, scale: float) -> float:
    return float(((row.astype(np.float64) - codes * scale) ** 2).sum())


def dense_search(row: np.ndarray, bits: int) -> float:
    """The least squared error over all codebooks and 3,000 scales."""
    best = np.inf
    wide = row.astype(np.float64)
    for levels in Levels.of_width(bits):
        low, high = levels.limits(bits)
        scales = max(wide.max() / high, wide.min() / low) * np.linspace(0.15, 1.2, 3000)
        codes = nearest_levels(wide / scales[:, None], levels, bits)
        best = min(best, float(((wide - codes * scales[:, None]) ** 2).sum(axis=1).min()))
    return best


@pytest.mark.parametrize("distribution", ["normal", "laplace", "skewed", "heavy", "uniform"])
@pytest.mark.parametrize("bits", WEIGHT_BITS)
def test_the_error_is_within_one_percent_of_a_dense_search(bits: int, distribution: str) -> None:
    for taps in (9, 72, 576):
        row = drawn(distribution, taps, seed=taps + bits)
        rounded = round_weights(row[None], bits)
        found = squared_error(row, rounded.codes[0], float(rounded.scale[0]))
        assert found <= 1.01 * dense_search(row, bits), f"{taps} weights"


@pytest.mark.parametrize(
    ("row", "levels"),
    [
        ([-3.0, -1.0, 1.0, 3.0, 1.0, -1.0], Levels.ODD),
        ([-2.0, -1.0, 0.0, 1.0, 0.0, 0.0], Levels.TWOS),
        ([2.0, 1.0, 0.0, -1.0, 0.0, 0.0], Levels.MIRRORED),
    ],
)
def test_two_bits_take_the_codebook_that_fits(row: list[float], levels: Levels) -> None:
    rounded = round_weights(np.array([row], np.float32) * 0.37, 2)
    assert rounded.levels[0] == levels
    assert rounded.codes[0].tolist() == row
    assert rounded.scale[0] == pytest.approx(0.37)


@pytest.mark.parametrize("bits", [3, 4, 5, 6])
def test_the_longer_side_gets_the_extra_level(bits: int) -> None:
    half = 1 << (bits - 1)
    row = np.arange(1 - half, half + 1, dtype=np.float32)  # one step further up than down
    for sign, levels in ((1, Levels.MIRRORED), (-1, Levels.TWOS)):
        rounded = round_weights(sign * row[None], bits)
        assert rounded.levels[0] == levels
        assert (rounded.codes[0] == sign * row).all()


def test_codebooks_are_chosen_channel_by_channel() -> None:
    rows = np.array([[-3, -1, 1, 3], [-2, -1, 0, 1], [2, 1, 0, -1]], np.float32)
    rounded = round_weights(rows, 2)
    assert rounded.levels.tolist() == [Levels.ODD, Levels.TWOS, Levels.MIRRORED]
    assert (rounded.codes == rows).all()


def test_minmax_keeps_the_largest_weight_at_8_bits() -> None:
    rounded = round_weights(np.array([[0.1, -2.54, 1.0]], np.float32), 8, "minmax")
    assert rounded.codes.tolist() == [[5, -127, 50]]
    assert rounded.scale[0] == pytest.approx(0.02)


@pytest.mark.parametrize("scales", ["mse", "minmax"])
@pytest.mark.parametrize("value", [0.0, 1e-44, -3e-39])
def test_a_channel_of_zeros_or_next_to_zeros_is_all_zero(value: float, scales: str) -> None:
    """Their scale would be no normal float32, and a bias divided by it no number at all."""
    for bits in WEIGHT_BITS:
        rounded = round_weights(np.full((1, 5), value, np.float32), bits, scales)  # type: ignore[arg-type]
        assert not rounded.codes.any()
        assert rounded.scale.tolist() == [1.0]


def test_nearest_odd_levels() -> None:
    scaled = np.array([-9.0, -2.1, -1.9, -0.1, 0.1, 1.9, 2.1, 9.0])
    assert nearest_levels(scaled, Levels.ODD, 2).tolist() == [-3, -3, -1, -1, 1, 1, 3, 3]
