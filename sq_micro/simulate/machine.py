"""A core with a board's memories and UART around it, on the Unicorn emulator. Runs in the child process only.

There are no interrupts and no exceptions: firmware polls, and a fault ends the run with a text that says where.
"""

from __future__ import annotations

import sys
from collections import deque
from dataclasses import dataclass

from unicorn import Uc, UcError, unicorn_const

from sq_micro.board import Board, Memory, TimerRegister
from sq_micro.errors import DeviceError, ToolchainError
from sq_micro.simulate import uart
from sq_micro.simulate.cores import make_core
from sq_micro.simulate.counters import BlockCounts, Counter, PythonCounter
from sq_micro.simulate.cycles.model import CycleModel, RunningTotals, Totals
from sq_micro.simulate.cycles.table import load_cycle_table
from sq_micro.simulate.image import Image
from sq_micro.simulate.native_hooks import AlignmentHook, hook_blocks
from sq_micro.simulate.registers import Registers, lane
from sq_micro.simulate.uart_models import make_uart

_PAGE_BYTES = 4096
_KEPT_READS = 512  # two for each operator of a profile
_NOWHERE = 0xFFFF_FFFE  # an address that no code of ours reaches; where emulation would stop
_ACCESSES = {
    unicorn_const.UC_MEM_READ_UNMAPPED: "reads {0} B from {1:#010x}, where nothing is",
    unicorn_const.UC_MEM_WRITE_UNMAPPED: "writes {0} B to {1:#010x}, where nothing is",
    unicorn_const.UC_MEM_FETCH_UNMAPPED: "jumps to {1:#010x}, where nothing is",
    unicorn_const.UC_MEM_WRITE_PROT: "writes {0} B to {1:#010x}, which is flash",
}


@dataclass(frozen=True, slots=True)
class _Timers:
    """Registers that count up at rates of their own, by the core's cycles."""

    registers: dict[int, TimerRegister]
    clock_hz: int

    def value(self, address: int, cycles: int) -> int:
        return cycles * self.registers[address].hz // self.clock_hz & 0xFFFF_FFFF


class Machine:
    """Loads an image and runs it. `reads` holds the totals at the last reads of the cycle counter, the oldest first.

    python_hook      count blocks in Python, slowly, even where a C compiler is at hand
    check_alignment  end at a misaligned access where the core would fault; takes three quarters of the speed
    Raises ToolchainError iff the image does not suit the board.
    """

    def __init__(
        self, image: Image, board: Board, host: uart.Host, python_hook: bool = False, check_alignment: bool = False
    ) -> None:
        if board.flash is None or board.sram is None or board.simulator is None or board.core.clock_hz is None:
            raise ToolchainError(f"board {board.id} cannot be simulated: it has no [simulator] table or no memory")
        if image.architecture != board.core.architecture:
            raise ToolchainError(f"{image.path}: is for {image.architecture}, {board.id} is {board.core.architecture}")
        self._image = image
        self._unicorn, self._core = make_core(board, lambda: self.totals().cycles)
        self._failure: BaseException | None = None
        self._ended = False
        self.reads: deque[Totals] = deque(maxlen=_KEPT_READS)

        self._counter = self._install_counter(python_hook)
        self._alignment = AlignmentHook(self._unicorn) if check_alignment and self._core.strict else None
        # Code is priced as the image has it, whatever stands in for some of it in the emulator.
        self._totals = RunningTotals(CycleModel(load_cycle_table(board.simulator.cpu)), self._read_code)
        self._wait_factor = board.wait_factor
        self._registers = Registers(board.simulator.ready)
        self._timers = _Timers({timer.address: timer for timer in board.simulator.timers}, board.core.clock_hz)
        self._uart = make_uart(board.uart.driver, host, lambda: self._counter.place)
        self._uart_base = board.uart.base

        rams = (board.sram, *(region.memory for region in board.regions))
        self._map(board.flash, rams, board.simulator.peripherals)
        self._load((board.flash, *rams))
        self._start = self._core.boot(self._unicorn, image, board)
        self._unicorn.hook_add(unicorn_const.UC_HOOK_INTR, self._exception)
        self._unicorn.hook_add(unicorn_const.UC_HOOK_MEM_INVALID, self._bad_access)

    def run(self) -> None:
        """Run until the firmware ends by semihosting's SYS_EXIT, or a callback of the host raises.

        Raises DeviceError iff the firmware faults, and whatever the host's callback raised.
        """
        status = unicorn_const.UC_ERR_OK
        try:
            self._unicorn.emu_start(self._start, _NOWHERE)
        except UcError as error:
            status = error.errno
            cause = str(error)
        if self._failure is not None:
            raise self._failure
        if self._ended or (status == unicorn_const.UC_ERR_INSN_INVALID and self._core.wants_exit(self._unicorn, None)):
            return
        if self._alignment is not None and (found := self._alignment.found):
            raise self._fault(f"takes {found[1]} B at {found[0]:#010x}, which this core cannot")
        if status == unicorn_const.UC_ERR_INSN_INVALID:
            cause = "an undefined instruction"
        elif status == unicorn_const.UC_ERR_OK:
            cause = "sleep (WFI or WFE), and the simulator has no interrupt that would wake it"
        raise self._fault(f"meets {cause}")

    def totals(self) -> Totals:
        """Instructions and cycles since reset, the block being executed and the wait states of the board included."""
        totals = self._totals.totals(self._counter.counts())
        if self._wait_factor is None:
            return totals
        return Totals(totals.instructions, int(totals.cycles * self._wait_factor))

    def counts(self) -> BlockCounts:
        """What was executed since reset."""
        return self._counter.counts()

    # ---- Setting up ----

    def _install_counter(self, python_hook: bool) -> Counter:
        if not python_hook:
            try:
                return hook_blocks(self._unicorn)
            except (ToolchainError, OSError, AttributeError, ImportError) as error:
                print(f"sq-micro: counting blocks in Python, some 50 times slower: {error}", file=sys.stderr)
        counter = PythonCounter()

        def entered(_unicorn: Uc, address: int, size_bytes: int, _data: object) -> None:
            counter.enter(address, size_bytes)

        self._unicorn.hook_add(unicorn_const.UC_HOOK_BLOCK, entered)
        return counter

    def _map(self, flash: Memory, rams: tuple[Memory, ...], peripherals: tuple[Memory, ...]) -> None:
        read_and_run = unicorn_const.UC_PROT_READ | unicorn_const.UC_PROT_EXEC
        for memory, protection in ((flash, read_and_run), *((ram, unicorn_const.UC_PROT_ALL) for ram in rams)):
            size_bytes = -(-memory.size_bytes // _PAGE_BYTES) * _PAGE_BYTES
            self._unicorn.mem_map(memory.origin, size_bytes, protection)
        for window in (*peripherals, self._core.window):
            base = window.origin
            self._unicorn.mmio_map(base, window.size_bytes, self._mmio_read, base, self._mmio_write, base)

    def _load(self, memories: tuple[Memory, ...]) -> None:
        for segment in self._image.segments:
            size_bytes = len(segment.content)
            if not any(
                memory.origin <= segment.address and segment.address + size_bytes <= memory.origin + memory.size_bytes
                for memory in memories
            ):
                raise ToolchainError(
                    f"{self._image.path}: {size_bytes:,} B at {segment.address:#010x} are outside the board's memories"
                )
            self._unicorn.mem_write(segment.address, segment.content)

    def _read_code(self, address: int, size_bytes: int) -> bytes:
        try:
            return self._image.read(address, size_bytes)
        except ToolchainError:
            return bytes(self._unicorn.mem_read(address, size_bytes))  # code that was copied to RAM

    # ---- While it runs ----

    def _mmio_read(self, _unicorn: Uc, offset: int, size_bytes: int, base: int) -> int:
        # An exception must not travel through the emulator's C code; run() raises it.
        try:
            return self._read(base + offset, size_bytes)
        except BaseException as error:
            self._stop(error)
            return 0

    def _mmio_write(self, _unicorn: Uc, offset: int, size_bytes: int, value: int, base: int) -> None:
        try:
            self._write(base + offset, size_bytes, value)
        except BaseException as error:
            self._stop(error)

    def _read(self, address: int, size_bytes: int) -> int:
        if self._failure is not None:
            return 0
        if self._is_own(address):
            if self._core.is_cycle_counter(address):
                self.reads.append(self.totals())
            return self._core.read(address, size_bytes)
        if 0 <= address - self._uart_base < self._uart.size_bytes:
            return self._uart.read(address - self._uart_base, size_bytes)
        if address & ~3 in self._timers.registers:
            return lane(self._timers.value(address & ~3, self.totals().cycles), address, size_bytes)
        return self._registers.read(address, size_bytes)

    def _write(self, address: int, size_bytes: int, value: int) -> None:
        if self._failure is not None:
            return
        if self._is_own(address):
            self._core.write(address, size_bytes, value)
        elif 0 <= address - self._uart_base < self._uart.size_bytes:
            self._uart.write(address - self._uart_base, size_bytes, value)
        else:
            self._registers.write(address, size_bytes, value)

    def _is_own(self, address: int) -> bool:
        window = self._core.window
        return 0 <= address - window.origin < window.size_bytes

    def _exception(self, _unicorn: Uc, number: int, _data: object) -> None:
        if self._core.wants_exit(self._unicorn, number):
            self._ended = True
            self._unicorn.emu_stop()
        else:
            self._stop(self._fault(f"meets {self._core.describe_exception(number)}"))

    def _bad_access(self, _unicorn: Uc, access: int, address: int, size_bytes: int, _value: int, _data: object) -> bool:
        text = _ACCESSES.get(access, "makes an access to {1:#010x} that is not allowed")
        if self._failure is None:
            self._failure = self._fault(text.format(size_bytes, address))
        return False

    def _stop(self, failure: BaseException) -> None:
        if self._failure is None:
            self._failure = failure
        self._unicorn.emu_stop()

    def _fault(self, what: str) -> DeviceError:
        place = self._image.describe(self._core.program_counter(self._unicorn))
        caller = self._image.describe(self._core.return_address(self._unicorn))
        return DeviceError("FAULT", f"the firmware {what}, at {place}; the return address is {caller}")
