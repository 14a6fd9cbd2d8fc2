from __future__ import annotations

from sq_micro.board import ReadyBits
from sq_micro.simulate.registers import Registers

AT = 0x4002_1000


def test_what_is_written_is_read() -> None:
    registers = Registers()
    assert registers.read(AT, 4) == 0
    registers.write(AT, 4, 0x1122_3344)
    assert registers.read(AT, 4) == 0x1122_3344
    assert registers.read(AT + 4, 4) == 0


def test_bytes_and_halfwords() -> None:
    registers = Registers()
    registers.write(AT, 4, 0x1122_3344)
    registers.write(AT + 1, 1, 0xAA)
    registers.write(AT + 2, 2, 0xBBCC)
    assert registers.read(AT, 4) == 0xBBCC_AA44
    assert [registers.read(AT + i, 1) for i in range(4)] == [0x44, 0xAA, 0xCC, 0xBB]
    assert registers.read(AT + 2, 2) == 0xBBCC


def test_ready_bits_read_as_set_whatever_is_written() -> None:
    registers = Registers((ReadyBits(AT, 0x0200_0000), ReadyBits(AT, 2)))
    assert registers.read(AT, 4) == 0x0200_0002
    registers.write(AT, 4, 1)
    assert registers.read(AT, 4) == 0x0200_0003
    assert registers.read(AT + 3, 1) == 2
