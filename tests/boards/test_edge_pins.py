"""The pin that follows the timed region, as the simulated core writes it: low around the two reads of the counter."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sq_micro.board import load_board
from sq_micro.errors import ToolchainError
from sq_micro.toolchain.compiler import find_compiler
from sq_micro.toolchain.firmware import build
from sq_micro.toolchain.pins import edge_pin
from sq_micro.toolchain.variant import Variant
from tests.boards.images import skip_without, small_model
from tests.boards.register_writes import writes_of_one_inference
from tests.unit.codegen.generated_program import missing
from tests.unit.toolchain.images import request_for

pytestmark = [pytest.mark.simulator, pytest.mark.xdist_group("boards")]

# Board, pin, and the writes that lower and raise it.
PINS = [
    ("hifive1_revb", "GPIO5", (0x1001_200C, 0), (0x1001_200C, 1 << 5)),
    ("nucleo_l4r5zi", "PC7", (0x4800_0818, 1 << 23), (0x4800_0818, 1 << 7)),
    ("stm32f4_discovery", "PD12", (0x4002_0C18, 1 << 28), (0x4002_0C18, 1 << 12)),
    ("nucleo_f767zi", "PB0", (0x4002_0418, 1 << 16), (0x4002_0418, 1)),
    ("nucleo_h753zi", "PB0", (0x5802_0418, 1 << 16), (0x5802_0418, 1)),
    ("nucleo_u575zi_q", "PC7", (0x4202_0818, 1 << 23), (0x4202_0818, 1 << 7)),
    ("nrf52840dk", "P1.02", (0x5000_080C, 1 << 2), (0x5000_0808, 1 << 2)),
    ("rpi_pico", "GPIO15", (0xD000_0018, 1 << 15), (0xD000_0014, 1 << 15)),
    ("rpi_pico2", "GPIO15", (0xD000_0020, 1 << 15), (0xD000_0018, 1 << 15)),
    ("rpi_pico2_riscv", "GPIO15", (0xD000_0020, 1 << 15), (0xD000_0018, 1 << 15)),
    ("esp32c3_devkit", "GPIO4", (0x6000_400C, 1 << 4), (0x6000_4008, 1 << 4)),
]


def check(board_id: str, pin: str, falls: tuple[int, int], rises: tuple[int, int], folder: Path) -> None:
    if absent := missing("cmake", "ninja"):
        pytest.skip(f"not installed: {absent}")
    board = load_board(board_id)
    skip_without("simulator", board)
    try:
        find_compiler(board)
    except ToolchainError as error:
        pytest.skip(str(error))
    request = request_for(small_model()[0], folder, board, "auto", board.core.isa)
    elf = build(replace(request, variant=Variant(edge=edge_pin(pin, board)))).elf
    written, reads = writes_of_one_inference(elf, board_id)
    edges = [(cycles, (address, value)) for cycles, address, value in written if (address, value) in (falls, rises)]
    assert [write for _, write in edges] == [rises, falls, rises], "high at the start, then one pulse"
    fell, rose = edges[1][0], edges[2][0]
    before, after = reads[-2:]
    assert fell < before < after < rose
    assert max(before - fell, rose - after) < 100, "cycles that the pin is low beyond the timed region"


@pytest.mark.parametrize(("board_id", "pin", "falls", "rises"), PINS[:2])
def test_the_pin_is_low_as_long_as_the_region_lasts(
    board_id: str, pin: str, falls: tuple[int, int], rises: tuple[int, int], tmp_path: Path
) -> None:
    check(board_id, pin, falls, rises, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize(("board_id", "pin", "falls", "rises"), PINS[2:])
def test_on_every_soc_the_pin_is_low_as_long_as_the_region_lasts(
    board_id: str, pin: str, falls: tuple[int, int], rises: tuple[int, int], tmp_path: Path
) -> None:
    check(board_id, pin, falls, rises, tmp_path)
