"""One operator of a .tflite model on its way into the graph, and what all of them add to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from sq_micro.errors import ModelError, UnsupportedOperatorError
from sq_micro.frontend.graph_builder import MAX_RANK, GraphBuilder, Value
from sq_micro.ir.given import GivenWeights
from sq_micro.ir.operators import NONE, RELU, RELU6, ActivationFunction, Operator, Relu
from sq_micro.ir.topology import Shape
from sq_micro.tflite.importing.names import operator_name
from sq_micro.tflite.model import Constant, Model, Operation, Tensor

Params = tuple[float, int]  # scale and zero point of an int8 activation

# TFLite's ActivationFunctionType.
_FUSED: dict[int, ActivationFunction] = {0: NONE, 1: RELU, 2: ActivationFunction(-1.0, 1.0), 3: RELU6}
_ENDS = ("FLOAT32", "UINT8")  # what the input and the output of an int8 model may be instead


@dataclass(slots=True)
class Importing:
    """The model and what was made of it so far.

    integers  whether activations are int8
    values    tensors of the file under their names there: the graph's tensor, and its shape without batch
    params    by tensor of the graph, where activations are int8
    """

    model: Model
    builder: GraphBuilder = field(default_factory=lambda: GraphBuilder(()))
    values: dict[str, Value] = field(default_factory=dict)
    params: dict[str, Params] = field(default_factory=dict)
    weights: dict[str, GivenWeights] = field(default_factory=dict)

    @property
    def integers(self) -> bool:
        return any(tensor.type == "INT8" and tensor.constant is None for tensor in self.model.tensors.values())

    def call(self, index: int, operation: Operation) -> Call:
        return Call(self, index, operation)


@dataclass(frozen=True, slots=True)
class Call:
    """An operator of the file; its handler reads inputs and options here and adds operators of ours."""

    state: Importing
    index: int
    operation: Operation

    @property
    def builder(self) -> GraphBuilder:
        return self.state.builder

    @property
    def output(self) -> Tensor:
        return self.state.model.tensors[self.operation.output]

    def fail(self, configuration: str, supported: str) -> NoReturn:
        """Raises UnsupportedOperatorError with this operator's place in the file."""
        raise UnsupportedOperatorError(self.index, self.operation.code, self.operation.output, configuration, supported)

    def require(self, holds: bool, configuration: str, supported: str) -> None:
        if not holds:
            self.fail(configuration, supported)

    def damaged(self, problem: str) -> NoReturn:
        raise ModelError(f"{self.state.model.name}: operator {self.index}, {self.operation.code}: {problem}")

    def name(self, *constants: str) -> str:
        """A new name for an operator of ours, from those of the tensors; `constants` are asked first."""
        tensors = (*constants, self.operation.output)
        return self.builder.unique_name(operator_name(self.operation.code, tensors))

    def tensor(self, position: int) -> Tensor | None:
        """The input at a position; None where it is left out."""
        inputs = self.operation.inputs
        return self.state.model.tensors[inputs[position]] if position < len(inputs) and inputs[position] else None

    def needed(self, position: int) -> Tensor:
        tensor = self.tensor(position)
        if tensor is None:
            self.damaged(f"input {position} is left out")
        return tensor

    def value(self, position: int = 0) -> Value:
        """An activation that an operator before this one wrote."""
        tensor = self.needed(position)
        if tensor.constant is not None:
            self.fail(f"a constant as input {position}", "an activation there")
        if tensor.name not in self.state.values:
            self.damaged(f"input {position}, '{tensor.name}', is written by no operator before it")
        expected = "INT8" if self.state.integers else "FLOAT32"
        self.require(tensor.type == expected, f"an activation of {tensor.type}", "float32 or int8 throughout")
        return self.state.values[tensor.name]

    def image(self, position: int = 0) -> Value:
        """An activation with height, width and channels."""
        value = self.value(position)
        self.require(len(value.shape) == 3, f"a tensor of shape {value.shape}", "(height, width, channels)")
        return value

    def constant(self, position: int, *types: str) -> Constant:
        tensor = self.needed(position)
        if tensor.constant is None:
            self.fail(f"input {position}, '{tensor.name}', as {tensor.type} that is no constant", f"{', '.join(types)}")
        self.require(tensor.type in types, f"input {position} of type {tensor.type}", " or ".join(types))
        return tensor.constant

    def whole_numbers(self, position: int) -> NDArray[np.int64]:
        return self.constant(position, "INT32", "INT64").astype(np.int64)

    def option(self, name: str, default: int = 0) -> Any:
        return self.operation.options.get(name, default)

    def positive(self, *names: str) -> tuple[int, ...]:
        """Options that count pixels."""
        found = tuple(int(self.option(name, 1)) for name in names)
        if min(found) < 1:
            self.damaged(f"{', '.join(names)} are {found}; positive numbers are needed")
        return found

    def fused(self) -> ActivationFunction:
        number = self.option("FusedActivationFunction")
        self.require(number in _FUSED, f"fused activation {number}", "RELU, RELU6, RELU_N1_TO_1")
        return _FUSED[number]

    def params(self, tensor: Tensor | None = None) -> Params:
        """Scale and zero point of an int8 tensor; of the output without an argument."""
        tensor = tensor or self.output
        found = tensor.quantization
        self.require(tensor.type == "INT8", f"'{tensor.name}' of type {tensor.type}", "int8 activations")
        if found is None or len(found.scale) != 1 or len(found.zero_point) != 1:
            self.fail(f"'{tensor.name}' without one scale and one zero point", "int8 with one of each")
        scale, zero_point = found.scale[0], found.zero_point[0]
        if not (np.isfinite(scale) and scale > 0 and -128 <= zero_point <= 127):
            self.damaged(f"'{tensor.name}' has scale {scale:g} and zero point {zero_point}")
        return scale, zero_point

    def require_same_params(self, *values: Value) -> None:
        """For operators that move codes: TFLite Micro takes no notice of scales there, so they must agree."""
        if self.state.integers:
            same = all(self.state.params[value.tensor] == self.params() for value in values)
            self.require(same, "a change of scale or zero point", "equal ones on both sides; a QUANTIZE changes them")

    def out_shape(self) -> Shape:
        """The output's shape without batch, as the file has it."""
        shape = self.output.shape
        fits = 2 <= len(shape) <= MAX_RANK + 1 and shape[0] == 1 and min(shape) >= 1
        self.require(fits, f"an output of shape {shape}", f"a batch of 1 and 1 to {MAX_RANK} further axes")
        return shape[1:]

    def add(self, operator: Operator, shape: Shape, params: Params | None = None) -> Value:
        """Append an operator; params as those of the output, unless given."""
        value = self.builder.add(operator, shape)
        if self.state.integers:
            self.state.params[value.tensor] = params or self.params()
        return value

    def finish(self, value: Value) -> None:
        """Let `value` be what the operator writes."""
        if value.shape != self.out_shape():
            self.damaged(f"its output is {value.shape}; the file says {self.out_shape()}")
        self.state.values[self.operation.output] = value

    def clamped(self, value: Value, activation: ActivationFunction) -> Value:
        """An activation function as an operator of its own, where one of ours cannot hold it."""
        if not activation:
            return value
        name = self.builder.unique_name(f"{value.tensor}_relu")
        return self.add(Relu(name, value.tensor, name, activation), value.shape)


def is_end(kind: str) -> bool:
    """Whether a tensor type may stand outside of the QUANTIZE and DEQUANTIZE of an int8 model."""
    return kind in _ENDS
