"""Choices of the 3×3 depthwise kernel for cores with DSP instructions, and tables of all their depthwise kernels.

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
_LARGEST_SIZE = (1 << 16) - 1  # of a row and of a pixel, see sqm_band_steps
_LARGEST_WEIGHT, _LARGEST_CODE = 127, 128
_MOST_DOUBLINGS = 8  # of weights: 127·2^8 is an int16
_SUM_BITS = 31
_EXPONENT = 31  # SQM_SUMS_EXPONENT
_BEYOND_ALL_CODES = 512  # half of it, which is the least that scaling up makes of it, is more than two codes differ by


class BandRequantization(IntEnum):
    """How sums become codes; the values are those of `SQM_BAND_…`.

    Code follows from it, so it must not follow from how weights were rounded: one loop takes channels that are scaled
    down and up. The exception is a factor of 128 or more: one step of a weight and of the input is 128 of the output.
    """

    RELU = 0
    ANY = 1
    SUMS = 2

    @classmethod
    def of(cls, found: ChannelRequantization, zero_point: int, taps: int) -> BandRequantization:
        """RELU and ANY clamp to int8 alone, and RELU's clamp begins at the output's zero point."""
        clamp = (found.minimum, found.maximum) == (ACTIVATION_MINIMUM, ACTIVATION_MAXIMUM)
        most = min(_MOST_DOUBLINGS, _SUM_BITS - (2 * _largest_sum(taps)).bit_length())
        if not clamp or (found.shift >= most).any():
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
        and max(topology.image_shape(operator.output)[1:]) <= _LARGEST_SIZE
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


def band_table(bias: Int64Array, found: ChannelRequantization, how: BandRequantization, taps: int) -> Int32Array:
    """Three words a channel: bias, −2^(32 + shift) and 2·multiplier − 2^32 where it is scaled down; bias·2^n,
    −multiplier and n = shift + 1 where it is scaled up; bias, multiplier and shift − 31 for SUMS.

    bias  with the input's zero point folded in; what no sum of `taps` products brings back among the codes is cut off
          before it is scaled up
    """
    shift, multiplier = found.shift.astype(np.int64), found.multiplier.astype(np.int64)
    if how is BandRequantization.SUMS:
        words = [bias, multiplier, shift - _EXPONENT]
    else:
        down, doublings = shift < 0, np.maximum(shift + 1, 0)
        most = _largest_sum(taps)
        words = [
            np.where(down, bias, np.clip(bias, -most, most) << doublings),
            np.where(down, -(np.int64(1) << np.maximum(32 + shift, 0)), -multiplier),
            np.where(down, 2 * multiplier - (np.int64(1) << 32), doublings),
        ]
    return np.stack(words, axis=1).reshape(-1).astype(np.int32)


def _largest_sum(taps: int) -> int:
    """Of products, and so much more that no code is left."""
    return taps * _LARGEST_WEIGHT * _LARGEST_CODE + _BEYOND_ALL_CODES
