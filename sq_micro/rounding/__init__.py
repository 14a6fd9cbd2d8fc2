"""Rounding of weights by what it does to a network's outputs. FloatGraph, Ranges, Bitwidths, samples → QuantGraph."""

from sq_micro.rounding.layer import round_operator
from sq_micro.rounding.network import ROUNDING_METHODS, RoundingMethod, collect_statistics, round_network
from sq_micro.rounding.statistics import LayerStatistics

__all__ = [
    "ROUNDING_METHODS",
    "LayerStatistics",
    "RoundingMethod",
    "collect_statistics",
    "round_network",
    "round_operator",
]
