"""What must hold of a QuantGraph before anything is generated from it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sq_micro.errors import GraphError, QuantizationError
from sq_micro.ir.operators import (
    AveragePool2D,
    Concatenate,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    MaxPool2D,
    Mean,
    Pad2D,
    Relu,
    Requantize,
    Reshape,
    WeightedOperator,
    operator_inputs,
)
from sq_micro.quant.arithmetic import Averaging, ChannelRequantization, Rescaling
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.narrow import narrowable
from sq_micro.quant.params import Levels

_INT32_MAXIMUM = (1 << 31) - 1
_LARGEST_INPUT = 255  # |q − zero_point| of int8


def verify_quant_graph(graph: QuantGraph) -> None:
    """Widths agreed on, levels legal, shared params shared, accumulators unable to overflow.

    Raises GraphError for a defect of ours, QuantizationError where the model's numbers leave int32.
    """
    _verify_widths(graph)
    _verify_levels(graph)
    _verify_sharing(graph)
    _verify_accumulators(graph)


def _verify_widths(graph: QuantGraph) -> None:
    for operator in graph.topology.weighted():
        if graph.weights[operator.weights].bits != graph.bitwidths.weights[operator.name]:
            raise GraphError(operator.name, "has weights of the width that was asked for")
    able = {tensor for tensors in narrowable(graph.topology).values() for tensor in tensors}
    for tensor, params in graph.activations.items():
        if params.bits != graph.bitwidths.activation(tensor):
            raise GraphError(tensor, "has activations of the width that was asked for")
        if params.bits != 8 and tensor not in able:
            raise GraphError(tensor, "has 8 bits, which is all that its operators take")


def _verify_levels(graph: QuantGraph) -> None:
    for operator in graph.topology.weighted():
        params = graph.weights[operator.weights]
        rows = np.moveaxis(graph.codes[operator.weights], params.axis, 0).reshape(len(params.scale), -1)
        for channel, level in enumerate(graph.levels[operator.weights]):
            low, high = Levels(int(level)).limits(params.bits)
            odd_broken = level == Levels.ODD and not (rows[channel] % 2 != 0).all()
            if rows[channel].min() < low or rows[channel].max() > high or odd_broken:
                raise GraphError(operator.name, f"channel {channel} stays within its {params.bits}-bit levels")


def _verify_sharing(graph: QuantGraph) -> None:
    for operator in graph.topology.operators:
        if isinstance(operator, Concatenate | Reshape | Pad2D | MaxPool2D | AveragePool2D):
            for tensor in operator_inputs(operator):
                if graph.activations[tensor] != graph.activations[operator.output]:
                    raise GraphError(operator.name, "moves codes between tensors of the same scale")


def _verify_accumulators(graph: QuantGraph) -> None:
    """What is requantized stays inside int32 after its left shift, whatever the input."""
    for operator in graph.topology.operators:
        match operator:
            case Conv2D() | DepthwiseConv2D() | Dense():
                bound = _largest_sums(graph, operator)
            case Relu() | Requantize():
                bound = np.array([_LARGEST_INPUT])
            case Mean():
                height, width, _ = graph.topology.image_shape(operator.input)
                bound = np.array([_LARGEST_INPUT * height * width])
            case _:
                continue
        arithmetic = graph.arithmetic[operator.name]
        assert isinstance(arithmetic, ChannelRequantization | Rescaling | Averaging)
        shifted = bound.astype(np.float64) * 2.0 ** np.maximum(arithmetic.shift, 0)
        if (shifted > _INT32_MAXIMUM - _LARGEST_INPUT).any():  # the zero point is added behind the rounding
            channel = int(shifted.argmax())
            raise QuantizationError(
                operator.output,
                f"the accumulator of channel {channel} of '{operator.name}' can leave int32"
                f" (bound {shifted[channel]:.3g}); its calibrated output range is too small for its input's",
            )


def _largest_sums(graph: QuantGraph, operator: WeightedOperator) -> NDArray[np.int64]:
    """|bias| + 255·Σ|w| of every output channel."""
    axis = graph.weights[operator.weights].axis
    rows = np.moveaxis(graph.codes[operator.weights], axis, 0)
    magnitude = np.abs(rows.astype(np.int64)).reshape(len(rows), -1).sum(axis=1)
    return np.asarray(np.abs(graph.biases[operator.bias].astype(np.int64)) + _LARGEST_INPUT * magnitude)
