"""QuantGraph → QuantGraph that gives the same codes for every input, without channels that never vary or never count.

A filter of zeros, or one whose activation function always clamps, gives one code whatever the input is. Where such a
channel adds the same to every accumulator of an operator that reads it, that sum moves into the bias, and the channel
goes: out of its producer, out of whatever carries it along, and out of its reader. Channels that nobody weighs go too.
All of it is integer arithmetic on the codes that TFLite Micro would compute, so every output stays bit for bit.
"""

from __future__ import annotations

from sq_micro.prune.channels import kept_channels
from sq_micro.prune.code_bounds import code_bounds
from sq_micro.prune.rewrite import without_channels
from sq_micro.quant.graph import QuantGraph


def prune(graph: QuantGraph) -> QuantGraph:
    """The same function with fewer channels; `graph` itself iff none can go."""
    bounds = code_bounds(graph)
    kept = kept_channels(graph, bounds)
    return graph if all(mask.all() for mask in kept.values()) else without_channels(graph, bounds, kept)
