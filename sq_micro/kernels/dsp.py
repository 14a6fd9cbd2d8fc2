"""Choices among the kernels for cores with DSP instructions (`firmware/kernels/armv7em_dsp`)."""

from __future__ import annotations

from dataclasses import dataclass

from sq_micro.ir.operators import Conv2D, Dense
from sq_micro.ir.topology import Topology
from sq_micro.kernels.catalogue import KernelVariant, find
from sq_micro.kernels.columns import columns_function, columns_staging_bytes
from sq_micro.kernels.lanes import padded

DSP = "armv7em_dsp"
_PIXELS = 2  # that share the loads of weights
_COLUMN_BYTES = 2  # of one tap of one pixel
_UNPACKED_MOST_TAPS = 32  # at 4 bits; modelled: 15 cycles of 150 for 8 taps, none for 40
# The most columns that a tile takes, (bytes, pixels): what larger tiles gain beyond is below one percent. Unpacking is
# shared by the pixels of a tile, and short columns share the calls, which cost most there.
_IN_PLACE_MOST = (3072, 16)
_UNPACKED_MOST = (9216, 32)
_SHORT_MOST = (2048, 64)


@dataclass(frozen=True, slots=True)
class LaneKernels:
    """The kernels of a width.

    inner      the inner loops
    unpack     what writes the words that they read; None where they read the packed ones
    taps_sums  whether each pixel's sum of taps is wanted, because codes are unsigned
    """

    inner: KernelVariant
    unpack: KernelVariant | None
    taps_sums: bool

    @property
    def packed(self) -> KernelVariant:
        """The kernel whose layout the weights have."""
        return self.unpack or self.inner

    @property
    def k_multiple(self) -> int:
        """What a channel's weights are filled up to."""
        return max(self.packed.k_multiple, self.inner.k_multiple)


def conv2d_kernels(operator: Conv2D, topology: Topology, bits: int) -> LaneKernels:
    """8 bits are decoded in the inner loop, and 4 where it is long; others are unpacked first, a block of channels at a
    time, which at 4 bits costs less than what codes without a sign cost every pair of pixels. Only the window is looked
    at: parts of an image have the kernels of the whole.
    """
    _, height, width, depth = topology.shape(operator.weights)
    short = height * width * depth <= _UNPACKED_MOST_TAPS
    match bits:
        case 8:
            return LaneKernels(find("gemm", 8, "2x4", DSP), None, taps_sums=False)
        case 4 if not short:
            return LaneKernels(find("gemm", 4, "2x4", DSP), None, taps_sums=True)
        case 2:
            return LaneKernels(find("gemm", 2, "2x8", DSP), find("unpack", 2, "1x8", DSP), taps_sums=True)
        case _:
            return LaneKernels(find("gemm", 8, "2x4", DSP), find("unpack", bits, "1x4", DSP), taps_sums=False)


def dense_kernel(bits: int) -> KernelVariant:
    """Each weight is used once, so all widths are decoded in the inner loop."""
    return find("gemv", bits, "1x8" if bits == 2 else "1x4", DSP)


def dense_taps(operator: Dense, topology: Topology, bits: int) -> int:
    """An output's weights, filled up to what the kernel takes at a time."""
    return padded(topology.shape(operator.weights)[1], dense_kernel(bits).k_multiple)


def dense_scratch_bytes(taps: int) -> int:
    """The column, as armv7em_dsp/dense.h lays it out."""
    return taps * _COLUMN_BYTES


def conv2d_taps(operator: Conv2D, topology: Topology, bits: int) -> int:
    """A channel's weights, filled up to what the kernel takes at a time."""
    _, height, width, depth = topology.shape(operator.weights)
    return padded(height * width * depth, conv2d_kernels(operator, topology, bits).k_multiple)


def unpacked_words(taps: int, kernels: LaneKernels) -> int:
    """Words of a block's unpacked weights; 0 where they are read where they are."""
    if kernels.unpack is None:
        return 0
    return 2 * taps if kernels.unpack.layout == "lanes8" else taps


def conv2d_tile_pixels(operator: Conv2D, topology: Topology, bits: int) -> tuple[int, ...]:
    """Sizes of tiles. The first is as large as pays: more pixels share the calls, and the unpacking of weights."""
    taps = conv2d_taps(operator, topology, bits)
    height, width, _ = topology.image_shape(operator.output)
    own = _IN_PLACE_MOST if conv2d_kernels(operator, topology, bits).unpack is None else _UNPACKED_MOST
    most = max(min(size // (_COLUMN_BYTES * taps) // _PIXELS * _PIXELS, count) for size, count in (own, _SHORT_MOST))
    largest = max(_PIXELS, min(padded(height * width, _PIXELS), most))
    return tuple(pixels for pixels in range(largest, 0, -_PIXELS) if pixels == largest or pixels & (pixels - 1) == 0)


def conv2d_scratch_bytes(operator: Conv2D, topology: Topology, bits: int, pixels: int) -> int:
    """Unpacked weights, columns, sums of taps and what making columns takes, as armv7em_dsp/conv2d.h lays them out."""
    kernels, taps = conv2d_kernels(operator, topology, bits), conv2d_taps(operator, topology, bits)
    sums = 4 * pixels if kernels.taps_sums else 0
    staging = columns_staging_bytes(operator, topology, taps, pixels)
    return 4 * unpacked_words(taps, kernels) + pixels * taps * _COLUMN_BYTES + sums + staging


def conv2d_columns(operator: Conv2D, topology: Topology, bits: int) -> str:
    """The function that makes its columns."""
    sums = conv2d_kernels(operator, topology, bits).taps_sums
    return columns_function(operator, topology, conv2d_taps(operator, topology, bits), sums)


def decoded_bits(operator: Conv2D, topology: Topology, bits: int) -> int:
    """By what width of `DSP_COSTS` its weights are decoded anew for each tile: in the inner loop that costs nothing."""
    return bits if conv2d_kernels(operator, topology, bits).unpack is not None else 8
