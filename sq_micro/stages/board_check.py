"""`sq-micro boards check`: does a board file make an image, and does that answer where something here can run it?"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

from sq_micro.board import Board, UartDriver, load_board, read_board_file
from sq_micro.codegen.render import render_board, render_project
from sq_micro.errors import BoardError, ToolchainError
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.operators import MaxPool2D
from sq_micro.ir.topology import Role, TensorSpec, Topology
from sq_micro.measure.link.make_link import make_link
from sq_micro.measure.messages import Hello
from sq_micro.measure.session import Session
from sq_micro.paths import project_files
from sq_micro.plan.plan import make_plan
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.params import ActivationParams
from sq_micro.reference.golden_vectors import first_difference, make_golden_vectors
from sq_micro.simulate.cycles.table import load_cycle_table
from sq_micro.simulate.uart_models import uart_drivers
from sq_micro.stages.progress import Notify, silent
from sq_micro.toolchain.cmake import BuildRequest
from sq_micro.toolchain.compiler import CompilerChoice, find_compiler
from sq_micro.toolchain.firmware import Firmware, build

_EMULATED = ("simulator", "qemu", "host")
_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class BoardCheck:
    """What was tried. hello is None where nothing here can run the image: then it was only built."""

    board: Board
    firmware: Firmware
    link: str | None
    hello: Hello | None


def check_board(name: str, compiler: CompilerChoice = "auto", notify: Notify = silent) -> BoardCheck:
    """Read the file, build the smallest firmware for it, and run that on the first link that needs no hardware.

    Raises BoardError with all mistakes of the file at once, and what building or running raises.
    """
    path, content = read_board_file(name)
    mistakes = _mistakes(content)
    try:
        board = load_board(path)
    except BoardError as error:
        raise BoardError(path, (*error.mistakes, *mistakes)) from error
    if mistakes:
        raise BoardError(path, mistakes)
    graph = _smallest_network()
    with tempfile.TemporaryDirectory(prefix="sq-micro-") as folder:
        notify("build", 0, 1)
        firmware = _build(graph, board, compiler, Path(folder))
        link = next((link for link in board.links if link in _EMULATED), None)
        notify(f"run ({link})" if link else "built", 0, 1)
        hello = _run(graph, firmware.elf, board, link) if link else None
    return BoardCheck(board, firmware, link, hello)


def _mistakes(content: dict[str, Any]) -> tuple[str, ...]:
    """What only the rest of sq-micro can tell of a file's content; what is of a wrong type, its schema tells."""
    found = []
    firmware = project_files() / "firmware"
    if (soc := _text(content, "board", "soc")) is not None and not any((firmware / "soc" / soc).glob("*.c")):
        known = sorted({path.parent.name for path in firmware.glob("soc/*/*.c")} - {"cortex_m", "riscv"})
        found.append(f"board.soc: no folder firmware/soc/{soc}; there are: {', '.join(known)}")
    if (cpu := _text(content, "simulator", "cpu")) is not None:
        try:
            load_cycle_table(cpu)
        except ToolchainError as error:
            found.append(f"simulator.cpu: {error}")
        driver = _text(content, "uart", "driver")
        if driver in get_args(UartDriver) and driver not in uart_drivers():
            found.append(f"uart.driver: the simulator has no model of '{driver}'")
    return tuple(found)


def _text(content: dict[str, Any], table: str, key: str) -> str | None:
    found = content.get(table)
    value = found.get(key) if isinstance(found, dict) else None
    return value if isinstance(value, str) else None


def _smallest_network() -> QuantGraph:
    """One pooling operator on four pixels."""
    tensors = {
        "input": TensorSpec("input", (1, 2, 2, 1), Role.INPUT),
        "output": TensorSpec("output", (1, 1, 1, 1), Role.OUTPUT),
    }
    pool = MaxPool2D("pool", "input", "output", window=(2, 2), stride=(2, 2))
    params = ActivationParams(1 / 128, 0)
    return QuantGraph(
        topology=Topology("hello", tensors, (pool,), "input", "output"),
        bitwidths=Bitwidths({}),
        activations={"input": params, "output": params},
        weights={},
        codes={},
        biases={},
        levels={},
        arithmetic={},
        input_shape=(2, 2, 1),
    )


def _build(graph: QuantGraph, board: Board, compiler: CompilerChoice, folder: Path) -> Firmware:
    plan = make_plan(graph.topology, graph.bitwidths, board.core.isa)
    render_project(graph, plan).write(folder / "model")
    render_board(graph, plan, board).write(folder / "board")
    found = find_compiler(board, compiler)
    folders = folder / "model", folder / "board", folder / "build"
    return build(BuildRequest(*folders, board, found, plan.arena_bytes))


def _run(graph: QuantGraph, elf: Path, board: Board, link: str) -> Hello:
    golden = make_golden_vectors(graph, np.array([[[[3], [-7]], [[100], [-128]]]], np.int8))
    with Session(make_link(link, elf, board), model_hash=graph.digest().hex(), timeout_s=_TIMEOUT_S) as session:
        hello = session.hello
        _, output = session.run(golden.inputs[0].tobytes())
    difference = first_difference(np.frombuffer(output, np.int8), golden.outputs[0].reshape(-1), "pool")
    if difference is not None:
        raise difference
    return hello
