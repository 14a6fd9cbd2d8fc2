"""The lowest and the highest code that each element of each activation can take, over all inputs.

Interval arithmetic through the reference's own operators, so that rounding, clamps and padding are those of the
inference: every operator but Softmax and Sigmoid is monotone in each of its inputs, weights taken by sign. Bounds are
not tight where two elements depend on each other; equal bounds prove that an element is constant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from sq_micro.ir.operators import Conv2D, Dense, DepthwiseConv2D, Operator, Sigmoid, Softmax, operator_inputs
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.params import ACTIVATION_MAXIMUM, ACTIVATION_MINIMUM, Int8Array
from sq_micro.reference.operators import prepare

Bounds = Mapping[str, Int8Array]
"""By tensor, (2, *shape without batch): lowest codes, then highest."""


def code_bounds(graph: QuantGraph) -> Bounds:
    """Bounds of the input and of every operator's output."""
    shape = graph.topology.shape(graph.topology.input)[1:]
    bounds = {graph.topology.input: _any_codes(shape)}
    for operator in graph.topology.operators:
        sources = [bounds[tensor] for tensor in operator_inputs(operator)]
        bounds[operator.output] = _through(operator, graph, sources)
    return bounds


def _any_codes(shape: tuple[int, ...]) -> Int8Array:
    return np.stack([np.full(shape, code, np.int8) for code in (ACTIVATION_MINIMUM, ACTIVATION_MAXIMUM)])


def _through(operator: Operator, graph: QuantGraph, sources: list[Int8Array]) -> Int8Array:
    match operator:
        case Conv2D() | Dense():
            return _weighted(operator, graph, graph.codes[operator.weights], sources[0])
        case DepthwiseConv2D():
            equivalent = Conv2D(
                operator.name,
                operator.input,
                operator.weights,
                operator.bias,
                operator.output,
                operator.stride,
                operator.dilation,
                operator.padding,
                operator.activation,
            )
            return _weighted(equivalent, graph, _dense_windows(operator, graph), sources[0])
        case Softmax() | Sigmoid():
            codes = prepare(operator, graph)(sources[0])
            known = sources[0][0] == sources[0][1]
            if isinstance(operator, Softmax):
                known = np.broadcast_to(known.all(axis=-1, keepdims=True), known.shape)
            return np.where(known, codes, _any_codes(known.shape))
        case _:
            return prepare(operator, graph)(*sources)


def _weighted(operator: Conv2D | Dense, graph: QuantGraph, codes: Int8Array, source: Int8Array) -> Int8Array:
    """Positive weights see one end of their input and negative weights the other: twice the input channels."""
    by_sign = np.concatenate([np.maximum(codes, 0), np.minimum(codes, 0)], axis=-1)
    compute = prepare(operator, replace(graph, codes={operator.weights: by_sign}))
    return compute(np.concatenate([source, source[::-1]], axis=-1))


def _dense_windows(operator: DepthwiseConv2D, graph: QuantGraph) -> Int8Array:
    """Depthwise weights as those of a Conv2D (out, height, width, in), zero but for each channel's own input."""
    taps = graph.codes[operator.weights][0]
    height, width, channels = taps.shape
    outputs = np.arange(channels)
    windows = np.zeros((channels, height, width, channels // operator.depth_multiplier), np.int8)
    windows[outputs, :, :, outputs // operator.depth_multiplier] = np.moveaxis(taps, -1, 0)
    return windows
