"""Choices and tables of the 3×3 depthwise kernel for cores with DSP instructions.

The C side is `firmware/kernels/armv7em_dsp/depthwise_conv2d.h`; sizes and meanings here are those stated there.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from sq_micro.ir.operators import DepthwiseConv2D
from sq_micro.ir.topology import Topology
from sq_micro.kernels.lanes import Int64Array
from sq_micro.quant.arithmetic import ChannelRequantization
from sq_micro.quant.params import ACTIVATION_MAXIMUM, ACTIVATION_MINIMUM, Int32Array

BAND_TABLE_BYTES = 12  # of a channel: bias and two factors
_COLUMN_BYTES = 32
_RECORD_BYTES = 4 * 36  # of four channels
_SUM_BYTES = 2 * 4  # of the two rows that are computed at once, where C requantizes them
_LARGEST_PAD = 2


class BandRequantization(IntEnum):
    """How sums become codes; the values are those of `SQM_BAND_…`."""

    RELU = 0
    ANY = 1
    SUMS = 2

    @classmethod
    def of(cls, found: ChannelRequantization, zero_point: int) -> BandRequantization:
        """RELU and ANY scale down only, and clamp to int8 alone; RELU's clamp begins at the output's zero point."""
        clamp = (found.minimum, found.maximum) == (ACTIVATION_MINIMUM, ACTIVATION_MAXIMUM)
        if not clamp or (found.shift > -1).any():
            return cls.SUMS
        return cls.RELU if zero_point == ACTIVATION_MINIMUM else cls.ANY


def band_serves(operator: DepthwiseConv2D, topology: Topology) -> bool:
    """Whether the operator has the geometry that the kernel is written for."""
    _, height, width, _ = topology.shape(operator.weights)
    pads = (operator.padding.top, operator.padding.left)
    return (
        (height, width) == (3, 3)
        and operator.stride in ((1, 1), (2, 2))
        and operator.dilation == (1, 1)
        and operator.depth_multiplier == 1
        and max(pads) <= _LARGEST_PAD
    )


def band_scratch_bytes(operator: DepthwiseConv2D, topology: Topology) -> int:
    """Two pairs of padded rows of four channels, their records, and a row of sums, whether it is needed or not."""
    _, width, _ = topology.image_shape(operator.output)
    return ((width - 1) * operator.stride[1] + 3) * _COLUMN_BYTES + _RECORD_BYTES + width * _SUM_BYTES


def band_table(bias: Int64Array, found: ChannelRequantization, how: BandRequantization) -> Int32Array:
    """Three words a channel: bias, then −2^(32 + shift) and 2·multiplier − 2^32, or shift and multiplier for SUMS."""
    shift, multiplier = found.shift.astype(np.int64), found.multiplier.astype(np.int64)
    if how is not BandRequantization.SUMS:
        shift, multiplier = -(np.int64(1) << (32 + shift)), 2 * multiplier - (np.int64(1) << 32)
    return np.stack([bias, shift, multiplier], axis=1).reshape(-1).astype(np.int32)
