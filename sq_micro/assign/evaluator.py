"""Tries a plan on calibration samples: rounds the weights at its widths, runs the integers, compares.

Results are kept by the hash of everything they depend on, so a search that is run again goes on where it was.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from sq_micro.assign.identity import network_key
from sq_micro.assign.output_divergence import FloatOutputs, decisions, float_outputs, real_samples
from sq_micro.assign.problem import Evaluate, Evaluation
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.float_graph import FloatGraph
from sq_micro.ir.operators import Operator
from sq_micro.mapper import Mapper, SerialMapper, unwatched
from sq_micro.quant.calibrate import Progress, Ranges, SampleSource
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.params import Float32Array, Int8Array
from sq_micro.reference.interpreter import Interpreter
from sq_micro.rounding import RoundingMethod, round_network
from sq_micro.store import Store, content_key

Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Trial:
    """One plan to be tried, with all that takes; `key` is where the store keeps the result."""

    graph: FloatGraph
    ranges: Ranges
    samples: Float32Array
    labels: Labels | None
    reference: FloatOutputs
    method: RoundingMethod
    store: Store
    key: str
    bitwidths: Bitwidths


def try_plan(trial: Trial) -> Evaluation:
    """Round, run, compare."""
    quantized = round_network(trial.graph, trial.ranges, trial.bitwidths, trial.samples, trial.method)
    found = compare(quantized, trial.samples, trial.reference, trial.labels)
    trial.store.put(trial.key, _document(found))
    return found


def compare(
    quantized: QuantGraph, samples: Float32Array, reference: FloatOutputs, labels: Labels | None = None
) -> Evaluation:
    """How a quantized network does on the samples (n, *input_shape) whose float outputs are known."""
    interpreter = Interpreter.prepare(quantized)
    probe = reference.probe.tensor
    params = quantized.activations[probe]
    size = interpreter.batch()
    divergences: list[float] = []
    sums = np.zeros(2)
    correct = 0.0
    for start in range(0, len(samples), size):
        seen: list[Int8Array] = []

        def see(operator: Operator, codes: Int8Array, seen: list[Int8Array] = seen) -> None:
            if operator.output == probe:
                seen.append(codes)

        interpreter.run_batch(quantized.quantize_input(samples[start : start + size]), see)
        real = params.dequantize(seen[0])
        divergences += reference.divergence(real, start).tolist()
        sums += [reference.agreement(real, start).sum(), reference.expected_drop(real, start).sum()]
        if labels is not None:
            correct += _correct(decisions(real), labels[start : start + size])
    agreement, drop = (sums / len(samples)).tolist()
    if labels is None:
        return Evaluation(tuple(divergences), agreement, 100 * drop)
    accuracy, float_accuracy = correct / len(samples), _correct(decisions(reference.real), labels) / len(samples)
    if reference.probe.measure == "squared":
        drop = float_accuracy - accuracy
    return Evaluation(tuple(divergences), agreement, 100 * drop, accuracy, float_accuracy)


def _document(found: Evaluation) -> bytes:
    return json.dumps(asdict(found)).encode()


def _evaluation(document: bytes) -> Evaluation:
    fields = json.loads(document)
    return Evaluation(**{**fields, "divergences": tuple(fields["divergences"])})


def make_evaluator(
    graph: FloatGraph,
    ranges: Ranges,
    samples: NDArray[np.floating] | SampleSource,
    labels: Labels | None = None,
    method: RoundingMethod = "feedback",
    mapper: Mapper | None = None,
    store: Store | None = None,
    progress: Progress = unwatched,
) -> Evaluate:
    """An `Evaluate` for one network.

    samples   calibration data, never the evaluation set: real values (n, *input_shape)
    labels    (n,) where the person gave some; then drops are counted too
    mapper, store  None: in this process; kept while the evaluator lives
    progress  told (plans done, plans) of each call
    """
    workers, kept = mapper or SerialMapper(), store or Store(None)
    values = real_samples(samples, 0, len(samples))
    reference = float_outputs(graph, values)
    identity = content_key(network_key(graph, ranges, values), method, labels)
    known: dict[str, Evaluation] = {}

    def trial_of(plan: Bitwidths) -> Trial:
        key = content_key("evaluation", identity, str(plan))
        return Trial(graph, ranges, values, labels, reference, method, kept, key, plan)

    def evaluate(plans: Sequence[Bitwidths]) -> list[Evaluation]:
        trials = [trial_of(plan) for plan in plans]
        missing: dict[str, Trial] = {}
        for trial in trials:
            if trial.key not in known and (found := kept.get(trial.key)) is not None:
                known[trial.key] = _evaluation(found)
            if trial.key not in known:
                missing[trial.key] = trial
        known.update(zip(missing, workers.map(try_plan, list(missing.values()), progress), strict=True))
        return [known[trial.key] for trial in trials]

    return evaluate


def _correct(found: NDArray[np.int64], labels: Labels) -> float:
    """How many rows (n, 1) name their label; for independent outputs there is no such count."""
    if found.shape[1] != 1:
        return float("nan")
    return float((found[:, 0] == labels).sum())
