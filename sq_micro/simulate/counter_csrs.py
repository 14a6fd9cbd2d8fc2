"""RISC-V's counter registers, served from the cycle model.

Unicorn cannot hook reads of CSRs, and its own counters tell the host's time. So the copy of the image that it executes
has a load in the place of each instruction that reads a counter, and a store in the place of each that writes one: to
an address at the end of the address space, which is reached from register zero, and where nothing is on our boards.
Both are 32 bits wide, so nothing else changes; the ELF, and the code that the cycle model prices, stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sq_micro.errors import ToolchainError
from sq_micro.simulate.image import Image

BASE = 0xFFFF_F000
SIZE_BYTES = 0x1000

# RISC-V Privileged Architecture 1.12, table 2.5; ESP32-C3 Technical Reference Manual, "ESP-RISC-V CPU".
MCYCLE, MCYCLEH, MCOUNTINHIBIT = 0xB00, 0xB80, 0x320
MPCER, MPCMR, MPCCR = 0x7E0, 0x7E1, 0x7E2
_WINDOW = {csr: 0xFFFF_FF00 + 4 * i for i, csr in enumerate((MCYCLE, MCYCLEH, MCOUNTINHIBIT, MPCER, MPCMR, MPCCR))}
_COUNTERS = frozenset((MCYCLE, MPCCR))

_SYSTEM, _LOAD, _STORE = 0x73, 0x03, 0x23
_CSRRW, _CSRRS, _CSRRC, _WORD = 1, 2, 3, 2


def replacements(image: Image) -> Iterator[tuple[int, bytes]]:
    """(address, code) for each access to a counter. Raises ToolchainError iff one both reads and changes it."""
    for address, size_bytes in image.functions:
        code = image.read(address, size_bytes)
        done = 0
        while done < size_bytes:
            # RISC-V's length rule: the two low bits of 32-bit instructions are set.
            length = 4 if code[done] & 3 == 3 else 2
            word = int.from_bytes(code[done : done + length], "little")
            if length == 4 and word & 0x7F == _SYSTEM and word >> 20 in _WINDOW and word >> 12 & 7:
                try:
                    yield address + done, _replace(word).to_bytes(4, "little")
                except ToolchainError as error:
                    raise ToolchainError(f"{image.describe(address + done)}: {error}") from error
            done += length


def _replace(word: int) -> int:
    destination, operation, source, csr = word >> 7 & 31, word >> 12 & 7, word >> 15 & 31, word >> 20
    offset = _WINDOW[csr] & 0xFFF  # sign-extended from 12 bits it is the address
    if operation in (_CSRRS, _CSRRC) and source == 0:
        return offset << 20 | _WORD << 12 | destination << 7 | _LOAD
    if operation == _CSRRW and destination == 0:
        return offset >> 5 << 25 | source << 20 | _WORD << 12 | (offset & 31) << 7 | _STORE
    raise ToolchainError(f"the simulator cannot read and change counter CSR {csr:#x} at once")


@dataclass(slots=True)
class CounterCsrs:
    """The registers behind the window. cycles_now: cycles of the core since reset."""

    cycles_now: Callable[[], int]
    _count: int = 0  # the counter when it was last set or switched,
    _since: int = 0  # and the core's cycles at that moment
    _running: bool = True

    def read(self, address: int) -> int:
        """What a load from the window gives."""
        if address in (_WINDOW[MCYCLE], _WINDOW[MPCCR]):
            return self._counter() & 0xFFFF_FFFF
        if address == _WINDOW[MCYCLEH]:
            return self._counter() >> 32
        return 0

    def write(self, address: int, value: int) -> None:
        """Do what a store to the window does."""
        if address in (_WINDOW[MCYCLE], _WINDOW[MPCCR]):
            self._count, self._since = value, self.cycles_now()
        elif address in (_WINDOW[MCOUNTINHIBIT], _WINDOW[MPCMR]):
            running = bool(value & 1) == (address == _WINDOW[MPCMR])
            self._count, self._since, self._running = self._counter(), self.cycles_now(), running

    def _counter(self) -> int:
        return self._count + (self.cycles_now() - self._since if self._running else 0)


def is_counter(address: int) -> bool:
    """Whether a read at the address of the window is one of the cycle counter."""
    return any(address == _WINDOW[csr] for csr in _COUNTERS)
