"""What must hold of a QuantGraph before anything is generated from it."""

from __future__ import annotations

import numpy as np

from sq_micro.errors import GraphError, QuantizationError
from sq_micro.ir.operators import Concatenate, DepthwiseConv2D, MaxPool2D, Pad2D, Reshape, operator_inputs
from sq_micro.quant.arithmetic import ChannelRequantization
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.params import Levels

_INT32_MAXIMUM = (1 << 31) - 1
_LARGEST_INPUT = 255  # |q − zero_point| of int8


def verify_quant_graph(graph: QuantGraph) -> None:
    """Levels legal, shared params shared, accumulators unable to overflow.

    Raises GraphError for a defect of ours, QuantizationError where the model's numbers leave int32.
    """
    _verify_levels(graph)
    _verify_sharing(graph)
    _verify_accumulators(graph)


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
        if isinstance(operator, Concatenate | Reshape | Pad2D | MaxPool2D):
            for tensor in operator_inputs(operator):
                if graph.activations[tensor] != graph.activations[operator.output]:
                    raise GraphError(operator.name, "moves codes between tensors of the same scale")


def _verify_accumulators(graph: QuantGraph) -> None:
    """|bias| + 255·Σ|w| and its left shift stay inside int32 for every channel, whatever the input."""
    for operator in graph.topology.weighted():
        arithmetic = graph.arithmetic[operator.name]
        assert isinstance(arithmetic, ChannelRequantization)
        axis = graph.weights[operator.weights].axis
        magnitude = np.abs(np.moveaxis(graph.codes[operator.weights], axis, 0).astype(np.int64))
        taps = magnitude.reshape(len(arithmetic.shift), -1).sum(axis=1)
        assert not isinstance(operator, DepthwiseConv2D) or len(taps) == len(arithmetic.shift)
        bound = np.abs(graph.biases[operator.bias].astype(np.int64)) + _LARGEST_INPUT * taps
        shifted = bound.astype(np.float64) * 2.0 ** np.maximum(arithmetic.shift, 0)
        if (shifted > _INT32_MAXIMUM).any():
            channel = int(shifted.argmax())
            raise QuantizationError(
                operator.output,
                f"the accumulator of channel {channel} of '{operator.name}' can leave int32"
                f" (bound {shifted[channel]:.3g}); its calibrated output range is too small for its weights",
            )
