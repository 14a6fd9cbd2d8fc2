"""Choices and tables of the 3×3 depthwise kernel for cores with DSP instructions.

The C side is `firmware/kernels/armv7em_dsp/depthwise_conv2d.h`; sizes and meanings here are those stated there.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from sq_micro.ir.operators import DepthwiseConv2D
from sq_micro.ir.topology import Topology
from sq_micro.kernels.catalogue import KernelVariant, find
from sq_micro.kernels.lane_codes import Int64Array
from sq_micro.quant.arithmetic import ChannelRequantization
from sq_micro.quant.params import ACTIVATION_MAXIMUM, ACTIVATION_MINIMUM, Int32Array

BAND_TABLE_BYTES = 12  # of a channel: bias and two factors
_COLUMN_BYTES = 32
_RECORD_BYTES = 4 * 36  # of four channels
_SUM_BYTES = 2 * 4  # of the two rows that are computed at once, where C requantizes them
_LARGEST_PAD = 2
_LARGEST_SHIFT = 8  # 127·2^8 is an int16


class BandRequantization(IntEnum):
    """How sums become codes; the values are those of `SQM_BAND_…`."""

    RELU = 0
    ANY = 1
    SUMS = 2

    @classmethod
    def of(cls, found: ChannelRequantization, zero_point: int) -> BandRequantization:
        """RELU and ANY clamp to int8 alone, and RELU's clamp begins at the output's zero point."""
        clamp = (found.minimum, found.maximum) == (ACTIVATION_MINIMUM, ACTIVATION_MAXIMUM)
        if not clamp or (found.shift > _LARGEST_SHIFT).any():
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


def band_unpacking(bits: int, channels: int) -> KernelVariant | None:
    """What decodes four channels at once; None at 8 bits, or where the channels are no multiple of its four."""
    if bits == 8:
        return None
    variant = find("taps", bits, "1x4", "armv7em_dsp")
    return variant if channels % variant.k_multiple == 0 else None


def band_scratch_bytes(operator: DepthwiseConv2D, topology: Topology) -> int:
    """Two pairs of padded rows of four channels, their records, and a row of sums, whether it is needed or not."""
    _, width, _ = topology.image_shape(operator.output)
    return ((width - 1) * operator.stride[1] + 3) * _COLUMN_BYTES + _RECORD_BYTES + width * _SUM_BYTES


def band_table(bias: Int64Array, found: ChannelRequantization, how: BandRequantization) -> Int32Array:
    """Three words a channel: bias, −2^(32 + shift) and 2·multiplier − 2^32 where it is scaled down; bias·2^shift, shift
    and 2·multiplier − 2^32 where it is scaled up; bias, shift and multiplier for SUMS.
    """
    shift, multiplier = found.shift.astype(np.int64), found.multiplier.astype(np.int64)
    factor = shift
    if how is not BandRequantization.SUMS:
        bias = bias << np.maximum(shift, 0)
        factor = np.where(shift < 0, -(np.int64(1) << np.maximum(32 + shift, 0)), shift)
        multiplier = 2 * multiplier - (np.int64(1) << 32)
    return np.stack([bias, factor, multiplier], axis=1).reshape(-1).astype(np.int32)
