from __future__ import annotations

from pathlib import Path

import pytest

from sq_micro.board import load_board
from sq_micro.errors import BoardError
from sq_micro.stages.board_check import check_board
from tests.acceptance.command_line import sq_micro
from tests.boards.images import image, run_on, skip_without, small_model

# They share images, which are built once in each process.
pytestmark = pytest.mark.xdist_group("boards")


def own_board(folder: Path, name: str, *changes: tuple[str, str]) -> Path:
    """A file made after one of the shipped boards, as the guide says."""
    text = load_board(name).source_file.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_all_mistakes_are_told_at_once_before_anything_is_built(tmp_path: Path) -> None:
    path = own_board(tmp_path, "rpi_pico", ('"rp2040"', '"rp2041"'), ('cpu = "cortex-m0+"', 'cpu = "cortex-m1"'))
    with pytest.raises(BoardError) as caught:
        check_board(str(path))
    assert [mistake.split(":")[0] for mistake in caught.value.mistakes] == ["board.soc", "simulator.cpu"]
    assert "stm32l4r5" in caught.value.mistakes[0]
    assert "cortex_m" not in caught.value.mistakes[0]


def test_mistakes_of_form_and_of_content_are_told_together(tmp_path: Path) -> None:
    changes = (
        ("tier  = 3", "tier  = 7"),
        ('"rp2040"', '"rp2041"'),
        ('cpu = "cortex-m0+"', 'cpu = "cortex-m1"'),
        (
            "origin     = 0x2000_0000\nsize_bytes = { value = 270_336",
            "origin     = 0x2000_0001\nsize_bytes = { value = 0",
        ),
        ("baud     = 921_600", 'baud     = 921_600\ncolour = "red"'),
    )
    path = own_board(tmp_path, "rpi_pico", *changes)
    ran = sq_micro("boards", "check", path)
    assert ran.code == 2
    assert ran.error_line.startswith(f"sq-micro: error: {path}: 6 mistakes: board.tier: ")
    for place in (
        "memory.sram.origin: ",
        "memory.sram.size_bytes.value: ",
        "uart.colour: ",
        "board.soc: ",
        "simulator.cpu: ",
    ):
        assert f"; {place}" in ran.error_line


def test_a_group_of_commands_alone_says_what_there_is() -> None:
    for group, command in (("boards", "check"), ("mlperf", "serve")):
        ran = sq_micro(group)
        assert (ran.code, ran.err) == (0, "")
        assert f"  {command} " in ran.out


@pytest.mark.simulator
def test_a_board_of_ones_own_answers_hello(tmp_path: Path) -> None:
    skip_without("simulator", load_board("rpi_pico2_riscv"))
    path = own_board(tmp_path, "rpi_pico2_riscv", ("value = 532_480", "value = 65_536"))
    ran = sq_micro("boards", "check", path)
    assert ran.code == 0, ran.err
    assert "mine: Raspberry Pi Pico 2, its Hazard3, hazard3 at 150 MHz, 4096 KiB flash, 64 KiB SRAM" in ran.out
    assert "answers HELLO on simulator and computes what it should; cycle counter: mcycle" in ran.out


@pytest.mark.simulator
def test_wait_states_lengthen_the_cycles_of_the_simulator(tmp_path: Path) -> None:
    skip_without("simulator", load_board("rpi_pico2_riscv"))
    slow = '[timing]\nwait_factor = { value = 2.5, source = "measured with nothing" }\n'
    board = load_board(own_board(tmp_path, "rpi_pico2_riscv", ("[timing]\n", slow)))
    graph, golden = small_model()
    elf = image("rpi_pico2_riscv", "auto").elf
    without, with_waits = (
        run_on(elf, known, "simulator", graph, golden).cycles for known in (load_board("rpi_pico2_riscv"), board)
    )
    assert without is not None
    assert with_waits == pytest.approx([2.5 * cycles for cycles in without], rel=1e-3)


def test_the_command_ends_with_the_exit_code_of_a_wrong_file(tmp_path: Path) -> None:
    path = own_board(tmp_path, "rpi_pico", ("tier  = 3", "tier  = 7"))
    ran = sq_micro("boards", "check", path)
    assert ran.code == 2
    assert "board.tier: input should be 1, 2 or 3, got 7" in ran.err


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("rpi_pico2", "unvalidated"),
        ("nucleo_h753zi", "±15 %"),
        ("rpi_pico", "validated; error against silicon: -2.6 %"),
    ],
)
def test_boards_show_how_far_their_cycles_can_be_trusted(name: str, said: str) -> None:
    ran = sq_micro("boards", "show", name)
    assert ran.code == 0, ran.err
    assert f"modelled cycles: {said}" in ran.out
    assert f"they leave out: {load_board(name).leaves_out}" in ran.out
