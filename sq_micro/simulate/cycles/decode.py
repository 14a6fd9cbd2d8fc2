"""Thumb instructions, disassembled by capstone."""

from __future__ import annotations

from typing import Any

import capstone
from capstone import arm

from sq_micro.simulate.cycles.instruction import Instruction

# Register lists of these follow a base register, which is no word of the transfer.
_BASE_FIRST = ("ldm", "stm", "vldm", "vstm")
_ACCUMULATING = ("mla", "mls", "smla", "smls", "smmla", "smmls")  # the last of their four registers is what they add to
_LISTS = (*_BASE_FIRST, "push", "pop", "vpush", "vpop")


class Decoder:
    """Disassembles Thumb code for cores of the M profile."""

    def __init__(self) -> None:
        self._capstone = capstone.Cs(
            capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS | capstone.CS_MODE_V8
        )
        self._capstone.detail = True

    def decode(self, code: bytes, address: int) -> tuple[Instruction, ...]:
        """All instructions of `code`. One that capstone does not know is kept under the name "unknown"."""
        found: list[Instruction] = []
        done = 0
        while len(code) - done >= 2:
            for instruction in self._capstone.disasm(code[done:], address + done):
                found.append(_convert(instruction))
                done += instruction.size
            if len(code) - done >= 2:  # capstone stopped: step over one instruction by Thumb's length rule
                wide = code[done + 1] >> 3 in (0b11101, 0b11110, 0b11111)
                found.append(Instruction(address + done, 4 if wide else 2, "unknown"))
                done += found[-1].size_bytes
        return tuple(found)


def _convert(instruction: Any) -> Instruction:
    mnemonic: str = instruction.insn_name()
    registers = [operand.reg for operand in instruction.operands if operand.type == arm.ARM_OP_REG]
    memory = next((operand.mem for operand in instruction.operands if operand.type == arm.ARM_OP_MEM), None)
    listed = registers[1:] if mnemonic.startswith(_BASE_FIRST) else registers
    is_list = mnemonic.startswith(_LISTS)
    try:
        reads, writes = instruction.regs_access()
    except capstone.CsError:
        reads, writes = (), ()
    # The flags are no operand of anything that waits, and a write of the PC is `to_pc`.
    ignored = {arm.ARM_REG_CPSR, arm.ARM_REG_PC}
    return Instruction(
        address=instruction.address,
        size_bytes=instruction.size,
        mnemonic=mnemonic,
        conditional=instruction.cc not in (arm.ARM_CC_AL, arm.ARM_CC_INVALID),
        words=sum(2 if _is_double(register) else 1 for register in listed) if is_list else 0,
        reads=frozenset(reads) - {arm.ARM_REG_CPSR},
        writes=frozenset(writes) - ignored,
        base=memory.base if memory else 0,
        index=memory.index if memory else 0,
        write_back=bool(instruction.writeback),
        to_pc=arm.ARM_REG_PC in (listed if is_list else registers[:1]),
        double=bool(registers) and _is_double(registers[0]),
        displacement=memory.disp if memory else 0,
        shifted=any(o.type == arm.ARM_OP_REG and o.shift.type != arm.ARM_SFT_INVALID for o in instruction.operands),
        sets_flags=bool(instruction.update_flags) or arm.ARM_REG_CPSR in writes,
        accumulator=registers[-1] if mnemonic.startswith(_ACCUMULATING) and len(registers) > 3 else 0,
    )


def _is_double(register: int) -> bool:
    return bool(arm.ARM_REG_D0 <= register <= arm.ARM_REG_D31)
