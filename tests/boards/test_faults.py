"""A core that takes a fault says where and why: images whose model begins with an instruction that does not exist."""

from __future__ import annotations

from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from sq_micro.board import load_board
from sq_micro.errors import DeviceError
from sq_micro.measure.link.make_link import make_link
from sq_micro.measure.session import Session
from sq_micro.simulate.image import load_image
from tests.boards.images import image, skip_without, small_model

_INVOKE = "sqm_mixed_widths_v2_invoke"


def with_a_wrong_instruction(elf: Path, target: Path, code: bytes) -> int:
    """Write the image with `code` where the model's function begins; that address."""
    address = load_image(elf).symbols[_INVOKE]
    content = bytearray(elf.read_bytes())
    with elf.open("rb") as stream:
        segment = next(
            segment for segment in ELFFile(stream).iter_segments("PT_LOAD")
            if segment["p_vaddr"] <= address < segment["p_vaddr"] + segment["p_filesz"]
        )  # fmt: skip
        at = segment["p_offset"] + address - segment["p_vaddr"]
    content[at : at + len(code)] = code
    target.write_bytes(content)
    return address


@pytest.mark.qemu
@pytest.mark.parametrize(
    ("name", "code", "cause"),
    [
        ("hifive1_revb", "00000000", "mcause 0x00000002"),
        ("mps2_an385", "00de", "cfsr 0x00010000, hfsr 0x40000000"),
        ("mps2_an505", "00de", "cfsr 0x00010000, hfsr 0x40000000"),
    ],
)
def test_an_undefined_instruction_is_reported_by_the_firmware(name: str, code: str, cause: str, tmp_path: Path) -> None:
    board = load_board(name)
    skip_without("qemu", board)
    elf = tmp_path / "firmware.elf"
    address = with_a_wrong_instruction(image(name, "auto").elf, elf, bytes.fromhex(code))
    with Session(make_link("qemu", elf, board), timeout_s=30) as session:
        session.write_input(small_model()[1].inputs[0].tobytes())
        for _ in range(2):  # it says so again to whoever asks again
            with pytest.raises(DeviceError, match="FAULT") as caught:
                session.invoke()
            assert cause in str(caught.value)
            assert f"pc 0x{address:08x}" in str(caught.value)


@pytest.mark.simulator
@pytest.mark.parametrize(("name", "code"), [("rpi_pico2_riscv", "00000000"), ("rpi_pico", "00de")])
def test_an_undefined_instruction_ends_the_simulation(name: str, code: str, tmp_path: Path) -> None:
    board = load_board(name)
    skip_without("simulator", board)
    elf = tmp_path / "firmware.elf"
    with_a_wrong_instruction(image(name, "auto").elf, elf, bytes.fromhex(code))
    with Session(make_link("simulator", elf, board), timeout_s=30) as session:
        session.write_input(small_model()[1].inputs[0].tobytes())
        with pytest.raises(Exception, match=rf"meets an undefined instruction, at {_INVOKE}\+0x[04]"):
            session.invoke()


@pytest.mark.simulator
def test_a_word_at_an_odd_address_ends_the_simulation_of_a_core_that_cannot_take_it(tmp_path: Path) -> None:
    """lw a0, 1(sp) in the place of the model."""
    board = load_board("rpi_pico2_riscv")
    skip_without("simulator", board)
    elf = tmp_path / "firmware.elf"
    with_a_wrong_instruction(image(board.id, "auto").elf, elf, bytes.fromhex("03251100"))
    with Session(make_link("simulator", elf, board), timeout_s=30) as session:
        session.write_input(small_model()[1].inputs[0].tobytes())
        with pytest.raises(Exception, match=r"takes 4 B at 0x200.*, which this core cannot"):
            session.invoke()
