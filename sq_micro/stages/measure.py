"""Stage 5: run the image, compare every output with the golden ones, write the result."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sq_micro import __version__
from sq_micro.board import Board
from sq_micro.errors import DataError, GoldenMismatchError, UsageError
from sq_micro.measure.device_accuracy import count_accuracy
from sq_micro.measure.harness import Int8Array, Measurement
from sq_micro.measure.harness import measure as measure_session
from sq_micro.measure.link.make_link import make_link
from sq_micro.measure.locate import locate
from sq_micro.measure.session import Session
from sq_micro.paths import write_atomically
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.samples import Samples, load_samples
from sq_micro.reference.golden_vectors import GoldenVectors, first_difference
from sq_micro.reference.interpreter import run
from sq_micro.report.evidence import ArenaPlanRecord
from sq_micro.report.html.page import render_html
from sq_micro.report.markdown import render_markdown
from sq_micro.report.result import (
    BoardRecord,
    CycleModelRecord,
    DeviceAccuracyRecord,
    ModelRecord,
    Result,
    ToolRecord,
    VerificationRecord,
)
from sq_micro.simulate.cycles.table import find_cycle_table
from sq_micro.stages.accuracy import Metric, accuracy_metric, decide
from sq_micro.stages.generate import generated, planned_of
from sq_micro.stages.measurement_record import accuracy_record, measurement_record, raw_json
from sq_micro.stages.modelled import modelled_beside
from sq_micro.stages.progress import Notify, silent
from sq_micro.stages.quantize import executed_graph
from sq_micro.stages.records import AnalyzeRecord, BuiltRecord, QuantizeRecord, load_record
from sq_micro.stages.stepping import expected_steps
from sq_micro.workspace import Stage, Workspace

SERIAL_TIMEOUT_S = 10.0  # of one reply; a board that takes longer for an inference has other troubles
SESSION_TIMEOUT_S = 60.0  # simulated cores can take seconds for one


@dataclass(frozen=True, slots=True)
class MeasureOptions:
    """What to run, over which link.

    link             None takes the board's first. port and renode are for the links of these names; None finds them
    warm_up          inferences before the timed ones
    accuracy         labelled samples to count the accuracy on the device with; None: it is not counted
    accuracy_margin  percentage points: counting stops when half of the 95 % interval is no wider; 0: all samples
    """

    link: str | None = None
    runs: int = 100
    port: str | None = None
    renode: str | None = None
    warm_up: int = 1
    accuracy: Path | None = None
    accuracy_margin: float = 1.0


@dataclass(frozen=True, slots=True)
class _Labelled:
    samples: Samples
    labels: NDArray[np.int64]
    metric: Metric


def measure(workspace: Workspace, options: MeasureOptions | None = None, notify: Notify = silent) -> Result:
    """Run the golden inputs through the firmware over a link, compare every output, write the result.

    Raises GoldenMismatchError iff an output differs: then there is no result. It names the operator that the device,
    asked step by step, is the first to compute otherwise.
    """
    wanted = options or MeasureOptions()
    if wanted.runs < 1:
        raise UsageError(f"--runs {wanted.runs}: at least 1 is needed")
    analyzed = load_record(workspace, AnalyzeRecord)
    quantized = load_record(workspace, QuantizeRecord)
    planned = generated(workspace)
    board = planned.board
    built = load_record(workspace, BuiltRecord)
    graph = executed_graph(workspace)
    labelled = _labelled(graph, wanted.accuracy) if wanted.accuracy is not None else None
    golden = GoldenVectors.load(workspace.need(Stage.QUANTIZE, "07_golden.npz"))
    inputs = golden.inputs.reshape(len(golden), -1)
    elf = workspace.need(Stage.BUILD, "firmware.elf").resolve()
    workspace.begin(Stage.MEASURE)

    name = wanted.link or ("serial" if wanted.port is not None else board.links[0])
    chosen = make_link(name, elf, board, port=wanted.port, renode=wanted.renode, folder=workspace / "renode")
    timeout_s = SERIAL_TIMEOUT_S if name == "serial" else SESSION_TIMEOUT_S
    accuracy = None
    with Session(chosen, model_hash=quantized.model_hash, timeout_s=timeout_s) as session:
        measured = measure_session(
            session,
            inputs,
            golden.outputs.reshape(len(golden), -1),
            runs=wanted.runs,
            warm_up=wanted.warm_up,
            carried=built.carried_inputs,
            progress=lambda done, total: notify(f"measure ({chosen.name})", done, total),
        )
        _require_identical(session, workspace, graph, golden, measured)
        if labelled is not None:
            accuracy = _count_accuracy(session, graph, labelled, wanted.accuracy_margin, notify)
    beside = modelled_beside(name, elf, board, inputs, quantized.model_hash, timeout_s)
    together = _patches_note(planned.record.plan)
    notes = [note for note in (_counter_note(board, measured), beside.note, together) if note]
    result = Result(
        tool=ToolRecord(version=__version__),
        model=ModelRecord(
            name=analyzed.name,
            sha256=analyzed.sha256,
            model_hash=quantized.model_hash,
            parameters=analyzed.parameters,
            macs=quantized.macs,
            executed_macs=quantized.executed_macs,
            input_shape=analyzed.input_shape,
            output_shape=analyzed.output_shape,
            equalised=analyzed.equalised,
        ),
        board=board_record(board),
        bits=quantized.bits,
        quantization=quantized.quantization,
        kernels=planned.record.kernels,
        assignment=quantized.assignment,
        accuracy=quantized.accuracy,
        operators=planned.record.operators,
        fidelity=quantized.fidelity,
        memory=built.memory.model_copy(
            update={
                "measured_stack_bytes": measured.stack_used_bytes,
                "plan": planned.record.plan,
                "arena_by_width": planned.record.arena_by_width,
            }
        ),
        build=built.build,
        measurement=measurement_record(graph, board, planned.record.plan, measured, beside, accuracy, notes),
        verification=VerificationRecord(
            oracle=quantized.oracle, samples=len(golden), identical=measured.identical or 0
        ),
    )
    write_atomically(workspace / "11_measurement.json", raw_json(measured))
    write_atomically(workspace / "report.html", render_html(result))
    write_atomically(workspace / "report.md", render_markdown(result))
    write_atomically(workspace / "result.json", result.to_json())
    return result


def board_record(board: Board) -> BoardRecord:
    """What the result says of the board."""
    table = find_cycle_table(board)
    return BoardRecord(
        id=board.id,
        title=board.title,
        core=board.core.name,
        clock_hz=board.core.clock_hz,
        flash_bytes=board.flash.size_bytes if board.flash else None,
        sram_bytes=board.sram.size_bytes if board.sram else None,
        cycle_model=CycleModelRecord(
            core=table.title,
            trust=table.label,
            error=table.error,
            leaves_out=board.leaves_out,
            wait_factor=board.wait_factor,
        )
        if table
        else None,
    )


def _require_identical(
    session: Session, workspace: Workspace, graph: QuantGraph, golden: GoldenVectors, measured: Measurement
) -> None:
    expected = golden.outputs.reshape(len(golden), -1)
    for sample in np.flatnonzero((measured.outputs != expected).any(axis=1))[:1]:
        codes = golden.inputs[sample : sample + 1]
        if located := locate(session, codes.tobytes(), expected_steps(graph, planned_of(workspace), codes)):
            raise GoldenMismatchError(
                f"{located.operator}, sample {sample}",
                located.index,
                located.got,
                located.expected,
                located.differing_count,
            )
        whole = f"all of them (each one is right when run alone), sample {sample}"
        if difference := first_difference(measured.outputs[sample], expected[sample], whole):
            raise difference


def _labelled(graph: QuantGraph, file: Path) -> _Labelled:
    """Raises DataError, before anything is run, iff no accuracy can be counted with the file."""
    topology = graph.topology
    metric = accuracy_metric(topology)
    if metric is None:
        raise DataError(file, "the outputs of this network are no scores, so that there is no accuracy to count")
    classes = max(2, topology.shape(topology.output)[-1])
    samples = load_samples(file, topology.shape(topology.input)[1:], classes)
    if samples.y is None:
        raise DataError(file, "has no labels 'y'")
    return _Labelled(samples, samples.y, metric)


def _count_accuracy(
    session: Session, graph: QuantGraph, labelled: _Labelled, margin_points: float, notify: Notify
) -> DeviceAccuracyRecord:
    nhwc = graph.topology.shape(graph.topology.input)[1:]
    scores = graph.topology.shape(graph.topology.output)[1:]

    def codes(chosen: NDArray[np.int64]) -> Int8Array:
        real = np.concatenate([labelled.samples.real(index, index + 1) for index in chosen])
        return graph.quantize_input(real).reshape(len(chosen), -1)

    def reference(inputs: Int8Array) -> Int8Array:
        return run(graph, inputs.reshape(-1, *nhwc)).reshape(len(inputs), -1)

    def judge(outputs: Int8Array, chosen: NDArray[np.int64]) -> int:
        real = graph.output_params.dequantize(outputs.reshape(-1, *scores))
        return int((decide(real, labelled.metric) == labelled.labels[chosen]).sum())

    counted = count_accuracy(
        session,
        len(labelled.samples),
        codes,
        reference,
        judge,
        half_width=margin_points / 100,
        progress=lambda done, total: notify("accuracy on the device", done, total),
    )
    return accuracy_record(counted, labelled.metric)


def _patches_note(plan: ArenaPlanRecord) -> str | None:
    if plan.patches is None:
        return None
    first, last = plan.patches.operators[0], plan.patches.operators[-1]
    return f"'{first}' to '{last}' run in {plan.patches.patches} patches; the cycles of '{last}' are those of all"


def _counter_note(board: Board, measured: Measurement) -> str | None:
    if measured.counter_alive or board.core.cycle_counter == "none":
        return None
    if measured.link == "qemu":
        return "no latency: QEMU's cycle counters stand still or tell the host's time"
    return f"no latency: the cycle counter ({board.core.cycle_counter}) stands still on link {measured.link}"
