"""The windows that convolution and pooling look through, as one array."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from sq_micro.ir.operators import Pad, Size

Scalar = TypeVar("Scalar", bound=np.generic)


def patches(
    x: NDArray[Scalar], window: Size, stride: Size, dilation: Size, padding: Pad, fill: float
) -> NDArray[Scalar]:
    """Windows of x (n, height, width, channels) as (n, out_height, out_width, window_h, window_w, channels).

    The result is a read-only view of the padded images: taking one tap, [..., row, column, :], copies nothing.

    >>> image = np.arange(9).reshape(1, 3, 3, 1)
    >>> patches(image, (2, 2), (1, 1), (1, 1), Pad(), 0)[0, 1, 1, :, :, 0]
    array([[4, 5],
           [7, 8]])
    """
    padded = pad_images(x, padding, fill)
    n, height, width, channels = padded.shape
    rows = (height - (window[0] - 1) * dilation[0] - 1) // stride[0] + 1
    columns = (width - (window[1] - 1) * dilation[1] - 1) // stride[1] + 1
    if rows < 1 or columns < 1:
        raise ValueError(f"a window of {window} with dilation {dilation} does not fit in {height}x{width}")
    step_n, step_h, step_w, step_c = padded.strides
    return as_strided(
        padded,
        (n, rows, columns, *window, channels),
        (step_n, step_h * stride[0], step_w * stride[1], step_h * dilation[0], step_w * dilation[1], step_c),
        writeable=False,
    )


def places_seen(outputs: int, window: int, stride: int, dilation: int) -> int:
    """Along one axis how many places, padding among them, so many windows look at from the first to the last.

    >>> places_seen(3, window=2, stride=2, dilation=1), places_seen(1, window=3, stride=1, dilation=2)
    (6, 5)
    """
    return (outputs - 1) * stride + (window - 1) * dilation + 1


def pad_images(x: NDArray[Scalar], padding: Pad, fill: float) -> NDArray[Scalar]:
    """Images (n, height, width, channels) with rows and columns of `fill` around them; x itself when there are none."""
    if not padding:
        return x
    n, height, width, channels = x.shape
    shape = (n, padding.top + height + padding.bottom, padding.left + width + padding.right, channels)
    padded = np.full(shape, fill, dtype=x.dtype)
    padded[:, padding.top : padding.top + height, padding.left : padding.left + width] = x
    return padded
