"""Stage 5: run the image, compare every output with the golden ones, write the result."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass

import numpy as np

from sq_micro import __version__
from sq_micro.board import Board
from sq_micro.errors import UsageError
from sq_micro.ir.operators import Reshape, kind
from sq_micro.ir.topology import macs
from sq_micro.measure.harness import Measurement
from sq_micro.measure.harness import measure as measure_session
from sq_micro.measure.link.make_link import make_link
from sq_micro.measure.session import Session
from sq_micro.paths import write_atomically
from sq_micro.quant.graph import QuantGraph
from sq_micro.reference.golden_vectors import GoldenVectors, first_difference
from sq_micro.report.html.page import render_html
from sq_micro.report.markdown import render_markdown
from sq_micro.report.result import (
    BoardRecord,
    CyclesRecord,
    MeasurementRecord,
    ModelRecord,
    OperatorRecord,
    Result,
    ToolRecord,
    VerificationRecord,
)
from sq_micro.stages.generate import generated
from sq_micro.stages.progress import Notify, silent
from sq_micro.stages.quantize import executed_graph
from sq_micro.stages.records import AnalyzeRecord, BuiltRecord, QuantizeRecord, load_record
from sq_micro.workspace import Stage, Workspace

SERIAL_TIMEOUT_S = 10.0  # of one reply; a board that takes longer for an inference has other troubles
SESSION_TIMEOUT_S = 60.0  # simulated cores can take seconds for one


@dataclass(frozen=True, slots=True)
class MeasureOptions:
    """link None takes the board's first. port and renode are for the links of these names; None finds them."""

    link: str | None = None
    runs: int = 100
    port: str | None = None
    renode: str | None = None


def measure(workspace: Workspace, options: MeasureOptions | None = None, notify: Notify = silent) -> Result:
    """Run the golden inputs through the firmware over a link, compare every output, write the result.

    Raises GoldenMismatchError iff an output differs: then there is no result.
    """
    wanted = options or MeasureOptions()
    runs = wanted.runs
    if runs < 1:
        raise UsageError(f"--runs {runs}: at least 1 is needed")
    analyzed = load_record(workspace, AnalyzeRecord)
    quantized = load_record(workspace, QuantizeRecord)
    planned = generated(workspace)
    board = planned.board
    built = load_record(workspace, BuiltRecord)
    graph = executed_graph(workspace)
    golden = GoldenVectors.load(workspace.need(Stage.QUANTIZE, "07_golden.npz"))
    elf = workspace.need(Stage.BUILD, "firmware.elf").resolve()
    workspace.begin(Stage.MEASURE)

    name = wanted.link or ("serial" if wanted.port is not None else board.links[0])
    chosen = make_link(name, elf, board, port=wanted.port, renode=wanted.renode, folder=workspace / "renode")
    timeout_s = SERIAL_TIMEOUT_S if name == "serial" else SESSION_TIMEOUT_S
    with Session(chosen, model_hash=quantized.model_hash, timeout_s=timeout_s) as session:
        measured = measure_session(
            session,
            golden.inputs.reshape(len(golden), -1),
            golden.outputs.reshape(len(golden), -1),
            runs=runs,
            progress=lambda done, total: notify(f"measure ({chosen.name})", done, total),
        )
    _require_identical(graph, golden, measured)
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
        ),
        board=board_record(board),
        bits=quantized.bits,
        quantization=quantized.quantization,
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
        measurement=measurement_record(graph, board, measured),
        verification=VerificationRecord(
            oracle=quantized.oracle, samples=len(golden), identical=measured.identical or 0
        ),
    )
    write_atomically(workspace / "11_measurement.json", _raw(measured))
    write_atomically(workspace / "report.html", render_html(result))
    write_atomically(workspace / "report.md", render_markdown(result))
    write_atomically(workspace / "result.json", result.to_json())
    return result


def board_record(board: Board) -> BoardRecord:
    """What the result says of the board."""
    return BoardRecord(
        id=board.id,
        title=board.title,
        core=board.core.name,
        clock_hz=board.core.clock_hz,
        flash_bytes=board.flash.size_bytes if board.flash else None,
        sram_bytes=board.sram.size_bytes if board.sram else None,
    )


def measurement_record(graph: QuantGraph, board: Board, measured: Measurement) -> MeasurementRecord:
    """Cycles of the inference and of each operator that runs; latency only where clock and cycles are known."""
    cycles = latency_s = None
    if measured.cycles and measured.cycle_source != "none":  # the counter may run where it means nothing, as in QEMU
        median = int(statistics.median_low(measured.cycles))
        cycles = CyclesRecord(min=min(measured.cycles), median=median, max=max(measured.cycles))
        latency_s = median / board.core.clock_hz if board.core.clock_hz else None
    executed = [operator for operator in graph.topology.operators if not isinstance(operator, Reshape)]
    unknown: list[int | None] = [None] * len(executed)
    per_operator = measured.operator_cycles or unknown
    operators = [
        OperatorRecord.model_validate(
            {
                "index": index,
                "name": operator.name,
                "kind": kind(operator),
                "weight_bits": graph.bitwidths.weights.get(operator.name),
                "macs": macs(operator, graph.topology),
                "cycles": spent,
            }
        )
        for index, (operator, spent) in enumerate(zip(executed, per_operator, strict=True))
    ]
    instructions = int(statistics.median_low(measured.instructions)) if measured.instructions else None
    return MeasurementRecord(
        link=measured.link,
        cycle_source=measured.cycle_source,
        runs=measured.runs,
        cycles=cycles,
        instructions=instructions,
        latency_s=latency_s,
        energy_j=latency_s * board.active_power_w if latency_s and board.active_power_w else None,
        operators=operators,
    )


def _require_identical(graph: QuantGraph, golden: GoldenVectors, measured: Measurement) -> None:
    expected = golden.outputs.reshape(len(golden), -1)
    name = graph.topology.operators[-1].name
    for sample in np.flatnonzero((measured.outputs != expected).any(axis=1))[:1]:
        if difference := first_difference(measured.outputs[sample], expected[sample], f"{name}, sample {sample}"):
            raise difference


def _raw(measured: Measurement) -> str:
    """Every timed run, for those who want more than the median."""
    record = {
        "link": measured.link,
        "cycle_source": measured.cycle_source,
        "clock_hz": measured.clock_hz,
        "runs": measured.runs,
        "cycles": measured.cycles,
        "instructions": measured.instructions,
        "operator_cycles": measured.operator_cycles,
        "stack_used_bytes": measured.stack_used_bytes,
        "stack_reserved_bytes": measured.stack_reserved_bytes,
    }
    return json.dumps(record, indent=1) + "\n"
