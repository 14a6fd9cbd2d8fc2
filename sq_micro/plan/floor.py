"""What every plan without patches takes at least, whatever the bits."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sq_micro.ir.bitwidths import WEIGHT_BITS, Bitwidths
from sq_micro.ir.kernel_set import KERNEL_SETS
from sq_micro.ir.topology import Topology
from sq_micro.kernels.at_rest import all_choices
from sq_micro.kernels.catalogue import PORTABLE
from sq_micro.plan.arena import Layout
from sq_micro.plan.lifetimes import live_buffers
from sq_micro.plan.plan import allowed_overlaps


def floor_bytes(
    topology: Topology, isa: str = PORTABLE, activation_bits: Mapping[str, int] = MappingProxyType({})
) -> list[int]:
    """Per operator a lower bound of the arena while it runs, scratch left out.

    That is what is in use, less what the kernels of the most willing width let output and input have in common.
    """
    buffers = live_buffers(topology, {}, Bitwidths({}, activation_bits))
    bounds = []
    for bits in WEIGHT_BITS:
        widths = Bitwidths({operator.name: bits for operator in topology.weighted()}, activation_bits)
        for kernels in KERNEL_SETS:
            every = all_choices(topology, widths, isa, {op.name: kernels for op in topology.operators})
            for way in range(max(map(len, every.values()), default=0)):
                choices = {name: found[min(way, len(found) - 1)] for name, found in every.items()}
                bounds.append(Layout(buffers, allowed_overlaps(topology, choices, buffers)).live_bytes())
    return [min(bound) for bound in zip(*bounds, strict=True)]
