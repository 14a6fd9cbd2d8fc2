"""Each operator as a function on a batch of int8 codes, bit for bit as TFLite Micro's reference kernels.

`prepare` does what depends on the graph alone (tables, float copies of weights, fixed-point constants),
so that the function that it returns only touches activations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, assert_never

import numpy as np

from sq_micro.errors import GraphError
from sq_micro.ir.operators import (
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
    kind,
)
from sq_micro.ir.patches import pad_images
from sq_micro.quant.arithmetic import Addition, Arithmetic, Averaging, Rescaling, SigmoidScaling, SoftmaxScaling
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.params import Int8Array
from sq_micro.reference.convolution import prepare_conv2d, prepare_dense, prepare_depthwise_conv2d
from sq_micro.reference.lookup import addition_table, look_up, look_up_pairs, rescaling_table, sigmoid_table
from sq_micro.reference.pooling import average_pool, max_pool, mean
from sq_micro.reference.softmax import exponential_table, softmax

Compute = Callable[..., Int8Array]
"""Takes the operator's inputs, each (n, *shape without batch) and C-contiguous; gives its output likewise."""

Scaling = TypeVar("Scaling", bound=Arithmetic)


def prepare(operator: Operator, graph: QuantGraph) -> Compute:
    """The function that computes `operator`. Raises GraphError iff it has no integer form."""
    match operator:
        case Conv2D():
            return prepare_conv2d(operator, graph).images
        case DepthwiseConv2D():
            return prepare_depthwise_conv2d(operator, graph).images
        case Dense():
            return prepare_dense(operator, graph).rows
        case Add():
            return _prepare_add(operator, graph)
        case Relu() | Requantize():
            zero_in, zero_out = _zero(graph, operator.input), _zero(graph, operator.output)
            rescaled = rescaling_table(_arithmetic(graph, operator, Rescaling), zero_in, zero_out)
            return lambda x: look_up(rescaled, x)
        case Sigmoid():
            sigmoids = sigmoid_table(_arithmetic(graph, operator, SigmoidScaling), _zero(graph, operator.input))
            return lambda x: look_up(sigmoids, x)
        case Softmax():
            exponentials = exponential_table(_arithmetic(graph, operator, SoftmaxScaling))
            return lambda x: softmax(x, exponentials)
        case MaxPool2D(window=window, stride=stride, padding=padding):
            return lambda x: max_pool(x, window, stride, padding)
        case AveragePool2D(window=window, stride=stride, padding=padding):
            return lambda x: average_pool(x, window, stride, padding)
        case Mean():
            averaging = _arithmetic(graph, operator, Averaging)
            zeros = _zero(graph, operator.input), _zero(graph, operator.output)
            return lambda x: mean(x, averaging, *zeros)
        case Pad2D(padding=padding):
            zero = _zero(graph, operator.input)
            return lambda x: pad_images(x, padding, zero)
        case Concatenate(axis=axis):
            return lambda *parts: np.concatenate(parts, axis=axis)
        case Reshape():
            shape = graph.topology.shape(operator.output)[1:]
            return lambda x: x.reshape(len(x), *shape)
        case ChannelAffine() | Identity():
            raise GraphError(operator.name, f"no {kind(operator)} remains after canonicalisation")
        case _:
            assert_never(operator)


def _prepare_add(operator: Add, graph: QuantGraph) -> Compute:
    table = addition_table(
        _arithmetic(graph, operator, Addition),
        _zero(graph, operator.left),
        _zero(graph, operator.right),
        _zero(graph, operator.output),
    )
    return lambda left, right: look_up_pairs(table, left, right)


def _zero(graph: QuantGraph, tensor: str) -> int:
    return graph.activations[tensor].zero_point


def _arithmetic(graph: QuantGraph, operator: Operator, expected: type[Scaling]) -> Scaling:
    found = graph.arithmetic[operator.name]
    if not isinstance(found, expected):
        raise GraphError(operator.name, f"its arithmetic is {expected.__name__}")
    return found
