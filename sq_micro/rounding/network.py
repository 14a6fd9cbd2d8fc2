"""Rounding a network, operator after operator, each on the integers that the ones before it give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sq_micro.ir import evaluate
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.float_graph import FloatGraph
from sq_micro.ir.operators import NONE, Add, WeightedOperator, operator_inputs
from sq_micro.ir.topology import Topology
from sq_micro.quant.calibrate import Progress, Ranges, SampleSource
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.params import Float32Array
from sq_micro.quant.quantize import Frame, QuantizedWeights, quantize
from sq_micro.reference.operators import prepare
from sq_micro.rounding.layer import round_operator
from sq_micro.rounding.statistics import Accumulator, LayerStatistics

RoundingMethod = Literal["nearest", "feedback"]
ROUNDING_METHODS: tuple[RoundingMethod, ...] = ("nearest", "feedback")

_BATCH = 32
_ROWS = 1 << 16
_MEMORY_BYTES = 512 << 20

IMPORTANCE = lambda frame, x: np.ones(len(x), np.float32)
Choose = Callable[[WeightedOperator, LayerStatistics], tuple[int, QuantizedWeights]]


def _unheard(done: int, total: int) -> None: ...


def round_network(
    graph: FloatGraph,
    ranges: Ranges,
    bitwidths: Bitwidths,
    samples: NDArray[np.floating] | SampleSource,
    method: RoundingMethod = "feedback",
    progress: Progress = _unheard,
) -> QuantGraph:
    """Quantize a canonical graph; with `feedback`, weights are rounded so that outputs err least on the samples.

    samples   real values (n, *input_shape); labels are not used
    progress  told (operators done, operators)
    Raises QuantizationError naming the tensor that has no valid integers.
    """
    if method == "nearest":
        return quantize(graph, ranges, bitwidths)
    frame = Frame.of(graph, ranges)
    weights: dict[str, QuantizedWeights] = {}

    def choose(operator: WeightedOperator, statistics: LayerStatistics) -> tuple[int, QuantizedWeights]:
        bits = bitwidths.weights[operator.name]
        bias = frame.graph.constants[operator.bias]
        weights[operator.name] = round_operator(frame.real_rows(operator), bias, statistics, bits)
        return bits, weights[operator.name]

    walk(frame, samples, choose, progress)
    return frame.assemble(bitwidths, weights)


def collect_statistics(
    graph: FloatGraph,
    ranges: Ranges,
    samples: NDArray[np.floating] | SampleSource,
    progress: Progress = _unheard,
) -> dict[str, LayerStatistics]:
    """Statistics of every weighted operator, by name, where all weights before it are 8-bit ones."""
    frame = Frame.of(graph, ranges)
    found: dict[str, LayerStatistics] = {}

    def choose(operator: WeightedOperator, statistics: LayerStatistics) -> tuple[int, QuantizedWeights]:
        found[operator.name] = statistics
        bias = frame.graph.constants[operator.bias]
        return 8, round_operator(frame.real_rows(operator), bias, statistics, 8)

    walk(frame, samples, choose, progress)
    return found


def walk(
    frame: Frame, samples: NDArray[np.floating] | SampleSource, choose: Choose, progress: Progress = _unheard
) -> None:
    """Run float and integer network side by side; `choose` decides each operator's weights when its turn comes."""
    topology = frame.topology
    weighted = [operator.name for operator in topology.weighted()]
    real = {topology.input: _inputs(frame, samples)}
    importance = IMPORTANCE(frame, real[topology.input])
    codes = {topology.input: frame.activations[topology.input].quantize(real[topology.input])}
    last_use = {tensor: op.name for op in topology.operators for tensor in operator_inputs(op)}
    done = 0
    for operator in topology.operators:
        if done == len(weighted):
            break
        inputs = operator_inputs(operator)
        n = len(real[inputs[0]])
        if operator.name in weighted:
            plain = replace(operator, activation=NONE)
            before = _in_batches(n, lambda s: evaluate.compute(plain, frame.graph, *(real[t][s] for t in inputs)))
            target = before
            partner = _partner(topology, operator, real)
            if partner is not None:
                target = before - (frame.activations[partner].dequantize(codes[partner]) - real[partner])
            pixels = -(-_ROWS // n)
            accumulator = Accumulator(operator, topology, frame.activations[operator.input], pixels)
            for start in range(0, n, _BATCH):
                accumulator.see(codes[operator.input][start : start + _BATCH], target[start : start + _BATCH], importance[start : start + _BATCH])
            bits, weights = choose(operator, accumulator.statistics())
            compute = prepare(operator, frame.operator_graph(operator, weights, bits))
            real_out = np.clip(before, operator.activation.minimum, operator.activation.maximum) if operator.activation else before
            done += 1
            progress(done, len(weighted))
        else:
            compute = prepare(operator, frame.operator_graph(operator))
            real_out = _in_batches(n, lambda s: evaluate.compute(operator, frame.graph, *(real[t][s] for t in inputs)))
        codes_out = _in_batches(n, lambda s: compute(*(codes[t][s] for t in inputs)))
        real[operator.output], codes[operator.output] = real_out, codes_out
        for tensor in set(inputs):
            if last_use[tensor] == operator.name:
                del real[tensor], codes[tensor]


def _partner(topology: Topology, operator: WeightedOperator, live: Mapping[str, Float32Array]) -> str | None:
    """The tensor that an Add joins with this operator's output, if it is there already and nothing lies between."""
    readers = topology.consumers(operator.output)
    if operator.activation or len(readers) != 1 or not isinstance(readers[0], Add):
        return None
    other = readers[0].right if readers[0].left == operator.output else readers[0].left
    return other if other in live and other != operator.output else None


def _in_batches(n: int, function):  # type: ignore
    first = function(slice(0, _BATCH))
    result = np.empty((n, *first.shape[1:]), first.dtype)
    result[:_BATCH] = first
    for start in range(_BATCH, n, _BATCH):
        result[start : start + _BATCH] = function(slice(start, start + _BATCH))
    return result


def _inputs(frame: Frame, samples: NDArray[np.floating] | SampleSource) -> Float32Array:
    nhwc = frame.topology.shape(frame.topology.input)[1:]
    values = samples if isinstance(samples, np.ndarray) else samples.real(0, len(samples))
    return np.asarray(values, np.float32).reshape(-1, *nhwc)
