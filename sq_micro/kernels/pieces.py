"""Operators on activations of 4 bits, piece by piece: geometry, scratch, order (kernels: `operators/pieces.h`).

A piece of the output, and what it reads, are int8 codes in scratch while the operator's own nest works on them. So each
nest serves, for the price of a copy.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TypeAlias

import numpy as np

from sq_micro.ir.operators import (
    Add,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    MaxPool2D,
    Relu,
    Size,
    operator_inputs,
)
from sq_micro.ir.topology import Topology
from sq_micro.kernels import walks
from sq_micro.kernels.overlap import Overlap, aligned
from sq_micro.kernels.tiling import Tiling

InPieces: TypeAlias = Conv2D | DepthwiseConv2D | Dense | Add | Relu | MaxPool2D
Image = tuple[int, int, int]  # height, width, channels
_NIBBLE_BITS = 4


@dataclass(frozen=True, slots=True)
class PieceGeometry:
    """An operator as pieces see it: a window over an image.

    extent  input rows and columns from a window's first tap to its last
    pads    above and left
    """

    input: Image
    output: Image
    extent: Size = (1, 1)
    stride: Size = (1, 1)
    pads: Size = (0, 0)

    @property
    def pixels(self) -> Size:
        """Height and width of the output."""
        return self.output[:2]

    def input_codes(self, piece: Tiling) -> int:
        """The most that a piece reads."""
        rows, columns = (
            min(size, (outputs - 1) * step + extent)
            for size, outputs, step, extent in zip(
                self.input[:2], (piece.height, piece.width), self.stride, self.extent, strict=True
            )
        )
        return rows * columns * self.input[2]

    def output_codes(self, piece: Tiling) -> int:
        """Of a whole piece."""
        return piece.pixels * self.output[2]


@dataclass(frozen=True, slots=True)
class Pieces:
    """How an operator is taken apart. In its scratch lie the kernel's own, then the codes of each tensor of a piece."""

    geometry: PieceGeometry
    piece: Tiling
    inputs: tuple[str, ...]
    output: str
    kernel_bytes: int

    @property
    def scratch_bytes(self) -> int:
        """All of it."""
        return self.place(self.output) + self.geometry.output_codes(self.piece)

    @property
    def count(self) -> int:
        """How many pieces there are."""
        return self.piece.tiles(self.geometry.pixels)

    def place(self, tensor: str) -> int:
        """Where in the scratch a tensor's part lies."""
        before = len(self.inputs) if tensor == self.output else self.inputs.index(tensor)
        return aligned(self.kernel_bytes) + before * aligned(self.geometry.input_codes(self.piece))


def piece_geometry(operator: InPieces, topology: Topology) -> PieceGeometry:
    """The window and the images of an operator; what goes element by element has one row of pixels of one channel."""
    match operator:
        case Conv2D() | DepthwiseConv2D():
            window = topology.shape(operator.weights)[1:3]
            height, width = ((taps - 1) * step + 1 for taps, step in zip(window, operator.dilation, strict=True))
            return _windowed(operator, topology, (height, width))
        case MaxPool2D():
            return _windowed(operator, topology, operator.window)
        case Dense():
            units, inputs = topology.shape(operator.weights)
            return PieceGeometry((1, 1, inputs), (1, 1, units))
        case Add() | Relu():
            elements = (1, topology.elements(operator.output), 1)
            return PieceGeometry(elements, elements)


def pieces_of(operator: InPieces, geometry: PieceGeometry, piece: Tiling, kernel_bytes: int) -> Pieces:
    """An operator in pieces of a size."""
    return Pieces(geometry, piece, tuple(dict.fromkeys(operator_inputs(operator))), operator.output, kernel_bytes)


def piece_overlap(operator: InPieces, topology: Topology, pieces: Pieces, input_bits: int, output_bits: int) -> Overlap:
    """What pieces allow, in either order: all that a piece reads is read before it writes.

    Bounds are those of half bytes: a byte whose halves belong to two pieces keeps the other half.
    """
    geometry = pieces.geometry
    if isinstance(operator, Conv2D | DepthwiseConv2D | MaxPool2D):
        reads = walks.pixel_reads(operator, topology)
    else:
        first = np.arange(prod(geometry.pixels), dtype=np.int64) * geometry.input[2]
        reads = walks.PixelReads(first, first + geometry.input[2])
    taken, put = input_bits // _NIBBLE_BITS, output_bits // _NIBBLE_BITS
    halves = walks.gathered_convolution(
        walks.PixelReads(reads.first * taken, reads.end * taken),
        pieces.piece.starts(geometry.pixels),
        geometry.output[2] * put,
    )
    return Overlap(halves.below_bytes // 2, -(-halves.above_bytes // 2))


def _windowed(operator: Conv2D | DepthwiseConv2D | MaxPool2D, topology: Topology, extent: Size) -> PieceGeometry:
    source, output = topology.image_shape(operator.input), topology.image_shape(operator.output)
    pads = (operator.padding.top, operator.padding.left)
    if extent == operator.stride == (1, 1) and not operator.padding:  # rows do not matter: they are one
        source, output = (1, source[0] * source[1], source[2]), (1, output[0] * output[1], output[2])
    return PieceGeometry(source, output, extent, operator.stride, pads)
