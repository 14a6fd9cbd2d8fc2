"""Stage 2: calibrate, quantize, and let TFLite Micro say what the outputs must be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sq_micro.errors import ToolchainError, UsageError
from sq_micro.finetune.launch import finetune
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
from sq_micro.quant.plan_file import bitwidths_from
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
from sq_micro.stages.accuracy import Metric, accuracy_metric, confusion, decide
from sq_micro.stages.analyze import analyzed_graph
from sq_micro.stages.operator_records import fidelity_records
from sq_micro.stages.progress import Notify, silent
from sq_micro.stages.records import QuantizeRecord, save_record
from sq_micro.tflite.export import write_tflite
from sq_micro.tflite.twin import oracle_version, run_tflite_micro, run_tflite_micro_tensors
from sq_micro.workspace import Stage, Workspace

GOLDEN_SAMPLES = 100
MOST_CONFUSED_CLASSES = 64  # beyond, a confusion matrix is a file of its own
_BATCH = 64
_OWN_REFERENCE = "sq-micro reference (the tflite-micro wheel is not installed)"


@dataclass(frozen=True, slots=True)
class QuantizeOptions:
    """weight_bits is a width or the path of a plan file; `evaluate` may be None, then there is no accuracy.

    weight_scales is for nearest rounding alone; feedback finds scales of its own. With `train`, the rounded network is
    then trained on those samples; epochs and learning_rate None take what suits its bits.
    """

    calibrate: Path
    evaluate: Path | None
    weight_bits: str
    observer: ObserverName = "mse"
    rounding: RoundingMethod = "feedback"
    weight_scales: WeightScales = "mse"
    samples: int = GOLDEN_SAMPLES
    train: Path | None = None
    epochs: int | None = None
    learning_rate: float | None = None


@dataclass(frozen=True, slots=True)
class QuantizeInputs:
    """The samples of a run, read and checked."""

    calibration: Samples
    evaluation: Samples | None
    training: Samples | None


def read_samples(graph: FloatGraph, options: QuantizeOptions) -> QuantizeInputs:
    """Check all files before any work starts. Raises DataError or UsageError."""
    if options.samples < 1:
        raise UsageError(f"--samples {options.samples}: at least 1 is needed")
    classes = _classes(graph.topology)
    calibration = load_samples(options.calibrate, graph.input_shape)
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
    bitwidths = bitwidths_from(options.weight_bits, graph.topology)
    inputs = read_samples(graph, options)
    workspace.begin(Stage.QUANTIZE)

    count = len(inputs.calibration)
    ranges = observe(graph, inputs.calibration, options.observer, lambda done, total: notify("calibrate", done, total))
    quantized = _rounded(graph, ranges, bitwidths, inputs.calibration, options, notify)
    finetuning = None
    if inputs.training is not None:
        quantized, finetuning = _trained(workspace, graph, ranges, quantized, inputs.training, options, notify)
    twin = write_tflite(quantized)
    golden_source = inputs.evaluation or inputs.calibration
    golden = make_golden_vectors(quantized, quantized.quantize_input(golden_source.real(0, options.samples)))
    oracle = check_against_oracle(quantized, twin, golden)
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
        model_hash=executed.digest().hex(),
        macs=total_macs(quantized.topology),
        executed_macs=total_macs(executed.topology),
        bits=BitsRecord.model_validate({"weights": dict(quantized.bitwidths.weights)}),
        quantization=QuantizationRecord(
            observer=options.observer,
            rounding=options.rounding,
            weight_scales=options.weight_scales if options.rounding == "nearest" else None,
            calibration_samples=count,
            finetuning=finetuning,
        ),
        fidelity=fidelity_records(graph, quantized, golden_source.first(options.samples)),
        accuracy=accuracy,
        golden_samples=len(golden),
        oracle=oracle,
        assignment=assignment,
    )
    save_record(workspace, record)
    return record


def _rounded(
    graph: FloatGraph,
    ranges: Ranges,
    bitwidths: Bitwidths,
    calibration: Samples,
    options: QuantizeOptions,
    notify: Notify,
) -> QuantGraph:
    if options.rounding == "nearest":
        return quantize_graph(graph, ranges, bitwidths, options.weight_scales)
    return round_network(
        graph, ranges, bitwidths, calibration, progress=lambda done, total: notify("round weights", done, total)
    )


def _trained(
    workspace: Workspace,
    graph: FloatGraph,
    ranges: Ranges,
    quantized: QuantGraph,
    training: Samples,
    options: QuantizeOptions,
    notify: Notify,
) -> tuple[QuantGraph, FinetuningRecord]:
    settings = recommended(quantized, len(training))
    if options.epochs is not None:
        settings = replace(settings, epochs=options.epochs)
    if options.learning_rate is not None:
        settings = replace(settings, learning_rate=options.learning_rate)
    trained = finetune(
        graph,
        ranges,
        quantized,
        training,
        training.y,
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


def check_against_oracle(graph: QuantGraph, twin: bytes, golden: GoldenVectors) -> str:
    """The oracle's name, after its outputs were found equal to the golden ones.

    Raises GoldenMismatchError naming the first operator whose output differs.
    """
    try:
        oracle = oracle_version()
    except ToolchainError:
        return _OWN_REFERENCE
    outputs = run_tflite_micro(twin, golden.inputs).reshape(golden.outputs.shape)
    differing = np.flatnonzero((outputs != golden.outputs).reshape(len(golden), -1).any(axis=1))
    if differing.size:
        _locate(graph, twin, golden.inputs[differing[0]])
        require_equal(graph.topology.operators[-1].name, golden.outputs, outputs)
    return oracle


def _locate(graph: QuantGraph, twin: bytes, sample: Int8Array) -> None:
    """Raise for the first operator whose codes differ on one sample."""
    names = [operator.output for operator in graph.topology.operators]
    expected = run_tflite_micro_tensors(twin, sample, names)

    def compare(operator_name: str, tensor: str, codes: Int8Array) -> None:
        require_equal(operator_name, codes, expected[tensor].reshape(codes.shape))

    run(graph, sample[None], lambda operator, codes: compare(operator.name, operator.output, codes))


def measure_accuracy(
    graph: FloatGraph, quantized: QuantGraph, samples: Samples, notify: Notify
) -> AccuracyRecord | None:
    """Accuracy of the float network and of the integers over a labelled set; None iff there are no labels."""
    metric = accuracy_metric(graph.topology)
    if samples.y is None or metric is None:
        return None

    def float_outputs(real: Float32Array) -> Float32Array:
        nhwc = graph.topology.shape(graph.topology.input)[1:]
        return evaluate.run(graph, real.reshape(-1, *nhwc))

    labels, classes = samples.y, _classes(graph.topology)
    float_decisions = _decisions(
        samples, metric, float_outputs, lambda done: notify("float accuracy", done, len(samples))
    )
    codes = np.concatenate(
        [quantized.quantize_input(samples.real(start, start + _BATCH)) for start in range(0, len(samples), _BATCH)]
    )
    outputs = run_parallel(quantized, codes, progress=lambda done, total: notify("quantized accuracy", done, total))
    decisions = decide(quantized.output_params.dequantize(outputs), metric)
    confused = None
    if classes <= MOST_CONFUSED_CLASSES:
        confused = ConfusionRecord(
            float_network=confusion(float_decisions, labels, classes).tolist(),
            quantized=confusion(decisions, labels, classes).tolist(),
        )
    return AccuracyRecord(
        metric=metric,
        samples=len(samples),
        float=int((float_decisions == labels).sum()) / len(samples),
        quantized=int((decisions == labels).sum()) / len(samples),
        confusion=confused,
    )


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
