"""One operator in integers amid a float network: what it alone does to the outputs, and which part of it does.

Three kinds of noise are told apart, each measured at the operator's own output on the float network's inputs:

    weights   rounded weights in float arithmetic
    steps     the float output put on the codes of the output's scale, and clipped to them
    both      the operator as the firmware computes it
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from sq_micro.assign.output_divergence import FloatOutputs, float_outputs
from sq_micro.fidelity.outputs import Noise, batches, float_tensors, float_twin
from sq_micro.ir import evaluate
from sq_micro.ir.float_graph import Float32Array, FloatGraph
from sq_micro.ir.operators import Operator, Reshape, WeightedOperator, operator_inputs
from sq_micro.quant.calibrate import SampleSource
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.params import ActivationParams
from sq_micro.reference.operators import prepare

_BATCH = 32


@dataclass(frozen=True, slots=True)
class Isolated:
    """One operator alone in integers, all others in float.

    sqnr_db          of its output; weights_db and steps_db of the two kinds of noise; None where there is none
    clipped          share of its output's values beyond the codes' range
    range_over_rms   the codes' range over the root mean square of the output: high where few outliers set the scale
    divergence       of the network's outputs from the float network's, see `assign.output_divergence`
    agreement        share of samples that are still decided alike
    """

    operator: str
    sqnr_db: float | None
    weights_db: float | None
    steps_db: float | None
    clipped: float
    range_over_rms: float
    divergence: float
    agreement: float


@dataclass
class _Sums:
    """Over all samples of one operator."""

    both: Noise
    weights: Noise
    steps: Noise
    clipped: int = 0
    values: int = 0
    divergence: float = 0.0
    agreement: float = 0.0


def isolate(graph: FloatGraph, quantized: QuantGraph, samples: SampleSource) -> tuple[Isolated, ...]:
    """Every operator that computes something, in execution order."""
    twin = float_twin(graph, quantized)
    rounded = _with_rounded_weights(twin, quantized)
    reference = float_outputs(twin, samples)
    operators = [operator for operator in quantized.topology.operators if not isinstance(operator, Reshape)]
    computes = {operator.name: prepare(operator, quantized) for operator in operators}
    sums = {operator.name: _Sums(Noise(), Noise(), Noise()) for operator in operators}
    first = 0
    for real in batches(samples, _BATCH):
        tensors = float_tensors(twin, real)
        for operator in operators:
            found, params = sums[operator.name], quantized.activations[operator.output]
            inputs = [tensors[name] for name in operator_inputs(operator)]
            codes = [quantized.activations[name].quantize(tensors[name]) for name in operator_inputs(operator)]
            alone = params.dequantize(computes[operator.name](*codes))
            _add(found, tensors[operator.output], alone, evaluate.compute(operator, rounded, *inputs), params)
            outputs = _outputs_with(twin, tensors, operator, alone, reference)
            found.divergence += float(reference.divergence(outputs, first).sum())
            found.agreement += float(reference.agreement(outputs, first).sum())
        first += len(real)
    return tuple(_isolated(name, found, quantized, len(samples)) for name, found in sums.items())


def _with_rounded_weights(twin: FloatGraph, quantized: QuantGraph) -> FloatGraph:
    """The float network with the weights and biases that its integers stand for."""
    constants = dict(twin.constants)
    for operator in quantized.topology.weighted():
        constants[operator.weights] = _real_weights(operator, quantized)
        scale = quantized.activations[operator.input].scale * quantized.weights[operator.weights].scale
        constants[operator.bias] = np.asarray(quantized.biases[operator.bias] * scale, np.float32)
    return replace(twin, constants=constants)


def _real_weights(operator: WeightedOperator, quantized: QuantGraph) -> Float32Array:
    params, codes = quantized.weights[operator.weights], quantized.codes[operator.weights]
    shape = [1] * codes.ndim
    shape[params.axis] = -1
    return np.asarray(codes * params.scale.reshape(shape), np.float32)


def _add(
    found: _Sums, real: Float32Array, alone: Float32Array, rounded: Float32Array, params: ActivationParams
) -> None:
    found.both.add(real, alone)
    found.weights.add(real, rounded)
    found.steps.add(real, params.dequantize(params.quantize(real)))
    least, most = params.limits
    low = (least - params.zero_point - 0.5) * params.scale
    high = (most - params.zero_point + 0.5) * params.scale
    found.clipped += int(((real < low) | (real > high)).sum())
    found.values += real.size


def _outputs_with(
    graph: FloatGraph,
    tensors: Mapping[str, Float32Array],
    operator: Operator,
    output: Float32Array,
    reference: FloatOutputs,
) -> Float32Array:
    """The network's outputs at the probe when one operator gives `output`: what does not follow from it is reused."""
    changed = {operator.output: output}
    position = graph.topology.operators.index(operator)
    for later in graph.topology.operators[position + 1 :]:
        if later.output == reference.probe.tensor or reference.probe.tensor not in changed:
            names = operator_inputs(later)
            if any(name in changed for name in names):
                changed[later.output] = evaluate.compute(
                    later, graph, *(changed.get(name, tensors[name]) for name in names)
                )
    return changed.get(reference.probe.tensor, tensors[reference.probe.tensor])


def _isolated(name: str, found: _Sums, quantized: QuantGraph, samples: int) -> Isolated:
    output = next(operator.output for operator in quantized.topology.operators if operator.name == name)
    params = quantized.activations[output]
    span = (params.limits[1] - params.limits[0]) * params.scale
    rms = (found.both.signal / max(found.values, 1)) ** 0.5
    return Isolated(
        operator=name,
        sqnr_db=found.both.sqnr_db,
        weights_db=found.weights.sqnr_db,
        steps_db=found.steps.sqnr_db,
        clipped=found.clipped / max(found.values, 1),
        range_over_rms=span / rms if rms > 0 else 0.0,
        divergence=found.divergence / samples,
        agreement=found.agreement / samples,
    )
