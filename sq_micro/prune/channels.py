"""Which channels of each activation must stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sq_micro.ir.operators import (
    Concatenate,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Operator,
    Pad,
    Reshape,
    Softmax,
    operator_inputs,
)
from sq_micro.ir.patches import patches
from sq_micro.ir.topology import Topology
from sq_micro.prune.code_bounds import Bounds
from sq_micro.quant.graph import QuantGraph

BoolArray = NDArray[np.bool_]
Int64Array = NDArray[np.int64]
Kept = Mapping[str, BoolArray]
"""By activation, (channels,) over its last axis."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """What each input channel of a Conv2D or Dense adds to each output channel's accumulators, (outputs, inputs).

    constant  the same for every output pixel and every input of the network
    amount    how much where it is constant, 0 elsewhere
    """

    constant: BoolArray
    amount: Int64Array


def contribution(operator: Conv2D | Dense, graph: QuantGraph, bounds: Bounds) -> Contribution:
    """Padding adds nothing, so a known channel that is padded is constant only where all windows sum to the same."""
    codes = graph.codes[operator.weights]
    windows = codes if isinstance(operator, Conv2D) else codes[:, None, None, :]
    outputs, height, width, inputs = windows.shape
    taps = windows.reshape(outputs, height * width, inputs).astype(np.int64)
    constant = np.logical_and.reduce(taps == 0, axis=1)
    amount = np.zeros((outputs, inputs), np.int64)
    low, high = (end.reshape(-1, *_image(end.shape)) for end in bounds[operator.input])
    centred = low.astype(np.int64) - graph.activations[operator.input].zero_point
    for channel in np.flatnonzero((low == high).all(axis=(0, 1, 2))):
        sums = _windows(operator, centred[..., channel, None], (height, width)) @ taps[:, :, channel].T
        same = (sums == sums[0]).all(axis=0)
        constant[:, channel] |= same
        amount[same, channel] = sums[0, same]
    return Contribution(constant, amount)


def _image(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Any tensor as one row of pixels, but an image as it is."""
    return (shape[0], shape[1], shape[2]) if len(shape) == 3 else (1, int(np.prod(shape[:-1])), shape[-1])


def _windows(operator: Conv2D | Dense, plane: Int64Array, window: tuple[int, int]) -> Int64Array:
    """(output pixels, taps) of a plane (1, height, width, 1) that zeros surround."""
    if isinstance(operator, Conv2D):
        found = patches(plane, window, operator.stride, operator.dilation, operator.padding, 0)
    else:
        found = patches(plane, window, (1, 1), (1, 1), Pad(), 0)
    return found.reshape(-1, window[0] * window[1])


def kept_channels(graph: QuantGraph, bounds: Bounds) -> Kept:
    """The smallest sets that input, output and operators agree on; at least one channel of each activation."""
    topology = graph.topology
    kept = {tensor: np.zeros(codes.shape[-1], np.bool_) for tensor, codes in bounds.items()}
    for tensor in (topology.input, topology.output):
        kept[tensor][:] = True
    needs = {
        operator.name: ~contribution(operator, graph, bounds).constant
        for operator in topology.operators
        if isinstance(operator, Conv2D | Dense)
    }
    _settle(topology, needs, kept)
    for mask in kept.values():
        mask[0] |= not mask.any()
    _settle(topology, needs, kept)
    return kept


def _settle(topology: Topology, needs: Mapping[str, BoolArray], kept: dict[str, BoolArray]) -> None:
    """Add to `kept`, from the output backwards, until no operator asks for more."""
    before = -1
    while before != (before := sum(int(mask.sum()) for mask in kept.values())):
        for operator in reversed(topology.operators):
            if operator.name in needs:
                source = operator_inputs(operator)[0]
                kept[source] |= needs[operator.name][kept[operator.output]].any(axis=0)
                continue
            ties = _ties(operator, topology)
            wanted = np.zeros(1 + max(int(labels.max()) for _, labels in ties), np.bool_)
            for tensor, labels in ties:
                np.logical_or.at(wanted, labels, kept[tensor])
            for tensor, labels in ties:
                kept[tensor] |= wanted[labels]


def _ties(operator: Operator, topology: Topology) -> list[tuple[str, Int64Array]]:
    """Labels of the channels of an operator's activations: those of one label stay or go together."""
    inputs, output = operator_inputs(operator), operator.output
    channels = topology.shape(output)[-1]
    here = np.arange(channels)
    match operator:
        case DepthwiseConv2D(depth_multiplier=multiplier):
            return [(inputs[0], np.arange(channels // multiplier)), (output, here // multiplier)]
        case Concatenate(axis=axis) if axis == len(topology.shape(output)) - 1:
            ties, first = [(output, here)], 0
            for tensor in inputs:
                ties.append((tensor, first + np.arange(topology.shape(tensor)[-1])))
                first += topology.shape(tensor)[-1]
            return ties
        case Reshape():
            there = np.arange(topology.shape(inputs[0])[-1])
            period = min(channels, len(there))
            if channels % period or len(there) % period:
                return [(inputs[0], 0 * there), (output, 0 * here)]
            return [(inputs[0], there % period), (output, here % period)]
        case Softmax():
            return [(inputs[0], 0 * here), (output, 0 * here)]
        case _:
            return [(tensor, here) for tensor in (*inputs, output)]
