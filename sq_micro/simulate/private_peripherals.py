"""The core's private peripheral bus: the DWT cycle counter, served from the cycle model; the rest behaves as memory.

The counter runs as on silicon only while DEMCR.TRCENA and DWT_CTRL.CYCCNTENA are set (Armv7-M ARM, C1.6.5 and C1.8.7),
so firmware that forgets to switch it on sees a dead counter here as well.
"""

from __future__ import annotations

from collections.abc import Callable

from sq_micro.simulate.registers import Registers, lane

BASE = 0xE000_0000
SIZE_BYTES = 0x0010_0000

DWT_CTRL = 0xE000_1000
DWT_CYCCNT = 0xE000_1004
CPUID = 0xE000_ED00
DEMCR = 0xE000_EDFC

_CYCCNTENA = 1 << 0
_TRCENA = 1 << 24
_FOUR_COMPARATORS = 4 << 28  # DWT_CTRL.NUMCOMP of a Cortex-M4
_CORTEX_M4_R0P1 = 0x410F_C241


class PrivatePeripherals:
    """cycles_now: cycles of the core since reset, asked whenever the counter is read, set or switched."""

    def __init__(self, cycles_now: Callable[[], int]) -> None:
        self._cycles_now = cycles_now
        self._registers = Registers()
        self._registers.write(DWT_CTRL, 4, _FOUR_COMPARATORS)
        self._registers.write(CPUID, 4, _CORTEX_M4_R0P1)
        self._running = False
        self._count = 0  # the counter when it was last set or switched,
        self._since = 0  # and the core's cycles at that moment

    def read(self, address: int, size_bytes: int) -> int:
        """What the core reads at an address of the bus."""
        if address & ~3 == DWT_CYCCNT:
            return lane(self._counter(), address, size_bytes)
        return self._registers.read(address, size_bytes)

    def write(self, address: int, size_bytes: int, value: int) -> None:
        """Do what the core's write to an address of the bus does."""
        if address == DWT_CYCCNT:
            self._count, self._since = value, self._cycles_now()
            return
        if address & ~3 == CPUID:
            return
        self._registers.write(address, size_bytes, value)
        if address & ~3 in (DWT_CTRL, DEMCR):
            self._switch()

    def _switch(self) -> None:
        enabled = self._registers.read(DWT_CTRL, 4) & _CYCCNTENA and self._registers.read(DEMCR, 4) & _TRCENA
        if bool(enabled) != self._running:
            self._count, self._since = self._counter(), self._cycles_now()
            self._running = bool(enabled)

    def _counter(self) -> int:
        passed = self._cycles_now() - self._since if self._running else 0
        return (self._count + passed) & 0xFFFF_FFFF
