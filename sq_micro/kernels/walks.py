"""In which order each nest of `firmware/kernels/operators` loads and stores, and what overlap follows.

Tensors are runs of bytes, so an order of loads and stores is two series: after each store, the first byte of the
input that is still to be loaded, and the end of what has been stored. Tests hold every function here to the C, at
the last distance that it allows and one byte beyond.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from sq_micro.ir.operators import AveragePool2D, Concatenate, Conv2D, DepthwiseConv2D, MaxPool2D, Pad2D
from sq_micro.ir.topology import Topology
from sq_micro.kernels.overlap import Overlap, disjoint

Bytes = NDArray[np.int64]

_NEVER = np.int64(1) << 40  # where no byte is left to be loaded


@dataclass(frozen=True, slots=True)
class PixelReads:
    """Bytes of the input under each output pixel's window, in the order of the pixels.

    first  index of the first byte; _NEVER where the window lies wholly in the padding
    end    index behind the last; 0 there
    """

    first: Bytes
    end: Bytes

    def first_from(self) -> Bytes:
        """[p] the first byte that pixel p or any later one loads; one entry more, for none."""
        later = np.minimum.accumulate(self.first[::-1])[::-1]
        return np.append(later, _NEVER)

    def end_before(self) -> Bytes:
        """[p] the end of what the pixels before p load; one entry more, for all."""
        return np.insert(np.maximum.accumulate(self.end), 0, 0)


def pixel_reads(operator: Conv2D | DepthwiseConv2D | MaxPool2D | AveragePool2D, topology: Topology) -> PixelReads:
    """What each output pixel of a windowed operator loads."""
    height, width, channels = topology.image_shape(operator.input)
    output_height, output_width, _ = topology.image_shape(operator.output)
    if isinstance(operator, Conv2D | DepthwiseConv2D):
        window, dilation = topology.shape(operator.weights)[1:3], operator.dilation
    else:
        window, dilation = operator.window, (1, 1)
    top, bottom = _taps(height, output_height, window[0], operator.stride[0], dilation[0], operator.padding.top)
    left, right = _taps(width, output_width, window[1], operator.stride[1], dilation[1], operator.padding.left)
    first = (top[:, None] * width + left[None]) * channels
    end = (bottom[:, None] * width + right[None] + 1) * channels
    nothing = (top > bottom)[:, None] | (left > right)[None]
    return PixelReads(np.where(nothing, _NEVER, first).reshape(-1), np.where(nothing, 0, end).reshape(-1))


def _taps(size: int, count: int, window: int, stride: int, dilation: int, pad: int) -> tuple[Bytes, Bytes]:
    """First and last position inside the image of each window along one axis; first > last iff there is none."""
    origin = np.arange(count, dtype=np.int64) * stride - pad
    first = origin + np.maximum(0, -(origin // dilation)) * dilation
    taps = np.minimum(window - 1, (size - 1 - origin) // dilation)
    return first, origin + taps * dilation


def tiled_convolution(reads: PixelReads, starts: Bytes, channels: int, block: int) -> Overlap:
    """conv2d.h: tile after tile, in it block after block of output channels, in that pixel after pixel.

    starts   the first pixel of each tile, and the number of pixels
    channels, block  output channels; how many are computed together. The last block may begin early
    """
    start, stop = starts[:-1], starts[1:]
    reads_from, read_before = reads.first_from(), reads.end_before()
    total = int(starts[-1]) * channels
    if channels <= block:
        stored = np.arange(1, starts[-1] + 1) * channels
        up = reads_from[1:] - stored
    else:
        before_last_block = (stop - 1) * channels + (channels - 1) // block * block
        up = np.minimum(reads_from[start] - before_last_block, reads_from[stop] - stop * channels)
    alone = (stop - start == 1) & (channels <= block)
    down = np.where(alone, read_before[start], read_before[stop]) - start * channels
    return Overlap(_below(up, total), _above(down, int(read_before[-1])))


def gathered_convolution(reads: PixelReads, starts: Bytes, channels: int) -> Overlap:
    """armv7em_dsp/conv2d.h: all that a tile reads is read before any of its outputs is stored."""
    start, stop = starts[:-1], starts[1:]
    reads_from, read_before = reads.first_from(), reads.end_before()
    up = reads_from[stop] - stop * channels
    down = read_before[start] - start * channels
    return Overlap(_below(up, int(starts[-1]) * channels), _above(down, int(read_before[-1])))


def patched(first: Bytes, end: Bytes, input_bytes: int) -> Overlap:
    """Patch after patch of several operators: a patch is stored once all that it needs of the input has been loaded.

    first  by patch the first byte of the input that it needs
    end    by patch the end of what it stores; the last is the end of the output
    """
    later = np.append(np.minimum.accumulate(first[::-1])[::-1], _NEVER)
    return Overlap(_below(later[1:] - end, int(end[-1])), input_bytes)


def pooling(reads: PixelReads, channels: int) -> Overlap:
    """pool2d.h: pixel after pixel, channel after channel."""
    pixels = len(reads.first)
    at = np.arange(pixels) * channels
    up = reads.first_from()[1:] - at - channels
    if channels > 1:
        up = np.minimum(up, reads.first - at)
    return Overlap(_below(up, pixels * channels), int(reads.end.max()))


def elementwise(elements: int) -> Overlap:
    """add.h, rescale.h, softmax.h, sigmoid.h, mean.h: element i is stored once nothing up to it will be loaded."""
    return Overlap(0, elements)


def mean_packed(channels: int, elements: int) -> Overlap:
    """mean_packed.h: a whole byte for each half that is read, and all pixels of a channel for each."""
    return Overlap(-(channels // 2), -(-elements // 2))


def matrix(inputs: int, outputs: int) -> Overlap:
    """dense.h: every output loads all inputs."""
    return Overlap(1 - outputs, inputs if outputs > 1 else 0)


def padding(operator: Pad2D, topology: Topology) -> Overlap:
    """pad2d.h: the output in order, the input in order as it goes."""
    height, width, channels = topology.image_shape(operator.input)
    pad = operator.padding
    before_last_row = (height - 1) * width
    stored = (pad.top + height - 1) * (pad.left + width + pad.right) + pad.left
    return Overlap((before_last_row - stored) * channels, height * width * channels)


def concatenation(operator: Concatenate, topology: Topology) -> dict[str, Overlap]:
    """concatenate.h: one input after another, slice by slice."""
    shape = topology.shape(operator.output)
    slices, whole = prod(shape[1 : operator.axis]), prod(shape[operator.axis :])
    found: dict[str, Overlap] = {}
    offset = 0
    stored = 0
    for tensor in operator.inputs:
        part = prod(topology.shape(tensor)[operator.axis :])
        own = min(0, (slices - 1) * (part - whole)) - offset
        overlap = Overlap(max(min(own, -stored), -slices * whole), slices * part)
        found[tensor] = found[tensor].both(overlap) if tensor in found else overlap
        stored = (slices - 1) * whole + offset + part
        offset += part
    return found


def by_channel(input_bytes: int, output_bytes: int, same_start: bool) -> Overlap:
    """Depthwise kernels: a channel's codes are written where only that channel's are read, and read before.

    same_start  whether the kernel reads far enough ahead of what it writes
    """
    apart = disjoint(input_bytes, output_bytes)
    return Overlap(apart.below_bytes, apart.above_bytes, same_start)


def _below(distances: Bytes | Sequence[int], output_bytes: int) -> int:
    return int(max(-output_bytes, min(0, np.min(distances))))


def _above(distances: Bytes | Sequence[int], input_bytes: int) -> int:
    return int(min(input_bytes, max(0, np.max(distances))))
