"""Each operator in real arithmetic on whole batches, differentiable: what both networks compute before any rounding.

It says the same as `ir.evaluate`, in Keras operations. Convolutions are written in the form that XLA's CPU code runs
fastest, forwards and backwards: 1x1 windows as matrix products, depthwise ones tap by tap.
"""

from __future__ import annotations

from math import prod
from typing import Any, assert_never

import numpy as np

from sq_micro.errors import GraphError
from sq_micro.finetune.backend import ops
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
    Pad,
    Pad2D,
    Relu,
    Requantize,
    Reshape,
    Sigmoid,
    Softmax,
    kind,
)
from sq_micro.ir.topology import Topology

Tensor = Any  # an array of JAX, or its tracer; Keras has no type for either
Constants = tuple[Tensor, Tensor]  # weights in the topology's shape, bias (channels,)


def apply(operator: Operator, topology: Topology, constants: Constants | None, *inputs: Tensor) -> Tensor:
    """The operator's real output (n, *shape) of real inputs (n, *shape).

    constants  given iff the operator has weights
    Raises GraphError iff the operator does not outlast canonicalisation.
    """
    x = inputs[0]
    match operator:
        case Conv2D():
            weights, bias = _given(constants)
            return activate(_convolve(operator, x, weights) + bias, operator.activation)
        case DepthwiseConv2D():
            weights, bias = _given(constants)
            return activate(_convolve_depthwise(operator, x, weights) + bias, operator.activation)
        case Dense():
            weights, bias = _given(constants)
            return activate(ops.matmul(x, ops.transpose(weights)) + bias, operator.activation)
        case Add():
            return activate(x + inputs[-1], operator.activation)
        case Concatenate():
            return ops.concatenate(inputs, axis=operator.axis)
        case Pad2D():
            return _padded(x, operator.padding, 0.0)
        case MaxPool2D():
            return _max_pool(operator, x)
        case AveragePool2D():
            return window_sums(operator, x) / pixels_inside(operator, topology)
        case Mean():
            return ops.mean(x, axis=(1, 2))
        case Reshape():
            return ops.reshape(x, (-1, *topology.shape(operator.output)[1:]))
        case Relu():
            return activate(x, operator.activation)
        case Softmax():
            return ops.softmax(x, axis=-1)
        case Sigmoid():
            return ops.sigmoid(x)
        case Requantize():
            return x
        case ChannelAffine() | Identity():
            raise GraphError(operator.name, f"no {kind(operator)} remains after canonicalisation")
        case _:
            assert_never(operator)


def activate(x: Tensor, activation: ActivationFunction) -> Tensor:
    """Clamp as the activation function says."""
    if activation.minimum is not None:
        x = ops.maximum(x, activation.minimum)
    if activation.maximum is not None:
        x = ops.minimum(x, activation.maximum)
    return x


def window_sums(operator: AveragePool2D, x: Tensor) -> Tensor:
    """The sum of x through each window, padding counted as 0."""
    padded = _padded(x, operator.padding, 0.0)
    taps = _taps(padded, operator.window, operator.stride, (1, 1))
    return sum(taps[1:], start=taps[0])


def pixels_inside(operator: AveragePool2D, topology: Topology) -> Tensor:
    """How many pixels of each window lie inside the image, (1, out_height, out_width, 1)."""
    height, width, _ = topology.image_shape(operator.input)
    return ops.stop_gradient(window_sums(operator, np.ones((1, height, width, 1), np.float32)))


def _given(constants: Constants | None) -> Constants:
    assert constants is not None
    return constants


def _convolve(operator: Conv2D, x: Tensor, weights: Tensor) -> Tensor:
    """Weights (out, height, width, in)."""
    channels, height, width, depth = weights.shape
    x = _padded(x, operator.padding, 0.0)
    if (height, width) == (1, 1):
        x = x[:, :: operator.stride[0], :: operator.stride[1]]
        rows = ops.matmul(ops.reshape(x, (-1, depth)), ops.transpose(ops.reshape(weights, (channels, depth))))
        return ops.reshape(rows, (-1, *x.shape[1:3], channels))
    window = ops.transpose(weights, (1, 2, 3, 0))
    return ops.conv(x, window, operator.stride, "valid", "channels_last", operator.dilation)


def _convolve_depthwise(operator: DepthwiseConv2D, x: Tensor, weights: Tensor) -> Tensor:
    """Weights (1, height, width, channels)."""
    _, height, width, _ = weights.shape
    x = _padded(x, operator.padding, 0.0)
    if operator.depth_multiplier > 1:
        x = ops.repeat(x, operator.depth_multiplier, axis=-1)
    taps = _taps(x, (height, width), operator.stride, operator.dilation)
    products = [tap * weights[0, index // width, index % width] for index, tap in enumerate(taps)]
    return sum(products[1:], start=products[0])


def _max_pool(operator: MaxPool2D, x: Tensor) -> Tensor:
    padded = _padded(x, operator.padding, -np.inf)
    taps = _taps(padded, operator.window, operator.stride, (1, 1))
    largest = taps[0]
    for tap in taps[1:]:
        largest = ops.maximum(largest, tap)
    return largest


def _taps(x: Tensor, window: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int]) -> list[Tensor]:
    """What each position of the window sees, (n, out_height, out_width, channels) each, row by row."""
    _, height, width, _ = x.shape
    rows = (height - (window[0] - 1) * dilation[0] - 1) // stride[0] + 1
    columns = (width - (window[1] - 1) * dilation[1] - 1) // stride[1] + 1
    taps = []
    for index in range(prod(window)):
        top, left = (index // window[1]) * dilation[0], (index % window[1]) * dilation[1]
        bottom, right = top + (rows - 1) * stride[0] + 1, left + (columns - 1) * stride[1] + 1
        taps.append(x[:, top : bottom : stride[0], left : right : stride[1]])
    return taps


def _padded(x: Tensor, padding: Pad, fill: float) -> Tensor:
    if not padding:
        return x
    around = ((0, 0), (padding.top, padding.bottom), (padding.left, padding.right), (0, 0))
    return ops.pad(x, around, constant_values=fill)
