"""A graph under change: what a pass works on between two FloatGraphs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sq_micro.errors import ModelError
from sq_micro.ir.float_graph import Float32Array, FloatGraph
from sq_micro.ir.operators import Add, Concatenate, Operator, operator_constants, operator_inputs
from sq_micro.ir.topology import Role, Shape, TensorSpec


class Draft:
    """Operators in execution order, to be replaced and bypassed; `finish` sweeps up what nothing reads any more."""

    def __init__(self, graph: FloatGraph) -> None:
        self._graph = graph
        self._tensors = dict(graph.topology.tensors)
        self._constants: dict[str, Float32Array] = dict(graph.constants)
        self._output = graph.topology.output
        self.operators = list(graph.topology.operators)

    def shape(self, tensor: str) -> Shape:
        return self._tensors[tensor].shape

    def constant(self, name: str) -> NDArray[np.float64]:
        """A constant in float64, for sums that are rounded once."""
        return self._constants[name].astype(np.float64)

    def producer(self, tensor: str) -> Operator | None:
        """The operator that writes a tensor; None for the graph's input."""
        return next((op for op in self.operators if op.output == tensor), None)

    def readers(self, tensor: str) -> list[Operator]:
        """The operators that read a tensor, one that reads it twice twice."""
        return [op for op in self.operators for name in operator_inputs(op) if name == tensor]

    def is_output(self, tensor: str) -> bool:
        return tensor == self._output

    def sole_reader(self, tensor: str) -> Operator | None:
        """The operator that alone reads a tensor, once; None if there are more, or the graph's caller reads it too."""
        readers = self.readers(tensor)
        return readers[0] if len(readers) == 1 and not self.is_output(tensor) else None

    def replace(self, operator: Operator, *others: Operator) -> None:
        """Put other operators in an operator's place."""
        position = self.operators.index(operator)
        self.operators[position : position + 1] = others

    def bypass(self, operator: Operator, tensor: str) -> None:
        """Remove an operator; who read its output reads `tensor` instead."""
        self.operators.remove(operator)
        self.operators = [_rewired(op, operator.output, tensor) for op in self.operators]
        if self.is_output(operator.output):
            self._output = tensor

    def add_tensor(self, wanted: str, shape: Shape) -> str:
        """Declare an activation under a new name, `wanted` if it is free."""
        return self._declare(wanted, shape, Role.ACTIVATION)

    def add_constant(self, wanted: str, array: NDArray[np.floating], role: Role) -> str:
        """Keep an array as float32 under a new name, `wanted` if it is free."""
        name = self._declare(wanted, array.shape, role)
        self._constants[name] = array.astype(np.float32)
        return name

    def replacement(self, name: str, array: NDArray[np.floating], owner: str) -> str:
        """The name of a constant that takes another's place for the operator `owner`.

        The old constant is overwritten if only `owner` reads it; shared, it stays as it is for the others.
        """
        shared = any(name in operator_constants(op) for op in self.operators if op.name != owner)
        if shared:
            return self.add_constant(f"{owner}/{name.rpartition('/')[2]}", array, self._tensors[name].role)
        self._constants[name] = array.astype(np.float32)
        return name

    def finish(self) -> FloatGraph:
        """The graph, without dead operators, tensors and constants. Raises ModelError iff no operator is left."""
        topology = self._graph.topology
        live, kept = {self._output}, []
        for operator in reversed(self.operators):
            if operator.output in live:
                kept.append(operator)
                live |= {*operator_inputs(operator), *operator_constants(operator)}
        if not kept:
            raise ModelError(f"model '{topology.name}' computes nothing: its output is its input")
        live.add(topology.input)
        tensors = {name: replace(spec, role=self._role(spec)) for name, spec in self._tensors.items() if name in live}
        constants = {name: array for name, array in self._constants.items() if name in live}
        changed = replace(topology, tensors=tensors, operators=tuple(reversed(kept)), output=self._output)
        return replace(self._graph, topology=changed, constants=constants)

    def _declare(self, wanted: str, shape: Shape, role: Role) -> str:
        names = {*self._tensors, *(op.name for op in self.operators)}
        name, count = wanted, 0
        while name in names:
            count += 1
            name = f"{wanted}_{count}"
        self._tensors[name] = TensorSpec(name, shape, role)
        return name

    def _role(self, spec: TensorSpec) -> Role:
        if spec.role not in (Role.ACTIVATION, Role.OUTPUT):
            return spec.role
        return Role.OUTPUT if self.is_output(spec.name) else Role.ACTIVATION


def _rewired(operator: Operator, old: str, new: str) -> Operator:
    if old not in operator_inputs(operator):
        return operator
    match operator:
        case Add():
            return replace(
                operator,
                left=new if operator.left == old else operator.left,
                right=new if operator.right == old else operator.right,
            )
        case Concatenate():
            return replace(operator, inputs=tuple(new if name == old else name for name in operator.inputs))
        case _:
            return replace(operator, input=new)
