"""Conv2D, DepthwiseConv2D and Dense over batches of int8 codes, in exact arithmetic.

sum (x − zero)·w is taken as sum x·w, whose terms are at most 128·|w|, with zero·sum w folded into the bias;
images are padded with the zero point, so padding adds nothing. The products go through BLAS in
floating point: while every partial sum is an integer below 2^24 (float32) or 2^53 (float64) it is exact,
in whatever order it is added up.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sq_micro.ir.operators import Conv2D, Dense, DepthwiseConv2D, Pad, Size, WeightedOperator
from sq_micro.ir.patches import pad_images, patches
from sq_micro.quant.arithmetic import ChannelRequantization
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.params import Int8Array
from sq_micro.quant.requantize import Requantizer

_FLOAT32_EXACT = 1 << 24
_LARGEST_CODE = 128

FloatArray = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class MatrixLayer:
    """Conv2D and Dense as patches times a matrix (k, channels)."""

    matrix: FloatArray
    requantizer: Requantizer
    window: Size
    stride: Size
    dilation: Size
    padding: Pad
    zero_point: int

    def images(self, x: Int8Array) -> Int8Array:
        """x (n, height, width, channels) to (n, out_height, out_width, out_channels)."""
        if self.window == (1, 1) and self.stride == (1, 1) and not self.padding:
            return self.rows(x)
        # Converted before the windows overlap: int8 to float once a pixel, not once a tap.
        images: FloatArray = x.astype(self.matrix.dtype)
        windows = patches(images, self.window, self.stride, self.dilation, self.padding, self.zero_point)
        accumulator = np.matmul(windows.reshape(-1, self.matrix.shape[0]), self.matrix)
        return self.requantizer.codes(accumulator).reshape(*windows.shape[:3], -1)

    def rows(self, x: Int8Array) -> Int8Array:
        """x (..., k) to (..., channels)."""
        accumulator = np.matmul(x.reshape(-1, self.matrix.shape[0]).astype(self.matrix.dtype), self.matrix)
        return self.requantizer.codes(accumulator).reshape(*x.shape[:-1], -1)


@dataclass(frozen=True, slots=True)
class DepthwiseLayer:
    """DepthwiseConv2D tap by tap; weights (window_h, window_w, channels), float32 or float64."""

    weights: FloatArray
    requantizer: Requantizer
    stride: Size
    dilation: Size
    padding: Pad
    zero_point: int
    depth_multiplier: int

    def images(self, x: Int8Array) -> Int8Array:
        """x (n, height, width, channels) to (n, out_height, out_width, channels · depth_multiplier)."""
        height, width, channels = self.weights.shape
        padded = pad_images(x.astype(self.weights.dtype), self.padding, self.zero_point)
        if self.depth_multiplier > 1:
            padded = np.repeat(padded, self.depth_multiplier, axis=3)
        windows = patches(padded, (height, width), self.stride, self.dilation, Pad(), 0)
        # One image at a time keeps the accumulators of a whole window in the cache.
        accumulator = np.empty((*windows.shape[:3], channels), self.weights.dtype)
        product = np.empty(accumulator.shape[1:], self.weights.dtype)
        for image, sums in zip(windows, accumulator, strict=True):
            np.multiply(image[:, :, 0, 0], self.weights[0, 0], out=sums)
            for tap in range(1, height * width):
                row, column = divmod(tap, width)
                np.multiply(image[:, :, row, column], self.weights[row, column], out=product)
                sums += product
        return self.requantizer.codes(accumulator.reshape(-1, channels)).reshape(accumulator.shape)


def prepare_conv2d(operator: Conv2D, graph: QuantGraph) -> MatrixLayer:
    """The layer whose `images` computes the operator."""
    codes = graph.codes[operator.weights]
    rows = codes.reshape(codes.shape[0], -1)
    return MatrixLayer(
        matrix=_exact(np.ascontiguousarray(rows.T), rows),
        requantizer=_requantizer(operator, graph, rows),
        window=(codes.shape[1], codes.shape[2]),
        stride=operator.stride,
        dilation=operator.dilation,
        padding=operator.padding,
        zero_point=graph.activations[operator.input].zero_point,
    )


def prepare_dense(operator: Dense, graph: QuantGraph) -> MatrixLayer:
    """The layer whose `rows` computes the operator."""
    rows = graph.codes[operator.weights]
    return MatrixLayer(
        matrix=_exact(np.ascontiguousarray(rows.T), rows),
        requantizer=_requantizer(operator, graph, rows),
        window=(1, 1),
        stride=(1, 1),
        dilation=(1, 1),
        padding=Pad(),
        zero_point=graph.activations[operator.input].zero_point,
    )


def prepare_depthwise_conv2d(operator: DepthwiseConv2D, graph: QuantGraph) -> DepthwiseLayer:
    """The layer whose `images` computes the operator."""
    weights = graph.codes[operator.weights][0]
    rows = weights.reshape(prod(weights.shape[:2]), -1).T
    return DepthwiseLayer(
        weights=_exact(weights, rows),
        requantizer=_requantizer(operator, graph, rows),
        stride=operator.stride,
        dilation=operator.dilation,
        padding=operator.padding,
        zero_point=graph.activations[operator.input].zero_point,
        depth_multiplier=operator.depth_multiplier,
    )


def _exact(codes: Int8Array, rows: Int8Array) -> FloatArray:
    """Weights in the narrowest float in which no partial sum of a row (channels, k) rounds."""
    largest = _LARGEST_CODE * int(np.abs(rows.astype(np.int64)).sum(axis=1).max())
    return codes.astype(np.float32) if largest < _FLOAT32_EXACT else codes.astype(np.float64)


def _requantizer(operator: WeightedOperator, graph: QuantGraph, rows: Int8Array) -> Requantizer:
    arithmetic = graph.arithmetic[operator.name]
    assert isinstance(arithmetic, ChannelRequantization)
    zero_point = graph.activations[operator.input].zero_point
    bias = graph.biases[operator.bias].astype(np.int64) - zero_point * rows.astype(np.int64).sum(axis=1)
    return Requantizer.prepare(
        arithmetic.multiplier,
        arithmetic.shift,
        bias,
        graph.activations[operator.output].zero_point,
        arithmetic.minimum,
        arithmetic.maximum,
    )
