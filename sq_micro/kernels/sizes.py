"""Bytes of an operator's constants, as its kernel wants them."""

from __future__ import annotations

from math import prod

from sq_micro.ir.operators import DepthwiseConv2D, WeightedOperator
from sq_micro.ir.topology import Topology
from sq_micro.kernels.band import BAND_TABLE_BYTES
from sq_micro.kernels.catalogue import PORTABLE
from sq_micro.kernels.lanes import blocks_of, lane_format, lanes_bytes
from sq_micro.kernels.packing import plane_bytes
from sq_micro.kernels.select import KernelChoice

_PORTABLE_TABLE_BYTES = 4 + 4 + 1  # bias, multiplier, shift of a channel
_STEP_BYTES = 1  # of a channel below 8 bits, which may be mirrored or odd
_WORD_BYTES = 4  # each array and each function of an image starts at a multiple of it


def weight_bytes(choice: KernelChoice, operator: WeightedOperator, bits: int, topology: Topology) -> int:
    """Packed weights."""
    shape = topology.shape(operator.weights)
    if isinstance(operator, DepthwiseConv2D):
        return plane_bytes(prod(shape), bits)
    if choice.in_lanes:
        return lanes_bytes(shape[0], choice.taps, bits)
    return shape[0] * plane_bytes(prod(shape[1:]), bits)


def table_bytes(choice: KernelChoice, operator: WeightedOperator, bits: int, topology: Topology) -> int:
    """Bias and requantization of each channel, and below 8 bits what its codes mean."""
    channels = topology.shape(operator.bias)[0]
    if choice.in_lanes:
        form = lane_format(bits, choice.layout)
        return blocks_of(channels, bits) * 4 * (form.table_words + form.meaning_words)
    own = _PORTABLE_TABLE_BYTES if choice.nest_isa == PORTABLE else BAND_TABLE_BYTES
    return channels * (own + (_STEP_BYTES if bits < 8 else 0))


def padding_bytes(choice: KernelChoice, operator: WeightedOperator, bits: int, topology: Topology) -> int:
    """What an operator's arrays leave unused in flash, since each starts at a whole word."""
    if choice.in_lanes:
        return 0
    channels = topology.shape(operator.bias)[0]
    arrays_of_bytes = (choice.nest_isa == PORTABLE) + (bits < 8)  # shifts, steps
    return to_word(weight_bytes(choice, operator, bits, topology)) + arrays_of_bytes * to_word(channels)


def to_word(size: int) -> int:
    """Bytes from `size` to the next whole word.

    >>> to_word(9), to_word(12)
    (3, 0)
    """
    return -size % _WORD_BYTES
