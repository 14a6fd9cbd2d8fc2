"""Firmware images of one small model for every board, built once per process, and how to run them."""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from sq_micro.board import Board, load_board
from sq_micro.errors import ToolchainError
from sq_micro.measure.harness import Measurement, measure
from sq_micro.measure.link.make_link import make_link
from sq_micro.measure.renode.find import find_renode
from sq_micro.measure.session import Session
from sq_micro.quant.graph import QuantGraph
from sq_micro.reference.golden_vectors import GoldenVectors, make_golden_vectors
from sq_micro.toolchain.compiler import CompilerChoice, find_compiler
from sq_micro.toolchain.firmware import Firmware, build
from tests.golden.codegen.models import mixed
from tests.models.random_quant_graph import random_codes
from tests.unit.codegen.generated_program import missing
from tests.unit.toolchain.images import request_for

_FOLDER = tempfile.TemporaryDirectory(prefix="sqm-boards-")


@cache
def small_model() -> tuple[QuantGraph, GoldenVectors]:
    """Every operator that has weights, at every width; three inputs with their outputs."""
    graph = mixed()
    return graph, make_golden_vectors(graph, random_codes(graph, 3))


@cache
def image(board: str, compiler: CompilerChoice) -> Firmware:
    """Skips the test, by name, where the compiler is not installed."""
    if absent := missing("cmake", "ninja"):
        pytest.skip(f"not installed: {absent}")
    try:
        find_compiler(load_board(board), compiler)
    except ToolchainError as error:
        pytest.skip(str(error))
    folder = Path(_FOLDER.name) / f"{board}-{compiler}"
    folder.mkdir()
    known = load_board(board)
    return build(request_for(small_model()[0], folder, known, compiler, known.core.isa))


def skip_without(link: str, board: Board) -> None:
    """Skips the test, by name, where what the link needs is not installed."""
    if link == "simulator":
        pytest.importorskip("unicorn", reason="unicorn is not installed")
    if link == "qemu":
        assert board.qemu is not None
        if shutil.which(board.qemu.program) is None:
            pytest.skip(f"{board.qemu.program} is not installed")
    if link == "renode":
        try:
            find_renode()
        except ToolchainError as error:
            pytest.skip(f"renode is not installed: {error}")


def run_on(elf: Path, board: Board, link: str, graph: QuantGraph, golden: GoldenVectors, runs: int = 1) -> Measurement:
    """All golden inputs through the firmware."""
    count = len(golden)
    with Session(make_link(link, elf, board), model_hash=graph.digest().hex(), timeout_s=60) as session:
        expected = np.ascontiguousarray(golden.outputs.reshape(count, -1))
        return measure(session, golden.inputs.reshape(count, -1), expected, runs=runs)
