"""A QuantGraph without some of its channels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sq_micro.ir.operators import Conv2D, Dense, DepthwiseConv2D, WeightedOperator
from sq_micro.ir.topology import TensorSpec
from sq_micro.prune.channels import BoolArray, Kept, contribution
from sq_micro.prune.code_bounds import Bounds
from sq_micro.quant.graph import QuantGraph, derive_arithmetic
from sq_micro.quant.params import Int8Array, Int32Array, WeightParams
from sq_micro.quant.verify import verify_quant_graph


def without_channels(graph: QuantGraph, bounds: Bounds, kept: Kept) -> QuantGraph:
    """The graph with the channels of `kept` alone; what the others add to an accumulator moves into its bias.

    A bias stays an int32: |bias| + 255·Σ|w| of a channel does not grow by it.
    """
    specs = {tensor: _narrowed(graph.topology.tensors[tensor], mask.sum()) for tensor, mask in kept.items()}
    params: dict[str, WeightParams] = {}
    codes: dict[str, Int8Array] = {}
    biases: dict[str, Int32Array] = {}
    levels: dict[str, Int8Array] = {}
    for operator in graph.topology.weighted():
        name, inputs, outputs = operator.weights, kept[operator.input], kept[operator.output]
        params[name] = replace(graph.weights[name], scale=graph.weights[name].scale[outputs])
        codes[name] = _remaining_codes(operator, graph, inputs, outputs)
        biases[operator.bias] = _folded_bias(operator, graph, bounds, inputs)[outputs]
        levels[name] = graph.levels[name][outputs]
        specs[name] = replace(graph.topology.tensors[name], shape=codes[name].shape)
        specs[operator.bias] = replace(graph.topology.tensors[operator.bias], shape=biases[operator.bias].shape)
    topology = replace(graph.topology, tensors={name: specs[name] for name in graph.topology.tensors})
    derived = ((op.name, derive_arithmetic(op, topology, graph.activations, params)) for op in topology.operators)
    result = replace(
        graph,
        topology=topology,
        weights=params,
        codes=codes,
        biases=biases,
        levels=levels,
        arithmetic={name: arithmetic for name, arithmetic in derived if arithmetic is not None},
    )
    verify_quant_graph(result)
    return result


def _narrowed(spec: TensorSpec, channels: int) -> TensorSpec:
    return replace(spec, shape=(*spec.shape[:-1], int(channels)))


def _remaining_codes(operator: WeightedOperator, graph: QuantGraph, inputs: BoolArray, outputs: BoolArray) -> Int8Array:
    codes = graph.codes[operator.weights]
    if isinstance(operator, DepthwiseConv2D):
        return np.ascontiguousarray(codes[..., outputs])
    return np.ascontiguousarray(codes[outputs][..., inputs])


def _folded_bias(operator: WeightedOperator, graph: QuantGraph, bounds: Bounds, inputs: BoolArray) -> Int32Array:
    bias = graph.biases[operator.bias]
    if isinstance(operator, Conv2D | Dense) and not inputs.all():
        moved = contribution(operator, graph, bounds).amount[:, ~inputs].sum(axis=1)
        return np.asarray(bias.astype(np.int64) + moved, np.int32)
    return bias
