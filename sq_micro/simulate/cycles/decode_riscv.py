"""RV32 instructions, as far as the cycle model looks at them: RISC-V Unprivileged ISA 20191213, chapters 24 and 16.

Decoded by hand, so that extensions whose instructions nobody here knows are still told apart by length, registers and
major opcode.
"""

from __future__ import annotations

from sq_micro.simulate.cycles.instruction import Instruction

_LOADS = ("lb", "lh", "lw", "ld", "lbu", "lhu", "lwu", "load")
_MULTIPLICATIONS = ("mul", "mulh", "mulhsu", "mulhu", "div", "divu", "rem", "remu")
_RETURN_ADDRESS, _STACK_POINTER = 1, 2


class RiscvDecoder:
    """Reads RV32IMAC code."""

    def decode(self, code: bytes, address: int) -> tuple[Instruction, ...]:
        """All instructions of `code`, under the names of their 32-bit forms; "op" is what only computes."""
        found: list[Instruction] = []
        done = 0
        while len(code) - done >= 2:
            half = int.from_bytes(code[done : done + 2], "little")
            if half & 3 == 3:
                found.append(_wide(int.from_bytes(code[done : done + 4], "little"), address + done))
            else:
                found.append(_compressed(half, address + done))
            done += found[-1].size_bytes
        return tuple(found)


def _make(
    address: int,
    size_bytes: int,
    name: str,
    reads: tuple[int, ...] = (),
    writes: tuple[int, ...] = (),
    base: int = 0,
    conditional: bool = False,
) -> Instruction:
    """Register x0 is neither waited for nor written."""
    return Instruction(
        address,
        size_bytes,
        name,
        conditional,
        reads=frozenset(reads) - {0},
        writes=frozenset(writes) - {0},
        base=base,
    )


def _wide(word: int, address: int) -> Instruction:
    opcode, rd, function, rs1, rs2 = word & 0x7F, word >> 7 & 31, word >> 12 & 7, word >> 15 & 31, word >> 20 & 31
    match opcode:
        case 0x03:  # load
            return _make(address, 4, _LOADS[function], (rs1,), (rd,), base=rs1)
        case 0x23:  # store
            return _make(address, 4, "sw" if function == 2 else "sh" if function == 1 else "sb", (rs1, rs2), base=rs1)
        case 0x63:  # branch
            return _make(address, 4, "branch", (rs1, rs2), conditional=True)
        case 0x6F:
            return _make(address, 4, "jal", (), (rd,))
        case 0x67:
            return _make(address, 4, "jalr", (rs1,), (rd,))
        case 0x33:  # two registers
            name = _MULTIPLICATIONS[function] if word >> 25 == 1 else "op"
            return _make(address, 4, name, (rs1, rs2), (rd,))
        case 0x13:  # register and immediate
            return _make(address, 4, "op", (rs1,), (rd,))
        case 0x37 | 0x17:  # lui, auipc
            return _make(address, 4, "op", (), (rd,))
        case 0x2F:  # atomic
            return _make(address, 4, "amo", (rs1, rs2), (rd,), base=rs1)
        case 0x73:  # system
            reads = (rs1,) if function in (1, 2, 3) else ()
            return _make(address, 4, "csr" if function else "system", reads, (rd,) if function else ())
        case _:
            return _make(address, 4, "op")


def _compressed(half: int, address: int) -> Instruction:
    quadrant, function = half & 3, half >> 13
    rd, rs2 = half >> 7 & 31, half >> 2 & 31
    short_1, short_2 = (half >> 7 & 7) + 8, (half >> 2 & 7) + 8
    match quadrant, function:
        case 0, 0:
            return _make(address, 2, "op", (_STACK_POINTER,), (short_2,))
        case 0, 2:
            return _make(address, 2, "lw", (short_1,), (short_2,), base=short_1)
        case 0, 6:
            return _make(address, 2, "sw", (short_1, short_2), base=short_1)
        case 1, 1 | 5:
            return _make(address, 2, "jal", (), (_RETURN_ADDRESS,) if function == 1 else ())
        case 1, 6 | 7:
            return _make(address, 2, "branch", (short_1,), conditional=True)
        case 1, 0:
            return _make(address, 2, "op", (rd,), (rd,))
        case 1, 4:
            registers = (short_1, short_2) if half >> 10 & 3 == 3 else (short_1,)
            return _make(address, 2, "op", registers, (short_1,))
        case 1, _:
            return _make(address, 2, "op", (rd,) if function == 3 and rd == _STACK_POINTER else (), (rd,))
        case 2, 0:
            return _make(address, 2, "op", (rd,), (rd,))
        case 2, 2:
            return _make(address, 2, "lw", (_STACK_POINTER,), (rd,), base=_STACK_POINTER)
        case 2, 6:
            return _make(address, 2, "sw", (_STACK_POINTER, rs2), base=_STACK_POINTER)
        case 2, 4 if rs2 == 0:
            if rd == 0:
                return _make(address, 2, "system")
            return _make(address, 2, "jalr", (rd,), (_RETURN_ADDRESS,) if half >> 12 & 1 else ())
        case 2, 4:
            return _make(address, 2, "op", (rd, rs2) if half >> 12 & 1 else (rs2,), (rd,))
        case _:
            return _make(address, 2, "op")
