"""What is read off single functions; whole images are in test_stack.py."""

from __future__ import annotations

import pytest

from sq_micro.errors import ToolchainError
from sq_micro.toolchain.frames import Frame, frame_reader

ADDRESS = 0x2001_0000


def riscv(code: str) -> Frame:
    return frame_reader("EM_RISCV").read(bytes.fromhex(code), ADDRESS)


@pytest.mark.parametrize(
    ("assembly", "code", "expected"),
    [
        ("ret", "8280", 0),
        ("c.addi sp, -16; c.addi sp, 16", "4111 4101", 16),
        ("c.addi16sp sp, -176", "7171", 176),
        ("addi sp, sp, -2000", "130101 83", 2000),
        ("addi sp, sp, 32", "13010102", 0),
    ],
)
def test_frames_of_riscv(assembly: str, code: str, expected: int) -> None:
    assert riscv(code).bytes == expected, assembly


@pytest.mark.parametrize(
    ("assembly", "code", "target"),
    [
        ("jal ra, .+256", "ef000010", ADDRESS + 256),
        ("c.j .+32", "05a0", ADDRESS + 32),
        ("c.j .-2", "fdbf", ADDRESS - 2),
        ("auipc ra, 1; jalr ra, -4(ra)", "97100000 e780c0ff", ADDRESS + 4096 - 4),
        ("auipc t1, 0; jr 8(t1)", "17030000 67008300", ADDRESS + 8),
    ],
)
def test_calls_and_tail_calls_of_riscv(assembly: str, code: str, target: int) -> None:
    assert riscv(code).targets == {target}, assembly


def test_a_frame_whose_size_is_in_a_register_is_refused() -> None:
    with pytest.raises(ToolchainError, match="SP is moved by a register"):
        riscv("33015140")  # sub sp, sp, t0
    with pytest.raises(ToolchainError, match="SP is moved by a register"):
        frame_reader("EM_ARM").read(bytes.fromhex("a544"), 0)  # add sp, r4


def test_another_machine_is_refused() -> None:
    with pytest.raises(ToolchainError, match="EM_AVR"):
        frame_reader("EM_AVR")
