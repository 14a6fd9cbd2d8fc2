"""Which microkernel serves an operator at a bitwidth, and the scratch it needs. No weights are looked at."""

from __future__ import annotations

from dataclasses import dataclass

from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.operators import Conv2D, Dense, DepthwiseConv2D, Operator
from sq_micro.ir.topology import Topology
from sq_micro.kernels.band import band_scratch_bytes, band_serves, band_unpacking
from sq_micro.kernels.catalogue import PORTABLE, KernelVariant, find
from sq_micro.kernels.dsp import (
    DSP,
    conv2d_kernels,
    conv2d_taps,
    conv2d_tile,
    dense_kernels,
    dense_scratch_bytes,
    dense_taps,
)

_WORD_BYTES = 4  # of the weights of two channels, see portable_c/pairs.h
CONV_BLOCK = 4  # output channels that share the loads of one window, see operators/conv2d.h


@dataclass(frozen=True, slots=True)
class KernelChoice:
    """variant is None for operators that have no weights.

    taps  of a channel's weights, filled up to what the kernel takes at a time; 0 where they are not filled up
    tile  output pixels that are computed together; 0 where the kernel has no such choice
    nest_isa  the ISA whose loop nest computes a depthwise_conv2d around the microkernel
    """

    operator: str
    variant: KernelVariant | None
    scratch_bytes: int
    taps: int = 0
    tile: int = 0
    nest_isa: str = PORTABLE

    @property
    def layout(self) -> str | None:
        """How the weights are packed; None where there are none."""
        return None if self.variant is None else self.variant.layout

    @property
    def in_lanes(self) -> bool:
        """Whether the weights are in one of the layouts of `kernels.lanes`."""
        return self.layout is not None and self.layout.startswith("lanes")


def select_kernels(topology: Topology, bitwidths: Bitwidths, isa: str = PORTABLE) -> dict[str, KernelChoice]:
    """The choice for each operator, by name. `isa` as boards name it; what an ISA has no kernel for is portable.

    conv2d            weights below 8 bits are unpacked four channels at a time, outside the pixel loop, two channels
                      to a word, so that one multiplication serves both
    depthwise_conv2d  each channel's taps are picked into scratch, outside the pixel loop
    dense             one pixel only, so codes are decoded inside the dot product
    """
    return {
        operator.name: select_kernel(operator, topology, bitwidths.weights.get(operator.name, 0), isa)
        for operator in topology.operators
    }


def select_kernel(operator: Operator, topology: Topology, bits: int, isa: str = PORTABLE) -> KernelChoice:
    """The choice for one operator; `bits` is not looked at where there are no weights."""
    match operator:
        case Conv2D():
            return _dsp_conv2d(operator, topology, bits) if isa == DSP else portable_conv2d(operator, topology, bits)
        case DepthwiseConv2D():
            _, height, width, _ = topology.shape(operator.weights)
            variant = find("pick", bits, "1x1")
            if isa == DSP and band_serves(operator, topology):
                scratch_bytes = band_scratch_bytes(operator, topology)
                variant = band_unpacking(bits, topology.shape(operator.output)[-1]) or variant
                return KernelChoice(operator.name, variant, scratch_bytes, nest_isa=DSP)
            return KernelChoice(operator.name, variant, height * width)
        case Dense():
            return _dsp_dense(operator, topology, bits) if isa == DSP else portable_dense(operator, bits)
        case _:
            return KernelChoice(operator.name, None, 0)


def _dsp_conv2d(operator: Conv2D, topology: Topology, bits: int) -> KernelChoice:
    tile = conv2d_tile(operator, topology, bits)
    taps = conv2d_taps(operator, topology, bits)
    return KernelChoice(operator.name, conv2d_kernels(bits).packed, tile.scratch_bytes, taps, tile.pixels)


def _dsp_dense(operator: Dense, topology: Topology, bits: int) -> KernelChoice:
    taps = dense_taps(operator, topology, bits)
    return KernelChoice(operator.name, dense_kernels(bits).packed, dense_scratch_bytes(taps, bits), taps)


def portable_dense(operator: Dense, bits: int) -> KernelChoice:
    """As portable_conv2d."""
    return KernelChoice(operator.name, find("dot", bits, "1x1"), 0)


def portable_conv2d(operator: Conv2D, topology: Topology, bits: int) -> KernelChoice:
    """The specification: what every other choice must equal, and what serves where another does not."""
    channels, height, width, depth = topology.shape(operator.weights)
    if bits == 8:
        return KernelChoice(operator.name, find("dot", 8, "1x4"), 0)
    row = height * width * depth
    if channels < CONV_BLOCK:
        return KernelChoice(operator.name, find("unpack", bits, "1x1"), channels * row)
    return KernelChoice(operator.name, find("pairs", bits, "1x4"), (2 * _WORD_BYTES + 1) * row)
