"""Networks with filters of zeros planted in them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sq_micro.ir.operators import RELU6, Conv2D
from sq_micro.quant.graph import QuantGraph
from tests.models.random_quant_graph import RandomQuantGraph

# (channels of the pointwise layer, stride of the depthwise one before it): MobileNetV1, width 0.25
MOBILENET = [(16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *[(128, 1)] * 5, (256, 2), (256, 1)]


def mobilenet_v1(seed: int = 0, bits: int = 8, size: int = 96, classes: int = 2) -> QuantGraph:
    """The shape of MLPerf Tiny's person detector, with random weights."""
    builder = RandomQuantGraph(seed, (size, size, 3))
    x = builder.conv2d(builder.input, 8, stride=(2, 2), activation=RELU6, bits=bits)
    for channels, step in MOBILENET:
        x = builder.depthwise_conv2d(x, stride=(step, step), activation=RELU6, bits=bits)
        x = builder.conv2d(x, channels, (1, 1), activation=RELU6, bits=bits)
    x = builder.average_pool2d(x, (size // 32, size // 32), (1, 1))
    return builder.build(builder.softmax(builder.dense(builder.reshape(x, (256,)), classes, bits=bits)))


def with_dead_filters(graph: QuantGraph, seed: int, share: float = 0.4, biases: float = 0.0) -> QuantGraph:
    """The graph with about `share` of the filters of each Conv2D zero, their biases within ±`biases` of the codes.

    With biases of 0 a dead filter gives the zero point, which padding continues; with others it does not.
    """
    rng = np.random.default_rng(seed)
    codes, levels, new_biases = dict(graph.codes), dict(graph.levels), dict(graph.biases)
    for operator in graph.topology.operators:
        if not isinstance(operator, Conv2D):
            continue
        dead = rng.random(codes[operator.weights].shape[0]) < share
        codes[operator.weights] = codes[operator.weights] * ~dead[:, None, None, None]
        levels[operator.weights] = np.where(dead, np.int8(1), levels[operator.weights])
        factor = graph.weights[operator.weights].scale * graph.activations[operator.input].scale
        in_codes = rng.uniform(-biases, biases, len(dead)) * graph.activations[operator.output].scale / factor
        new_biases[operator.bias] = np.where(dead, in_codes, new_biases[operator.bias]).astype(np.int32)
    return replace(graph, codes=codes, levels=levels, biases=new_biases)
