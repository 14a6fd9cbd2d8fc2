"""What patches cost in time: modelled cycles of the parts, and of operators as a whole."""

from __future__ import annotations

from collections.abc import Mapping

from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.operators import Conv2D, Dense, DepthwiseConv2D
from sq_micro.ir.topology import Topology
from sq_micro.kernels.at_rest import all_choices
from sq_micro.kernels.part_cycles import part_cycles
from sq_micro.kernels.select import KernelChoice, within_loss
from sq_micro.kernels.tiling import LOSSES
from sq_micro.plan.patching import Head, head_choices, heads, whole

_DEAREST = 2.0  # of the network's own cycles
_DENSE_CYCLES = 1.3  # of a weight; it matters where kernels of dense layers are slower ones

Choices = Mapping[str, KernelChoice]


def whole_cycles(topology: Topology, bitwidths: Bitwidths, choices: Choices) -> dict[str, float]:
    """Of each convolution and dense layer."""
    found = {}
    for operator in topology.weighted():
        choice = choices[operator.name]
        if isinstance(operator, Dense):
            found[operator.name] = _DENSE_CYCLES * topology.elements(operator.weights) * (1.0 + choice.loss)
        else:
            bits = bitwidths.weights[operator.name]
            found[operator.name] = part_cycles(operator, topology, choice, bits, whole(operator, topology))
    return found


def head_cycles(topology: Topology, bitwidths: Bitwidths, choices: Choices, head: Head) -> dict[str, float]:
    """Of each operator that runs in patches: all its parts together."""
    found = {}
    for operator, parts in zip(topology.operators, head.parts, strict=False):
        assert isinstance(operator, Conv2D | DepthwiseConv2D)
        choice, bits = choices[operator.name], bitwidths.weights[operator.name]
        found[operator.name] = sum(count * part_cycles(operator, topology, choice, bits, part) for part, count in parts)
    return found


def plan_cycles(topology: Topology, bitwidths: Bitwidths, choices: Choices, head: Head) -> float:
    """Of all convolutions and dense layers, the first ones in patches."""
    found = whole_cycles(topology, bitwidths, choices) | head_cycles(topology, bitwidths, choices, head)
    return sum(found.values())


def head_slowdowns(topology: Topology, bitwidths: Bitwidths, isa: str, head: Head) -> dict[str, float]:
    """Of each operator that runs in patches its time over that of the whole, the fastest kernels on both sides."""
    alone = _fastest(all_choices(topology, bitwidths, isa))
    parts = _fastest(head_choices(topology, bitwidths, isa, head))
    whole_ones = whole_cycles(topology, bitwidths, alone)
    return {name: cycles / whole_ones[name] for name, cycles in head_cycles(topology, bitwidths, parts, head).items()}


def affordable(topology: Topology, bitwidths: Bitwidths, isa: str, unpressed: Choices) -> list[tuple[float, Head]]:
    """Heads from the one that costs least time on, with the cycles of `plan_cycles`; none where activations of 4 bits
    would be taken apart twice.
    """
    narrow = {operator.name for operator in topology.operators if bitwidths.activation(operator.output) != 8}
    alone = whole_cycles(topology, bitwidths, unpressed)
    priced = []
    for head in heads(topology):
        if narrow.isdisjoint(head.operators):
            fast = _fastest(head_choices(topology, bitwidths, isa, head))
            priced.append((sum((alone | head_cycles(topology, bitwidths, fast, head)).values()), head))
    most = (1.0 + _DEAREST) * sum(alone.values())
    return sorted((pair for pair in priced if pair[0] <= most), key=lambda pair: pair[0])


def _fastest(choices: Mapping[str, tuple[KernelChoice, ...]]) -> dict[str, KernelChoice]:
    return {name: within_loss(found, LOSSES[0]) for name, found in choices.items()}
