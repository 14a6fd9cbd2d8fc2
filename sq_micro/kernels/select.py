"""Which microkernel serves an operator at a bitwidth, and the scratch it needs. No weights are looked at."""

from __future__ import annotations

from dataclasses import dataclass

from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.operators import Conv2D, Dense, DepthwiseConv2D, Operator
from sq_micro.ir.topology import Topology
from sq_micro.kernels.catalogue import KernelVariant, find

CONV_BLOCK = 4  # output channels that share the loads of one window, see operators/conv2d.h


@dataclass(frozen=True, slots=True)
class KernelChoice:
    """variant is None for operators that have no weights."""

    operator: str
    variant: KernelVariant | None
    scratch_bytes: int


def select_kernels(topology: Topology, bitwidths: Bitwidths) -> dict[str, KernelChoice]:
    """The choice for each operator, by name.

    conv2d            weights below 8 bits are unpacked four channels at a time, outside the pixel loop
    depthwise_conv2d  each channel's taps are picked into scratch, outside the pixel loop
    dense             one pixel only, so codes are decoded inside the dot product
    """
    return {operator.name: _select(operator, topology, bitwidths) for operator in topology.operators}


def _select(operator: Operator, topology: Topology, bitwidths: Bitwidths) -> KernelChoice:
    match operator:
        case Conv2D():
            bits = bitwidths.weights[operator.name]
            channels, height, width, depth = topology.shape(operator.weights)
            if bits == 8:
                return KernelChoice(operator.name, find("dot", 8, "1x4"), 0)
            row = height * width * depth
            return KernelChoice(operator.name, find("unpack", bits, "1x1"), min(channels, CONV_BLOCK) * row)
        case DepthwiseConv2D():
            _, height, width, _ = topology.shape(operator.weights)
            variant = find("pick", bitwidths.weights[operator.name], "1x1")
            return KernelChoice(operator.name, variant, height * width)
        case Dense():
            return KernelChoice(operator.name, find("dot", bitwidths.weights[operator.name], "1x1"), 0)
        case _:
            return KernelChoice(operator.name, None, 0)
