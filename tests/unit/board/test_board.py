"""Board files: the shipped ones load, every number names its source, and all mistakes are told at once."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from sq_micro.board import (
    Board,
    Esptool,
    MassStorage,
    Memory,
    OpenOcd,
    PyOcd,
    Region,
    RegisterBlock,
    Renode,
    SerialWiring,
    Uf2,
    board_ids,
    boards_folder,
    load_board,
)
from sq_micro.errors import BoardError

GOOD = """
[board]
title = "Bench board"
tier = 3
soc = "stm32l4r5"

[core]
name = "cortex-m4"
isa = "armv7em_dsp"
flags = ["-mcpu=cortex-m4", "-mthumb"]
zig_cpu = "cortex_m4"
cycle_counter = "dwt"
clock_hz = { value = 80_000_000, source = "data sheet, table 1" }

[memory.flash]
origin = 0x0800_0000
size_bytes = { value = 65_536, source = "data sheet, table 2" }

[memory.sram]
origin = 0x2000_0000
size_bytes = { value = 16_384, source = "data sheet, table 3" }

[uart]
driver = "stm32_usart"
base = { value = 0x4000_4400, source = "manual, memory map" }
baud = 115_200
clock_hz = { value = 80_000_000, source = "manual, clock tree" }
"""


def load(folder: Path, text: str) -> Board:
    path = folder / "bench.toml"
    path.write_text(text, encoding="utf-8")
    return load_board(path)


def mistakes(folder: Path, *changes: tuple[str, str]) -> tuple[str, ...]:
    """What is wrong with the good file after replacing some of its text."""
    text = GOOD
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the good file"
        text = text.replace(old, new)
    with pytest.raises(BoardError) as caught:
        load(folder, text)
    count = f"{len(caught.value.mistakes)} mistakes: " if len(caught.value.mistakes) > 1 else ""
    assert str(caught.value) == f"{folder / 'bench.toml'}: {count}" + "; ".join(caught.value.mistakes)
    return caught.value.mistakes


@pytest.mark.parametrize("name", board_ids())
def test_a_shipped_board_loads(name: str) -> None:
    board = load_board(name)
    assert board.id == name
    assert board.source_file == boards_folder() / f"{name}.toml"
    assert board.links, "a board that cannot be measured is of no use"
    assert board.title in str(board)


def test_the_boards_of_the_readme_are_shipped() -> None:
    assert {"host", "mps2_an386", "nucleo_l4r5zi"} <= set(board_ids())
    assert list(board_ids()) == sorted(board_ids())


def numbers_without_source(table: dict[str, Any], path: str = "") -> list[str]:
    """Numbers of a board file that are neither cited nor the author's own choice."""
    chosen = {
        "tier",
        "stack_bytes",
        "baud",
        "origin",
        "address",
        "mask",
        "speed_rank",
        "offset",
        "family_id",
    }  # decisions, and what `meaning` explains
    found = []
    for key, entry in table.items():
        where = f"{path}{key}"
        if isinstance(entry, dict) and "value" not in entry:
            found += numbers_without_source(entry, f"{where}.")
        elif (isinstance(entry, int) and not isinstance(entry, bool) and key not in chosen) or (
            isinstance(entry, dict) and len(entry["source"].split()) < 3
        ):
            found.append(where)
    return found


@pytest.mark.parametrize("name", board_ids())
def test_every_number_of_a_shipped_board_names_its_source(name: str) -> None:
    content = tomllib.loads((boards_folder() / f"{name}.toml").read_text(encoding="utf-8"))
    assert not numbers_without_source(content)


def test_sources_are_kept_by_path() -> None:
    sources = load_board("nucleo_l4r5zi").sources
    assert set(sources) == {
        *("core.clock_hz", "memory.flash.size_bytes", "memory.sram.size_bytes", "uart.base", "uart.clock_hz"),
        *("energy.active_power_uw", "link.serial"),
    }
    assert "stm32l4r5xx.h" in sources["memory.sram.size_bytes"]


def test_the_numbers_of_a_file_arrive(tmp_path: Path) -> None:
    board = load(tmp_path, GOOD)
    assert (board.id, board.tier, board.soc, board.stack_bytes) == ("bench", 3, "stm32l4r5", 2048)
    assert board.core.flags == ("-mcpu=cortex-m4", "-mthumb")
    assert (board.core.clock_hz, board.core.has_fpu) == (80_000_000, False)
    assert board.flash is not None
    assert board.sram is not None
    assert (board.flash.origin, board.flash.size_bytes) == (0x0800_0000, 65_536)
    assert (board.sram.origin, board.sram.size_bytes) == (0x2000_0000, 16_384)
    assert (board.uart.base, board.uart.baud, board.uart.clock_hz) == (0x4000_4400, 115_200, 80_000_000)
    assert str(board) == "bench: Bench board, cortex-m4 at 80 MHz, 64 KiB flash, 16 KiB SRAM"


def test_the_host_has_no_clock_and_no_memory() -> None:
    host = load_board("host")
    assert host.core.clock_hz is None
    assert host.flash is host.sram is None
    assert (host.uart.base, host.uart.clock_hz) == (0, 0)
    assert host.links == ("host",)
    assert str(host) == "host: this computer, host at an unknown clock, no memory limit"


def test_links_follow_from_the_tables(tmp_path: Path) -> None:
    assert load_board("mps2_an386").links == ("simulator", "qemu", "renode")
    assert load_board("nucleo_l4r5zi").links == ("simulator", "renode", "serial")
    assert load(tmp_path, GOOD).links == ()


@pytest.mark.parametrize(
    ("name", "nearest"), [("nucleo_l4r5zl", "nucleo_l4r5zi"), ("mps2-an386", "mps2_an386"), ("hots", "host")]
)
def test_an_unknown_board_gets_the_nearest_name(name: str, nearest: str) -> None:
    with pytest.raises(BoardError, match=f"board '{name}': unknown; did you mean '{nearest}'\\?") as caught:
        load_board(name)
    assert all(known in str(caught.value) for known in board_ids())
    assert caught.value.exit_code == 2


def test_a_name_like_no_other_gets_the_list_alone() -> None:
    with pytest.raises(BoardError, match="board 'zzzzzz': unknown; known boards: esp32c3_devkit, "):
        load_board("zzzzzz")


def test_a_file_that_is_absent_or_not_toml(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match=r"absent\.toml: cannot be read: No such file"):
        load_board(tmp_path / "absent.toml")
    with pytest.raises(BoardError, match=r"bench\.toml: is not TOML: Expected ']'"):
        load(tmp_path, "[board")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BoardError, match="is not TOML"):
        load_board(tmp_path / "binary.toml")


def test_a_wrong_type(tmp_path: Path) -> None:
    assert mistakes(tmp_path, ("value = 16_384", 'value = "16K"')) == (
        "memory.sram.size_bytes.value: input should be a valid integer, got '16K'",
    )
    assert mistakes(tmp_path, ('80_000_000, source = "data', '80e6, source = "data')) == (
        "core.clock_hz.value: input should be a valid integer, got 80000000.0",
    )


def test_a_number_without_source(tmp_path: Path) -> None:
    assert mistakes(tmp_path, (', source = "data sheet, table 3"', "")) == (
        "memory.sram.size_bytes.source: field required",
    )
    assert mistakes(tmp_path, ('"data sheet, table 3"', '"?"')) == (
        "memory.sram.size_bytes.source: string should have at least 8 characters, got '?'",
    )
    assert mistakes(tmp_path, ('{ value = 16_384, source = "data sheet, table 3" }', "16_384"))[0].startswith(
        "memory.sram.size_bytes: input should be a valid dictionary"
    )


def test_a_number_out_of_range(tmp_path: Path) -> None:
    assert mistakes(tmp_path, ("value = 65_536", "value = 0")) == (
        "memory.flash.size_bytes.value: input should be greater than 0, got 0",
    )
    assert mistakes(tmp_path, ("tier = 3", "tier = 4")) == ("board.tier: input should be 1, 2 or 3, got 4",)
    assert mistakes(tmp_path, ("tier = 3", "tier = 3\nstack_bytes = 1001")) == (
        "board.stack_bytes: input should be a multiple of 8, got 1001",
    )


def test_an_unknown_key_and_an_unknown_table(tmp_path: Path) -> None:
    assert mistakes(tmp_path, ("tier = 3", 'tier = 3\ncolour = "white"')) == ("board.colour: unknown key",)
    assert mistakes(tmp_path, ("[uart]", "[colour]\nname = 1\n\n[uart]")) == ("colour: unknown key",)


def test_an_unknown_word(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, ('"stm32_usart"', '"stm32"'))
    assert found.startswith("uart.driver: input should be 'stm32_usart', ")
    assert found.endswith(" or 'posix', got 'stm32'")
    assert mistakes(tmp_path, ('isa = "armv7em_dsp"', 'isa = "armv9"'))[0].startswith(
        "core.isa: input should be 'armv6m', "
    )


def test_a_board_with_memory_needs_what_a_host_may_leave_out(tmp_path: Path) -> None:
    assert mistakes(
        tmp_path,
        ('clock_hz = { value = 80_000_000, source = "data sheet, table 1" }\n', ""),
        ('base = { value = 0x4000_4400, source = "manual, memory map" }\n', ""),
        ('clock_hz = { value = 80_000_000, source = "manual, clock tree" }\n', ""),
    ) == (
        "core.clock_hz: field required on a board with [memory]",
        "uart.base: field required on a board with [memory]",
        "uart.clock_hz: field required on a board with [memory]",
    )


def test_memories_must_be_there_and_apart(tmp_path: Path) -> None:
    assert mistakes(tmp_path, ("[memory.sram]", "[memory.dtcm]")) == (
        "memory.sram: field required on a board with [memory]",
    )
    assert mistakes(tmp_path, ("[memory.sram]\norigin = 0x2000_0000", "[memory.sram]\norigin = 0x0800_FFFC")) == (
        "memory.sram: overlaps memory.flash (which ends at 0x08010000)",
    )
    assert mistakes(tmp_path, ("[memory.sram]\norigin = 0x2000_0000", "[memory.sram]\norigin = 0xFFFF_FF00")) == (
        "memory.sram: ends beyond the 32-bit address space",
    )


MORE_MEMORY = """
[memory.ccm]
origin = 0x1000_0000
size_bytes = { value = 4_096, source = "data sheet, table 4" }
speed_rank = 1

[memory.dtcm]
origin = 0x3000_0000
size_bytes = { value = 8_192, source = "data sheet, table 5" }

[timing]
wait_factor = { value = 1.25, source = "data sheet, table 6" }
"""


def test_more_memories_come_the_fastest_first(tmp_path: Path) -> None:
    text = GOOD.replace("[memory.sram]", "[memory.sram]\nspeed_rank = 2")
    board = load(tmp_path, text + MORE_MEMORY)
    assert board.sram_rank == 2
    assert board.regions == (
        Region("dtcm", Memory(0x3000_0000, 8_192), 0),
        Region("ccm", Memory(0x1000_0000, 4_096), 1),
    )
    assert board.wait_factor == 1.25
    assert load(tmp_path, GOOD).wait_factor is None
    assert load(tmp_path, GOOD).regions == ()


@pytest.mark.parametrize("name", board_ids())
def test_boards_say_what_modelled_cycles_leave_out(name: str) -> None:
    board = load_board(name)
    assert (board.leaves_out is not None) == (board.simulator is not None)


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    found = mistakes(
        tmp_path,
        ('title = "Bench board"\n', ""),
        ("tier = 3", 'tier = "one"'),
        ("[memory.sram]\norigin = 0x2000_0000", "[memory.sram]\norigin = -1"),
        ("baud = 115_200", "baud = 115_200\nparity = 1"),
        ('base = { value = 0x4000_4400, source = "manual, memory map" }\n', ""),
    )
    assert [mistake.split(":")[0] for mistake in found] == [
        *("board.title", "board.tier", "memory.sram.origin", "uart.parity", "uart.base"),
    ]


CONNECTIONS = """
[link.serial]
usb_ids = ["0483:374b", "0483:374e"]
dtr     = false
reset   = "rts"
source  = "user manual, USB"

[[flasher]]
tool   = "uf2"
family_id = 0xE48B_FF56
label  = "RPI-RP2"
source = "boot ROM"

[[flasher]]
tool   = "esptool"
chip   = "esp32c3"
offset = 0
source = "boot ROM"

[[flasher]]
tool   = "openocd"
config = "board/bench.cfg"
source = "OpenOCD itself"

[[flasher]]
tool   = "pyocd"
target = "bench"
source = "its pack"

[[flasher]]
tool   = "mass_storage"
label  = "BENCH"
source = "user manual"

[[renode.registers]]
name       = "rcc"
origin     = 0x4002_1000
size_bytes = 0x400
source     = "manual, memory map"
"""


def test_what_leads_to_a_board_arrives_in_the_order_of_its_file(tmp_path: Path) -> None:
    board = load(tmp_path, GOOD + CONNECTIONS)
    assert board.links == ("renode", "serial")
    assert board.serial == SerialWiring(
        "user manual, USB", usb_ids=("0483:374b", "0483:374e"), dtr=False, rts=None, reset="rts"
    )
    assert board.flashers == (
        Uf2("uf2", 0xE48B_FF56, "RPI-RP2", "boot ROM"),
        Esptool("esptool", "esp32c3", 0, "boot ROM"),
        OpenOcd("openocd", "board/bench.cfg", "OpenOCD itself"),
        PyOcd("pyocd", "bench", "its pack"),
        MassStorage("mass_storage", "BENCH", "user manual"),
    )
    assert board.renode == Renode((RegisterBlock("rcc", 0x4002_1000, 0x400, "manual, memory map"),))


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ('"0483:374b"', '"0483-374B"', "link.serial.usb_ids.0: string should match"),
        ('reset   = "rts"', 'reset   = "power"', "link.serial.reset: input should be 'dtr' or 'rts', got 'power'"),
        ('tool   = "pyocd"', 'tool   = "jlink"', "flasher.3: input tag 'jlink' found using 'tool'"),
        ('target = "bench"', 'config = "bench"', "flasher.3.pyocd.target: field required"),
        ("family_id = 0xE48B_FF56", 'family_id = "rp2040"', "flasher.0.uf2.family_id: input should be a valid integer"),
        ('name       = "rcc"', 'name       = "the clock"', "renode.registers.0.name: string should match"),
        ("size_bytes = 0x400", "size_bytes = 3", "renode.registers.0.size_bytes: input should be a multiple of 4"),
        ('source     = "manual, memory map"', "", "renode.registers.0.source: field required"),
    ],
)
def test_mistakes_in_what_leads_to_a_board_are_told_by_their_place(
    tmp_path: Path, old: str, new: str, mistake: str
) -> None:
    assert CONNECTIONS.count(old) == 1
    with pytest.raises(BoardError) as caught:
        load(tmp_path, GOOD + CONNECTIONS.replace(old, new))
    assert any(found.startswith(mistake) for found in caught.value.mistakes), caught.value.mistakes
