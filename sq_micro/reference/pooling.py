"""Pooling and means over batches of images."""

from __future__ import annotations

import numpy as np

from sq_micro.ir.operators import Pad, Size
from sq_micro.ir.patches import patches
from sq_micro.quant.arithmetic import Averaging
from sq_micro.quant.params import Int8Array
from sq_micro.quant.requantize import Int64Array, requantize

_ONE_BY_ONE = (1, 1)


def max_pool(x: Int8Array, window: Size, stride: Size, padding: Pad) -> Int8Array:
    """x (n, height, width, channels); padding never wins."""
    windows = patches(x, window, stride, _ONE_BY_ONE, padding, -128)
    result = windows[:, :, :, 0, 0].copy()
    for tap in range(1, window[0] * window[1]):
        np.maximum(result, windows[:, :, :, tap // window[1], tap % window[1]], out=result)
    return result


def average_pool(x: Int8Array, window: Size, stride: Size, padding: Pad) -> Int8Array:
    """The mean of the codes inside the image, to the nearest, halves away from zero."""
    windows = patches(x, window, stride, _ONE_BY_ONE, padding, 0)
    total = np.zeros((*windows.shape[:3], windows.shape[5]), np.int32)
    for tap in range(window[0] * window[1]):
        total += windows[:, :, :, tap // window[1], tap % window[1]]
    inside = patches(np.ones((1, *x.shape[1:3], 1), np.int32), window, stride, _ONE_BY_ONE, padding, 0)
    count = inside.sum(axis=(3, 4), dtype=np.int32)
    mean = (np.abs(total) + count // 2) // count
    return np.asarray(np.sign(total) * mean, np.int8)


def mean(x: Int8Array, averaging: Averaging, zero_in: int, zero_out: int) -> Int8Array:
    """x (n, height, width, channels) to (n, channels)."""
    pixels = x.shape[1] * x.shape[2]
    total: Int64Array = x.sum(axis=(1, 2), dtype=np.int64) - zero_in * pixels
    scaled = requantize(total, averaging.multiplier, averaging.shift).astype(np.int64)
    return np.clip(scaled + zero_out, -128, 127).astype(np.int8)
