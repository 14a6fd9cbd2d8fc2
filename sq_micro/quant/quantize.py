"""FloatGraph, Ranges, Bitwidths → QuantGraph: TFLite's full-integer quantization with any weight width.

`quantize` rounds every weight to the nearest level. Who rounds in another way (`sq_micro.rounding`) hands the rounded
weights to `assemble`, which makes the same kind of graph of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from sq_micro.errors import QuantizationError
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.float_graph import FloatGraph
from sq_micro.ir.operators import DepthwiseConv2D, Operator, WeightedOperator, operator_constants, operator_inputs
from sq_micro.ir.topology import Topology
from sq_micro.quant.calibrate import Ranges
from sq_micro.quant.graph import QuantGraph, derive_arithmetic
from sq_micro.quant.params import ActivationParams, Float32Array, Int8Array, Int32Array, Levels, WeightParams
from sq_micro.quant.sharing import activation_params, insert_requantization, own_constants
from sq_micro.quant.verify import verify_quant_graph
from sq_micro.quant.weights import RoundedWeights, WeightScales, nearest_levels, round_weights

GIVEN_BITS = 8  # the width of the weights that a model's file gives
BIAS_LIMIT = 1 << 30  # leaves the other half of int32 to the products
DEAD_BIAS_CODE = 1 << 20  # the code of a channel that is only a bias: precise to one part in a million


@dataclass(frozen=True, slots=True)
class QuantizedWeights:
    """An operator's weights as integers, and its bias (channels,) in real units; assembly makes int32 of it.

    bias_codes  the bias as int32, where the model's file gives it: then nothing is fitted any more
    """

    rounded: RoundedWeights
    bias: Float32Array
    bias_codes: Int32Array | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """What is settled before any weight is rounded.

    graph        the float network; every weighted operator has constants of its own
    topology     its operators, with the Requantize that integers need
    activations  scale and zero point of every activation
    int4         whether 4-bit weights must be such as TFLite's int4 holds
    """

    graph: FloatGraph
    topology: Topology
    activations: Mapping[str, ActivationParams]
    int4: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "activations", MappingProxyType(dict(self.activations)))

    @property
    def activation_bits(self) -> Mapping[str, int]:
        """By tensor."""
        return {tensor: params.bits for tensor, params in self.activations.items()}

    @classmethod
    def of(cls, graph: FloatGraph, ranges: Ranges, int4: bool = False) -> Frame:
        """The frame of a canonical graph. Raises QuantizationError for a tensor without a range.

        A graph whose file gives the integers has their scales and zero points, whatever the ranges.
        """
        if graph.given is not None:
            given = graph.given.activations
            known = {name: ActivationParams(*given[name]) for name in graph.topology.tensors if name in given}
            return cls(graph, graph.topology, known, int4)
        owned = own_constants(graph)
        topology = insert_requantization(owned.topology)
        return cls(owned, topology, activation_params(topology, ranges), int4)

    def assemble(self, bitwidths: Bitwidths, weights: Mapping[str, QuantizedWeights]) -> QuantGraph:
        """The integer network with these weights, by operator name. Raises as `quantize`."""
        result = self._graph_of(_without_unused_constants(self.topology), bitwidths, weights)
        verify_quant_graph(result)
        return result

    def operator_graph(self, operator: Operator, weights: QuantizedWeights | None = None, bits: int = 8) -> QuantGraph:
        """One operator alone, unverified: enough for `reference.operators.prepare`.

        weights  what a weighted operator computes with, of `bits` bits; None for all others
        """
        known = {} if weights is None else {operator.name: weights}
        alone = replace(
            self.topology, operators=(operator,), input=operator_inputs(operator)[0], output=operator.output
        )
        return self._graph_of(alone, Bitwidths(dict.fromkeys(known, bits)), known)

    def given_weights(self, operator: WeightedOperator, bits: int) -> QuantizedWeights | None:
        """The integers that the model's file gives, at 8 bits; None where there are none to be taken."""
        if self.graph.given is None or bits != GIVEN_BITS:
            return None
        given = self.graph.given.weights[operator.name]
        codes = np.moveaxis(given.codes, channel_axis(operator), 0).reshape(len(given.scale), -1)
        levels = np.full(len(codes), Levels.TWOS, np.int8)
        rounded = RoundedWeights(np.ascontiguousarray(codes), given.scale, levels)
        return QuantizedWeights(rounded, self.graph.constants[operator.bias], given.bias)

    def real_rows(self, operator: WeightedOperator) -> Float32Array:
        """An operator's trained weights, (channels, k). Raises QuantizationError iff any constant is not finite."""
        for name in operator_constants(operator):
            if not np.isfinite(self.graph.constants[name]).all():
                raise QuantizationError(name, "NaN or infinity among the trained values")
        return weight_rows(operator, self.graph.constants[operator.weights])

    def _graph_of(
        self, topology: Topology, bitwidths: Bitwidths, weights: Mapping[str, QuantizedWeights]
    ) -> QuantGraph:
        params: dict[str, WeightParams] = {}
        codes: dict[str, Int8Array] = {}
        biases: dict[str, Int32Array] = {}
        levels: dict[str, Int8Array] = {}
        for op in topology.weighted():
            bits, source = bitwidths.weights[op.name], self.activations[op.input]
            found = weights[op.name]
            if found.bias_codes is None:
                rounded = _fit_biases(found, source, bits)
                biases[op.bias] = _bias_codes(found.bias, rounded.scale, source)
            else:
                rounded, biases[op.bias] = found.rounded, found.bias_codes
            params[op.weights] = WeightParams(rounded.scale, bits, channel_axis(op))
            codes[op.weights] = weights_of_rows(op, rounded.codes, topology)
            levels[op.weights] = rounded.levels.copy()
        arithmetic = {
            op.name: derived
            for op in topology.operators
            if (derived := derive_arithmetic(op, topology, self.activations, params)) is not None
        }
        return QuantGraph(
            topology=topology,
            bitwidths=Bitwidths(
                {op.name: bitwidths.weights[op.name] for op in topology.weighted()}, self.activation_bits
            ),
            activations=self.activations,
            weights=params,
            codes=codes,
            biases=biases,
            levels=levels,
            arithmetic=arithmetic,
            input_shape=self.graph.input_shape,
        )


def quantize(
    graph: FloatGraph,
    ranges: Ranges,
    bitwidths: Bitwidths,
    weight_scales: WeightScales = "mse",
    int4: bool = False,
) -> QuantGraph:
    """Quantize a canonical graph, every weight to its nearest level; with `int4`, at 4 bits one of TFLite's int4.

    Raises QuantizationError naming the tensor that has no valid integers.
    """
    frame = Frame.of(graph, ranges, int4)
    weights = {
        operator.name: nearest_weights(frame, operator, bitwidths.weights[operator.name], weight_scales)
        for operator in frame.topology.weighted()
    }
    return frame.assemble(bitwidths, weights)


def assemble(
    graph: FloatGraph, ranges: Ranges, bitwidths: Bitwidths, weights: Mapping[str, QuantizedWeights]
) -> QuantGraph:
    """The integer network of a canonical graph with weights that were rounded elsewhere, by operator name.

    Raises QuantizationError naming the tensor that has no valid integers.
    """
    return Frame.of(graph, ranges).assemble(bitwidths, weights)


def nearest_weights(
    frame: Frame, operator: WeightedOperator, bits: int, scales: WeightScales = "mse"
) -> QuantizedWeights:
    """An operator's weights rounded to the nearest level, its bias as trained; at 8 bits as given, where they are."""
    return frame.given_weights(operator, bits) or QuantizedWeights(
        round_weights(frame.real_rows(operator), bits, scales, frame.int4), frame.graph.constants[operator.bias]
    )


def channel_axis(operator: WeightedOperator) -> int:
    """The output-channel axis of the weights: last for depthwise, first otherwise, as in TFLite."""
    return 3 if isinstance(operator, DepthwiseConv2D) else 0


def weight_rows(operator: WeightedOperator, weights: Float32Array) -> Float32Array:
    """Weights as one row per output channel, (channels, k)."""
    return np.moveaxis(weights, channel_axis(operator), 0).reshape(weights.shape[channel_axis(operator)], -1)


def weights_of_rows(operator: WeightedOperator, rows: Int8Array, topology: Topology) -> Int8Array:
    """The opposite of `weight_rows`: rows (channels, k) in the shape that the operator's weights have."""
    shape, axis = topology.shape(operator.weights), channel_axis(operator)
    moved = (shape[axis], *np.delete(shape, axis))
    return np.ascontiguousarray(np.moveaxis(rows.reshape(moved), 0, axis))


def _bias_codes(bias: Float32Array, weight_scale: Float32Array, source: ActivationParams) -> Int32Array:
    bias_scale = np.float64(source.scale) * weight_scale.astype(np.float64)
    return np.round(bias.astype(np.float64) / bias_scale).astype(np.int32)


def _fit_biases(weights: QuantizedWeights, source: ActivationParams, bits: int) -> RoundedWeights:
    """Coarsen the scale of channels whose bias would leave int32; a channel of zeros gets the bias's own scale."""
    rounded = weights.rounded
    magnitude = np.abs(weights.bias.astype(np.float64)) / source.scale
    dead = ~rounded.codes.any(axis=1) & (magnitude > 0)
    scale = np.where(dead, magnitude / DEAD_BIAS_CODE, np.maximum(rounded.scale, magnitude / BIAS_LIMIT))
    coarser = ~dead & (scale > rounded.scale)
    codes = rounded.codes.copy()
    for channel in np.flatnonzero(coarser):
        levels = Levels(int(rounded.levels[channel]))
        real = codes[channel] * np.float64(rounded.scale[channel])
        codes[channel] = nearest_levels(real / scale[channel], levels, bits)
    return replace(rounded, codes=codes, scale=scale.astype(np.float32))


def _without_unused_constants(topology: Topology) -> Topology:
    used = {topology.input}
    for operator in topology.operators:
        used |= {operator.output, *operator_constants(operator)}
    return replace(topology, tensors={name: spec for name, spec in topology.tensors.items() if name in used})
