"""Cycles of a convolution on a part of its image: what it does per tap, and what it does per call, tile, row and pair.

Parts of one operator have several sizes, so all that a kernel does once a call is done again for each. The work is
counted as the loops of `firmware/kernels` do it, the edges of the image apart, whose windows are put together tap by
tap. What each piece of work takes is fitted to simulated images: `python -m tests.bench.patches --fit` prints the
table. Convolutions are of a Cortex-M4 with DSP instructions, portable nests of a Cortex-M3; parts are compared with the
whole, and on the same core the ratio is what counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from sq_micro.ir.operators import Conv2D, DepthwiseConv2D, Size
from sq_micro.ir.topology import Topology
from sq_micro.kernels.band import band_serves
from sq_micro.kernels.columns import columns_kind
from sq_micro.kernels.dsp import DSP, conv2d_kernels, decoded_bits
from sq_micro.kernels.select import CONV_BLOCK, KernelChoice, is_flat
from sq_micro.kernels.tiling import DSP_COSTS, PORTABLE_COSTS

Work = Literal[
    "gemm: call",
    "gemm: tile",
    "gemm: tile and block",
    "gemm: pair of windows",
    "gemm: window gathered",
    "gemm: row gathered",
    "gemm: row padded",
    "gemm: row at an edge",
    "gemm: tap at an edge",
    "gemm: column with sums",
    "gemm: single pixel and block",
    "gemm: pair and block",
    "gemm: eight products",
    "gemm: weight decoded",
    "band: four channels",
    "band: four channels unpacked",
    "band: pair of rows",
    "band: column",
    "band: output",
    "strips: output",
    "strips: tap",
    "tiles: call",
    "tiles: tile and block",
    "tiles: pixel and block",
    "tiles: row of a window",
    "tiles: product",
    "tiles: weight decoded",
    "planes: channel",
    "planes: weight picked",
    "planes: output of 3x3",
    "planes: output",
    "planes: tap",
    "planes: code copied",
]

CYCLES: Mapping[Work, float] = MappingProxyType(
    {
        "gemm: call": 182,
        "gemm: tile": 319,
        "gemm: tile and block": 178,
        "gemm: pair of windows": 19,
        "gemm: window gathered": 0,
        "gemm: row gathered": 24,
        "gemm: row padded": 60,
        "gemm: row at an edge": 0,
        "gemm: tap at an edge": 6.3,
        "gemm: column with sums": 2.65,
        "gemm: single pixel and block": 24.2,
        "gemm: pair and block": 73,
        "gemm: eight products": 9.04,
        "gemm: weight decoded": 1.02,
        "band: four channels": 530,
        "band: four channels unpacked": 598,
        "band: pair of rows": 196,
        "band: column": 38,
        "band: output": 16.9,
        "strips: output": 23.5,
        "strips: tap": 1.21,
        "tiles: call": 139,
        "tiles: tile and block": 89.7,
        "tiles: pixel and block": 58.8,
        "tiles: row of a window": 15.1,
        "tiles: product": 6.56,
        "tiles: weight decoded": 1,
        "planes: channel": 359,
        "planes: weight picked": 2.99,
        "planes: output of 3x3": 44.5,
        "planes: output": 308,
        "planes: tap": 1.5,
        "planes: code copied": 18,
    }
)


@dataclass(frozen=True, slots=True)
class Part:
    """Height and width of what is read and of what is computed; output pixels whose windows see padding."""

    input: Size
    output: Size
    edge_pixels: int

    @property
    def pixels(self) -> int:
        """Of the output."""
        return self.output[0] * self.output[1]

    @property
    def edges(self) -> float:
        """The share of pixels whose windows see padding."""
        return self.edge_pixels / self.pixels


def part_cycles(
    operator: Conv2D | DepthwiseConv2D, topology: Topology, choice: KernelChoice, bits: int, part: Part
) -> float:
    """Cycles of one call.

    topology  of the whole images: it is asked for windows and numbers of channels
    bits      of the weights
    """
    work = part_work(operator, topology, choice, bits, part)
    return sum(CYCLES[kind] * amount for kind, amount in work.items())


def part_work(
    operator: Conv2D | DepthwiseConv2D, topology: Topology, choice: KernelChoice, bits: int, part: Part
) -> dict[Work, float]:
    """What one call does, as far as it takes time that can be told apart."""
    match operator:
        case Conv2D() if choice.in_lanes:
            return _gemm(operator, topology, choice, bits, part)
        case Conv2D():
            return _tiles(operator, topology, choice, bits, part)
        case DepthwiseConv2D() if choice.nest_isa == DSP and band_serves(operator, topology):
            return _band(operator, topology, bits, part)
        case DepthwiseConv2D() if choice.nest_isa == DSP:
            return _strips(operator, topology, part)
        case DepthwiseConv2D():
            return _planes(operator, topology, choice, part)


def _gemm(operator: Conv2D, topology: Topology, choice: KernelChoice, bits: int, part: Part) -> dict[Work, float]:
    """armv7em_dsp/conv2d.h: pairs of windows to columns, then block after block of channels over a tile of them."""
    assert choice.tiling is not None
    channels, height, width, depth = topology.shape(operator.weights)
    tiles, rest = divmod(part.pixels, choice.tiling.pixels)
    singles = rest % 2
    pairs = tiles * (choice.tiling.pixels // 2) + -(-rest // 2)
    tiles += rest > 0
    lanes = 8 if bits == 2 else CONV_BLOCK
    blocks = -(-channels // lanes)
    kind = columns_kind(operator, topology, choice.taps)
    padded = kind.startswith("padded")
    gathered = kind == "padded_bytes" or (not padded and width * depth % 4 != 0)
    edges = 0.0 if padded else part.edges
    edge_pixels = 0 if padded else part.edge_pixels
    return {
        "gemm: call": 1,
        "gemm: tile": tiles,
        "gemm: tile and block": tiles * blocks,
        "gemm: pair of windows": pairs,
        "gemm: window gathered": 2 * pairs * (1.0 if gathered else edges),
        "gemm: row gathered": 2 * pairs * height * (1.0 - edges) if gathered else 0.0,
        "gemm: row padded": _rows_seen(operator, part, tiles, height) if padded else 0.0,
        "gemm: row at an edge": edge_pixels * height,
        "gemm: tap at an edge": edge_pixels * height * width,
        "gemm: column with sums": pairs * choice.taps if conv2d_kernels(operator, topology, bits).taps_sums else 0,
        "gemm: single pixel and block": singles * blocks,
        "gemm: pair and block": pairs * blocks * lanes / CONV_BLOCK,
        "gemm: eight products": pairs * blocks * choice.taps * lanes / CONV_BLOCK,
        "gemm: weight decoded": tiles
        * channels
        * choice.taps
        * DSP_COSTS.decoded_weight[decoded_bits(operator, topology, bits)],
    }


def _rows_seen(operator: Conv2D, part: Part, tiles: int, height: int) -> float:
    """Rows of the input that the windows of a tile see, of all tiles together."""
    rows, columns = part.output
    spanned = min(rows, (part.pixels / tiles - 1) / columns + 1)
    return tiles * ((spanned - 1) * operator.stride[0] + (height - 1) * operator.dilation[0] + 1)


def _tiles(operator: Conv2D, topology: Topology, choice: KernelChoice, bits: int, part: Part) -> dict[Work, float]:
    """operators/conv2d.h: block after block of channels over a tile's pixels."""
    assert choice.tiling is not None
    channels, height, width, depth = topology.shape(operator.weights)
    tiles = choice.tiling.tiles((1, part.pixels) if is_flat(operator, topology) else part.output)
    lanes = CONV_BLOCK if channels >= CONV_BLOCK else 1
    blocks = -(-channels // lanes)
    taps = height * width * depth
    return {
        "tiles: call": 1,
        "tiles: tile and block": tiles * blocks,
        "tiles: pixel and block": part.pixels * blocks,
        "tiles: row of a window": part.pixels * blocks * height,
        "tiles: product": part.pixels * blocks * taps * lanes,
        "tiles: weight decoded": tiles * channels * taps * PORTABLE_COSTS.decoded_weight[bits],
    }


def _band(operator: DepthwiseConv2D, topology: Topology, bits: int, part: Part) -> dict[Work, float]:
    """armv7em_dsp/depthwise_conv2d.h: four channels at a time, two pairs of rows in scratch."""
    fours = -(-topology.shape(operator.output)[-1] // 4)
    rows, columns = part.output
    pairs = 1 + (-(-rows // 2) if operator.stride == (1, 1) else rows)
    return {
        "band: four channels": fours,
        "band: four channels unpacked": fours if bits != 8 else 0,
        "band: pair of rows": fours * pairs,
        "band: column": fours * pairs * min(part.input[1], (columns - 1) * operator.stride[1] + 3),
        "band: output": 4 * fours * part.pixels,
    }


def _strips(operator: DepthwiseConv2D, topology: Topology, part: Part) -> dict[Work, float]:
    """armv7em_dsp/depthwise_strips.h, of whole images alone: an output, and a tap of its window."""
    _, height, width, channels = topology.shape(operator.weights)
    return {"strips: output": channels * part.pixels, "strips: tap": channels * part.pixels * height * width}


def _planes(operator: DepthwiseConv2D, topology: Topology, choice: KernelChoice, part: Part) -> dict[Work, float]:
    """operators/depthwise_conv2d.h: channel after channel; 3x3 windows inside the image have code of their own, and in
    a plane with its padding all of them lie inside.
    """
    _, height, width, channels = topology.shape(operator.weights)
    edge_pixels = 0 if choice.plane else part.edge_pixels
    inside = (part.pixels - edge_pixels) if (height, width) == (3, 3) else 0
    others = part.pixels - inside
    return {
        "planes: channel": channels,
        "planes: weight picked": channels * height * width,
        "planes: output of 3x3": channels * inside,
        "planes: output": channels * others,
        "planes: tap": channels * others * height * width,
        "planes: code copied": channels * part.input[0] * part.input[1] if choice.plane else 0,
    }
