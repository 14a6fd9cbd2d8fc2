"""What one function does to the stack, and whom it calls, read off its instructions; for Arm's Thumb and for RV32."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import capstone
from capstone import arm, riscv

from sq_micro.errors import ToolchainError


@dataclass(frozen=True, slots=True)
class Frame:
    """bytes: how far SP goes down at most; targets: where calls and jumps lead, inside the function or outside.

    constants         that instructions put together; literals are not among them
    through_pointers  whether it calls what a register says
    """

    bytes: int
    targets: frozenset[int]
    constants: frozenset[int] = frozenset()
    through_pointers: bool = False


class FrameReader(Protocol):
    """Reads the machine code of one function."""

    def read(self, code: bytes, address: int) -> Frame:
        """Raises ToolchainError iff the frame has no bound."""


def frame_reader(machine: str) -> FrameReader:
    """The reader for an ELF's e_machine. Raises ToolchainError iff there is none."""
    match machine:
        case "EM_ARM":
            return _Thumb()
        case "EM_RISCV":
            return _Riscv()
        case _:
            raise ToolchainError(f"the stack of code for {machine} cannot be computed")


class _Thumb:
    def __init__(self) -> None:
        mode = capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS | capstone.CS_MODE_V8
        self._decoder = capstone.Cs(capstone.CS_ARCH_ARM, mode)
        self._decoder.detail = True
        self._decoder.skipdata = True

    def read(self, code: bytes, address: int) -> Frame:
        """As `FrameReader` says."""
        frame = deepest = 0
        targets: set[int] = set()
        constants: set[int] = set()
        lower: dict[int, int] = {}  # halves that MOVW has set, by register
        through_pointers = False
        for instruction in self._decoder.disasm(code, address):
            if instruction.id == 0:
                continue
            frame += _pushed(instruction)
            deepest = max(deepest, frame)
            operands = instruction.operands
            if instruction.id in (arm.ARM_INS_BL, arm.ARM_INS_B) and operands[0].type == arm.ARM_OP_IMM:
                targets.add(operands[0].imm & ~1)
            elif instruction.id in (arm.ARM_INS_BLX, arm.ARM_INS_BX) and operands[0].reg != arm.ARM_REG_LR:
                through_pointers = True
            elif instruction.mnemonic == "movw":
                lower[operands[0].reg] = operands[1].imm
            elif instruction.mnemonic == "movt":
                constants.add(operands[1].imm << 16 | lower.get(operands[0].reg, 0))
        return Frame(deepest, frozenset(targets), frozenset(constants), through_pointers)


def _pushed(instruction: capstone.CsInsn) -> int:
    """Bytes by which an instruction lowers SP; releases are left out, so a frame is never underrated."""
    mnemonic = instruction.mnemonic.split(".")[0]
    operands = instruction.operands
    registers = [operand.reg for operand in operands if operand.type == arm.ARM_OP_REG]
    if mnemonic == "push":
        return 4 * len(registers)
    if mnemonic == "vpush":
        return sum(8 if instruction.reg_name(register).startswith("d") else 4 for register in registers)
    if mnemonic in ("stmdb", "stm") and instruction.writeback and registers[0] == arm.ARM_REG_SP:
        return 4 * (len(registers) - 1)
    if mnemonic in ("sub", "subw") and registers and registers[0] == arm.ARM_REG_SP:
        if operands[-1].type != arm.ARM_OP_IMM:
            raise ToolchainError("an array of variable length is on the stack; its size has no bound")
        return int(operands[-1].imm)
    if mnemonic == "add" and registers[:1] == [arm.ARM_REG_SP] and operands[-1].type == arm.ARM_OP_REG:
        # Armv6-M lowers SP by more than 508 bytes through a register; which value, cannot be read off here.
        raise ToolchainError("SP is moved by a register; the frame has no bound that could be read off")
    if mnemonic == "str" and instruction.writeback and operands[1].mem.base == arm.ARM_REG_SP:
        return max(0, -int(operands[1].mem.disp))
    return 0


class _Riscv:
    def __init__(self) -> None:
        mode = capstone.CS_MODE_RISCV32 | capstone.CS_MODE_RISCVC
        self._decoder = capstone.Cs(capstone.CS_ARCH_RISCV, mode)
        self._decoder.detail = True
        self._decoder.skipdata = True

    def read(self, code: bytes, address: int) -> Frame:
        """As `FrameReader` says."""
        frame = deepest = 0
        targets: set[int] = set()
        upper: tuple[int, int] | None = None  # the register that AUIPC has just set, and its value
        for instruction in self._decoder.disasm(code, address):
            if instruction.id == 0:
                continue
            mnemonic = instruction.mnemonic.removeprefix("c.")
            registers = [operand.reg for operand in instruction.operands if operand.type == riscv.RISCV_OP_REG]
            numbers = [operand.imm for operand in instruction.operands if operand.type == riscv.RISCV_OP_IMM]
            if registers[:1] == [riscv.RISCV_REG_SP]:
                frame += _lowered(mnemonic, numbers)
                deepest = max(deepest, frame)
            if mnemonic in ("j", "jal") and numbers:
                targets.add(instruction.address + numbers[-1] & 0xFFFF_FFFF)
            elif mnemonic in ("jalr", "jr") and upper is not None and upper[0] in registers:
                targets.add(upper[1] + sum(_jump_offset(instruction)) & 0xFFFF_FFFF)
            upper = None
            if mnemonic == "auipc":
                upper = registers[0], instruction.address + (numbers[0] << 12)
        return Frame(deepest, frozenset(targets))


def _lowered(mnemonic: str, numbers: list[int]) -> int:
    if mnemonic in ("addi", "addi16sp") and numbers:
        return max(0, -numbers[-1])
    if mnemonic in ("add", "sub"):
        raise ToolchainError("SP is moved by a register; the frame has no bound that could be read off")
    return 0


def _jump_offset(instruction: capstone.CsInsn) -> Iterator[int]:
    """The immediate of a 32-bit JALR, from its code: capstone leaves it out of some aliases."""
    word = int.from_bytes(instruction.bytes, "little")
    if instruction.size == 4:
        yield (word >> 20) - (0x1000 if word & 0x8000_0000 else 0)
