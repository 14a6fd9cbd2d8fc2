"""FloatGraph, Ranges, Bitwidths → QuantGraph: TFLite's full-integer quantization with any weight width."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sq_micro.errors import QuantizationError
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.float_graph import FloatGraph
from sq_micro.ir.operators import Conv2D, Dense, DepthwiseConv2D, WeightedOperator, operator_constants
from sq_micro.ir.topology import Topology
from sq_micro.quant.calibrate import Ranges
from sq_micro.quant.graph import QuantGraph, derive_arithmetic
from sq_micro.quant.params import ActivationParams, Float32Array, Int32Array, Levels, WeightParams
from sq_micro.quant.sharing import activation_params, insert_requantization, own_constants
from sq_micro.quant.verify import verify_quant_graph
from sq_micro.quant.weights import RoundedWeights, WeightScales, nearest_levels, round_weights

BIAS_LIMIT = 1 << 30  # leaves the other half of int32 to the products
DEAD_BIAS_CODE = 1 << 20  # the code of a channel that is only a bias: precise to one part in a million


@dataclass(frozen=True, slots=True)
class _Quantized:
    params: WeightParams
    rounded: RoundedWeights
    bias: Int32Array


def channel_axis(operator: WeightedOperator) -> int:
    """The output-channel axis of the weights: last for depthwise, first otherwise, as in TFLite."""
    return 3 if isinstance(operator, DepthwiseConv2D) else 0


def weight_rows(operator: WeightedOperator, weights: Float32Array) -> Float32Array:
    """Weights as one row per output channel, (channels, k)."""
    return np.moveaxis(weights, channel_axis(operator), 0).reshape(weights.shape[channel_axis(operator)], -1)


def quantize(
    graph: FloatGraph, ranges: Ranges, bitwidths: Bitwidths, weight_scales: WeightScales = "mse"
) -> QuantGraph:
    """Quantize a canonical graph. Raises QuantizationError naming the tensor that has no valid integers."""
    graph = own_constants(graph)
    topology = insert_requantization(graph.topology)
    activations = activation_params(topology, ranges)
    quantized = {
        operator.name: _quantize_operator(operator, graph, activations[operator.input], bitwidths, weight_scales)
        for operator in topology.weighted()
    }
    weights = {op.weights: quantized[op.name].params for op in topology.weighted()}
    codes = {}
    for op in topology.weighted():
        rows = quantized[op.name].rounded.codes
        shape = topology.shape(op.weights)
        moved = (shape[channel_axis(op)], *np.delete(shape, channel_axis(op)))
        codes[op.weights] = np.ascontiguousarray(np.moveaxis(rows.reshape(moved), 0, channel_axis(op)))
    arithmetic = {
        op.name: derived
        for op in topology.operators
        if (derived := derive_arithmetic(op, topology, activations, weights)) is not None
    }
    result = QuantGraph(
        topology=_without_unused_constants(topology),
        bitwidths=Bitwidths({op.name: bitwidths.weights[op.name] for op in topology.weighted()}),
        activations=activations,
        weights=weights,
        codes=codes,
        biases={op.bias: quantized[op.name].bias for op in topology.weighted()},
        levels={op.weights: quantized[op.name].rounded.levels for op in topology.weighted()},
        arithmetic=arithmetic,
        input_shape=graph.input_shape,
    )
    verify_quant_graph(result)
    return result


def _quantize_operator(
    operator: Conv2D | DepthwiseConv2D | Dense,
    graph: FloatGraph,
    source: ActivationParams,
    bitwidths: Bitwidths,
    scales: WeightScales,
) -> _Quantized:
    weights, bias = graph.constants[operator.weights], graph.constants[operator.bias]
    for name in operator_constants(operator):
        if not np.isfinite(graph.constants[name]).all():
            raise QuantizationError(name, "NaN or infinity among the trained values")
    bits = bitwidths.weights[operator.name]
    rounded = round_weights(weight_rows(operator, weights), bits, scales)
    rounded = _fit_biases(rounded, weight_rows(operator, weights), bias, source, bits)
    bias_scale = np.float64(source.scale) * rounded.scale.astype(np.float64)
    bias_codes = np.round(bias.astype(np.float64) / bias_scale).astype(np.int32)
    return _Quantized(WeightParams(rounded.scale, bits, channel_axis(operator)), rounded, bias_codes)


def _fit_biases(
    rounded: RoundedWeights, rows: Float32Array, bias: Float32Array, source: ActivationParams, bits: int
) -> RoundedWeights:
    """Coarsen the scale of channels whose bias would leave int32; a channel of zeros gets the bias's own scale."""
    magnitude = np.abs(bias.astype(np.float64)) / source.scale
    dead = ~rounded.codes.any(axis=1) & (magnitude > 0)
    scale = np.where(dead, magnitude / DEAD_BIAS_CODE, np.maximum(rounded.scale, magnitude / BIAS_LIMIT))
    coarser = ~dead & (scale > rounded.scale)
    codes = rounded.codes.copy()
    for channel in np.flatnonzero(coarser):
        levels = Levels(int(rounded.levels[channel]))
        codes[channel] = nearest_levels(rows[channel].astype(np.float64) / scale[channel], levels, bits)
    return replace(rounded, codes=codes, scale=scale.astype(np.float32))


def _without_unused_constants(topology: Topology) -> Topology:
    used = {topology.input}
    for operator in topology.operators:
        used |= {operator.output, *operator_constants(operator)}
    return replace(topology, tensors={name: spec for name, spec in topology.tensors.items() if name in used})
