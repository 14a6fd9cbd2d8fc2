"""Worst-case stack depth, from the machine code itself.

Each function's own frame is read off its prologue instructions, calls and tail calls make a graph, and the
deepest path from the entry point is summed. Works for any compiler, since it looks at the ELF alone. Functions
called through a pointer cannot be seen; the firmware has none on its main path.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import capstone
from capstone import arm as cs
from elftools.elf.elffile import ELFFile

from sq_micro.errors import ToolchainError

EXCEPTION_FRAME_BYTES = 104  # ARMv7-M with an FPU: 8 core words, 18 FP words


@dataclass(frozen=True, slots=True)
class _Function:
    name: str
    frame_bytes: int
    callees: frozenset[int]


@dataclass(frozen=True, slots=True)
class StackDepth:
    """bytes of the deepest path, without an exception frame; `path` are the functions on it, outermost first."""

    bytes: int
    path: tuple[str, ...]


def worst_case_stack(elf: Path, entry: str = "sqm_reset") -> StackDepth:
    """Raises ToolchainError iff the image has recursion or no such entry."""
    functions, by_name = _functions(elf)
    if entry not in by_name:
        raise ToolchainError(f"{elf.name} has no function '{entry}'")
    memo: dict[int, StackDepth] = {}

    def depth(address: int, above: tuple[int, ...]) -> StackDepth:
        if address in above:
            raise ToolchainError(f"'{functions[address].name}' is recursive; its stack has no bound")
        if address not in memo:
            function = functions[address]
            deepest = StackDepth(0, ())
            for callee in function.callees:
                if callee in functions:
                    candidate = depth(callee, (*above, address))
                    deepest = max(deepest, candidate, key=lambda found: found.bytes)
            memo[address] = StackDepth(function.frame_bytes + deepest.bytes, (function.name, *deepest.path))
        return memo[address]

    return depth(by_name[entry], ())


def _functions(elf: Path) -> tuple[dict[int, _Function], dict[str, int]]:
    decoder = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)
    decoder.detail = True
    functions: dict[int, _Function] = {}
    with elf.open("rb") as stream:
        file = ELFFile(stream)
        table = file.get_section_by_name(".symtab")
        if table is None:
            raise ToolchainError(f"{elf.name} has no symbols")
        for symbol in table.iter_symbols():
            size, index = symbol["st_size"], symbol["st_shndx"]
            if symbol["st_info"]["type"] != "STT_FUNC" or size == 0 or isinstance(index, str):
                continue
            address = symbol["st_value"] & ~1
            section = file.get_section(index)
            start = address - section["sh_addr"]
            code = section.data()[start : start + size]
            functions[address] = _read(decoder, symbol.name, code, address)
    return functions, {function.name: address for address, function in functions.items()}


def _read(decoder: capstone.Cs, name: str, code: bytes, address: int) -> _Function:
    frame = deepest = 0
    callees: set[int] = set()
    decoder.skipdata = True  # literal pools lie between the instructions
    for instruction in decoder.disasm(code, address):
        if instruction.id == 0:
            continue
        try:
            frame += _pushed(instruction)
        except ToolchainError as error:
            raise ToolchainError(f"'{name}': {error.problem}") from error
        deepest = max(deepest, frame)
        if instruction.id in (cs.ARM_INS_BL, cs.ARM_INS_B) and instruction.operands[0].type == cs.ARM_OP_IMM:
            target = instruction.operands[0].imm & ~1
            if not address <= target < address + len(code):
                callees.add(target)
    return _Function(name, deepest, frozenset(callees))


def _pushed(instruction: capstone.CsInsn) -> int:
    """Bytes by which an instruction lowers SP; releases are left out, so a frame is never underrated."""
    mnemonic = instruction.mnemonic.split(".")[0]
    operands = instruction.operands
    registers = [operand.reg for operand in operands if operand.type == cs.ARM_OP_REG]
    if mnemonic == "push":
        return 4 * len(registers)
    if mnemonic == "vpush":
        return sum(8 if instruction.reg_name(register).startswith("d") else 4 for register in registers)
    if mnemonic in ("stmdb", "stm") and instruction.writeback and registers[0] == cs.ARM_REG_SP:
        return 4 * (len(registers) - 1)
    if mnemonic in ("sub", "subw") and registers and registers[0] == cs.ARM_REG_SP:
        if operands[-1].type != cs.ARM_OP_IMM:
            raise ToolchainError("an array of variable length is on the stack; its size has no bound")
        return int(operands[-1].imm)
    if mnemonic == "str" and instruction.writeback and operands[1].mem.base == cs.ARM_REG_SP:
        return max(0, -int(operands[1].mem.disp))
    return 0
