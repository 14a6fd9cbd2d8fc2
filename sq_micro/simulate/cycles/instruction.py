"""One machine instruction, as the cycle model looks at it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction.

    mnemonic     without condition and width; for RV32 that of the 32-bit form
    conditional  executes only under a condition: its own, or that of an IT before it
    words        32-bit words of its register list; 0 without one
    reads, writes, base, index   register numbers; base and index of the address, 0 for none
    displacement of the address, in bytes
    shifted      an operand goes through the shifter
    sets_flags   changes the condition flags
    accumulator  the register to which a multiplication adds; 0 for none
    """

    address: int
    size_bytes: int
    mnemonic: str
    conditional: bool = False
    words: int = 0
    reads: frozenset[int] = frozenset()
    writes: frozenset[int] = frozenset()
    base: int = 0
    index: int = 0
    write_back: bool = False
    to_pc: bool = False
    double: bool = False
    displacement: int = 0
    shifted: bool = False
    sets_flags: bool = False
    accumulator: int = 0

    @property
    def straddles(self) -> bool:
        """Whether it is a 32-bit instruction that lies across two aligned words."""
        return self.size_bytes == 4 and self.address % 4 != 0

    @property
    def addressing(self) -> frozenset[int]:
        """Registers that its address is made of."""
        return frozenset((self.base, self.index)) - {0}
