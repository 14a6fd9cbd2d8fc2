"""Which activations may have 4 bits at rest.

Those between operators that unpack what they read and pack what they write. The network's input and output have 8 bits,
as have what a Softmax or a Sigmoid reads and writes, and a mean, whose few codes decide most. An average pool shares
its scale with its input, so that 16 codes would have to hold averages of numbers that 16 codes hold: both have 8.
"""

from __future__ import annotations

from sq_micro.ir.operators import (
    Add,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    MaxPool2D,
    Mean,
    Operator,
    Relu,
    Reshape,
)
from sq_micro.ir.topology import Topology
from sq_micro.quant.sharing import shared_groups


def narrowable(topology: Topology) -> dict[str, tuple[str, ...]]:
    """By the name of each operator whose output may have 4 bits: all tensors that share its scale, and so its bits."""
    members: dict[str, list[str]] = {}
    for tensor, name in shared_groups(topology).items():
        members.setdefault(name, []).append(tensor)
    able = [tuple(tensors) for tensors in members.values() if all(_may_be_narrow(topology, t) for t in tensors)]
    of_tensor = {tensor: tensors for tensors in able for tensor in tensors}
    return {op.name: of_tensor[op.output] for op in topology.operators if op.output in of_tensor}


def _may_be_narrow(topology: Topology, tensor: str) -> bool:
    if tensor in (topology.input, topology.output):
        return False
    producer = topology.producer(tensor)
    return producer is not None and _packs(producer) and all(_unpacks(op) for op in topology.consumers(tensor))


def _packs(operator: Operator) -> bool:
    return isinstance(operator, Conv2D | DepthwiseConv2D | Dense | Add | Relu | MaxPool2D | Reshape)


def _unpacks(operator: Operator) -> bool:
    return _packs(operator) or isinstance(operator, Mean)
