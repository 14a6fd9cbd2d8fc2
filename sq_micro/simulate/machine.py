"""A Cortex-M4 with a board's memories and UART around it, on the Unicorn emulator. Runs in the child process only.

There are no interrupts and no exceptions: firmware polls, and a fault ends the run with a text that says where.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from collections import deque
from typing import Any

from unicorn import Uc, UcError, arm_const, unicorn_const

from sq_micro.board import Board, Memory
from sq_micro.errors import DeviceError, ToolchainError
from sq_micro.simulate import private_peripherals, uart
from sq_micro.simulate.counters import BlockCounts, Counter, NativeCounter, PythonCounter
from sq_micro.simulate.cycles.model import CycleModel, RunningTotals, Totals
from sq_micro.simulate.cycles.table import load_cycle_table
from sq_micro.simulate.image import Image
from sq_micro.simulate.native_library import native_library
from sq_micro.simulate.private_peripherals import DWT_CYCCNT, PrivatePeripherals
from sq_micro.simulate.registers import Registers

_CORES = {"cortex-m4": arm_const.UC_CPU_ARM_CORTEX_M4}
_PERIPHERALS = Memory(0x4000_0000, 0x2000_0000)
_PAGE_BYTES = 4096
_KEPT_READS = 64
_NOWHERE = 0xFFFF_FFFE  # an address that no code of ours reaches; where emulation would stop

# QEMU's numbers of exceptions (target/arm/cpu.h), which Unicorn passes to its interrupt hook.
_BKPT, _SEMIHOSTING = 7, 16
_EXCEPTIONS = {
    1: "an undefined instruction",
    2: "a supervisor call (SVC), which the simulator does not take",
    3: "code that cannot be fetched",
    4: "data that cannot be accessed",
    _BKPT: "a breakpoint (BKPT)",
    _SEMIHOSTING: "a semihosting call that the simulator does not take",
    17: "a floating-point instruction while the FPU is off",
    18: "a jump to an address without the Thumb bit",
}
_SYS_EXIT, _SYS_EXIT_EXTENDED = 0x18, 0x20
_ACCESSES = {
    unicorn_const.UC_MEM_READ_UNMAPPED: "reads {0} B from {1:#010x}, where nothing is",
    unicorn_const.UC_MEM_WRITE_UNMAPPED: "writes {0} B to {1:#010x}, where nothing is",
    unicorn_const.UC_MEM_FETCH_UNMAPPED: "jumps to {1:#010x}, where nothing is",
    unicorn_const.UC_MEM_WRITE_PROT: "writes {0} B to {1:#010x}, which is flash",
}


class Machine:
    """Loads an image and runs it. `reads` holds the totals at the last reads of the cycle counter, the oldest first.

    python_hook  count blocks in Python, slowly, even where a C compiler is at hand
    Raises ToolchainError iff the image does not suit the board.
    """

    def __init__(self, image: Image, board: Board, host: uart.Host, python_hook: bool = False) -> None:
        if board.flash is None or board.sram is None or board.simulator is None:
            raise ToolchainError(f"board {board.id} cannot be simulated: it has no [simulator] table or no memory")
        if board.simulator.cpu not in _CORES:
            raise ToolchainError(f"the simulator has no core '{board.simulator.cpu}'; it has: {', '.join(_CORES)}")
        self._image = image
        self._unicorn = Uc(unicorn_const.UC_ARCH_ARM, unicorn_const.UC_MODE_THUMB | unicorn_const.UC_MODE_MCLASS)
        self._unicorn.ctl_set_cpu_model(_CORES[board.simulator.cpu])
        self._failure: BaseException | None = None
        self._ended = False
        self.reads: deque[Totals] = deque(maxlen=_KEPT_READS)

        self._counter = self._install_counter(python_hook)
        self._totals = RunningTotals(CycleModel(load_cycle_table(board.simulator.cpu)), self._read_code)
        self._private = PrivatePeripherals(lambda: self.totals().cycles)
        self._registers = Registers(board.simulator.ready)
        self._uart = uart.make_uart(board.uart.driver, host, lambda: self._counter.place)
        self._uart_base = board.uart.base

        self._map(board.flash, board.sram)
        self._load(board.flash, board.sram)
        self._start = self._boot(board.flash, board.sram, board.core.has_fpu)
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
        if self._ended:
            return
        if status == unicorn_const.UC_ERR_INSN_INVALID:
            cause = _EXCEPTIONS[1]
        elif status == unicorn_const.UC_ERR_OK:
            cause = "sleep (WFI or WFE), and the simulator has no interrupt that would wake it"
        raise self._fault(f"meets {cause}")

    def totals(self) -> Totals:
        """Instructions and cycles since reset, the block that is being executed included."""
        return self._totals.totals(self._counter.counts())

    def counts(self) -> BlockCounts:
        """What was executed since reset."""
        return self._counter.counts()

    # ---- Setting up ----

    def _install_counter(self, python_hook: bool) -> Counter:
        if not python_hook:
            try:
                return self._native_counter()
            except (ToolchainError, OSError, AttributeError, ImportError) as error:
                print(f"sq-micro: counting blocks in Python, some 50 times slower: {error}", file=sys.stderr)
        counter = PythonCounter()

        def entered(_unicorn: Uc, address: int, size_bytes: int, _data: object) -> None:
            counter.enter(address, size_bytes)

        self._unicorn.hook_add(unicorn_const.UC_HOOK_BLOCK, entered)
        return counter

    def _native_counter(self) -> NativeCounter:
        # Unicorn's Python package would put a Python function around every hook. Its C interface takes our native one
        # as it is; the names used for that are private to the package, hence the fallback above.
        from unicorn.unicorn_py3.unicorn import uclib

        self._library = ctypes.CDLL(str(native_library("block_counts")))
        counter = NativeCounter()
        handle = ctypes.c_size_t()
        status = uclib.uc_hook_add(
            self._unicorn._uch,
            ctypes.byref(handle),
            unicorn_const.UC_HOOK_BLOCK,
            ctypes.cast(self._library.sqm_count_block, ctypes.c_void_p),
            ctypes.cast(ctypes.byref(counter.table), ctypes.c_void_p),
            ctypes.c_uint64(1),  # begin > end: everywhere
            ctypes.c_uint64(0),
        )
        if status != unicorn_const.UC_ERR_OK:
            raise ToolchainError(f"Unicorn refuses the native hook (error {status})")
        return counter

    def _map(self, flash: Memory, sram: Memory) -> None:
        read_and_run = unicorn_const.UC_PROT_READ | unicorn_const.UC_PROT_EXEC
        for memory, protection in ((flash, read_and_run), (sram, unicorn_const.UC_PROT_ALL)):
            size_bytes = -(-memory.size_bytes // _PAGE_BYTES) * _PAGE_BYTES
            self._unicorn.mem_map(memory.origin, size_bytes, protection)
        private = private_peripherals
        for base, size_bytes in ((_PERIPHERALS.origin, _PERIPHERALS.size_bytes), (private.BASE, private.SIZE_BYTES)):
            self._unicorn.mmio_map(base, size_bytes, self._mmio_read, base, self._mmio_write, base)

    def _load(self, flash: Memory, sram: Memory) -> None:
        for segment in self._image.segments:
            size_bytes = len(segment.content)
            if not any(
                memory.origin <= segment.address and segment.address + size_bytes <= memory.origin + memory.size_bytes
                for memory in (flash, sram)
            ):
                raise ToolchainError(
                    f"{self._image.path}: {size_bytes:,} B at {segment.address:#010x} are outside the board's memories"
                )
            self._unicorn.mem_write(segment.address, segment.content)

    def _boot(self, flash: Memory, sram: Memory, has_fpu: bool) -> int:
        """Do what reset does: take the stack pointer and the first instruction from the vector table."""
        stack, entry = struct.unpack("<II", self._unicorn.mem_read(flash.origin, 8))
        in_sram = sram.origin < stack <= sram.origin + sram.size_bytes
        in_flash = flash.origin <= entry < flash.origin + flash.size_bytes
        if not in_sram or not in_flash or not entry & 1:
            raise ToolchainError(
                f"{self._image.path}: no vector table at {flash.origin:#010x} "
                f"(stack {stack:#010x}, entry {entry:#010x}); was it built for this board?"
            )
        self._unicorn.reg_write(arm_const.UC_ARM_REG_SP, stack)
        self._unicorn.reg_write(arm_const.UC_ARM_REG_LR, 0xFFFF_FFFF)
        if has_fpu:
            # Firmware enables the FPU through CPACR, which is memory here; so it is on from the start.
            self._unicorn.reg_write(arm_const.UC_ARM_REG_FPEXC, 0x4000_0000)
        return int(entry)

    def _read_code(self, address: int, size_bytes: int) -> bytes:
        return bytes(self._unicorn.mem_read(address, size_bytes))

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
        if address == DWT_CYCCNT:
            self.reads.append(self.totals())
        if address >= private_peripherals.BASE:
            return self._private.read(address, size_bytes)
        if 0 <= address - self._uart_base < uart.SIZE_BYTES:
            return self._uart.read(address - self._uart_base, size_bytes)
        return self._registers.read(address, size_bytes)

    def _write(self, address: int, size_bytes: int, value: int) -> None:
        if self._failure is not None:
            return
        if address >= private_peripherals.BASE:
            self._private.write(address, size_bytes, value)
        elif 0 <= address - self._uart_base < uart.SIZE_BYTES:
            self._uart.write(address - self._uart_base, size_bytes, value)
        else:
            self._registers.write(address, size_bytes, value)

    def _exception(self, _unicorn: Uc, number: int, _data: object) -> None:
        operation = self._unicorn.reg_read(arm_const.UC_ARM_REG_R0)
        if number in (_BKPT, _SEMIHOSTING) and operation in (_SYS_EXIT, _SYS_EXIT_EXTENDED):
            self._ended = True
            self._unicorn.emu_stop()
        else:
            self._stop(self._fault(f"meets {_EXCEPTIONS.get(number, f'exception {number}')}"))

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
        registers: Any = self._unicorn.reg_read
        place = self._image.describe(registers(arm_const.UC_ARM_REG_PC))
        caller = self._image.describe(registers(arm_const.UC_ARM_REG_LR) & ~1)
        return DeviceError("FAULT", f"the firmware {what}, at {place}; the return address is {caller}")
