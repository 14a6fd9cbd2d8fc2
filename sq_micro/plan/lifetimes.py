"""When a buffer is in use: from the operator that writes it to the last that reads it.

A Reshape moves nothing: its input and output are one buffer.
"""

from __future__ import annotations

from dataclasses import dataclass

from sq_micro.ir.bitwidths import Bitwidths, stored_bytes
from sq_micro.ir.operators import Reshape, operator_inputs
from sq_micro.ir.topology import Topology


@dataclass(frozen=True, slots=True)
class Buffer:
    """`size_bytes` needed from operator `first` to operator `last`, both included.

    tensors  the tensors that live in it; empty for an operator's scratch
    """

    name: str
    size_bytes: int
    first: int
    last: int
    tensors: tuple[str, ...] = ()

    def overlaps(self, other: Buffer) -> bool:
        """Whether both are in use at the same time."""
        return self.first <= other.last and other.first <= self.last


def live_buffers(
    topology: Topology, scratch_bytes: dict[str, int], bitwidths: Bitwidths | None = None
) -> tuple[Buffer, ...]:
    """One buffer per stored tensor and per operator with scratch; without bitwidths activations have 8 bits.

    The input is in use from operator 0; the output until the last operator, since it is read afterwards.
    """
    owner: dict[str, str] = {topology.input: topology.input}
    members: dict[str, list[str]] = {topology.input: [topology.input]}
    first: dict[str, int] = {topology.input: 0}
    last: dict[str, int] = {topology.input: 0}
    for index, operator in enumerate(topology.operators):
        for tensor in operator_inputs(operator):
            last[owner[tensor]] = index
        if isinstance(operator, Reshape):
            owner[operator.output] = owner[operator.input]
            members[owner[operator.input]].append(operator.output)
        else:
            owner[operator.output] = operator.output
            members[operator.output] = [operator.output]
            first[operator.output] = last[operator.output] = index
    last[owner[topology.output]] = len(topology.operators) - 1
    widths = bitwidths or Bitwidths({})
    tensors = tuple(
        Buffer(
            name,
            stored_bytes(topology.elements(name), widths.activation(name)),
            first[name],
            max(last[name], first[name]),
            tuple(members[name]),
        )
        for name in members
    )
    scratch = tuple(
        Buffer(scratch_name(operator.name), scratch_bytes[operator.name], index, index)
        for index, operator in enumerate(topology.operators)
        if scratch_bytes.get(operator.name, 0) > 0
    )
    return tensors + scratch


def scratch_name(operator: str) -> str:
    """The name of the buffer of an operator's scratch."""
    return f"{operator} (scratch)"


def live_bytes(buffers: tuple[Buffer, ...], index: int) -> int:
    """Bytes in use while operator `index` runs: a lower bound for any arena."""
    return sum(buffer.size_bytes for buffer in buffers if buffer.first <= index <= buffer.last)
