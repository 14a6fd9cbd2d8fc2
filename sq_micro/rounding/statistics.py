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

Float64Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LayerStatistics:
    """Moments of one operator over its output pixels, in real units.

    covariance   H (groups, k, k); one group, except for depthwise: one per input channel
    correlation  R (groups, k, channels / groups)
    input_mean   (groups, k)
    target_mean  (channels,)
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
class _Geometry:
    groups: int
    k: int
    channels: int
    window: Size

    @classmethod
    def of(cls, operator: WeightedOperator, topology: Topology) -> _Geometry:
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
        self._geometry = shape = _Geometry.of(operator, topology)
        height, width, _ = topology.image_shape(operator.output)
        self._pixels = min(pixels, height * width)
        self._second = np.zeros((shape.groups, shape.k, shape.k))
        self._cross = np.zeros((shape.groups, shape.k, shape.channels // shape.groups))
        self._input = np.zeros((shape.groups, shape.k))
        self._target = np.zeros(shape.channels)
        self._weight = 0.0
        self._random = np.random.default_rng(0)

    def see(self, codes: Int8Array, target: Float32Array, importance: Float32Array) -> None:
        """Input codes (n, *shape); what the output before its activation function should be; how much samples count (n,)."""
        shape = self._geometry
        windows, values = self._gather(codes, target)
        weight = np.repeat(importance, windows.shape[1])[:, None]
        x = windows.reshape(-1, shape.k, shape.groups).astype(np.float32) - np.float32(self._source.zero_point)
        y = values.reshape(-1, shape.channels) * weight
        by_group = np.ascontiguousarray(x.transpose(2, 1, 0))
        weighted = by_group * weight[:, 0]
        self._second += by_group @ weighted.transpose(0, 2, 1)
        self._cross += by_group @ y.reshape(len(y), shape.groups, -1).transpose(1, 0, 2)
        self._input += weighted.sum(axis=2, dtype=np.float64)
        self._target += y.sum(axis=0, dtype=np.float64)
        self._weight += float(weight.sum(dtype=np.float64))

    def statistics(self) -> LayerStatistics:
        """The moments of everything that was seen."""
        scale, mean, target = self._source.scale, self._input / self._weight, self._target / self._weight
        by_group = target.reshape(len(mean), 1, -1)
        return LayerStatistics(
            operator=self._operator.name,
            covariance=scale**2 * (self._second / self._weight - mean[:, :, None] * mean[:, None, :]),
            correlation=scale * (self._cross / self._weight - mean[:, :, None] * by_group),
            input_mean=scale * mean,
            target_mean=target,
        )

    def _gather(self, codes: Int8Array, target: Float32Array) -> tuple[Int8Array, Float32Array]:
        """(n, pixels, taps · channels) codes under the windows, taps first, and (n, pixels, channels) targets."""
        operator, n = self._operator, len(codes)
        if isinstance(operator, Dense):
            return codes.reshape(n, 1, -1), target.reshape(n, 1, -1)
        zero = self._source.zero_point
        windows = patches(codes, self._geometry.window, operator.stride, operator.dilation, operator.padding, zero)
        height, width = windows.shape[1:3]
        if self._pixels == height * width:
            return windows.reshape(n, height * width, -1), target.reshape(n, height * width, -1)
        chosen = self._random.random((n, height * width)).argpartition(self._pixels, axis=1)[:, : self._pixels]
        sample, (row, column) = np.arange(n)[:, None], np.divmod(chosen, width)
        return windows[sample, row, column].reshape(n, self._pixels, -1), target[sample, row, column]
