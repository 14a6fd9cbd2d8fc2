"""Firmware images of tiny models for the tests of the toolchain."""

from __future__ import annotations

import re
from pathlib import Path

from sq_micro.board import Board, load_board
from sq_micro.codegen.render import render_board, render_project
from sq_micro.plan.plan import make_plan
from sq_micro.quant.graph import QuantGraph
from sq_micro.toolchain.cmake import BuildRequest
from sq_micro.toolchain.compiler import CompilerChoice, find_compiler

NUCLEO = "nucleo_l4r5zi"


def request_for(graph: QuantGraph, folder: Path, board: Board, compiler: CompilerChoice) -> BuildRequest:
    """Generate a model for a board, ready to be built."""
    plan = make_plan(graph.topology, graph.bitwidths, board.core.isa)
    render_project(graph, plan).write(folder / "model")
    render_board(graph, plan, board).write(folder / "board")
    return BuildRequest(
        folder / "model", folder / "board", folder / "build", board, find_compiler(board, compiler), plan.arena_bytes
    )


def smaller_nucleo(folder: Path, flash_bytes: int | None = None, sram_bytes: int | None = None) -> Board:
    """The NUCLEO with less memory."""
    text = load_board(NUCLEO).source_file.read_text(encoding="utf-8")
    for region, size in (("flash", flash_bytes), ("sram", sram_bytes)):
        if size is not None:
            text, count = re.subn(rf"(\[memory\.{region}\][^\[]*?value = )[\d_]+", rf"\g<1>{size}", text)
            assert count == 1
    path = folder / "small_nucleo.toml"
    path.write_text(text, encoding="utf-8")
    return load_board(path)
