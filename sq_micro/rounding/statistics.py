"""What a layer's rounding has to know of the data: second moments of its quantized input and of its target.

Over output pixels, with x the quantized input under the window and y what the layer should give,

    H = E[(x − Ex)(x − Ex)ᵀ]        R = E[(x − Ex)(y − Ey)ᵀ]

so that weights w with the best bias miss the target by wᵀHw − 2 wᵀr + var y on average, r the channel's column of R.
A depthwise channel sees one input channel only: there is an H for each group of channels that share their input.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from sq_micro.ir.operators import Conv2D, Dense, DepthwiseConv2D, Size, WeightedOperator
from sq_micro.ir.patches import patches
from sq_micro.ir.topology import Topology
from sq_micro.quant.params import ActivationParams, Float32Array, Int8Array

_TURNED_ROWS = 256

Float64Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LayerStatistics:
    """Moments of one operator over its output pixels, in real units. They hold for every width of its weights.

    covariance   H (groups, k, k); one group, except for depthwise: one per input channel
    correlation  R (groups, k, channels / groups)
    input_mean   (groups, k)
    target_mean  (channels,), of the target before the trained bias is added
    """

    operator: str
    covariance: Float64Array
    correlation: Float64Array
    input_mean: Float64Array
    target_mean: Float64Array

    def __post_init__(self) -> None:
        for array in (self.covariance, self.correlation, self.input_mean, self.target_mean):
            array.flags.writeable = False


@dataclass(frozen=True, slots=True)
class LayerShape:
    """Groups of output channels that share their input, k weights a channel, the window."""

    groups: int
    k: int
    channels: int
    window: Size

    @classmethod
    def of(cls, operator: WeightedOperator, topology: Topology) -> LayerShape:
        """The shape that an operator's weights say."""
        shape = topology.shape(operator.weights)
        match operator:
            case Conv2D():
                return cls(1, prod(shape[1:]), shape[0], (shape[1], shape[2]))
            case DepthwiseConv2D():
                return cls(shape[3] // operator.depth_multiplier, shape[1] * shape[2], shape[3], (shape[1], shape[2]))
            case Dense():
                return cls(1, shape[1], shape[0], (1, 1))


class Accumulator:
    """Sums the moments of one operator batch by batch, on `pixels` random output pixels of each sample."""

    def __init__(self, operator: WeightedOperator, topology: Topology, source: ActivationParams, pixels: int) -> None:
        self._operator = operator
        self._source = source
        self._shape = shape = LayerShape.of(operator, topology)
        height, width, _ = topology.image_shape(operator.output)
        self._pixels = min(pixels, height * width)
        self._second = np.zeros((shape.groups, shape.k, shape.k))
        self._cross = np.zeros((shape.groups, shape.k, shape.channels // shape.groups))
        self._input = np.zeros((shape.groups, shape.k))
        self._target = np.zeros(shape.channels)
        self._rows = 0
        self._random = np.random.default_rng(0)

    def see(self, codes: Int8Array, target: Float32Array) -> None:
        """Input codes (n, *shape), and what is wanted before bias and activation function, (n, *output shape)."""
        shape = self._shape
        windows, wanted = self._gather(codes, target)
        by_group = self._by_group(windows.reshape(-1, shape.k, shape.groups))
        y = wanted.reshape(by_group.shape[2], shape.groups, -1)
        self._second += by_group @ by_group.transpose(0, 2, 1)
        self._cross += by_group @ y.transpose(1, 0, 2)
        self._input += by_group.sum(axis=2, dtype=np.float64)
        self._target += y.sum(axis=0, dtype=np.float64).reshape(-1)
        self._rows += len(y)

    def statistics(self) -> LayerStatistics:
        """The moments of everything that was seen; at least one sample was."""
        scale, mean, target = self._source.scale, self._input / self._rows, self._target / self._rows
        by_group = target.reshape(len(mean), 1, -1)
        return LayerStatistics(
            operator=self._operator.name,
            covariance=scale**2 * (self._second / self._rows - mean[:, :, None] * mean[:, None, :]),
            correlation=scale * (self._cross / self._rows - mean[:, :, None] * by_group),
            input_mean=scale * mean,
            target_mean=target,
        )

    def _by_group(self, codes: Int8Array) -> Float32Array:
        """Codes (rows, k, groups) less the zero point, as (groups, k, rows): some rows at a time, which stay in the
        cache, so that turning depthwise codes over takes a sixteenth of the time.
        """
        found = np.empty(codes.shape[::-1], np.float32)
        for start in range(0, len(codes), _TURNED_ROWS):
            block = slice(start, start + _TURNED_ROWS)
            found[:, :, block] = codes[block].transpose(2, 1, 0)
        found -= np.float32(self._source.zero_point)
        return found

    def _gather(self, codes: Int8Array, target: Float32Array) -> tuple[Int8Array, Float32Array]:
        """The codes under the chosen windows, (n, pixels, k·groups) with taps first, and their targets."""
        operator, n = self._operator, len(codes)
        if isinstance(operator, Dense):
            return codes, target
        zero = self._source.zero_point
        windows = patches(codes, self._shape.window, operator.stride, operator.dilation, operator.padding, zero)
        height, width = windows.shape[1:3]
        if self._pixels == height * width:
            return windows, target
        chosen = self._random.random((n, height * width)).argpartition(self._pixels, axis=1)[:, : self._pixels]
        sample, (row, column) = np.arange(n)[:, None], np.divmod(chosen, width)
        return windows[sample, row, column], target[sample, row, column]
