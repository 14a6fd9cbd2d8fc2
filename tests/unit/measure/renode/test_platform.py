"""The platform holds what the firmware touches, and says so where it cannot."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest

from sq_micro.board import Board, ReadyBits, Uart, board_ids, load_board
from sq_micro.errors import UsageError
from sq_micro.measure.renode.platform import MIPS, platform_text
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
    named = {int(address, 16) for address in re.findall(r"^#define \w+\s+0x([1-5][0-9A-F]{7})u", text, re.MULTILINE)}
    missing = [hex(address) for address in sorted(named) if not any(low <= address < high for low, high in blocks)]
    assert not missing, "list them under [[renode.registers]]"


@pytest.mark.parametrize("name", MODELLED)
def test_counters_count_instructions(name: str) -> None:
    board = load_board(name)
    text = platform_text(board)
    assert f"PerformanceInMips: {MIPS} " in text
    if board.core.architecture == "riscv":
        return  # its counter is a register of the core, which counts instructions
    assert f"systickFrequency: {MIPS * 1_000_000};" in text
    assert f"dwt: Miscellaneous.DWT @ sysbus 0xe0001000 {{ frequency: {MIPS * 1_000_000} }}" in text


def rcc_script(board: Board) -> str:
    """What stands in for the reset and clock control."""
    (script,) = re.findall(r"^rcc: .*?script: '''\n(.*?)'''$", platform_text(board), re.MULTILINE | re.DOTALL)
    return str(script)


def with_ready(board: Board, *more: ReadyBits) -> Board:
    assert board.simulator is not None
    return replace(board, simulator=replace(board.simulator, ready=(*board.simulator.ready, *more)))


def test_bits_read_as_ready_whatever_is_written(nucleo: Board) -> None:
    script = compile(rcc_script(with_ready(nucleo, ReadyBits(0x4002_1000, 1))), "rcc", "exec")
    # Renode keeps the script's variables from one request to the next, and the attributes are named as here.
    request = SimpleNamespace(IsInit=True, IsRead=False, Offset=0, Value=0)
    scope = {"request": request}
    exec(script, scope)
    request.IsInit = False

    def read(offset: int) -> int:
        request.IsRead, request.Offset, request.Value = True, offset, 0
        exec(script, scope)
        return int(request.Value)

    assert (read(0x0), read(0x4), read(0x8)) == (0x0200_0003, 0, 0xC)
    for offset, value in ((0x0, 0x8000_0000), (0x4, 0x1234)):
        request.IsRead, request.Offset, request.Value = False, offset, value
        exec(script, scope)
    assert (read(0x0), read(0x4), read(0x8)) == (0x8200_0003, 0x1234, 0xC)


def test_without_ready_bits_registers_are_memory(nucleo: Board) -> None:
    text = platform_text(replace(nucleo, simulator=None))
    assert "Python" not in text
    assert "rcc: Memory.ArrayMemory @ sysbus 0x40021000 { size: 0x400 }" in text


def test_ready_bits_outside_the_registers_are_refused(nucleo: Board) -> None:
    with pytest.raises(UsageError, match=r"0x40021400 lies in no block of \[\[renode\.registers\]\]"):
        platform_text(with_ready(nucleo, ReadyBits(0x4002_1400, 1)))


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
