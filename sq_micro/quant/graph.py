"""A network in integers: what the reference runs, what the C computes, what the TFLite twin holds."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

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
        for arrays in self._constants():
            for array in arrays.values():
                array.flags.writeable = False

    def _constants(self) -> tuple[Mapping[str, NDArray[np.signedinteger[Any]]], ...]:
        return (self.codes, self.biases, self.levels)

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

        def see(*facts: object) -> None:
            state.update(repr(facts).encode())

        def see_array(name: str, array: NDArray[Any]) -> None:
            see(name, array.shape, array.dtype.str)
            state.update(np.ascontiguousarray(array).tobytes())

        see(self.topology.operators, self.topology.input, self.topology.output, self.input_shape)
        see(sorted((name, spec.shape) for name, spec in self.topology.tensors.items()))
        see(sorted(self.bitwidths.weights.items()))
        see(sorted((name, params.scale.hex(), params.zero_point) for name, params in self.activations.items()))
        if self.bitwidths.activations:
            see(sorted(self.bitwidths.activations.items()))
        for arrays in self._constants():
            see(len(arrays))
            for name, array in sorted(arrays.items()):
                see_array(name, array)
        for name, weight_params in sorted(self.weights.items()):
            see(weight_params.bits, weight_params.axis)
            see_array(name, weight_params.scale)
        for name, derived in sorted(self.arithmetic.items()):
            see(name, type(derived).__name__)
            for field in fields(derived):
                see_array(field.name, np.asarray(getattr(derived, field.name)))
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
