"""The image that the MLPerf Tiny runner talks to, with the runner's files: what `sq-micro mlperf` prepares and runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from sq_micro.codegen.render import render_board, render_mlperf_config
from sq_micro.errors import UsageError
from sq_micro.measure.harness import Int8Array
from sq_micro.measure.link.base import Link
from sq_micro.measure.link.make_link import make_link
from sq_micro.measure.mlperf.files import devices_yaml, loop_count, script_yaml, write_dataset
from sq_micro.paths import write_atomically
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.samples import Samples, load_samples
from sq_micro.report.result import Result
from sq_micro.stages.generate import generated, planned_of
from sq_micro.stages.quantize import executed_graph
from sq_micro.toolchain.cmake import BuildRequest
from sq_micro.toolchain.compiler import CompilerChoice, find_compiler
from sq_micro.toolchain.firmware import build as build_image
from sq_micro.toolchain.pins import edge_pin
from sq_micro.toolchain.variant import Variant
from sq_micro.workspace import Stage, Workspace

Benchmark = Literal["kws01", "ic01", "vww01"]
BENCHMARKS: tuple[Benchmark, ...] = get_args(Benchmark)
FOLDER = "mlperf"
ENERGY_BAUD = 9600  # of the runner's energy mode


@dataclass(frozen=True, slots=True)
class MlperfRequest:
    """What the image is to stand for.

    benchmark  the name by which the runner picks its test and its data set
    evaluate   labelled samples to make the runner's data set of; None: it is there already
    baud       None takes the board's; in energy mode the runner's 9,600
    energy     the pin whose falling edge tells the power analyser the time; None: performance and accuracy mode
    """

    benchmark: Benchmark
    evaluate: Path | None = None
    compiler: CompilerChoice = "auto"
    baud: int | None = None
    energy: str | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """inferences a window; samples of the data set that was written, None where none was."""

    folder: Path
    elf: Path
    inferences: int
    samples: int | None

    def __str__(self) -> str:
        made = f", data set of {self.samples:,} samples" if self.samples is not None else ""
        return f"{self.elf}: {self.inferences} inferences a window{made}; the runner's files are in {self.folder}"


def prepare(workspace: Workspace, request: MlperfRequest) -> Prepared:
    """Build the image, write the runner's files. Raises UsageError iff the model was not measured yet."""
    known = generated(workspace)
    graph = executed_graph(workspace)
    inferences = loop_count(_latency_s(workspace))
    pin = None if request.energy is None else edge_pin(request.energy, known.board)
    baud = request.baud or (ENERGY_BAUD if request.energy else known.board.uart.baud)
    board = replace(known.board, uart=replace(known.board.uart, baud=baud))
    samples = None
    if request.evaluate is not None:
        samples = load_samples(request.evaluate, graph.topology.shape(graph.topology.input)[1:], _classes(graph))
        if samples.y is None:
            raise UsageError(f"{request.evaluate} has no labels 'y', which the runner's data set needs")

    folder = (workspace / FOLDER).resolve()
    codes = _codes_of_bytes(graph, samples)
    config = render_mlperf_config(request.benchmark, codes, graph.output_params, energy=pin is not None)
    write_atomically(folder / "config" / "mlperf_config.h", config)
    render_board(graph, planned_of(workspace), board).write(folder / "board")
    firmware = build_image(
        BuildRequest(
            model_dir=(workspace / "model").resolve(),
            board_dir=folder / "board",
            build_dir=folder / "build",
            board=board,
            compiler=find_compiler(board, request.compiler),
            arena_bytes=known.record.arena_bytes,
            share_bytes=known.record.plan.share_bytes,
            variant=Variant("mlperf_tiny", edge=pin, config_dir=folder / "config"),
        )
    )
    elf = Workspace(folder).publish(firmware.elf, "firmware.elf")
    if board.serial is not None and board.serial.usb_ids:  # others hang on an adapter of which nobody knows
        write_atomically(folder / "devices.yaml", devices_yaml(board, baud, simulated=False))
    write_atomically(folder / "devices_simulated.yaml", devices_yaml(board, baud, simulated=True))
    write_atomically(folder / "tests_performance.yaml", script_yaml(request.benchmark, inferences))
    write_atomically(folder / "tests_accuracy.yaml", script_yaml(request.benchmark, None))
    written = None
    if samples is not None and samples.y is not None:
        sent = _bytes_to_send(graph, samples)
        written = write_dataset(folder / "dataset" / request.benchmark, sent, samples.y.tolist(), _classes(graph))
    return Prepared(folder, elf, inferences, written)


def link_to(workspace: Workspace, link: str | None, renode: str | None = None) -> Link:
    """The link to the prepared image on a simulated device. Raises UsageError iff nothing was prepared."""
    board = generated(workspace).board
    elf = workspace / FOLDER / "firmware.elf"
    if not elf.is_file():
        raise UsageError(f"{workspace.folder} has no {FOLDER}/firmware.elf; run `sq-micro mlperf prepare` first")
    name = link or board.links[0]
    if name == "serial":
        raise UsageError("a board on a serial port needs no bridge: give the runner its devices.yaml")
    return make_link(name, elf.resolve(), board, renode=renode, folder=workspace / FOLDER / "renode")


def _latency_s(workspace: Workspace) -> float:
    path = workspace.need(Stage.MEASURE, "result.json")
    measured = Result.model_validate_json(path.read_text(encoding="utf-8")).measurement
    latency_s = measured.latency_s or (measured.modelled.latency_s if measured.modelled else None)
    if latency_s is None:
        raise UsageError(f"{path} has no latency, so that it is not known how many inferences fill a window")
    return latency_s


def _classes(graph: QuantGraph) -> int:
    return max(2, graph.topology.shape(graph.topology.output)[-1])


def _is_bytes(samples: Samples | None) -> bool:
    return samples is not None and samples.x.dtype in (np.uint8, np.int8)


def _codes_of_bytes(graph: QuantGraph, samples: Samples | None) -> Int8Array:
    """The input code of each byte: of pixels what quantization makes of them, else the byte is the code."""
    every = np.arange(256, dtype=np.uint8)
    if samples is None or not _is_bytes(samples):
        return every.view(np.int8)
    real = every.view(samples.x.dtype).astype(np.float32) * np.float32(samples.scale)
    return graph.input_params.quantize(real)


def _bytes_to_send(graph: QuantGraph, samples: Samples) -> list[Int8Array]:
    """As they are where they are bytes, as codes otherwise."""
    if _is_bytes(samples):
        return [np.ascontiguousarray(sample).view(np.int8) for sample in samples.x]
    return [graph.quantize_input(samples.real(index, index + 1))[0] for index in range(len(samples))]
