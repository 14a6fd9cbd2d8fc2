"""Rounding a network, operator after operator, each on the integers that the ones before it give."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.float_graph import FloatGraph
from sq_micro.ir.operators import WeightedOperator
from sq_micro.mapper import unwatched
from sq_micro.quant.calibrate import Progress, Ranges, SampleSource
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.quantize import Frame, QuantizedWeights, nearest_weights, quantize
from sq_micro.rounding.layer import round_operator
from sq_micro.rounding.statistics import LayerStatistics
from sq_micro.rounding.walk import walk

RoundingMethod = Literal["nearest", "feedback"]
ROUNDING_METHODS: tuple[RoundingMethod, ...] = ("nearest", "feedback")


def round_network(
    graph: FloatGraph,
    ranges: Ranges,
    bitwidths: Bitwidths,
    samples: NDArray[np.floating] | SampleSource,
    method: RoundingMethod = "feedback",
    progress: Progress = unwatched,
    int4: bool = False,
) -> QuantGraph:
    """Quantize a canonical graph; with `feedback`, weights are rounded so that outputs err least on the samples.

    samples   real values (n, *input_shape); labels are not used
    progress  told (operators done, operators)
    int4      4-bit weights are to be such as TFLite's int4 holds
    Raises QuantizationError naming the tensor that has no valid integers. The same call gives the same integers.
    """
    if method == "nearest":
        return quantize(graph, ranges, bitwidths, int4=int4)
    frame = Frame.of(graph, ranges, int4)
    weights: dict[str, QuantizedWeights] = {}

    def choose(operator: WeightedOperator, statistics: LayerStatistics | None) -> tuple[int, QuantizedWeights]:
        bits = bitwidths.weights[operator.name]
        weights[operator.name] = rounded_weights(frame, operator, statistics, bits)
        return bits, weights[operator.name]

    walk(frame, samples, choose, progress)
    return frame.assemble(bitwidths, weights)


def collect_statistics(
    graph: FloatGraph,
    ranges: Ranges,
    samples: NDArray[np.floating] | SampleSource,
    progress: Progress = unwatched,
) -> dict[str, LayerStatistics]:
    """Statistics of every weighted operator by name, taken where all weights before it are 8-bit ones.

    Operators whose k is too large to have any are left out. Arguments and errors as of `round_network`.
    """
    frame = Frame.of(graph, ranges)
    found: dict[str, LayerStatistics] = {}

    def choose(operator: WeightedOperator, statistics: LayerStatistics | None) -> tuple[int, QuantizedWeights]:
        if statistics is not None:
            found[operator.name] = statistics
        return 8, rounded_weights(frame, operator, statistics, 8)

    walk(frame, samples, choose, progress)
    return found


def rounded_weights(
    frame: Frame, operator: WeightedOperator, statistics: LayerStatistics | None, bits: int
) -> QuantizedWeights:
    """An operator's weights at a width: as given, or rounded by its statistics, or without any to the nearest level."""
    if (given := frame.given_weights(operator, bits)) is not None:
        return given
    if statistics is None:
        return nearest_weights(frame, operator, bits)
    rows, bias = frame.real_rows(operator), frame.graph.constants[operator.bias]
    return round_operator(rows, bias, statistics, bits, frame.int4)
