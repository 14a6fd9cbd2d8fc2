"""By which function of `firmware/kernels/armv7em_dsp/columns.h` the windows of a convolution become columns.

Decided here and not in C, where the parts of an image have a geometry that is known only when they run: so an image
has the functions that its own layers take, and no others.
"""

from __future__ import annotations

from typing import Literal, get_args

from sq_micro.ir.operators import Conv2D
from sq_micro.ir.patches import places_seen
from sq_micro.ir.topology import Topology

ColumnsKind = Literal[
    "inside",
    "words",
    "words_apart",
    "runs",
    "bytes",
    "nines",
    "threes",
    "padded_runs",
    "padded_threes",
    "padded_bytes",
]
COLUMNS_KINDS: tuple[ColumnsKind, ...] = get_args(ColumnsKind)
_WORD = 4
_FEW_CHANNELS = 2  # of images whose rows are padded in scratch; with three channels the copies cost what they gain


def columns_kind(operator: Conv2D, topology: Topology, taps: int) -> ColumnsKind:
    """Only the window, the padding and the number of channels are looked at: parts of an image take that of the whole.

    taps  of a window, filled up
    """
    _, height, width, depth = topology.shape(operator.weights)
    run = width * depth
    neighbours = operator.dilation[1] == 1 or width == 1
    fills = neighbours and run % _WORD == 0 and run * height == taps
    threes = neighbours and (height, run, taps) == (3, 3, 12)
    if operator.padding and neighbours and depth <= _FEW_CHANNELS:
        return "padded_runs" if fills else "padded_threes" if threes else "padded_bytes"
    if not operator.padding and (fills or threes):
        return "inside" if fills else "threes"
    if depth % _WORD == 0:
        return "words" if fills else "words_apart"
    dense = operator.dilation == (1, 1)
    if dense and (height, run, taps) == (3, 9, 28):
        return "nines"
    return "runs" if dense and fills else "bytes"


def columns_function(operator: Conv2D, topology: Topology, taps: int, sums: bool) -> str:
    """The C symbol. sums: whether each pixel's sum of taps is wanted."""
    return f"sqm_columns_{columns_kind(operator, topology, taps)}{'_and_sum' if sums else ''}"


def columns_staging_bytes(operator: Conv2D, topology: Topology, taps: int, pixels: int) -> int:
    """Scratch that it takes beside the columns of a tile of `pixels`."""
    match columns_kind(operator, topology, taps):
        case "inside" | "threes":
            return 0
        case "words" | "words_apart":
            _, _, width, depth = topology.shape(operator.weights)
            return width * depth
        case "padded_runs" | "padded_threes":
            return _padded_rows_bytes(operator, topology, pixels)
        case "padded_bytes":
            return 2 * taps + _padded_rows_bytes(operator, topology, pixels)
        case _:
            return 2 * taps


def _padded_rows_bytes(operator: Conv2D, topology: Topology, pixels: int) -> int:
    """The most that sqm_padded_rows writes for a tile, of the image or of a narrower part of it."""
    _, height, width, depth = topology.shape(operator.weights)
    rows, columns, _ = topology.image_shape(operator.output)

    def written(part: int) -> int:
        spanned = min(rows, (pixels - 2) // part + 2)
        tall = places_seen(spanned, height, operator.stride[0], operator.dilation[0])
        wide = places_seen(part, width, operator.stride[1], operator.dilation[1])
        return tall * wide * depth

    return max(written(part) for part in range(1, columns + 1))
