"""A network that fits no one region of a board runs from two: on the simulated core, and on QEMU where that has it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from sq_micro.board import Board, arena_room, load_board
from sq_micro.codegen.render import render_board, render_project
from sq_micro.errors import DoesNotFitError
from sq_micro.measure.harness import measure
from sq_micro.measure.link.make_link import make_link
from sq_micro.measure.locate import locate
from sq_micro.measure.session import Session
from sq_micro.plan.plan import Plan, make_plan
from sq_micro.quant.graph import QuantGraph
from sq_micro.reference.interpreter import run
from sq_micro.stages.stepping import expected_steps
from sq_micro.toolchain.cmake import BuildRequest
from sq_micro.toolchain.compiler import find_compiler
from sq_micro.toolchain.firmware import Firmware, build
from tests.models.random_quant_graph import random_codes
from tests.models.two_rams import EMULATED, SIMULATED, board_with, inverted_residual, residual

pytestmark = [pytest.mark.slow, pytest.mark.simulator]
SAMPLES = 2
SRAM_BYTES, CCM_BYTES = 3072, 4096


def planned(graph: QuantGraph, board: Board) -> Plan:
    plan = make_plan(graph.topology, graph.bitwidths, board.core.isa, room=arena_room(board))
    assert len(plan.shares) == 2
    assert plan.head is None
    return plan


def request_for(graph: QuantGraph, plan: Plan, board: Board, folder: Path) -> BuildRequest:
    render_project(graph, plan).write(folder / "model")
    render_board(graph, plan, board).write(folder / "board")
    folders = folder / "model", folder / "board", folder / "build"
    return BuildRequest(*folders, board, find_compiler(board, "auto"), plan.arena_bytes, plan.share_bytes)


def run_on(link: str, graph: QuantGraph, plan: Plan, board: Board, folder: Path) -> Firmware:
    """Outputs are the reference's, each operator's too, read from the region in which it lies."""
    firmware = build(request_for(graph, plan, board, folder))
    codes = random_codes(graph, SAMPLES)
    with Session(make_link(link, firmware.elf, board), model_hash=graph.digest().hex()) as session:
        outputs = measure(session, codes.reshape(SAMPLES, -1)).outputs
        assert (outputs == np.asarray(run(graph, codes)).reshape(SAMPLES, -1)).all()
        assert locate(session, codes[:1].tobytes(), expected_steps(graph, plan, codes[:1])) is None
    return firmware


def held(firmware: Firmware, board: Board) -> dict[str, int]:
    """Bytes of the image in each region."""
    return {
        region.name: sum(
            size
            for address, size in firmware.footprint.ram
            if 0 <= address - region.memory.origin < region.memory.size_bytes
        )
        for region in board.rams
    }


def test_a_network_that_fits_no_region_runs_from_both(tmp_path: Path) -> None:
    board, graph = board_with(SIMULATED, SRAM_BYTES, CCM_BYTES, tmp_path), residual()
    plan = planned(graph, board)
    footprint = (firmware := run_on("simulator", graph, plan, board, tmp_path)).footprint
    assert footprint.arena_bytes == plan.arena_bytes
    assert footprint.sram_bytes > max(SRAM_BYTES, CCM_BYTES), "no region could have held it"
    sections = {".arena_0": plan.shares[0].size_bytes, ".arena_1": plan.shares[1].size_bytes}
    assert {name: size for name, size in footprint.sections.items() if name.startswith(".arena")} == sections
    assert [share.region for share in plan.shares] == ["ccm", "sram"]
    taken = held(firmware, board)
    assert sum(taken.values()) == footprint.sram_bytes
    assert taken["ccm"] == footprint.stack_bytes + plan.shares[0].size_bytes
    assert taken["sram"] == footprint.static_bytes + plan.shares[1].size_bytes


@pytest.mark.skipif(not shutil.which("qemu-system-arm"), reason="QEMU is not installed")
def test_qemu_says_so_too(tmp_path: Path) -> None:
    board, graph = board_with(EMULATED, SRAM_BYTES, CCM_BYTES, tmp_path), residual()
    run_on("qemu", graph, planned(graph, board), board, tmp_path)


@pytest.mark.parametrize("region", ["ccm", "sram"])
def test_a_region_that_is_too_small_is_named_before_anything_is_flashed(region: str, tmp_path: Path) -> None:
    """The plan is that of a board with more memory in one of its regions."""
    graph, plan = residual(), planned(residual(), board_with(SIMULATED, SRAM_BYTES, CCM_BYTES, tmp_path))
    sizes = {"sram": SRAM_BYTES, "ccm": CCM_BYTES} | {region: 1024}
    board = board_with(SIMULATED, sizes["sram"], sizes["ccm"], tmp_path)
    with pytest.raises(DoesNotFitError) as raised:
        build(request_for(graph, plan, board, tmp_path))
    share = plan.share_bytes[region]
    message = str(raised.value)
    assert message.startswith(f"short of {raised.value.short_bytes:,} B of SRAM in {region}: {share:,} of ")
    assert message.endswith(f"{board.id} has 1,024 B; choose a larger board")
    assert share - 1024 <= raised.value.short_bytes < share


@pytest.mark.long
def test_an_inverted_residual_needs_both_memories_of_an_stm32f407(tmp_path: Path) -> None:
    board, graph = load_board(SIMULATED), inverted_residual()
    plan = planned(graph, board)
    assert make_plan(graph.topology, graph.bitwidths, board.core.isa).arena_bytes > 131_072
    run_on("simulator", graph, plan, board, tmp_path)
