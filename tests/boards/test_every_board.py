"""Every board that is shipped builds, and runs wherever something here models it, with the reference's outputs.

One board of each core is built and run always; all of them, by both compilers, and with real networks, in the long run.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sq_micro.board import Board, board_ids, load_board
from sq_micro.codegen.render import render_board, render_project
from sq_micro.plan.plan import make_plan
from sq_micro.toolchain.cmake import BuildRequest
from sq_micro.toolchain.compiler import CompilerChoice, find_compiler
from sq_micro.toolchain.firmware import build
from tests.acceptance.networks import quantized
from tests.boards.images import image, run_on, skip_without, small_model

EMULATED = ("simulator", "qemu")
ONE_OF_EACH_CORE = (
    *("rpi_pico", "mps2_an385", "mps2_an386", "mps2_an500", "mps2_an505", "mps3_an547"),
    *("rpi_pico2_riscv", "hifive1_revb", "esp32c3_devkit"),
)
BARE = tuple(name for name in board_ids() if load_board(name).core.architecture != "host")


def check(name: str, compiler: CompilerChoice = "auto") -> None:
    board = load_board(name)
    firmware = image(name, compiler)
    assert firmware.worst_stack_bytes is not None
    graph, golden = small_model()
    links = [link for link in board.links if link in EMULATED]
    for link in links:
        skip_without(link, board)
        found = run_on(firmware.elf, board, link, graph, golden)
        assert found.identical == len(golden), link
        assert found.stack_used_bytes is not None
        assert 0 < found.stack_used_bytes <= firmware.worst_stack_bytes <= board.stack_bytes
        if link == "simulator":
            assert found.cycle_source == "modelled"
            assert found.cycles
            assert found.instructions
            assert 0.5 * found.instructions[0] < found.cycles[0] < 3 * found.instructions[0]
            assert found.operator_cycles
            # One read of the counter more for each operator, and the loop around them.
            assert sum(found.operator_cycles) == pytest.approx(found.cycles[0], rel=0.1)


@pytest.mark.simulator
@pytest.mark.qemu
@pytest.mark.xdist_group("boards")
@pytest.mark.parametrize("name", ONE_OF_EACH_CORE)
def test_one_board_of_each_core_runs(name: str) -> None:
    check(name)


def test_there_is_one_board_of_each_core() -> None:
    cores = {name: load_board(name).core.name for name in BARE}
    assert {cores[name] for name in ONE_OF_EACH_CORE} == set(cores.values())


@pytest.mark.long
@pytest.mark.parametrize("compiler", ["gcc", "zig"])
@pytest.mark.parametrize("name", BARE)
def test_every_board_builds_and_runs(name: str, compiler: CompilerChoice) -> None:
    check(name, compiler)


_NETWORKS = ("digits_cnn", "dscnn_kws", "resnet8_cifar10")


SAMPLES = 4  # some seconds each on the cores without DSP instructions


def fits(network: str, board: Board) -> bool:
    """The smallest arena of ResNet8 is larger than the RAM of the HiFive1; the others' are not."""
    return network != "resnet8_cifar10" or board.id != "hifive1_revb"


def check_network(name: str, network: str, plan: str, links: tuple[str, ...], folder: Path) -> None:
    """Bit for bit, on those of the links that the board has."""
    board = load_board(name)
    if not fits(network, board):
        pytest.skip(f"{network} needs more than the 16 KiB of RAM of {name}")
    graph, every = quantized(network, plan)
    golden = replace(every, inputs=every.inputs[:SAMPLES], outputs=every.outputs[:SAMPLES])
    assert board.sram is not None
    arena = make_plan(graph.topology, graph.bitwidths, board.core.isa, board.sram.size_bytes - board.stack_bytes)
    render_project(graph, arena).write(folder / "model")
    render_board(graph, arena, board).write(folder / "board")
    folders = folder / "model", folder / "board", folder / "build"
    firmware = build(BuildRequest(*folders, board, find_compiler(board), arena.arena_bytes))
    for link in board.links:
        if link in links:
            skip_without(link, board)
            assert run_on(firmware.elf, board, link, graph, golden).identical == len(golden), link


@pytest.mark.long
@pytest.mark.parametrize("plan", ["8", "mixed"])
@pytest.mark.parametrize("network", _NETWORKS)
@pytest.mark.parametrize("name", [*ONE_OF_EACH_CORE, "nucleo_h753zi", "nucleo_u575zi_q", "rpi_pico2"])
def test_real_networks_give_the_golden_outputs(name: str, network: str, plan: str, tmp_path: Path) -> None:
    check_network(name, network, plan, EMULATED, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("plan", ["8", "mixed"])
@pytest.mark.parametrize("network", _NETWORKS)
@pytest.mark.parametrize("name", [name for name in BARE if load_board(name).renode is not None])
def test_real_networks_give_the_golden_outputs_in_renode(name: str, network: str, plan: str, tmp_path: Path) -> None:
    check_network(name, network, plan, ("renode",), tmp_path)
