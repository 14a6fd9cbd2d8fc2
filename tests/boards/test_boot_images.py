"""What boot code looks for in an image: the second stage of the RP2040, the image definition of the RP2350."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from sq_micro.board import load_board
from sq_micro.codegen.render import render_board
from sq_micro.paths import project_files
from sq_micro.plan.plan import make_plan
from sq_micro.simulate.image import load_image
from tests.boards.images import image, small_model

RP2040 = project_files() / "firmware" / "soc" / "rp2040"
FLASH = 0x1000_0000


def crc32(data: bytes) -> int:
    """Polynomial 0x04C11DB7, most significant bit first, initial value all ones, no final inversion."""
    state = 0xFFFF_FFFF
    for byte in data:
        state ^= byte << 24
        for _ in range(8):
            state = (state << 1 ^ (0x04C1_1DB7 if state & 0x8000_0000 else 0)) & 0xFFFF_FFFF
    return state


def test_crc_is_the_one_of_mpeg_2() -> None:
    assert crc32(b"123456789") == 0x0376_E6E7


def test_the_second_stage_leads_the_image_and_its_crc_is_right() -> None:
    content = load_image(image("rpi_pico", "auto").elf).read(FLASH, 264)
    assert crc32(content[:252]) == struct.unpack("<I", content[252:256])[0]
    stack, entry = struct.unpack("<II", content[256:])
    assert 0x2000_0000 < stack <= 0x2004_2000
    assert FLASH < entry < FLASH + 0x20_0000
    assert entry & 1


def test_the_second_stage_is_what_its_source_assembles_to(tmp_path: Path) -> None:
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    subprocess.run(["arm-none-eabi-gcc", "-c", str(RP2040 / "boot2.S"), "-o", "b.o"], cwd=tmp_path, check=True)
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", "b.o", "b.bin"], cwd=tmp_path, check=True)
    code = (tmp_path / "b.bin").read_bytes()
    text = (RP2040 / "boot2.c").read_text(encoding="utf-8")
    words = [int(word, 16) for word in re.findall(r"0x([0-9A-F]{8}),", text.partition("{\n")[2])]
    filled = struct.pack(f"<{len(words) - 1}I", *words[:-1]).ljust(252, b"\0")
    assert filled == code.ljust(252, b"\0")
    assert words[-1] == crc32(filled)


@pytest.mark.parametrize(
    ("board", "kind"),
    [("rpi_pico2_riscv", 0x1101_0142), pytest.param("rpi_pico2", 0x1021_0142, marks=pytest.mark.slow)],
)
def test_the_image_definition_is_in_the_first_four_kilobytes(board: str, kind: int) -> None:
    loaded = load_image(image(board, "auto").elf)
    definition = struct.pack("<5I", 0xFFFF_DED3, kind, 0x1FF, 0, 0xAB12_3579)
    at = loaded.segments[0].content.find(definition)
    assert loaded.segments[0].address == FLASH
    assert 0 < at <= 4096 - len(definition)
    assert at % 4 == 0


def test_an_image_that_boot_code_loads_into_ram_has_its_initial_values_in_place() -> None:
    """esptool takes sections by the addresses at which they run, and knows no other."""
    script = str(render_board_files("esp32c3_devkit")["linker.ld"])
    assert "} > SRAM\n    sqm_data_load = LOADADDR(.data);" in script
    assert "AT >" not in script
    assert "} > SRAM AT > FLASH\n" in str(render_board_files("rpi_pico")["linker.ld"])


def render_board_files(name: str) -> dict[str, str]:
    graph, _ = small_model()
    board = load_board(name)
    tree = render_board(graph, make_plan(graph.topology, graph.bitwidths, board.core.isa), board)
    return {path.as_posix(): text for path, text in tree.files.items()}
