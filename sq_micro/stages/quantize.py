"""Stage 2: calibrate, quantize, and let TFLite Micro say what the outputs must be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sq_micro.errors import UsageError
from sq_micro.finetune.options import recommended
from sq_micro.ir import evaluate
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.float_graph import Float32Array, FloatGraph
from sq_micro.ir.topology import Topology, total_macs
from sq_micro.paths import write_atomically
from sq_micro.prune import prune
from sq_micro.quant.calibrate import Ranges, observe
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.observers import ObserverName
from sq_micro.quant.params import Int8Array
from sq_micro.quant.plan_file import bitwidths_from, kernels_from
from sq_micro.quant.quantize import GIVEN_BITS
from sq_micro.quant.quantize import quantize as quantize_graph
from sq_micro.quant.samples import Samples, load_samples
from sq_micro.quant.storage import load_quant_graph, save_quant_graph
from sq_micro.quant.text import quant_graph_text
from sq_micro.quant.weights import WeightScales
from sq_micro.reference.golden_vectors import GoldenVectors, make_golden_vectors, require_equal
from sq_micro.reference.interpreter import run, run_parallel
from sq_micro.report.evidence import ConfusionRecord
from sq_micro.report.result import (
    AccuracyRecord,
    AssignmentRecord,
    BitsRecord,
    FinetuningRecord,
    QuantizationRecord,
)
from sq_micro.rounding import RoundingMethod, round_network
from sq_micro.stages.accuracy import Metric, accuracy_metric, confusion, decide, share_correct
from sq_micro.stages.analyze import GIVEN_FILE, analyzed_graph
from sq_micro.stages.operator_records import fidelity_records
from sq_micro.stages.oracle import check_against_file, check_against_oracle
from sq_micro.stages.progress import Notify, silent
from sq_micro.stages.records import QuantizeRecord, save_record
from sq_micro.stages.training import train
from sq_micro.tflite.export import write_tflite
from sq_micro.workspace import Stage, Workspace

GOLDEN_SAMPLES = 100
MOST_CONFUSED_CLASSES = 64  # beyond, a confusion matrix is a file of its own
_BATCH = 64
_RANDOM_INPUTS_SEED = 0


@dataclass(frozen=True, slots=True)
class QuantizeOptions:
    """weight_bits is a width or the path of a plan file; `evaluate` may be None, then there is no accuracy.

    calibrate may be None for an int8 model, whose file gives scales, unless weights are to be rounded by the samples.
    weight_scales is for nearest rounding alone; feedback finds scales of its own. With `train`, the rounded network is
    then trained on those samples; epochs None takes what suits their number. With `int4`, 4-bit weights are such as
    TFLite's int4 holds, so that the compact export can store them. activation_bits: see `quant.plan_file`.
    """

    calibrate: Path | None
    evaluate: Path | None
    weight_bits: str
    observer: ObserverName = "mse"
    rounding: RoundingMethod = "feedback"
    weight_scales: WeightScales = "mse"
    samples: int = GOLDEN_SAMPLES
    train: Path | None = None
    epochs: int | None = None
    learning_rate: float | None = None
    int4: bool = False
    activation_bits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QuantizeInputs:
    """The samples of a run, read and checked."""

    calibration: Samples | None
    evaluation: Samples | None
    training: Samples | None


def read_samples(graph: FloatGraph, options: QuantizeOptions) -> QuantizeInputs:
    """Check all files before any work starts. Raises DataError or UsageError."""
    if options.samples < 1:
        raise UsageError(f"--samples {options.samples}: at least 1 is needed")
    classes = _classes(graph.topology)
    _require_calibration(graph, options)
    calibration = load_samples(options.calibrate, graph.input_shape) if options.calibrate is not None else None
    evaluation = None
    if options.evaluate is not None:
        evaluation = load_samples(options.evaluate, graph.input_shape, classes)
    training = load_samples(options.train, graph.input_shape, classes) if options.train is not None else None
    return QuantizeInputs(calibration, evaluation, training)


def require_labels(workspace: Workspace, options: QuantizeOptions) -> None:
    """Raises UsageError, before any search, iff no accuracy can be counted on the evaluation samples."""
    graph = analyzed_graph(workspace)
    evaluation = read_samples(graph, options).evaluation
    if evaluation is None or evaluation.y is None or accuracy_metric(graph.topology) is None:
        raise UsageError(f"--max-drop needs labels: {options.evaluate} has none that suit this network's output")


def quantize(
    workspace: Workspace,
    options: QuantizeOptions,
    notify: Notify = silent,
    assignment: AssignmentRecord | None = None,
) -> QuantizeRecord:
    """Quantize the analyzed model; writes the integers, the golden vectors and the .tflite twin.

    assignment  how the bits were chosen, if they were; for the result
    Raises GoldenMismatchError iff the reference and TFLite Micro disagree: that would be a defect of ours.
    """
    graph = analyzed_graph(workspace)
    bitwidths = bitwidths_from(options.weight_bits, graph.topology, options.activation_bits)
    require_own_activations(graph, bitwidths)
    inputs = read_samples(graph, options)
    workspace.begin(Stage.QUANTIZE)

    samples: Samples | NDArray[np.float32] = inputs.calibration or np.empty((0, *graph.input_shape), np.float32)
    ranges = observe(graph, samples, options.observer, lambda done, total: notify("calibrate", done, total))
    ranges = ranges.with_bits(bitwidths.activations)
    rounding = _rounding(graph, bitwidths, options)
    quantized = _rounded(graph, ranges, bitwidths, samples, options, notify)
    finetuning = None
    if inputs.training is not None:
        seen = inputs.calibration if rounding == "feedback" else None
        quantized, finetuning = _trained(workspace, graph, ranges, quantized, seen, inputs.training, options, notify)
    twin = write_tflite(quantized)
    source = inputs.evaluation or inputs.calibration
    golden = make_golden_vectors(quantized, _golden_inputs(quantized, source, options.samples))
    oracle = check_against_oracle(quantized, twin, golden)
    if rounding == "given":
        oracle = check_against_file(quantized, workspace.need(Stage.ANALYZE, GIVEN_FILE), golden) or oracle
    executed, golden = pruned(quantized, golden)
    accuracy = None
    if inputs.evaluation is not None:
        accuracy = measure_accuracy(graph, quantized, inputs.evaluation, notify)

    write_atomically(workspace / "03_ranges.txt", str(ranges))
    write_atomically(workspace / "06_quantized.txt", quant_graph_text(quantized))
    save_quant_graph(quantized, workspace / "06_quantized.npz")
    save_quant_graph(executed, workspace / "06_pruned.npz")
    golden.save(workspace / "07_golden.npz")
    write_atomically(workspace / "07_twin.tflite", twin)
    record = QuantizeRecord(
        kernels=kernels_from(options.weight_bits, graph.topology),
        model_hash=executed.digest().hex(),
        macs=total_macs(quantized.topology),
        executed_macs=total_macs(executed.topology),
        bits=_bits_record(quantized),
        quantization=QuantizationRecord(
            observer=ranges.observer,
            rounding=rounding,
            weight_scales=options.weight_scales if rounding == "nearest" else None,
            calibration_samples=len(samples),
            int4_levels=options.int4,
            finetuning=finetuning,
        ),
        fidelity=[] if source is None else fidelity_records(graph, quantized, source.first(options.samples)),
        accuracy=accuracy,
        golden_samples=len(golden),
        oracle=oracle,
        assignment=assignment,
    )
    save_record(workspace, record)
    return record


def _bits_record(quantized: QuantGraph) -> BitsRecord:
    bits = quantized.bitwidths
    narrow = {op.name: bits.activation(op.output) for op in quantized.topology.operators}
    return BitsRecord.model_validate(
        {"weights": dict(bits.weights), "activations": {name: width for name, width in narrow.items() if width != 8}}
    )


def require_own_activations(graph: FloatGraph, bitwidths: Bitwidths) -> None:
    """Raises UsageError iff 4 bits are wanted of activations whose scales the model's file gives."""
    if graph.given is not None and bitwidths.activations:
        raise UsageError("activations of 4 bits need scales of their own: give the float model, not the int8 one")


def _rounding(graph: FloatGraph, bitwidths: Bitwidths, options: QuantizeOptions) -> RoundingMethod | Literal["given"]:
    """How weights become integers; `given` where the model's file has all of them."""
    given = graph.given is not None and set(bitwidths.weights.values()) <= {GIVEN_BITS}
    return "given" if given else options.rounding


def _require_calibration(graph: FloatGraph, options: QuantizeOptions) -> None:
    """Raises UsageError iff samples are needed that are not there."""
    if options.calibrate is not None:
        return
    if graph.given is None:
        raise UsageError("--calibrate is needed: a float model does not say which values its activations take")
    if _rounding(graph, bitwidths_from(options.weight_bits, graph.topology), options) == "feedback":
        raise UsageError("--calibrate is needed to round weights by it; --rounding nearest does without samples")


def _golden_inputs(quantized: QuantGraph, source: Samples | None, count: int) -> Int8Array:
    """The first samples, or random codes where there are none."""
    if source is not None:
        return quantized.quantize_input(source.real(0, count))
    shape = (count, *quantized.topology.shape(quantized.topology.input)[1:])
    return np.random.default_rng(_RANDOM_INPUTS_SEED).integers(-128, 128, shape).astype(np.int8)


def _rounded(
    graph: FloatGraph,
    ranges: Ranges,
    bitwidths: Bitwidths,
    calibration: Samples | NDArray[np.float32],
    options: QuantizeOptions,
    notify: Notify,
) -> QuantGraph:
    if _rounding(graph, bitwidths, options) != "feedback":
        return quantize_graph(graph, ranges, bitwidths, options.weight_scales, options.int4)
    return round_network(
        graph,
        ranges,
        bitwidths,
        calibration,
        progress=lambda done, total: notify("round weights", done, total),
        int4=options.int4,
    )


def _trained(
    workspace: Workspace,
    graph: FloatGraph,
    ranges: Ranges,
    quantized: QuantGraph,
    rounded_on: Samples | None,
    training: Samples,
    options: QuantizeOptions,
    notify: Notify,
) -> tuple[QuantGraph, FinetuningRecord]:
    settings = recommended(len(training), options.epochs)
    if options.learning_rate is not None:
        settings = replace(settings, learning_rate=options.learning_rate)
    trained = train(
        graph,
        ranges,
        quantized,
        rounded_on,
        training,
        settings,
        workspace / "finetune",
        lambda state: notify("fine-tune", state.step, state.steps),
    )
    record = FinetuningRecord(
        samples=len(training),
        labelled=training.y is not None,
        epochs=settings.epochs,
        learning_rate=settings.learning_rate,
        seed=settings.seed,
    )
    return trained, record


def whole_graph(workspace: Workspace) -> QuantGraph:
    """What `quantize` left, with the channels that never vary. Raises UsageError iff it did not run."""
    workspace.need(Stage.QUANTIZE, "quantize.json")
    return load_quant_graph(workspace.need(Stage.QUANTIZE, "06_quantized.npz"))


def executed_graph(workspace: Workspace) -> QuantGraph:
    """What `quantize` left for the firmware to compute. Raises UsageError iff it did not run."""
    workspace.need(Stage.QUANTIZE, "quantize.json")
    return load_quant_graph(workspace.need(Stage.QUANTIZE, "06_pruned.npz"))


def pruned(graph: QuantGraph, golden: GoldenVectors) -> tuple[QuantGraph, GoldenVectors]:
    """The network without what never varies, and the golden vectors of the whole one, which it must give as well.

    Raises GoldenMismatchError iff it does not: that would be a defect of ours.
    """
    executed = prune(graph)
    if executed is not graph:
        require_equal(f"{graph.topology.output} (pruned)", run(executed, golden.inputs), golden.outputs)
    return executed, replace(golden, model_hash=executed.digest())


def measure_accuracy(
    graph: FloatGraph, quantized: QuantGraph, samples: Samples, notify: Notify
) -> AccuracyRecord | None:
    """Accuracy of the float network and of the integers over a labelled set; None iff there are no labels."""
    metric = accuracy_metric(graph.topology)
    if samples.y is None or metric is None:
        return None
    labels, classes = samples.y, _classes(graph.topology)
    by_float = float_decisions(graph, samples, metric, notify)
    by_integers = quantized_decisions(quantized, samples, metric, notify)
    confused = None
    if classes <= MOST_CONFUSED_CLASSES:
        confused = ConfusionRecord(
            float_network=confusion(by_float, labels, classes).tolist(),
            quantized=confusion(by_integers, labels, classes).tolist(),
        )
    return AccuracyRecord(
        metric=metric,
        samples=len(samples),
        float=share_correct(by_float, labels),
        quantized=share_correct(by_integers, labels),
        confusion=confused,
    )


def float_decisions(graph: FloatGraph, samples: Samples, metric: Metric, notify: Notify = silent) -> NDArray[np.int64]:
    """The class that the float network names for each sample."""

    def float_outputs(real: Float32Array) -> Float32Array:
        nhwc = graph.topology.shape(graph.topology.input)[1:]
        return evaluate.run(graph, real.reshape(-1, *nhwc))

    return _decisions(samples, metric, float_outputs, lambda done: notify("float accuracy", done, len(samples)))


def quantized_decisions(
    quantized: QuantGraph, samples: Samples, metric: Metric, notify: Notify = silent
) -> NDArray[np.int64]:
    """The class that the integers name for each sample."""
    codes = np.concatenate(
        [quantized.quantize_input(samples.real(start, start + _BATCH)) for start in range(0, len(samples), _BATCH)]
    )
    outputs = run_parallel(quantized, codes, progress=lambda done, total: notify("quantized accuracy", done, total))
    return decide(quantized.output_params.dequantize(outputs), metric)


def float_accuracy(graph: FloatGraph, samples: Samples, metric: Metric, notify: Notify = silent) -> float:
    """Of the float network over a labelled set, in 0 … 1."""
    assert samples.y is not None
    return share_correct(float_decisions(graph, samples, metric, notify), samples.y)


def quantized_accuracy(quantized: QuantGraph, samples: Samples, metric: Metric, notify: Notify = silent) -> float:
    """Of the integers over a labelled set, in 0 … 1."""
    assert samples.y is not None
    return share_correct(quantized_decisions(quantized, samples, metric, notify), samples.y)


def _decisions(
    samples: Samples, metric: Metric, outputs: Callable[[Float32Array], Float32Array], progress: Callable[[int], None]
) -> NDArray[np.int64]:
    found = []
    for start in range(0, len(samples), _BATCH):
        stop = min(start + _BATCH, len(samples))
        found.append(decide(outputs(samples.real(start, stop)), metric))
        progress(stop)
    return np.concatenate(found)


def _classes(topology: Topology) -> int:
    """How many labels there are; a model with one output tells two classes apart."""
    return max(2, topology.shape(topology.output)[-1])
