"""Choices among the kernels for cores with DSP instructions (`firmware/kernels/armv7em_dsp`)."""

from __future__ import annotations

from dataclasses import dataclass

from sq_micro.ir.operators import Conv2D
from sq_micro.ir.topology import Topology
from sq_micro.kernels.catalogue import KernelVariant, find
from sq_micro.kernels.lanes import padded
from sq_micro.quant.arithmetic import Addition, Rescaling

DSP = "armv7em_dsp"
_PIXELS = 2  # that share the loads of weights
_COLUMN_BYTES = 2  # of one tap of one pixel
_HALF = (1 << 30, 0)  # multiplier and shift of 1/2
_FOUR_SUMS_PIXELS = 256  # armv7em_dsp/sums.h


@dataclass(frozen=True, slots=True)
class Tile:
    """Output pixels that are computed together, and the bytes that they take."""

    pixels: int
    scratch_bytes: int


def conv2d_variant(bits: int) -> KernelVariant:
    """8 bits are decoded in the inner loop; other widths are unpacked to them, a block of channels at a time."""
    return find("gemm", 8, "2x4", DSP) if bits == 8 else find("unpack", bits, "1x4", DSP)


def conv2d_tile(operator: Conv2D, topology: Topology, bits: int) -> Tile:
    """Few pixels where weights are read in place; more where unpacking them is shared by the pixels of a tile."""
    taps = conv2d_taps(operator, topology, bits)
    _, height, width, _ = topology.shape(operator.output)
    pixels = padded(min(height * width, 4 if bits == 8 else 16), _PIXELS)
    staging = _PIXELS * taps
    unpacked = 0 if bits == 8 else 4 * taps
    return Tile(pixels, pixels * taps * _COLUMN_BYTES + staging + unpacked)


def conv2d_taps(operator: Conv2D, topology: Topology, bits: int) -> int:
    """A channel's weights, filled up to what the kernel takes at a time."""
    _, height, width, depth = topology.shape(operator.weights)
    return padded(height * width * depth, conv2d_variant(bits).k_multiple)


def addition_serves(found: Addition) -> bool:
    """Whether the addition for DSP cores takes these factors: each input's is 1/2 or less, the sum's less than 1."""
    factors = ((found.left_multiplier, found.left_shift), (found.right_multiplier, found.right_shift))
    return found.output_shift < 0 and all(shift < 0 or (multiplier, shift) == _HALF for multiplier, shift in factors)


def rescaling_serves(found: Rescaling) -> bool:
    """Whether the rescaling for DSP cores takes this factor: it scales down."""
    return found.shift < 0


def average_serves(taps: int) -> bool:
    """Whether sums of so many codes stay within 16 bits."""
    return taps <= _FOUR_SUMS_PIXELS
