from __future__ import annotations

from pathlib import Path

import pytest

from sq_micro.errors import ToolchainError
from sq_micro.simulate.image import Segment, load_image
from tests.unit.simulate.bare_elf import FLASH, elf_bytes

CONTENT = bytes(range(64))


@pytest.fixture
def elf(tmp_path: Path) -> Path:
    path = tmp_path / "firmware.elf"
    path.write_bytes(elf_bytes(CONTENT, FLASH, {"reset": FLASH + 8, "main": FLASH + 16}))
    return path


def test_segments_and_symbols(elf: Path) -> None:
    image = load_image(elf)
    assert image.segments == (Segment(FLASH, CONTENT),)
    assert image.symbols == {"reset": FLASH + 8, "main": FLASH + 16}


def test_read(elf: Path) -> None:
    assert load_image(elf).read(FLASH + 10, 3) == CONTENT[10:13]
    with pytest.raises(ToolchainError, match="nothing is loaded at 0x0800003e"):
        load_image(elf).read(FLASH + 62, 3)


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (FLASH + 8, "reset+0x0 (0x08000008)"),
        (FLASH + 15, "reset+0x7 (0x0800000f)"),
        (FLASH + 40, "main+0x18 (0x08000028)"),
        (FLASH, "0x08000000"),
        (0x2000_0000, "0x20000000"),
    ],
)
def test_describe_names_the_function(elf: Path, address: int, text: str) -> None:
    assert load_image(elf).describe(address) == text


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match="cannot be read"):
        load_image(tmp_path / "absent.elf")


@pytest.mark.parametrize(
    "content", [b"", b"not an ELF file, but long enough to be one", b"\x7fELF\x01\x01\x01" + bytes(20)]
)
def test_no_elf(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "firmware.elf").write_bytes(content)
    with pytest.raises(ToolchainError, match="firmware"):
        load_image(tmp_path / "firmware.elf")


def test_another_machine(elf: Path) -> None:
    content = bytearray(elf.read_bytes())
    content[18] = 62  # x86-64
    elf.write_bytes(content)
    with pytest.raises(ToolchainError, match="EM_X86_64"):
        load_image(elf)


def test_nothing_to_load(tmp_path: Path) -> None:
    (tmp_path / "firmware.elf").write_bytes(elf_bytes(b"", FLASH, {}))
    with pytest.raises(ToolchainError, match="loads nothing"):
        load_image(tmp_path / "firmware.elf")
