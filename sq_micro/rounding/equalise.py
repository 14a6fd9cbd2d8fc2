"""Cross-layer equalisation: channel factors that move from a layer into the ones that read it.

Through a ReLU, a pooling or an Add, channel i of a tensor may be divided by d_i > 0 and the weights that read it be
multiplied by d_i: the network stays the same, but its weights are easier to round. A row of reading weights W has one
scale s, which grows with the size of W·d, and its rounding errors, of s²/12 each, come out as Σ s²·σ_i²/d_i², σ_i being
the spread of the channel. That product is least at

    d_i² = σ_i / |W_i|      (Cauchy-Schwarz; |W_i| the root mean square over the rows, each row normed)

Depthwise weights see one channel each, so that a factor is lost in their scale: they only pass it on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from sq_micro.ir.float_graph import FloatGraph
from sq_micro.ir.operators import (
    RELU,
    ActivationFunction,
    Add,
    AveragePool2D,
    DepthwiseConv2D,
    MaxPool2D,
    Mean,
    Operator,
    Pad2D,
    Relu,
    Reshape,
    WeightedOperator,
    operator_inputs,
)
from sq_micro.ir.topology import Topology
from sq_micro.quant.sharing import own_constants
from sq_micro.rounding.statistics import Float64Array, LayerStatistics

_LARGEST_FACTOR = 8.0  # activations share one scale a tensor: more would cost them bits


def equalise(graph: FloatGraph, statistics: Mapping[str, LayerStatistics]) -> FloatGraph:
    """The same network with channel factors that suit the rounding of its weights; calibrate it anew.

    graph       canonical
    statistics  by operator name, as from `collect_statistics` on this graph
    """
    graph = own_constants(graph)
    topology = graph.topology
    constants = {name: array.astype(np.float64) for name, array in graph.constants.items()}
    for group in channel_groups(topology):
        readers = [op for op in topology.weighted() if op.input in group]
        factors = _factors([op for op in readers if op.name in statistics], constants, statistics)
        if factors is None:
            continue
        for op in topology.weighted():
            if op.output in group:
                own_axis = [1] * constants[op.weights].ndim
                own_axis[3 if isinstance(op, DepthwiseConv2D) else 0] = -1
                constants[op.weights] = constants[op.weights] / factors.reshape(own_axis)
                constants[op.bias] = constants[op.bias] / factors
        for op in readers:
            repeats = op.depth_multiplier if isinstance(op, DepthwiseConv2D) else 1
            constants[op.weights] = constants[op.weights] * np.repeat(factors, repeats)
    return replace(graph, constants={name: array.astype(np.float32) for name, array in constants.items()})


def channel_groups(topology: Topology) -> list[frozenset[str]]:
    """Sets of tensors whose channels can only be scaled together, where that is legal: no clamp but at zero inside,
    neither input nor output of the network among them, and nothing that mixes channels.
    """
    group = {topology.input: frozenset({topology.input})}
    fixed = {topology.input, topology.output}

    def merge(tensors: tuple[str, ...]) -> None:
        joined = frozenset().union(*(group[tensor] for tensor in tensors))
        group.update(dict.fromkeys(joined, joined))

    weighted = {op.name for op in topology.weighted()}
    for operator in topology.operators:
        group[operator.output] = frozenset({operator.output})
        if operator.name in weighted:
            if not _homogeneous(getattr(operator, "activation", ActivationFunction())):
                fixed.add(operator.output)
        elif _passes_factors(operator, topology):
            merge((*operator_inputs(operator), operator.output))
        else:
            fixed |= {*operator_inputs(operator), operator.output}
    return [tensors for tensors in dict.fromkeys(group.values()) if not tensors & fixed]


def _homogeneous(activation: ActivationFunction) -> bool:
    """f(d·x) = d·f(x) for d > 0."""
    return not activation or activation == RELU


def _passes_factors(operator: Operator, topology: Topology) -> bool:
    match operator:
        case Add() | Relu():
            return _homogeneous(operator.activation)
        case MaxPool2D() | AveragePool2D() | Mean() | Pad2D():
            return True
        case Reshape():
            channels = topology.shape(operator.input)[-1]
            return topology.elements(operator.input) == channels == topology.shape(operator.output)[-1]
        case _:
            return False


def _factors(
    readers: list[WeightedOperator],
    constants: Mapping[str, Float64Array],
    statistics: Mapping[str, LayerStatistics],
) -> Float64Array | None:
    """d (channels,) for the readers that are not depthwise, of geometric mean 1; None if there are none."""
    spread, size = [], []
    for operator in readers:
        if isinstance(operator, DepthwiseConv2D):
            continue
        weights = constants[operator.weights]
        channels = weights.shape[-1]
        rows = weights.reshape(len(weights), -1, channels)
        power = np.maximum((rows**2).mean(axis=(1, 2), keepdims=True), np.finfo(np.float32).tiny)
        size.append((rows**2 / power).mean(axis=(0, 1)))
        variance = np.diagonal(statistics[operator.name].covariance[0]).reshape(-1, channels).mean(axis=0)
        spread.append(variance / max(float(variance.mean()), np.finfo(np.float32).tiny))
    if not size:
        return None
    variances, sizes = np.sum(spread, axis=0), np.sum(size, axis=0)
    alive = (variances > 0) & (sizes > 0)
    factors = np.where(alive, (variances / np.where(alive, sizes, 1)) ** 0.25, 1.0)
    if alive.any():
        factors = np.where(alive, factors / np.exp(np.log(factors[alive]).mean()), 1.0)
    return np.clip(factors, 1 / _LARGEST_FACTOR, _LARGEST_FACTOR)
