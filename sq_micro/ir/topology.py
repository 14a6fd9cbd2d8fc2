"""A network without its numbers: tensors, operators in execution order, geometry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from math import prod
from types import MappingProxyType
from typing import assert_never

from sq_micro.ir.operators import (
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
    Pad2D,
    Relu,
    Requantize,
    Reshape,
    Sigmoid,
    Softmax,
    WeightedOperator,
    operator_inputs,
)

Shape = tuple[int, ...]


class Role(Enum):
    """What a tensor is for."""

    INPUT = "input"
    ACTIVATION = "activation"
    OUTPUT = "output"
    WEIGHTS = "weights"
    BIAS = "bias"
    CONSTANT = "constant"


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """A tensor's name, shape (NHWC, batch 1) and role."""

    name: str
    shape: Shape
    role: Role

    @property
    def elements(self) -> int:
        return prod(self.shape)

    def __str__(self) -> str:
        return f"{self.name} {'x'.join(map(str, self.shape[1:] if len(self.shape) > 1 else self.shape))}"


@dataclass(frozen=True, slots=True)
class Topology:
    """Tensors by name, operators in execution order, one input and one output."""

    name: str
    tensors: Mapping[str, TensorSpec]
    operators: tuple[Operator, ...]
    input: str
    output: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "tensors", MappingProxyType(dict(self.tensors)))

    def __hash__(self) -> int:
        """Of what tells networks apart; a mapping has no hash, and equality looks at the tensors too."""
        return hash((self.name, self.operators, self.input, self.output))

    def shape(self, tensor: str) -> Shape:
        return self.tensors[tensor].shape

    def elements(self, tensor: str) -> int:
        return self.tensors[tensor].elements

    def producer(self, tensor: str) -> Operator | None:
        """The operator that writes a tensor; None for the input and for constants."""
        return next((op for op in self.operators if op.output == tensor), None)

    def consumers(self, tensor: str) -> tuple[Operator, ...]:
        return tuple(op for op in self.operators if tensor in operator_inputs(op))

    def weighted(self) -> Iterator[WeightedOperator]:
        """The operators that have weights, in execution order."""
        return (op for op in self.operators if isinstance(op, Conv2D | DepthwiseConv2D | Dense))

    def image_shape(self, tensor: str) -> tuple[int, int, int]:
        """(height, width, channels) of a tensor; a vector is one pixel."""
        shape = self.shape(tensor)
        return (shape[1], shape[2], shape[3]) if len(shape) == 4 else (1, 1, shape[-1])


def total_macs(topology: Topology) -> int:
    """Multiply-accumulates of a whole inference."""
    return sum(macs(operator, topology) for operator in topology.operators)


def macs(operator: Operator, topology: Topology) -> int:
    """Multiply-accumulates of one inference; products with padding count, as is the custom."""
    match operator:
        case Conv2D() | DepthwiseConv2D():
            height, width, _ = topology.image_shape(operator.output)
            return topology.elements(operator.weights) * height * width
        case Dense():
            return topology.elements(operator.weights)
        case (
            Add()
            | Concatenate()
            | Pad2D()
            | MaxPool2D()
            | AveragePool2D()
            | Mean()
            | Reshape()
            | Relu()
            | Softmax()
            | Sigmoid()
            | ChannelAffine()
            | Identity()
            | Requantize()
        ):
            return 0
        case _:
            assert_never(operator)
