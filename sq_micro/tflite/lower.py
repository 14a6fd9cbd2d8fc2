"""QuantGraph → the TFLite operators that compute the same integers.

What TFLite has no single operator for is written as two: padding that is neither SAME nor VALID as a PAD
before, a clamp that no fused activation gives as MAXIMUM and MINIMUM after. So are the ends of 4-bit codes, which in
TFLite are int8 codes that stay within 0 and 15.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

import numpy as np

from sq_micro.errors import GraphError
from sq_micro.ir.operators import (
    NONE,
    RELU,
    RELU6,
    ActivationFunction,
    Add,
    AveragePool2D,
    ChannelAffine,
    Concatenate,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Identity,
    MaxPool2D,
    Mean,
    Operator,
    Pad,
    Pad2D,
    Relu,
    Requantize,
    Reshape,
    Sigmoid,
    Size,
    Softmax,
    WeightedOperator,
    kind,
)
from sq_micro.ir.patches import places_seen
from sq_micro.ir.topology import Shape
from sq_micro.quant.arithmetic import Addition, ChannelRequantization, Rescaling, activation_limits
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.params import ACTIVATION_MAXIMUM, ACTIVATION_MINIMUM
from sq_micro.tflite.model import Constant, Model, Operation, Quantization, Tensor

# Numbers of TFLite's schema, in the enums Padding and ActivationFunctionType.
_SAME, _VALID = 0, 1
_FUSED: tuple[tuple[int, ActivationFunction], ...] = (
    (0, NONE),
    (1, RELU),
    (3, RELU6),
    (2, ActivationFunction(-1.0, 1.0)),  # RELU_N1_TO_1
)
_CONCATENATION_INPUTS = 10  # TFLite Micro's kMaxInputNum


def lower(graph: QuantGraph) -> Model:
    """Raises GraphError iff the graph holds what TFLite cannot compute: an average pool with padding of its own."""
    return _Lowering(graph).run()


def padding_scheme(image: Size, output: Size, window: Size, stride: Size, dilation: Size, padding: Pad) -> int | None:
    """TFLite's number for SAME or VALID where it gives these pads and this output size; None otherwise."""
    if not padding:
        return _VALID
    for axis, before in ((0, padding.top), (1, padding.left)):
        seen = places_seen(output[axis], window[axis], stride[axis], dilation[axis])
        total = max(0, seen - image[axis])
        if output[axis] != -(-image[axis] // stride[axis]) or before != total // 2:
            return None
    return _SAME


class _Lowering:
    def __init__(self, graph: QuantGraph) -> None:
        self._graph = graph
        self._topology = graph.topology
        self._model = Model(graph.topology.name, graph.topology.input, graph.topology.output)

    def run(self) -> Model:
        self._activation(self._topology.input)
        for operator in self._topology.operators:
            self._activation(operator.output)
            self._lower(operator)
        return self._model

    def _lower(self, operator: Operator) -> None:
        match operator:
            case Conv2D() | DepthwiseConv2D():
                self._convolution(operator)
            case Dense():
                self._weighted("FULLY_CONNECTED", operator, operator.input, "FullyConnectedOptions", {})
            case Add():
                self._clamped("ADD", (operator.left, operator.right), operator, "AddOptions", {})
            case Concatenate():
                self._concatenation(operator)
            case Pad2D():
                self._emit("PAD", (operator.input, self._pads(operator.name, operator.padding)), operator.output)
            case MaxPool2D() | AveragePool2D():
                self._pool(operator)
            case Mean():
                axes = self._integers(f"{operator.name}/axes", (1, 2))
                self._emit("MEAN", (operator.input, axes), operator.output, "ReducerOptions", {"KeepDims": False})
            case Reshape():
                shape = self._integers(f"{operator.name}/shape", self._topology.shape(operator.output))
                self._emit("RESHAPE", (operator.input, shape), operator.output)
            case Relu():
                self._relu(operator)
            case Requantize():
                self._emit("QUANTIZE", (operator.input,), operator.output)  # its output always has 8 bits
            case Softmax():
                self._emit("SOFTMAX", (operator.input,), operator.output, "SoftmaxOptions", {"Beta": 1.0})
            case Sigmoid():
                self._emit("LOGISTIC", (operator.input,), operator.output)
            case ChannelAffine() | Identity():
                raise GraphError(operator.name, f"no {kind(operator)} remains after canonicalisation")
            case _:
                assert_never(operator)

    def _convolution(self, operator: Conv2D | DepthwiseConv2D) -> None:
        _, *window, _ = self._topology.shape(operator.weights)
        size = (window[0], window[1])
        source, scheme = self._padded(operator, size, operator.dilation)
        options: dict[str, int | float | bool] = {
            "Padding": scheme,
            "StrideH": operator.stride[0],
            "StrideW": operator.stride[1],
            "DilationHFactor": operator.dilation[0],
            "DilationWFactor": operator.dilation[1],
        }
        if isinstance(operator, Conv2D):
            self._weighted("CONV_2D", operator, source, "Conv2DOptions", options)
            return
        options["DepthMultiplier"] = operator.depth_multiplier
        self._weighted("DEPTHWISE_CONV_2D", operator, source, "DepthwiseConv2DOptions", options)

    def _pool(self, operator: MaxPool2D | AveragePool2D) -> None:
        source, scheme = self._padded(operator, operator.window, (1, 1))
        options: dict[str, int | float | bool] = {
            "Padding": scheme,
            "StrideH": operator.stride[0],
            "StrideW": operator.stride[1],
            "FilterHeight": operator.window[0],
            "FilterWidth": operator.window[1],
        }
        code = "MAX_POOL_2D" if isinstance(operator, MaxPool2D) else "AVERAGE_POOL_2D"
        self._emit(code, (source,), operator.output, "Pool2DOptions", options)

    def _padded(
        self, operator: Conv2D | DepthwiseConv2D | MaxPool2D | AveragePool2D, window: Size, dilation: Size
    ) -> tuple[str, int]:
        """(the tensor to read, TFLite's padding): the operator's input, or the output of a PAD before it."""
        height, width, channels = self._topology.image_shape(operator.input)
        output_height, output_width, _ = self._topology.image_shape(operator.output)
        pad = operator.padding
        scheme = padding_scheme((height, width), (output_height, output_width), window, operator.stride, dilation, pad)
        if scheme is not None:
            return operator.input, scheme
        if isinstance(operator, AveragePool2D):
            raise GraphError(operator.name, "an average pool pads as SAME or VALID")
        padded = f"{operator.name}/padded"
        shape = (1, pad.top + height + pad.bottom, pad.left + width + pad.right, channels)
        self._activation_like(operator.input, padded, shape)
        inputs = (operator.input, self._pads(operator.name, pad))
        if isinstance(operator, MaxPool2D):  # padding must not win, not even against negative values
            lowest = self._code(f"{operator.name}/lowest", ACTIVATION_MINIMUM, operator.input)
            self._emit("PADV2", (*inputs, lowest), padded)
        else:
            self._emit("PAD", inputs, padded)
        return padded, _VALID

    def _weighted(
        self,
        code: str,
        operator: WeightedOperator,
        source: str,
        table: str,
        options: Mapping[str, int | float | bool],
    ) -> None:
        params = self._graph.weights[operator.weights]
        scale = tuple(float(value) for value in params.scale)
        zeros = (0,) * len(scale)
        self._constant(operator.weights, self._graph.codes[operator.weights], Quantization(scale, zeros, params.axis))
        source_scale = self._graph.activations[operator.input].scale
        bias_scale = tuple(source_scale * value for value in scale)
        self._constant(operator.bias, self._graph.biases[operator.bias], Quantization(bias_scale, zeros))
        self._clamped(code, (source, operator.weights, operator.bias), operator, table, options)

    def _clamped(
        self,
        code: str,
        inputs: tuple[str, ...],
        operator: WeightedOperator | Add,
        table: str,
        options: Mapping[str, int | float | bool],
    ) -> None:
        """An operator with a fused activation, and what of its clamp the activation does not give after it."""
        arithmetic = self._graph.arithmetic[operator.name]
        assert isinstance(arithmetic, ChannelRequantization | Addition)
        wanted = (arithmetic.minimum, arithmetic.maximum)
        params = replace(self._graph.activations[operator.output], bits=8)  # as TFLite, which knows no other
        for number, activation in _FUSED:
            if activation_limits(activation, params) == wanted:
                fused = {**options, "FusedActivationFunction": number}
                self._emit(code, inputs, operator.output, table, fused)
                return
        unclamped = self._like(operator.output, f"{operator.name}/unclamped")
        self._emit(code, inputs, unclamped, table, {**options, "FusedActivationFunction": 0})
        self._clamp(operator.name, unclamped, operator.output, *wanted)

    def _clamp(self, name: str, source: str, output: str, minimum: int, maximum: int) -> None:
        steps = []
        if minimum > ACTIVATION_MINIMUM:
            steps.append(("MAXIMUM", minimum))
        if maximum < ACTIVATION_MAXIMUM or not steps:  # at least one, since something must write the output
            steps.append(("MINIMUM", maximum))
        for position, (code, bound) in enumerate(steps):
            last = position == len(steps) - 1
            target = output if last else self._like(output, f"{name}/{code.lower()}")
            self._emit(
                code,
                (source, self._code(f"{name}/{code.lower()}_bound", bound, output)),
                target,
                "MaximumMinimumOptions",
                {},
            )
            source = target

    def _relu(self, operator: Relu) -> None:
        arithmetic = self._graph.arithmetic[operator.name]
        assert isinstance(arithmetic, Rescaling)
        code = "RELU" if operator.activation.minimum == 0 else "QUANTIZE"
        lower = ACTIVATION_MINIMUM if code == "RELU" else arithmetic.minimum  # RELU does its own
        if lower == ACTIVATION_MINIMUM and arithmetic.maximum == ACTIVATION_MAXIMUM:
            self._emit(code, (operator.input,), operator.output)
            return
        unclamped = self._like(operator.output, f"{operator.name}/unclamped")
        self._emit(code, (operator.input,), unclamped)
        self._clamp(operator.name, unclamped, operator.output, lower, arithmetic.maximum)

    def _concatenation(self, operator: Concatenate) -> None:
        """In groups where there are more inputs than TFLite Micro takes."""
        inputs = list(operator.inputs)
        options = {"Axis": operator.axis, "FusedActivationFunction": 0}
        while len(inputs) > _CONCATENATION_INPUTS:
            group, inputs = inputs[:_CONCATENATION_INPUTS], inputs[_CONCATENATION_INPUTS:]
            shape = list(self._model.tensors[group[0]].shape)
            shape[operator.axis] = sum(self._model.tensors[name].shape[operator.axis] for name in group)
            joined = f"{operator.name}/joined_{len(inputs)}"
            self._activation_like(operator.output, joined, tuple(shape))
            self._emit("CONCATENATION", tuple(group), joined, "ConcatenationOptions", options)
            inputs.insert(0, joined)
        self._emit("CONCATENATION", tuple(inputs), operator.output, "ConcatenationOptions", options)

    def _emit(
        self,
        code: str,
        inputs: tuple[str, ...],
        output: str,
        table: str | None = None,
        options: Mapping[str, int | float | bool] | None = None,
    ) -> None:
        self._model.operations.append(Operation(code, inputs, output, table, options or {}))

    def _activation(self, tensor: str) -> None:
        self._activation_like(tensor, tensor, self._topology.shape(tensor))

    def _like(self, tensor: str, name: str) -> str:
        self._activation_like(tensor, name, self._topology.shape(tensor))
        return name

    def _activation_like(self, tensor: str, name: str, shape: Shape) -> None:
        """A tensor with the scale and zero point of another."""
        params = self._graph.activations[tensor]
        self._model.tensors[name] = Tensor(name, shape, Quantization((params.scale,), (params.zero_point,)))

    def _constant(self, name: str, content: Constant, quantization: Quantization | None) -> None:
        kind = "INT32" if content.dtype == np.int32 else "INT8"
        self._model.tensors[name] = Tensor(name, content.shape, quantization, content, kind)

    def _integers(self, name: str, numbers: tuple[int, ...]) -> str:
        self._constant(name, np.array(numbers, np.int32), None)
        return name

    def _pads(self, operator: str, pad: Pad) -> str:
        name = f"{operator}/pads"
        self._constant(name, np.array([[0, 0], [pad.top, pad.bottom], [pad.left, pad.right], [0, 0]], np.int32), None)
        return name

    def _code(self, name: str, code: int, like: str) -> str:
        """A constant of one code, with the scale and zero point of a tensor."""
        params = self._graph.activations[like]
        self._constant(name, np.array([code], np.int8), Quantization((params.scale,), (params.zero_point,)))
        return name
