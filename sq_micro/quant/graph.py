"""A network in integers: what the reference runs, what the C computes, what the TFLite twin holds."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.operators import (
    Add,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Mean,
    Operator,
    Relu,
    Requantize,
    Sigmoid,
    Softmax,
)
from sq_micro.ir.topology import Shape, Topology
from sq_micro.quant import arithmetic
from sq_micro.quant.arithmetic import Arithmetic
from sq_micro.quant.params import ActivationParams, Int8Array, Int32Array, WeightParams


@dataclass(frozen=True, slots=True)
class QuantGraph:
    """Topology and Bitwidths with integer constants.

    activations  params of every tensor that operators pass on
    weights      params of every weight tensor
    codes        weights as int8 (each width widened; zero point 0), shaped as in the topology
    biases       int32, scale in_scale · weight_scale
    levels       per weight tensor the `Levels` of each output channel, int8
    arithmetic   by operator name; operators without requantization have none
    """

    topology: Topology
    bitwidths: Bitwidths
    activations: Mapping[str, ActivationParams]
    weights: Mapping[str, WeightParams]
    codes: Mapping[str, Int8Array]
    biases: Mapping[str, Int32Array]
    levels: Mapping[str, Int8Array]
    arithmetic: Mapping[str, Arithmetic]
    input_shape: Shape

    def __post_init__(self) -> None:
        for field in ("activations", "weights", "codes", "biases", "levels", "arithmetic"):
            object.__setattr__(self, field, MappingProxyType(dict(getattr(self, field))))
        for arrays in (self.codes, self.biases, self.levels):
            for array in arrays.values():
                array.flags.writeable = False

    @property
    def input_params(self) -> ActivationParams:
        return self.activations[self.topology.input]

    @property
    def output_params(self) -> ActivationParams:
        return self.activations[self.topology.output]

    def quantize_input(self, real: NDArray[np.floating]) -> Int8Array:
        """Samples (n, *input_shape) of real values to codes (n, *NHWC shape without batch)."""
        nhwc = self.topology.shape(self.topology.input)[1:]
        return self.input_params.quantize(real).reshape(len(real), *nhwc)

    def digest(self) -> bytes:
        """SHA-256 over everything that decides the outputs and the packing: the model hash of the firmware."""
        state = hashlib.sha256()
        for operator in self.topology.operators:
            state.update(repr(operator).encode())
        for name, spec in self.topology.tensors.items():
            state.update(f"{name}{spec.shape}".encode())
        for name, params in self.activations.items():
            state.update(f"{name}{params.scale.hex()}{params.zero_point}".encode())
        for arrays in (self.codes, self.biases, self.levels):
            for name, array in sorted(arrays.items()):
                state.update(name.encode() + array.tobytes())
        for name, weight_params in sorted(self.weights.items()):
            state.update(name.encode() + weight_params.scale.tobytes() + bytes([weight_params.bits]))
        return state.digest()


def derive_arithmetic(
    operator: Operator,
    topology: Topology,
    activations: Mapping[str, ActivationParams],
    weights: Mapping[str, WeightParams],
) -> Arithmetic | None:
    """The fixed-point constants of one operator; None where the operator only moves or compares codes."""
    match operator:
        case Conv2D() | DepthwiseConv2D() | Dense():
            return arithmetic.channel_requantization(
                operator.name,
                activations[operator.input],
                weights[operator.weights].scale,
                activations[operator.output],
                operator.activation,
            )
        case Add():
            return arithmetic.addition(
                operator.name,
                activations[operator.left],
                activations[operator.right],
                activations[operator.output],
                operator.activation,
            )
        case Relu():
            source, output = activations[operator.input], activations[operator.output]
            return arithmetic.relu_rescaling(source, output, operator.activation)
        case Requantize():
            return arithmetic.requantize_rescaling(activations[operator.input], activations[operator.output])
        case Mean():
            height, width, _ = topology.image_shape(operator.input)
            source, output = activations[operator.input], activations[operator.output]
            return arithmetic.averaging(source, output, height * width)
        case Softmax():
            return arithmetic.softmax_scaling(operator.name, activations[operator.input])
        case Sigmoid():
            return arithmetic.sigmoid_scaling(activations[operator.input])
        case _:
            return None
