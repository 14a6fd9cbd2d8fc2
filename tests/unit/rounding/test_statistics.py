"""Moments against sums over windows that are cut out one by one."""

from __future__ import annotations

import numpy as np
import pytest

from sq_micro.ir.operators import Conv2D, Dense, DepthwiseConv2D, Pad, WeightedOperator
from sq_micro.ir.topology import Role, TensorSpec, Topology
from sq_micro.quant.params import ActivationParams
from sq_micro.rounding.statistics import Accumulator, LayerShape

SOURCE = ActivationParams(0.25, -7)


def one_operator(operator: WeightedOperator, x: tuple[int, ...], w: tuple[int, ...], y: tuple[int, ...]) -> Topology:
    tensors = {
        "x": TensorSpec("x", x, Role.INPUT),
        "w": TensorSpec("w", w, Role.WEIGHTS),
        "y": TensorSpec("y", y, Role.OUTPUT),
    }
    return Topology("one", tensors, (operator,), "x", "y")


CONV = Conv2D("conv", "x", "w", "b", "y", stride=(2, 1), dilation=(1, 2), padding=Pad(1, 0, 2, 1))
DEPTHWISE = DepthwiseConv2D("depthwise", "x", "w", "b", "y", padding=Pad(1, 1, 1, 1), depth_multiplier=2)
DENSE = Dense("dense", "x", "w", "b", "y")
CASES = {
    "conv": (CONV, one_operator(CONV, (1, 6, 5, 3), (4, 2, 3, 3), (1, 3, 4, 4))),
    "depthwise": (DEPTHWISE, one_operator(DEPTHWISE, (1, 5, 4, 3), (1, 3, 3, 6), (1, 5, 4, 6))),
    "dense": (DENSE, one_operator(DENSE, (1, 7), (4, 7), (1, 4))),
}


def windows_by_hand(operator: WeightedOperator, topology: Topology, real: np.ndarray) -> np.ndarray:
    """(rows, groups, k) real inputs under each window, a zero where there is padding."""
    if isinstance(operator, Dense):
        return real[:, None, :]
    _, height, width, _ = topology.shape("y")
    _, window_h, window_w, _ = topology.shape("w")
    rows = []
    for image in real:
        for row in range(height):
            for column in range(width):
                taps = np.zeros((window_h, window_w, image.shape[-1]))
                for i in range(window_h):
                    for j in range(window_w):
                        y = row * operator.stride[0] + i * operator.dilation[0] - operator.padding.top
                        x = column * operator.stride[1] + j * operator.dilation[1] - operator.padding.left
                        if 0 <= y < image.shape[0] and 0 <= x < image.shape[1]:
                            taps[i, j] = image[y, x]
                by_group = taps.reshape(-1, image.shape[-1]).T if isinstance(operator, DepthwiseConv2D) else taps
                rows.append(by_group.reshape(by_group.shape[0] if by_group is not taps else 1, -1))
    return np.array(rows)


@pytest.mark.parametrize("case", CASES)
def test_moments_are_those_of_the_windows(case: str) -> None:
    operator, topology = CASES[case]
    rng = np.random.default_rng(3)
    codes = rng.integers(-128, 128, (10, *topology.shape("x")[1:])).astype(np.int8)
    target = rng.normal(size=(10, *topology.shape("y")[1:])).astype(np.float32)
    accumulator = Accumulator(operator, topology, SOURCE, pixels=10_000)
    accumulator.see(codes[:4], target[:4])
    accumulator.see(codes[4:], target[4:])
    found = accumulator.statistics()

    windows = windows_by_hand(operator, topology, SOURCE.dequantize(codes).astype(np.float64))
    groups = windows.shape[1]
    wanted = target.reshape(len(windows), groups, -1)
    x, y = windows - windows.mean(axis=0), wanted - wanted.mean(axis=0)
    np.testing.assert_allclose(found.input_mean, windows.mean(axis=0), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found.target_mean, wanted.mean(axis=0).reshape(-1), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.covariance, np.einsum("ngk,ngl->gkl", x, x) / len(x), rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(found.correlation, np.einsum("ngk,ngc->gkc", x, y) / len(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_shapes_are_by_group(case: str) -> None:
    operator, topology = CASES[case]
    shape = LayerShape.of(operator, topology)
    assert (shape.groups, shape.k, shape.channels) == {
        "conv": (1, 18, 4),
        "depthwise": (3, 9, 6),
        "dense": (1, 7, 4),
    }[case]


def test_a_few_pixels_of_each_sample_estimate_the_moments_of_all() -> None:
    operator, topology = CASES["conv"]
    rng = np.random.default_rng(4)
    codes = rng.integers(-128, 128, (4000, *topology.shape("x")[1:])).astype(np.int8)
    target = rng.normal(size=(4000, *topology.shape("y")[1:])).astype(np.float32)
    few, every = (Accumulator(operator, topology, SOURCE, pixels) for pixels in (3, 12))
    for accumulator in (few, every):
        accumulator.see(codes, target)
    found, exact = few.statistics(), every.statistics()
    spread = np.sqrt(np.diagonal(exact.covariance[0]))
    relative = (found.covariance[0] - exact.covariance[0]) / np.outer(spread, spread)
    assert 0 < np.abs(relative).max() < 0.06


def test_statistics_cannot_be_changed() -> None:
    operator, topology = CASES["dense"]
    accumulator = Accumulator(operator, topology, SOURCE, 1)
    accumulator.see(np.zeros((2, 7), np.int8), np.zeros((2, 4), np.float32))
    with pytest.raises(ValueError, match="read-only"):
        accumulator.statistics().covariance[0] = 1
