"""How Arm's and RISC-V's cores differ for the machine: registers of their own, start and end. Child process only."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from unicorn import Uc, UcError, arm_const, riscv_const, unicorn_const

from sq_micro.board import Board, Memory
from sq_micro.errors import ToolchainError
from sq_micro.simulate import counter_csrs, private_peripherals
from sq_micro.simulate.counter_csrs import CounterCsrs
from sq_micro.simulate.image import Image
from sq_micro.simulate.private_peripherals import DWT_CYCCNT, SYST_CVR, PrivatePeripherals

_SYS_EXIT, _SYS_EXIT_EXTENDED = 0x18, 0x20
_PRIVATE_PERIPHERALS = Memory(private_peripherals.BASE, private_peripherals.SIZE_BYTES)
_COUNTERS = Memory(counter_csrs.BASE, counter_csrs.SIZE_BYTES)


class Core(Protocol):
    """One architecture.

    window         addresses of the core's own registers
    strict         whether a word at an address that is no multiple of its size is a fault
    """

    window: Memory
    strict: bool

    def read(self, address: int, size_bytes: int) -> int:
        """What the core reads in the window."""

    def write(self, address: int, size_bytes: int, value: int) -> None:
        """Do what the core's write in the window does."""

    def is_cycle_counter(self, address: int) -> bool:
        """Whether a read there is one of the cycle counter."""

    def boot(self, unicorn: Uc, image: Image, board: Board) -> int:
        """Do what reset does; where execution begins. Raises ToolchainError iff the image is for another board."""

    def wants_exit(self, unicorn: Uc, exception: int | None) -> bool:
        """Whether the firmware asks for its end by semihosting. None: after an instruction that is none."""

    def describe_exception(self, number: int) -> str:
        """What the firmware meets."""

    def program_counter(self, unicorn: Uc) -> int:
        """Where it is."""

    def return_address(self, unicorn: Uc) -> int:
        """Where it was called from."""


def make_core(board: Board, cycles_now: Callable[[], int]) -> tuple[Uc, Core]:
    """The emulator and the core of a board. Raises ToolchainError iff there is none such."""
    if board.simulator is None:
        raise ToolchainError(f"board {board.id} cannot be simulated: it has no [simulator] table")
    cpu = board.simulator.cpu
    if cpu in _ARM_MODELS:
        unicorn = Uc(unicorn_const.UC_ARCH_ARM, unicorn_const.UC_MODE_THUMB | unicorn_const.UC_MODE_MCLASS)
        unicorn.ctl_set_cpu_model(_ARM_MODELS[cpu])
        identity = private_peripherals.CORES[cpu]
        return unicorn, ArmCore(PrivatePeripherals(cycles_now, identity), strict=cpu == "cortex-m0+")
    if cpu in _RISCV_CORES:
        return Uc(unicorn_const.UC_ARCH_RISCV, unicorn_const.UC_MODE_RISCV32), RiscvCore(CounterCsrs(cycles_now))
    known = ", ".join((*_ARM_MODELS, *_RISCV_CORES))
    raise ToolchainError(f"the simulator has no core '{cpu}'; it has: {known}")


# Unicorn has no Cortex-M0+; the M0 has the same instructions.
_ARM_MODELS = {
    "cortex-m0+": arm_const.UC_CPU_ARM_CORTEX_M0,
    "cortex-m3": arm_const.UC_CPU_ARM_CORTEX_M3,
    "cortex-m4": arm_const.UC_CPU_ARM_CORTEX_M4,
    "cortex-m7": arm_const.UC_CPU_ARM_CORTEX_M7,
    "cortex-m33": arm_const.UC_CPU_ARM_CORTEX_M33,
}
_RISCV_CORES = ("hazard3", "sifive-e31", "esp32-c3")

# QEMU's numbers of exceptions (target/arm/cpu.h), which Unicorn passes to its interrupt hook.
_BKPT, _SEMIHOSTING = 7, 16
_ARM_EXCEPTIONS = {
    1: "an undefined instruction",
    2: "a supervisor call (SVC), which the simulator does not take",
    3: "code that cannot be fetched",
    4: "data that cannot be accessed",
    _BKPT: "a breakpoint (BKPT)",
    _SEMIHOSTING: "a semihosting call that the simulator does not take",
    17: "a floating-point instruction while the FPU is off",
    18: "a jump to an address without the Thumb bit",
}


# RISC-V Privileged Architecture 1.12, table 3.6. Unicorn is then already behind the instruction.
_RISCV_TRAPS = {
    1: "code that cannot be fetched",
    2: "an undefined instruction",
    3: "a breakpoint (EBREAK)",
    5: "data that cannot be read",
    7: "data that cannot be written",
    11: "an environment call (ECALL), which the simulator does not take",
}


@dataclass(slots=True)
class ArmCore:
    """A Cortex-M. `strict`: Armv6-M."""

    private: PrivatePeripherals
    strict: bool
    window: Memory = _PRIVATE_PERIPHERALS

    def read(self, address: int, size_bytes: int) -> int:
        return self.private.read(address, size_bytes)

    def write(self, address: int, size_bytes: int, value: int) -> None:
        self.private.write(address, size_bytes, value)

    def is_cycle_counter(self, address: int) -> bool:
        return address in (DWT_CYCCNT, SYST_CVR)

    def boot(self, unicorn: Uc, image: Image, board: Board) -> int:
        """Take the stack pointer and the first instruction from the vector table."""
        assert board.flash is not None
        assert board.sram is not None
        assert board.simulator is not None
        table = board.flash.origin if board.simulator.vectors is None else board.simulator.vectors
        stack, entry = struct.unpack("<II", unicorn.mem_read(table, 8))
        rams = (board.sram, *(region.memory for region in board.regions))
        in_ram = any(ram.origin < stack <= ram.origin + ram.size_bytes for ram in rams)
        in_flash = board.flash.origin <= entry < board.flash.origin + board.flash.size_bytes
        if not in_ram or not in_flash or not entry & 1:
            raise ToolchainError(
                f"{image.path}: no vector table at {table:#010x} "
                f"(stack {stack:#010x}, entry {entry:#010x}); was it built for this board?"
            )
        unicorn.reg_write(arm_const.UC_ARM_REG_SP, stack)
        unicorn.reg_write(arm_const.UC_ARM_REG_LR, 0xFFFF_FFFF)
        if board.core.has_fpu:
            # Firmware enables the FPU through CPACR, which is memory here; so it is on from the start.
            unicorn.reg_write(arm_const.UC_ARM_REG_FPEXC, 0x4000_0000)
        return int(entry)

    def wants_exit(self, unicorn: Uc, exception: int | None) -> bool:
        operation = unicorn.reg_read(arm_const.UC_ARM_REG_R0)
        return exception in (_BKPT, _SEMIHOSTING) and operation in (_SYS_EXIT, _SYS_EXIT_EXTENDED)

    def describe_exception(self, number: int) -> str:
        return _ARM_EXCEPTIONS.get(number, f"exception {number}")

    def program_counter(self, unicorn: Uc) -> int:
        return int(unicorn.reg_read(arm_const.UC_ARM_REG_PC))

    def return_address(self, unicorn: Uc) -> int:
        return int(unicorn.reg_read(arm_const.UC_ARM_REG_LR)) & ~1


@dataclass(slots=True)
class RiscvCore:
    """An RV32 core in machine mode. None of ours takes words at odd addresses (ESP32-C3's does; its
    firmware is compiled as for the others)."""

    counters: CounterCsrs
    strict: bool = True
    window: Memory = _COUNTERS

    def read(self, address: int, size_bytes: int) -> int:
        return self.counters.read(address)

    def write(self, address: int, size_bytes: int, value: int) -> None:
        self.counters.write(address, value)

    def is_cycle_counter(self, address: int) -> bool:
        return counter_csrs.is_counter(address)

    def boot(self, unicorn: Uc, image: Image, board: Board) -> int:
        """Begin where flash begins."""
        assert board.flash is not None
        if not any(segment.address == board.flash.origin for segment in image.segments):
            raise ToolchainError(
                f"{image.path}: nothing is loaded at {board.flash.origin:#010x}; was it built for this board?"
            )
        for address, code in counter_csrs.replacements(image):
            unicorn.mem_write(address, code)
        return board.flash.origin

    def wants_exit(self, unicorn: Uc, exception: int | None) -> bool:
        ebreak = (0x0010_0073).to_bytes(4, "little")
        try:
            code = bytes(unicorn.mem_read(self.program_counter(unicorn), 4))
        except UcError:
            return False
        operation = unicorn.reg_read(riscv_const.UC_RISCV_REG_A0)
        return exception is None and code == ebreak and operation in (_SYS_EXIT, _SYS_EXIT_EXTENDED)

    def describe_exception(self, number: int) -> str:
        return _RISCV_TRAPS.get(number, f"trap {number}")

    def program_counter(self, unicorn: Uc) -> int:
        return int(unicorn.reg_read(riscv_const.UC_RISCV_REG_PC))

    def return_address(self, unicorn: Uc) -> int:
        return int(unicorn.reg_read(riscv_const.UC_RISCV_REG_RA))
