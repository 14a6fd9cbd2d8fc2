"""Two networks of one topology: the float one that teaches, and the fake-quant one that learns.

The second computes what the integer reference computes, but for the rounding of float32 and of the fixed-point
multipliers: the same codes in nearly all places.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from sq_micro.finetune.backend import keras, ops
from sq_micro.finetune.forward import Constants, Tensor, apply, pixels_inside, window_sums
from sq_micro.finetune.layers import ChannelLevels, FakeQuantActivation, FakeQuantWeights
from sq_micro.ir.operators import (
    AveragePool2D,
    Concatenate,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    MaxPool2D,
    Mean,
    Operator,
    Pad2D,
    Relu,
    Requantize,
    Reshape,
    Sigmoid,
    Softmax,
    WeightedOperator,
    operator_inputs,
)
from sq_micro.ir.topology import Topology
from sq_micro.quant.calibrate import Ranges, range_of
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.quantize import QuantizedWeights, channel_axis
from sq_micro.quant.sharing import shared_groups
from sq_micro.quant.weights import RoundedWeights


def scores_tensor(topology: Topology) -> str:
    """The tensor on which networks are compared: what a final Softmax or Sigmoid reads, else the output."""
    last = topology.producer(topology.output)
    return last.input if isinstance(last, Softmax | Sigmoid) else topology.output


def float_scores(topology: Topology, constants: Mapping[str, Constants], x: Tensor) -> Tensor:
    """The float network's `scores_tensor` of real inputs (n, *NHWC); constants by operator name."""
    wanted = scores_tensor(topology)
    live = {topology.input: x}
    for operator in topology.operators:
        if wanted in live:
            break
        inputs = (live[tensor] for tensor in operator_inputs(operator))
        live[operator.output] = apply(operator, topology, constants.get(operator.name), *inputs)
    return live[wanted]


class FakeQuantNetwork(keras.Model):  # type: ignore[misc]  # Keras has no types
    """A QuantGraph that can be trained. Called on real inputs (n, *NHWC), it gives (scores, output), real."""

    def __init__(self, start: QuantGraph, learn_ranges: bool) -> None:
        """Begin exactly at `start`."""
        super().__init__(name="fake_quant")
        self.topology = start.topology
        self.group = shared_groups(start.topology)
        fixed = self._fixed_groups()
        groups = dict.fromkeys(self.group.values())
        self.activations = [
            FakeQuantActivation(start.activations[name], learn_ranges and name not in fixed, f"activation_{index}")
            for index, name in enumerate(groups)
        ]
        self.weighted = [
            _fake_quant_weights(operator, start, f"weights_{index}")
            for index, operator in enumerate(start.topology.weighted())
        ]
        self._activation_of_group = {name: index for index, name in enumerate(groups)}
        self._weights_of = {op.name: index for index, op in enumerate(start.topology.weighted())}
        self.built = True

    def _fixed_groups(self) -> set[str]:
        """The input's group, and those whose scale TFLite fixes or that a Requantize joins to a fixed one."""
        fixed = {self.group[self.topology.input]}
        for operator in self.topology.operators:
            if isinstance(operator, Softmax | Sigmoid | Requantize):
                fixed.add(self.group[operator.output])
        return fixed

    def activation(self, tensor: str) -> FakeQuantActivation:
        return self.activations[self._activation_of_group[self.group[tensor]]]

    def weights_of(self, operator: str) -> FakeQuantWeights:
        return self.weighted[self._weights_of[operator]]

    def call(self, x: Tensor) -> tuple[Tensor, Tensor]:
        topology = self.topology
        live = {topology.input: self.activation(topology.input)(x)}
        for operator in topology.operators:
            inputs = tuple(live[tensor] for tensor in operator_inputs(operator))
            live[operator.output] = self._compute(operator, inputs)
        return live[scores_tensor(topology)], live[topology.output]

    def _compute(self, operator: Operator, inputs: tuple[Tensor, ...]) -> Tensor:
        output = self.activation(operator.output)
        match operator:
            case Reshape() | Pad2D() | MaxPool2D() | Concatenate():
                return apply(operator, self.topology, None, *inputs)
            case AveragePool2D():
                # On codes: their mean is rounded half away from zero, and a quarter of all 2x2 means are halves.
                codes = output.codes(inputs[0])
                mean = window_sums(operator, codes) / pixels_inside(operator, self.topology)
                rounded = ops.sign(mean) * ops.floor(ops.abs(mean) + 0.5)
                return output.real(mean + ops.stop_gradient(rounded - mean))
            case Conv2D() | DepthwiseConv2D() | Dense():
                source, weights = self.activation(operator.input).scale(), self.weights_of(operator.name)
                real = apply(operator, self.topology, weights(source), *inputs)
                return output(real, accumulator_scale=weights.scale() * source)
            case Relu() | Requantize():
                source = self.activation(operator.input).scale()
                return output(apply(operator, self.topology, None, *inputs), accumulator_scale=source)
            case Mean():
                # The kernel divides by the pixels when it requantizes; the power of two in them is a shift.
                height, width, _ = self.topology.image_shape(operator.input)
                power = 1 << ((height * width).bit_length() - 1)
                source = self.activation(operator.input).scale() / power
                return output(apply(operator, self.topology, None, *inputs), accumulator_scale=source)
            case _:
                return output(apply(operator, self.topology, None, *inputs))

    def ranges(self, observed: Ranges) -> Ranges:
        """The ranges whose scales and zero points are those of the activations now."""
        spans = {}
        for tensor in self.group:
            layer = self.activation(tensor)
            params = replace(layer.params, scale=float(np.asarray(layer.scale())))
            spans[tensor] = range_of(params)
        return replace(observed, tensors=spans)

    def quantized_weights(self) -> dict[str, QuantizedWeights]:
        """The integers of each operator as they are now, for `assemble`."""
        return {operator.name: self._quantized(operator) for operator in self.topology.weighted()}

    def _quantized(self, operator: WeightedOperator) -> QuantizedWeights:
        layer = self.weights_of(operator.name)
        codes = np.moveaxis(layer.codes(), channel_axis(operator), 0)
        rounded = RoundedWeights(
            np.ascontiguousarray(codes.reshape(len(codes), -1)),
            np.asarray(layer.scale(), np.float32),
            layer.levels.books,
        )
        return QuantizedWeights(rounded, np.asarray(layer.real_bias(), np.float32))


def _fake_quant_weights(operator: WeightedOperator, start: QuantGraph, name: str) -> FakeQuantWeights:
    params = start.weights[operator.weights]
    shape = tuple(-1 if axis == params.axis else 1 for axis in range(len(start.topology.shape(operator.weights))))
    source, output = start.activations[operator.input], start.activations[operator.output]
    bias_scale = np.float64(source.scale) * params.scale.astype(np.float64)
    return FakeQuantWeights(
        codes=start.codes[operator.weights],
        scale=params.scale,
        bias=(start.biases[operator.bias] * bias_scale).astype(np.float32),
        levels=ChannelLevels.of(start.levels[operator.weights], params.bits, shape),
        output_range=output.scale * (output.limits[1] - output.limits[0]),
        name=name,
    )
