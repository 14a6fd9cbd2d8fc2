"""The order of the operators in which the tensors alive at once take least, where branches leave a choice.

Whatever has run so far is a *downset*: with an operator all that it depends on. What is alive after it follows from
the set, not from the order in it, so the best order is a shortest path through the downsets, the length of a path being
the most that is alive on it. An activation that is read for the last time by an operator of its own shape counts
once: such operators can write over their input.
"""

from __future__ import annotations

from dataclasses import replace

from sq_micro.ir.float_graph import FloatGraph
from sq_micro.ir.operators import Operator, Reshape, operator_inputs
from sq_micro.ir.topology import Topology

_DOWNSETS = 4_000  # beyond, the order stays as it is; a chain of n operators has n + 1


def order_operators(graph: FloatGraph) -> FloatGraph:
    """The same network in its leanest order; of equals the one nearest to the order that it had."""
    return replace(graph, topology=leanest_order(graph.topology))


def leanest_order(topology: Topology) -> Topology:
    """As `order_operators`, of a topology alone."""
    operators = topology.operators
    found = _Orders(topology).best()
    if found is None or found == tuple(range(len(operators))):
        return topology
    return replace(topology, operators=tuple(operators[index] for index in found))


class _Orders:
    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._operators = topology.operators
        writer = {operator.output: index for index, operator in enumerate(self._operators)}
        self._needs = [
            sum(1 << index for index in {writer[t] for t in operator_inputs(operator) if t in writer})
            for operator in self._operators
        ]
        self._readers: dict[str, int] = {}
        for index, operator in enumerate(self._operators):
            for tensor in operator_inputs(operator):
                self._readers[tensor] = self._readers.get(tensor, 0) | 1 << index

    def best(self) -> tuple[int, ...] | None:
        """Operators' positions in the best order; None where there are too many downsets to look at."""
        level: dict[int, tuple[int, tuple[int, ...]]] = {0: (0, ())}  # what has run: the peak so far, the order
        seen = 1
        for _ in self._operators:
            following: dict[int, tuple[int, tuple[int, ...]]] = {}
            for done, (peak, order) in level.items():
                for index, needs in enumerate(self._needs):
                    if done >> index & 1 or needs & ~done:
                        continue
                    after = done | 1 << index
                    candidate = (max(peak, self._taken(done, index)), (*order, index))
                    following[after] = min(candidate, following.get(after, candidate))
            level = following
            seen += len(level)
            if seen > _DOWNSETS:
                return None
        return next(iter(level.values()))[1]

    def _taken(self, done: int, index: int) -> int:
        """Bytes alive while an operator runs, after those in `done`."""
        operator = self._operators[index]
        after = done | 1 << index
        alive = [tensor for tensor in self._written(done) if self._is_wanted(tensor, done)]
        ending = [tensor for tensor in operator_inputs(operator) if not self._is_wanted(tensor, after)]
        in_place = any(self._shares(operator, tensor) for tensor in ending)
        own = 0 if in_place else self._topology.elements(operator.output)
        return sum(self._topology.elements(tensor) for tensor in alive) + own

    def _written(self, done: int) -> list[str]:
        written = [op.output for index, op in enumerate(self._operators) if done >> index & 1]
        return [self._topology.input, *written]

    def _is_wanted(self, tensor: str, done: int) -> bool:
        """Whether something reads it that has not run; the output is read after all."""
        return tensor == self._topology.output or bool(self._readers.get(tensor, 0) & ~done)

    def _shares(self, operator: Operator, tensor: str) -> bool:
        same = self._topology.elements(tensor) == self._topology.elements(operator.output)
        return isinstance(operator, Reshape) or same
