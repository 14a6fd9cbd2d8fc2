"""Runs a FloatGraph on samples in float32: what the network means before any integer is chosen.

Calibration reads the ranges of its tensors, passes are tested against it, and the accuracy that quantization is
compared with comes from here.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from sq_micro.ir.float_graph import Float32Array, FloatGraph
from sq_micro.ir.operators import (
    ActivationFunction,
    Add,
    AveragePool2D,
    ChannelAffine,
    Concatenate,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Identity,
    MaxPool2D,
    Mean,
    Operator,
    Pad2D,
    Relu,
    Requantize,
    Reshape,
    Sigmoid,
    Softmax,
    operator_inputs,
)
from sq_micro.ir.patches import pad_images, patches

Observe = Callable[[str, Float32Array], None]


def _unseen(tensor: str, values: Float32Array) -> None: ...


def run(graph: FloatGraph, batch: NDArray[np.floating], observe: Observe = _unseen) -> Float32Array:
    """Outputs (n, *output shape) of real inputs (n, *NHWC shape), all samples at once.

    observe  sees every activation by name, the input first, as (n, *shape).
    """
    topology = graph.topology
    last_use = {tensor: op.name for op in topology.operators for tensor in operator_inputs(op)}
    live = {topology.input: np.ascontiguousarray(batch, np.float32)}
    observe(topology.input, live[topology.input])
    for operator in topology.operators:
        inputs = operator_inputs(operator)
        result = np.ascontiguousarray(compute(operator, graph, *(live[name] for name in inputs)), np.float32)
        observe(operator.output, result)
        for name in set(inputs):
            if last_use[name] == operator.name and name != topology.output:
                del live[name]
        live[operator.output] = result
    return live[topology.output]


def compute(operator: Operator, graph: FloatGraph, x: Float32Array, *others: Float32Array) -> Float32Array:
    """One operator's output (n, *shape) of its inputs; Add has two, or one that counts twice."""
    constants = graph.constants
    match operator:
        case Conv2D():
            weights, bias = constants[operator.weights], constants[operator.bias]
            return _activate(_convolve(operator, x, weights) + bias, operator.activation)
        case DepthwiseConv2D():
            weights, bias = constants[operator.weights], constants[operator.bias]
            return _activate(_convolve_depthwise(operator, x, weights) + bias, operator.activation)
        case Dense():
            return _activate(x @ constants[operator.weights].T + constants[operator.bias], operator.activation)
        case Add():
            return _activate(x + (others[0] if others else x), operator.activation)
        case Concatenate():
            return np.concatenate((x, *others), axis=operator.axis)
        case Pad2D():
            return pad_images(x, operator.padding, 0.0)
        case MaxPool2D():
            windows = patches(x, operator.window, operator.stride, (1, 1), operator.padding, -np.inf)
            return np.asarray(windows.max(axis=(3, 4)))
        case AveragePool2D():
            return _average(operator, x)
        case Mean():
            return np.asarray(x.mean(axis=(1, 2), dtype=np.float64), np.float32)
        case Reshape():
            return x.reshape(len(x), *graph.topology.shape(operator.output)[1:])
        case Relu():
            return _activate(x, operator.activation)
        case Softmax():
            exponentials = np.exp(x - x.max(axis=-1, keepdims=True))
            return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True))
        case Sigmoid():
            return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))  # no overflow at either end
        case ChannelAffine():
            return np.asarray(x * constants[operator.scale] + constants[operator.offset])
        case Identity() | Requantize():
            return x
        case _:
            assert_never(operator)


def _activate(x: Float32Array, activation: ActivationFunction) -> Float32Array:
    return np.clip(x, activation.minimum, activation.maximum) if activation else x


def _convolve(operator: Conv2D, x: Float32Array, weights: Float32Array) -> Float32Array:
    channels, height, width, depth = weights.shape
    windows = patches(x, (height, width), operator.stride, operator.dilation, operator.padding, 0.0)
    rows = windows.reshape(prod(windows.shape[:3]), height * width * depth)
    return np.asarray(rows @ weights.reshape(channels, -1).T).reshape(*windows.shape[:3], channels)


def _convolve_depthwise(operator: DepthwiseConv2D, x: Float32Array, weights: Float32Array) -> Float32Array:
    _, height, width, _ = weights.shape
    if operator.depth_multiplier > 1:
        x = np.repeat(x, operator.depth_multiplier, axis=-1)
    windows = patches(x, (height, width), operator.stride, operator.dilation, operator.padding, 0.0)
    result = np.zeros((*windows.shape[:3], weights.shape[3]), np.float32)
    for row in range(height):
        for column in range(width):
            result += windows[..., row, column, :] * weights[0, row, column]
    return result


def _average(operator: AveragePool2D, x: Float32Array) -> Float32Array:
    """Padding counts neither in the sum nor in the number of pixels."""
    inside = np.ones((1, *x.shape[1:3], 1), np.float32)
    sums = patches(x, operator.window, operator.stride, (1, 1), operator.padding, 0.0).sum(axis=(3, 4))
    pixels = patches(inside, operator.window, operator.stride, (1, 1), operator.padding, 0.0).sum(axis=(3, 4))
    return np.asarray(sums / pixels)
