"""Rounding weights by what it does to the layer's output. FloatGraph, Ranges, Bitwidths, samples → QuantGraph.

`round_network` rounds a whole plan. A search takes `collect_statistics` once and `rounded_weights` for every width.
"""

from sq_micro.rounding.equalise import equalise
from sq_micro.rounding.layer import round_operator
from sq_micro.rounding.network import (
    ROUNDING_METHODS,
    RoundingMethod,
    collect_statistics,
    round_network,
    rounded_weights,
)
from sq_micro.rounding.statistics import LayerStatistics

__all__ = [
    "ROUNDING_METHODS",
    "LayerStatistics",
    "RoundingMethod",
    "collect_statistics",
    "equalise",
    "round_network",
    "round_operator",
    "rounded_weights",
]
