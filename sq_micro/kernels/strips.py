"""Choices of the depthwise kernel for any window on cores with DSP instructions.

The C side is `firmware/kernels/armv7em_dsp/depthwise_strips.h`; sizes and meanings here are those stated there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sq_micro.ir.operators import DepthwiseConv2D
from sq_micro.ir.topology import Topology
from sq_micro.kernels.catalogue import KernelVariant, find
from sq_micro.kernels.lanes import padded

_CHANNELS = 4  # that are loaded together
_OUTPUTS = 4  # of a row, that are computed together
_HEAD_WORDS = 3
_WORD_BYTES = 4
_LINE_CYCLES = {1: {3: 17, 5: 24, 7: 32}, 2: {3: 19, 5: 26, 7: 34}}  # of four outputs, by stride and taps; counted
_OUTPUTS_CYCLES = 60  # what four outputs take beside their lines; counted
_ROW_CYCLES = 120  # what a row of a channel begins and ends with, and a quarter of what loads four; modelled


@dataclass(frozen=True, slots=True)
class StripAxis:
    """One axis of the image and of the window; the fields are those of `sqm_strip_axis`."""

    input: int
    output: int
    window: int
    stride: int
    dilation: int
    pad: int
    tap_step: int
    input_pixels: int
    output_pixels: int

    @property
    def plain(self) -> StripAxis:
        """Without a stride or a dilation that changes nothing."""
        return replace(
            self, stride=1 if self.output == 1 else self.stride, dilation=1 if self.window == 1 else self.dilation
        )


@dataclass(frozen=True, slots=True)
class Strips:
    """How the kernel goes through an operator.

    across, down  the axis along a row, and from row to row
    line, lines   taps of a line of weights, and how many lines a window is
    """

    across: StripAxis
    down: StripAxis
    line: int
    lines: int

    @property
    def columns_words(self) -> int:
        """Of a row of a channel."""
        outputs = padded(self.across.output, _OUTPUTS)
        more_lines = self.lines - 1 if self.down.window == 1 else 0
        seen = (self.line + 1) // 2 + more_lines * (self.line - 1) // 2
        return seen + (outputs // 2 if self.across.stride == 1 else outputs) - 1

    @property
    def record_words(self) -> int:
        """Of a channel's weights and requantization."""
        line_words = self.line - 1 if self.across.stride == 1 else (self.line + 1) // 2
        return _HEAD_WORDS + self.lines * line_words * (2 if self.down.window > 1 else 1)

    @property
    def cycles(self) -> int:
        """Of a channel, for comparing ways to go."""
        rows, outputs = self.down.output, -(-self.across.output // _OUTPUTS)
        lines = self.lines * _LINE_CYCLES[self.across.stride][self.line]
        return rows * (_ROW_CYCLES + outputs * (_OUTPUTS_CYCLES + lines))

    def works_in_place(self, operator: DepthwiseConv2D) -> bool:
        """Whether the output may begin where the input does: what is written lies where the rows that were read by
        then did. Rows down the image may be shorter than those of the input; rows across it and phases of a dilation
        must fall on the pixels that they came from.
        """
        along_rows = self.across.input_pixels == 1
        width = self.across if along_rows else self.down
        plain = along_rows and self.across.dilation == self.down.dilation == 1
        return (
            operator.depth_multiplier == 1
            and (width.output == width.input or (plain and width.output < width.input))
            and self.down.pad < self.down.window
            and all(axis.pad % axis.dilation == 0 for axis in (self.across, self.down))
        )


def strips_of(operator: DepthwiseConv2D, topology: Topology) -> Strips | None:
    """The faster of the ways to go, along the image's rows or its columns; None if the kernel goes neither."""
    _, window_height, window_width, _ = topology.shape(operator.weights)
    height, width, _ = topology.image_shape(operator.input)
    output_height, output_width, _ = topology.image_shape(operator.output)
    stride, dilation, padding = operator.stride, operator.dilation, operator.padding
    rows = StripAxis(
        *(height, output_height, window_height, stride[0], dilation[0], padding.top),
        *(window_width, width, output_width),
    ).plain
    columns = StripAxis(*(width, output_width, window_width, stride[1], dilation[1], padding.left), *(1, 1, 1)).plain
    ways = _ways(columns, rows) + _ways(rows, columns)
    return min(ways, key=lambda strips: strips.cycles, default=None)


def _ways(across: StripAxis, down: StripAxis) -> list[Strips]:
    """One for each length of lines that the window can be made of."""
    strided = max(across.stride, down.stride) > 1
    if across.stride > max(_LINE_CYCLES) or (strided and max(across.dilation, down.dilation) > 1):
        return []
    if down.window > 1:
        lines = {line: down.window for line in _LINE_CYCLES[1] if line >= across.window}
    else:
        lines = {line: max(1, -(-(across.window - 1) // (line - 1))) for line in _LINE_CYCLES[1]}
    return [Strips(across, down, line, count) for line, count in lines.items()]


def strips_scratch_bytes(operator: DepthwiseConv2D, strips: Strips) -> int:
    """Records of four channels; the rows that a window sees; then taps before, and sums while rows are computed."""
    taps = strips.across.window * strips.down.window
    band = strips.down.window * strips.columns_words * (_CHANNELS if operator.depth_multiplier == 1 else 1)
    last = max(taps * _WORD_BYTES + padded(taps, _WORD_BYTES), padded(strips.across.output, _OUTPUTS) * _WORD_BYTES)
    return (_CHANNELS * strips.record_words + band) * _WORD_BYTES + last


def strips_unpacking(operator: DepthwiseConv2D, bits: int, channels: int) -> KernelVariant | None:
    """What decodes four output channels at once; None at 8 bits, or where not all are in groups of four."""
    if bits == 8:
        return None
    variant = find("taps", bits, "1x4", "armv7em_dsp")
    group = channels if operator.depth_multiplier == 1 else operator.depth_multiplier
    return variant if group % variant.k_multiple == 0 else None
