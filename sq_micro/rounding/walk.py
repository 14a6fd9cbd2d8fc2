"""Float and integer network side by side over the calibration samples, operator by operator.

So each operator's statistics are taken on the integers that the ones before it really give, by the reference's exact
arithmetic, with the weights that were chosen for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sq_micro.ir import evaluate
from sq_micro.ir.operators import NONE, Add, Conv2D, Dense, DepthwiseConv2D, Operator, WeightedOperator, operator_inputs
from sq_micro.ir.topology import Topology
from sq_micro.quant.calibrate import Progress, SampleSource
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.params import Float32Array, Int8Array
from sq_micro.quant.quantize import Frame, QuantizedWeights
from sq_micro.reference.interpreter import one_blas_thread
from sq_micro.reference.operators import prepare
from sq_micro.rounding.statistics import Accumulator, LayerShape, LayerStatistics

_BATCH = 32
_ROWS = 1 << 16  # output pixels that statistics are taken on: 16 times as many change nothing, samples count
_LARGEST_K = 4096  # beyond, H alone would take hundreds of MB
_MEMORY_BYTES = 512 << 20  # for the activations of all samples
_SAMPLE_BYTES = 5  # per element: float32 and int8
_WORKING_BYTES = 12  # per element of a weighted operator's output: before and behind its activation function, target

Choose = Callable[[WeightedOperator, LayerStatistics | None], tuple[int, QuantizedWeights]]
"""Bits and weights of an operator, given its statistics; None where k is too large to have any."""

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True)
class _Activation:
    """A tensor of all samples (n, *shape), as the float network has it and as the integers do."""

    real: Float32Array
    codes: Int8Array


def walk(frame: Frame, samples: NDArray[np.floating] | SampleSource, choose: Choose, progress: Progress) -> None:
    """Run both networks; `choose` is asked for each weighted operator's weights when its turn comes.

    samples   real values (n, *input_shape); where their activations would not fit in memory, evenly spaced ones
    progress  told (weighted operators done, all of them)
    """
    topology = frame.topology
    last_use = {tensor: op.name for op in topology.operators for tensor in operator_inputs(op)}
    real = _read(frame, samples)
    live = {topology.input: _Activation(real, frame.activations[topology.input].quantize(real))}
    done, total = 0, sum(1 for _ in topology.weighted())
    with one_blas_thread():
        for operator in topology.operators:
            if done == total:
                return
            if isinstance(operator, Conv2D | DepthwiseConv2D | Dense):
                live[operator.output] = _weighted(frame, operator, live, choose)
                done += 1
                progress(done, total)
            else:
                live[operator.output] = _Activation(
                    _real_output(frame, operator, live),
                    _codes_output(operator, frame.operator_graph(operator), live),
                )
            for tensor in {tensor for tensor in operator_inputs(operator) if last_use[tensor] == operator.name}:
                del live[tensor]


def _weighted(frame: Frame, operator: WeightedOperator, live: Mapping[str, _Activation], choose: Choose) -> _Activation:
    before = _real_output(frame, replace(operator, activation=NONE), live)
    statistics = None
    if LayerShape.of(operator, frame.topology).k <= _LARGEST_K:
        statistics = _statistics(frame, operator, before, live)
    bits, weights = choose(operator, statistics)
    codes = _codes_output(operator, frame.operator_graph(operator, weights, bits), live)
    bounds = operator.activation
    return _Activation(np.clip(before, bounds.minimum, bounds.maximum) if bounds else before, codes)


def _statistics(
    frame: Frame, operator: WeightedOperator, before: Float32Array, live: Mapping[str, _Activation]
) -> LayerStatistics:
    """The target is the float output; before an Add, less the error that the other branch brings."""
    partner = _partner(frame.topology, operator, live)
    bias = frame.graph.constants[operator.bias]
    accumulator = Accumulator(operator, frame.topology, frame.activations[operator.input], -(-_ROWS // len(before)))
    for start in range(0, len(before), _BATCH):
        batch = slice(start, start + _BATCH)
        target = before[batch] - bias
        if partner is not None:
            other = live[partner]
            target -= frame.activations[partner].dequantize(other.codes[batch]) - other.real[batch]
        accumulator.see(live[operator.input].codes[batch], target)
    return accumulator.statistics()


def _partner(topology: Topology, operator: WeightedOperator, live: Mapping[str, _Activation]) -> str | None:
    """The tensor that an Add joins with this operator's output, if it is known by now and nothing lies between."""
    readers = topology.consumers(operator.output)
    if operator.activation or len(readers) != 1 or not isinstance(readers[0], Add):
        return None
    other = readers[0].right if readers[0].left == operator.output else readers[0].left
    return other if other in live else None


def _real_output(frame: Frame, operator: Operator, live: Mapping[str, _Activation]) -> Float32Array:
    inputs = [live[tensor].real for tensor in operator_inputs(operator)]
    return _in_batches(lambda *parts: evaluate.compute(operator, frame.graph, *parts), inputs)


def _codes_output(operator: Operator, graph: QuantGraph, live: Mapping[str, _Activation]) -> Int8Array:
    return _in_batches(prepare(operator, graph), [live[tensor].codes for tensor in operator_inputs(operator)])


def _in_batches(compute: Callable[..., NDArray[Scalar]], inputs: list[NDArray[Scalar]]) -> NDArray[Scalar]:
    """compute over all samples, a few at a time: its own intermediates stay small."""
    batches = (slice(start, start + _BATCH) for start in range(0, len(inputs[0]), _BATCH))
    return np.concatenate([compute(*(array[batch] for array in inputs)) for batch in batches])


def _read(frame: Frame, samples: NDArray[np.floating] | SampleSource) -> Float32Array:
    """As many samples as may be in memory, evenly spaced, as (n, *NHWC shape)."""
    nhwc = frame.topology.shape(frame.topology.input)[1:]
    count = max(1, min(len(samples), _MEMORY_BYTES // _peak_bytes(frame.topology)))
    chosen = np.linspace(0, len(samples) - 1, count).round().astype(int)
    if isinstance(samples, np.ndarray):
        return np.asarray(samples[chosen], np.float32).reshape(-1, *nhwc)
    if count == len(samples):
        return samples.real(0, count).reshape(-1, *nhwc)
    return np.concatenate([samples.real(index, index + 1) for index in chosen.tolist()]).reshape(-1, *nhwc)


def _peak_bytes(topology: Topology) -> int:
    """The most that a sample's activations take at any operator."""
    last_use = {tensor: op.name for op in topology.operators for tensor in operator_inputs(op)}
    live, peak = {topology.input}, 0
    for operator in topology.operators:
        live.add(operator.output)
        held = _SAMPLE_BYTES * sum(topology.elements(tensor) for tensor in live)
        peak = max(peak, held + _WORKING_BYTES * topology.elements(operator.output))
        live -= {tensor for tensor in operator_inputs(operator) if last_use[tensor] == operator.name}
    return peak
