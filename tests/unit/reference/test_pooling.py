"""Pooling equals loops that are slow and plain."""

from __future__ import annotations

import numpy as np
import pytest

from sq_micro.ir.operators import Pad
from sq_micro.quant.arithmetic import averaging
from sq_micro.quant.params import ActivationParams
from sq_micro.reference.pooling import average_pool, max_pool, mean

CASES = [
    ((2, 2), (2, 2), Pad()),
    ((3, 2), (1, 2), Pad(1, 1, 0, 1)),
    ((5, 6), (1, 1), Pad()),
    ((2, 3), (3, 1), Pad(0, 2, 2, 0)),
]


def inside(x: np.ndarray, row: int, column: int, window: tuple[int, int]) -> np.ndarray:
    """The values of one window that lie in the image, (pixels, channels)."""
    rows = slice(max(row, 0), max(row + window[0], 0))
    columns = slice(max(column, 0), max(column + window[1], 0))
    return x[rows, columns].reshape(-1, x.shape[-1]).astype(int)


@pytest.mark.parametrize(("window", "stride", "padding"), CASES)
def test_pools_are_plain_loops(window: tuple[int, int], stride: tuple[int, int], padding: Pad) -> None:
    x = np.random.default_rng(1).integers(-128, 128, (3, 5, 6, 4)).astype(np.int8)
    largest, average = max_pool(x, window, stride, padding), average_pool(x, window, stride, padding)
    for n, row, column in np.ndindex(largest.shape[:3]):
        values = inside(x[n], row * stride[0] - padding.top, column * stride[1] - padding.left, window)
        assert largest[n, row, column].tolist() == values.max(axis=0).tolist()
        total, count = values.sum(axis=0), len(values)
        rounded = [(abs(int(t)) + count // 2) // count * (1 if t > 0 else -1) for t in total]
        assert average[n, row, column].tolist() == rounded


def test_mean_is_the_real_one_to_a_code() -> None:
    source, output = ActivationParams(0.05, -7), ActivationParams(0.02, 30)
    x = np.random.default_rng(2).integers(-128, 128, (4, 9, 5, 3)).astype(np.int8)
    expected = output.quantize(source.dequantize(x).mean(axis=(1, 2)))
    got = mean(x, averaging(source, output, 45), source.zero_point, output.zero_point)
    assert np.abs(got.astype(int) - expected).max() <= 1
