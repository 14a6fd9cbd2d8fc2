"""Layers equal sums in int64, whichever float carried them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sq_micro.ir.operators import Conv2D, Dense, DepthwiseConv2D, Pad
from sq_micro.ir.patches import patches
from sq_micro.quant.arithmetic import ChannelRequantization
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.requantize import requantize
from sq_micro.reference.convolution import prepare_conv2d, prepare_dense, prepare_depthwise_conv2d
from tests.models.random_quant_graph import RandomQuantGraph, random_codes


def finished(graph: QuantGraph, accumulator: np.ndarray) -> np.ndarray:
    """Accumulators (..., channels) with bias, requantized and clamped."""
    operator = graph.topology.operators[-1]
    arithmetic = graph.arithmetic[operator.name]
    assert isinstance(arithmetic, ChannelRequantization)
    scaled = requantize(accumulator, arithmetic.multiplier, arithmetic.shift) + graph.output_params.zero_point
    return np.clip(scaled, arithmetic.minimum, arithmetic.maximum)


@pytest.mark.parametrize("extreme", [False, True], ids=["float32", "float64"])
def test_dense_sums_exactly(extreme: bool) -> None:
    builder = RandomQuantGraph(3, (1500,))
    graph = builder.build(builder.dense(builder.input, 5))
    operator = graph.topology.operators[0]
    assert isinstance(operator, Dense)
    codes = random_codes(graph, 7)
    if extreme:
        weights = np.full((5, 1500), 127, np.int8)
        graph = replace(graph, codes={operator.weights: weights})
        codes[0] = 127
    layer = prepare_dense(operator, graph)
    assert layer.matrix.dtype == (np.float64 if extreme else np.float32)
    weights = graph.codes[operator.weights].astype(np.int64)
    accumulator = (codes.astype(np.int64) - graph.input_params.zero_point) @ weights.T + graph.biases[operator.bias]
    assert np.array_equal(layer.rows(codes), finished(graph, accumulator))


@pytest.mark.parametrize("padding", [Pad(), Pad(1, 2, 0, 3)], ids=str)
def test_conv2d_sums_windows(padding: Pad) -> None:
    builder = RandomQuantGraph(4, (6, 7, 3))
    graph = builder.build(builder.conv2d(builder.input, 5, (2, 3), (2, 1), (2, 2), padding, bits=5))
    operator = graph.topology.operators[0]
    assert isinstance(operator, Conv2D)
    codes = random_codes(graph, 4)
    centred = codes.astype(np.int64) - graph.input_params.zero_point
    windows = patches(centred, (2, 3), (2, 1), (2, 2), padding, 0)
    weights = graph.codes[operator.weights].astype(np.int64)
    accumulator = np.einsum("nhwijc,oijc->nhwo", windows, weights) + graph.biases[operator.bias]
    assert np.array_equal(prepare_conv2d(operator, graph).images(codes), finished(graph, accumulator))


@pytest.mark.parametrize("depth_multiplier", [1, 3])
def test_depthwise_conv2d_sums_windows(depth_multiplier: int) -> None:
    builder = RandomQuantGraph(5, (6, 7, 4))
    x = builder.depthwise_conv2d(builder.input, padding=Pad(1, 0, 2, 1), depth_multiplier=depth_multiplier, bits=3)
    graph = builder.build(x)
    operator = graph.topology.operators[0]
    assert isinstance(operator, DepthwiseConv2D)
    codes = random_codes(graph, 4)
    centred = np.repeat(codes.astype(np.int64) - graph.input_params.zero_point, depth_multiplier, axis=3)
    windows = patches(centred, (3, 3), (1, 1), (1, 1), operator.padding, 0)
    weights = graph.codes[operator.weights][0].astype(np.int64)
    accumulator = np.einsum("nhwijc,ijc->nhwc", windows, weights) + graph.biases[operator.bias]
    assert np.array_equal(prepare_depthwise_conv2d(operator, graph).images(codes), finished(graph, accumulator))
