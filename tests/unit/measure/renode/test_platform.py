"""The platform holds what the firmware touches, and says so where it cannot."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from sq_micro.board import Board, Uart, board_ids, load_board
from sq_micro.errors import UsageError
from sq_micro.measure.renode.platform import MIPS, platform_text, register_values
from sq_micro.paths import project_files

MODELLED = [name for name in board_ids() if load_board(name).renode is not None]


@pytest.fixture
def nucleo() -> Board:
    return load_board("nucleo_l4r5zi")


@pytest.mark.parametrize("name", MODELLED)
def test_every_register_of_the_soc_is_somewhere(name: str) -> None:
    board = load_board(name)
    assert board.renode is not None
    blocks = [(block.origin, block.origin + block.size_bytes) for block in board.renode.registers]
    sources = (project_files() / "firmware" / "soc" / board.soc).glob("*.c")
    text = "".join(path.read_text(encoding="utf-8") for path in sources)
    named = {int(address, 16) for address in re.findall(r"^#define \w+\s+0x([4-5][0-9A-F]{7})u", text, re.MULTILINE)}
    missing = [hex(address) for address in sorted(named) if not any(low <= address < high for low, high in blocks)]
    assert not missing, "list them under [[renode.registers]]"


@pytest.mark.parametrize("name", MODELLED)
def test_counters_count_instructions(name: str) -> None:
    text = platform_text(load_board(name))
    assert f"PerformanceInMips: {MIPS} " in text
    assert f"systickFrequency: {MIPS * 1_000_000};" in text
    assert f"dwt: Miscellaneous.DWT @ sysbus 0xe0001000 {{ frequency: {MIPS * 1_000_000} }}" in text


def test_ready_bits_of_one_register_are_joined(nucleo: Board) -> None:
    assert nucleo.simulator is not None
    twice = replace(nucleo.simulator, ready=(*nucleo.simulator.ready, replace(nucleo.simulator.ready[0], mask=1)))
    values = dict(register_values(replace(nucleo, simulator=twice)))
    assert values == {0x4002_1000: 0x0200_0003, 0x4002_1008: 0x0000_000C}
    assert register_values(replace(nucleo, simulator=None)) == ()


def test_a_core_without_a_cycle_counter_gets_none(nucleo: Board) -> None:
    assert "DWT" not in platform_text(replace(nucleo, core=replace(nucleo.core, cycle_counter="none")))


def test_a_usart_is_no_low_power_uart(nucleo: Board) -> None:
    assert "lowPowerMode: true" in platform_text(nucleo)
    assert "lowPowerMode" not in platform_text(replace(nucleo, uart=replace(nucleo.uart, base=0x4000_4400)))


def test_what_renode_cannot_model_is_refused(nucleo: Board) -> None:
    with pytest.raises(UsageError, match=r"'host' has no \[renode\] table"):
        platform_text(load_board("host"))
    with pytest.raises(UsageError, match="not set up for cortex-m55"):
        platform_text(replace(nucleo, core=replace(nucleo.core, name="cortex-m55")))
    with pytest.raises(UsageError, match="not set up for UARTs of driver 'posix'"):
        platform_text(replace(nucleo, uart=Uart("posix", 0, 9600, 0)))
