"""Keras' words for windows and padding, resolved to rows and columns."""

from __future__ import annotations

from sq_micro.ir.operators import Pad, Size
from sq_micro.ir.patches import places_seen


def image_pair(sizes: tuple[int, ...]) -> Size:
    """(height, width) of a 2D layer's setting, or of a 1D layer's, whose axis is the width."""
    return (sizes[0], sizes[1]) if len(sizes) == 2 else (1, sizes[0])


def resolve_padding(mode: str, image: Size, window: Size, stride: Size, dilation: Size) -> Pad:
    """The padding that 'valid', 'same' or 'causal' means for an image (height, width).

    'same' is TensorFlow's: the odd row goes to the bottom, the odd column to the right.
    'causal' pads the start of a sequence, which lies along the width.

    >>> resolve_padding("same", (8, 8), (3, 3), (2, 2), (1, 1))
    Pad(top=0, bottom=1, left=0, right=1)
    """
    match mode:
        case "valid":
            return Pad()
        case "same":
            top, bottom = _same(image[0], window[0], stride[0], dilation[0])
            left, right = _same(image[1], window[1], stride[1], dilation[1])
            return Pad(top, bottom, left, right)
        case "causal":
            return Pad(left=(window[1] - 1) * dilation[1])
        case _:
            raise ValueError(f"padding '{mode}' is none that Keras has")


def _same(size: int, window: int, stride: int, dilation: int) -> tuple[int, int]:
    outputs = -(-size // stride)
    total = max(places_seen(outputs, window, stride, dilation) - size, 0)
    return total // 2, total - total // 2
