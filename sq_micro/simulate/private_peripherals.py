"""The private peripheral bus of Cortex-M cores: DWT's cycle counter and SysTick, served from the cycle model; the rest
behaves as memory.

DWT's counter runs as on silicon only while DEMCR.TRCENA and DWT_CTRL.CYCCNTENA are set (Armv7-M ARM), and a Cortex-M7
takes no write to the DWT before its lock was opened, so firmware that forgets either sees a dead counter here as well.
Armv6-M has none. SysTick counts down in 24 bits; its exception never comes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sq_micro.simulate.registers import Registers, lane

BASE = 0xE000_0000
SIZE_BYTES = 0x0010_0000

DWT_CTRL = 0xE000_1000
DWT_CYCCNT = 0xE000_1004
DWT_LAR = 0xE000_1FB0
SYST_CSR = 0xE000_E010
SYST_RVR = 0xE000_E014
SYST_CVR = 0xE000_E018
CPUID = 0xE000_ED00
DEMCR = 0xE000_EDFC

_CYCCNTENA = 1 << 0
_TRCENA = 1 << 24
_DWT_END = 0xE000_2000
_LAR_KEY = 0xC5AC_CE55
_FOUR_COMPARATORS = 4 << 28  # DWT_CTRL.NUMCOMP of a Cortex-M4
_NO_CYCLE_COUNTER = 1 << 25  # DWT_CTRL.NOCYCCNT
_SYSTICK_ENABLE = 1 << 0
_MASK_24 = 0x00FF_FFFF


@dataclass(frozen=True, slots=True)
class CoreId:
    """What tells cores apart here: the value of CPUID, whether DWT counts cycles, and whether a lock guards it."""

    cpuid: int
    has_cycle_counter: bool = True
    has_dwt_lock: bool = False


# The technical reference manuals of the cores, "CPUID Base Register".
CORES = {
    "cortex-m0+": CoreId(0x410C_C601, has_cycle_counter=False),
    "cortex-m3": CoreId(0x412F_C231),
    "cortex-m4": CoreId(0x410F_C241),
    "cortex-m7": CoreId(0x411F_C272, has_dwt_lock=True),
    "cortex-m33": CoreId(0x410F_D213),
}


class PrivatePeripherals:
    """cycles_now: cycles of the core since reset, asked whenever the counter is read, set or switched."""

    def __init__(self, cycles_now: Callable[[], int], core: CoreId = CORES["cortex-m4"]) -> None:
        self._cycles_now = cycles_now
        self._core = core
        self._registers = Registers()
        self._registers.write(DWT_CTRL, 4, _FOUR_COMPARATORS if core.has_cycle_counter else _NO_CYCLE_COUNTER)
        self._registers.write(CPUID, 4, core.cpuid)
        self._systick_since: int | None = None  # cycles when SysTick last was zero; None: it stands still at zero
        self._is_locked = core.has_dwt_lock
        self._running = False
        self._count = 0  # the counter when it was last set or switched,
        self._since = 0  # and the core's cycles at that moment

    def read(self, address: int, size_bytes: int) -> int:
        """What the core reads at an address of the bus."""
        if address & ~3 == DWT_CYCCNT:
            return lane(self._counter(), address, size_bytes)
        if address & ~3 == SYST_CVR:
            return lane(self._systick(), address, size_bytes)
        return self._registers.read(address, size_bytes)

    def write(self, address: int, size_bytes: int, value: int) -> None:
        """Do what the core's write to an address of the bus does."""
        if address == DWT_LAR:
            self._is_locked = self._core.has_dwt_lock and value != _LAR_KEY
            return
        if self._is_locked and DWT_CTRL <= address < _DWT_END:
            return
        if address == DWT_CYCCNT:
            self._count, self._since = value, self._cycles_now()
            return
        if address & ~3 == CPUID:
            return
        if address & ~3 == SYST_CVR:  # whatever is written, it becomes zero
            self._systick_since = self._cycles_now() if self._systick_since is not None else None
            return
        self._registers.write(address, size_bytes, value)
        if address & ~3 in (DWT_CTRL, DEMCR):
            self._switch()
        if address & ~3 == SYST_CSR:
            enabled = self._registers.read(SYST_CSR, 4) & _SYSTICK_ENABLE
            self._systick_since = (self._systick_since or self._cycles_now()) if enabled else None

    def _switch(self) -> None:
        enabled = (
            self._core.has_cycle_counter
            and self._registers.read(DWT_CTRL, 4) & _CYCCNTENA
            and self._registers.read(DEMCR, 4) & _TRCENA
        )
        if bool(enabled) != self._running:
            self._count, self._since = self._counter(), self._cycles_now()
            self._running = bool(enabled)

    def _counter(self) -> int:
        passed = self._cycles_now() - self._since if self._running else 0
        return (self._count + passed) & 0xFFFF_FFFF

    def _systick(self) -> int:
        if self._systick_since is None:
            return 0
        period = (self._registers.read(SYST_RVR, 4) & _MASK_24) + 1
        return (self._systick_since - self._cycles_now()) % period
