"""Work that is done once per operator, here or in another process: round it at every width, and see what each does.

A network is run up to the operator once per batch; from there it goes on once per width.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sq_micro.assign.output_divergence import Float64Array, FloatOutputs
from sq_micro.ir.operators import Operator, WeightedOperator, operator_inputs
from sq_micro.quant.params import Float32Array, Int8Array
from sq_micro.quant.quantize import Frame, QuantizedWeights
from sq_micro.reference.operators import Compute, prepare
from sq_micro.rounding import LayerStatistics, rounded_weights
from sq_micro.store import Store

BASE_BITS = 8
_BATCH = 32


@dataclass(frozen=True, slots=True)
class RoundingJob:
    """An operator to be rounded at some widths; without statistics to the nearest levels."""

    frame: Frame
    operator: WeightedOperator
    statistics: LayerStatistics | None
    bits: tuple[int, ...]


def round_widths(job: RoundingJob) -> dict[int, QuantizedWeights]:
    """The operator's weights by width."""
    return {bits: rounded_weights(job.frame, job.operator, job.statistics, bits) for bits in job.bits}


@dataclass(frozen=True, slots=True)
class DamageJob:
    """One operator at several widths amid operators of 8 bits.

    candidates  its weights by width
    base        the 8-bit weights of every operator
    samples     real values (n, *input_shape)
    """

    frame: Frame
    operator: WeightedOperator
    candidates: Mapping[int, QuantizedWeights]
    base: Mapping[str, QuantizedWeights]
    samples: Float32Array
    reference: FloatOutputs
    store: Store
    key: str


def mean_divergences(job: DamageJob) -> Float64Array:
    """The mean divergence from the float network at each width, ascending, (widths,); also put into the store."""
    frame, topology = job.frame, job.frame.topology
    needed = _needed_operators(job)
    computes = {
        operator.name: prepare(operator, frame.operator_graph(operator, job.base.get(operator.name)))
        for operator in needed
    }
    variants = [
        prepare(job.operator, frame.operator_graph(job.operator, weights, bits))
        for bits, weights in sorted(job.candidates.items())
    ]
    position = needed.index(job.operator)
    sums = np.zeros(len(variants))
    params = frame.activations[job.reference.probe.tensor]
    nhwc = topology.shape(topology.input)[1:]
    for start in range(0, len(job.samples), _BATCH):
        values = job.samples[start : start + _BATCH].reshape(-1, *nhwc)
        live = {topology.input: frame.activations[topology.input].quantize(values)}
        _run(needed[:position], computes, live)
        for index, variant in enumerate(variants):
            tensors = dict(live)
            _run(needed[position:], {**computes, job.operator.name: variant}, tensors)
            outputs = params.dequantize(tensors[job.reference.probe.tensor])
            sums[index] += job.reference.divergence(outputs, start).sum()
    found = sums / len(job.samples)
    job.store.put(job.key, found.tobytes())
    return np.asarray(found)


def _needed_operators(job: DamageJob) -> list[Operator]:
    """All operators up to the probe, in execution order."""
    operators = list(job.frame.topology.operators)
    last = next(i for i, operator in enumerate(operators) if operator.output == job.reference.probe.tensor)
    return operators[: max(last, operators.index(job.operator)) + 1]


def _run(operators: list[Operator], computes: Mapping[str, Compute], tensors: dict[str, Int8Array]) -> None:
    for operator in operators:
        inputs = (tensors[tensor] for tensor in operator_inputs(operator))
        tensors[operator.output] = computes[operator.name](*inputs)
