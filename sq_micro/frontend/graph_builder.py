"""Grows a FloatGraph operator by operator while the Keras layers are walked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sq_micro.errors import ModelError
from sq_micro.ir.float_graph import Float32Array, FloatGraph
from sq_micro.ir.operators import Operator
from sq_micro.ir.topology import Role, Shape, TensorSpec, Topology

MAX_RANK = 3  # height, width, channels


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor of the graph under the shape that Keras gives it, without batch."""

    tensor: str
    shape: Shape

    @property
    def nhwc(self) -> Shape:
        return nhwc_shape(self.shape)

    @property
    def channels(self) -> int:
        return self.shape[-1]


def nhwc_shape(shape: Shape) -> Shape:
    """Where a Keras shape without batch lies in NHWC; the elements keep their order.

    >>> nhwc_shape((10,)), nhwc_shape((16, 4)), nhwc_shape((8, 8, 3))
    ((1, 10), (1, 1, 16, 4), (1, 8, 8, 3))
    """
    return (1, 1, *shape) if len(shape) == 2 else (1, *shape)


class GraphBuilder:
    """Deals unique names, keeps constants once, and collects operators in execution order.

    An operator's output tensor has the operator's name. Constants have names with a slash, so neither
    kind of name can take the other's.
    """

    def __init__(self, reserved: Iterable[str]) -> None:
        """reserved: names that `unique_name` leaves to those who claim them, such as the layers' own."""
        self._names = set(reserved)
        self._tensors: dict[str, TensorSpec] = {}
        self._operators: list[Operator] = []
        self._constants: dict[str, Float32Array] = {}

    def unique_name(self, wanted: str) -> str:
        """`wanted`, or the first of `wanted_1`, `wanted_2`, … that no one has."""
        name, count = wanted, 0
        while name in self._names:
            count += 1
            name = f"{wanted}_{count}"
        self._names.add(name)
        return name

    def input(self, name: str, shape: Shape) -> Value:
        """Declare the graph's input; shape as Keras has it, without batch."""
        self._tensors[name] = TensorSpec(name, nhwc_shape(shape), Role.INPUT)
        return Value(name, shape)

    def constant(self, name: str, array: NDArray[np.floating], role: Role) -> str:
        """Keep an array as float32 under `<layer>/<what>`, once for all operators that name it.

        Raises ModelError naming the layer iff a value is NaN or infinite in float32.
        """
        with np.errstate(over="ignore"):
            values = np.asarray(array, np.float32)
        if not np.isfinite(values).all():
            layer, _, what = name.rpartition("/")
            raise ModelError(f"layer '{layer}': its {what} comes to NaN or infinity; train the model again")
        self._tensors[name] = TensorSpec(name, values.shape, role)
        self._constants[name] = values
        return name

    def add(self, operator: Operator, shape: Shape) -> Value:
        """Append an operator whose output has a Keras shape without batch, of rank 1 to 3."""
        self._tensors[operator.output] = TensorSpec(operator.output, nhwc_shape(shape), Role.ACTIVATION)
        self._operators.append(operator)
        return Value(operator.output, shape)

    def build(self, name: str, source: Value, result: Value) -> FloatGraph:
        """The graph from `source` to `result`. Raises ModelError iff no operator lies between them."""
        if source.tensor == result.tensor:
            raise ModelError(f"model '{name}' computes nothing: its output is its input")
        self._tensors[result.tensor] = replace(self._tensors[result.tensor], role=Role.OUTPUT)
        topology = Topology(name, self._tensors, tuple(self._operators), source.tensor, result.tensor)
        return FloatGraph(topology, self._constants, source.shape)
