"""The nouns of the hardware, as the rest of sq-micro sees them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sq_micro.board.connections import Flasher, Renode, SerialWiring

_ARENA_ALIGNMENT = 16

CycleCounter = Literal["dwt", "systick", "mcycle", "mpccr", "none"]
"""Where the firmware reads cycles; firmware/hal/cycle_<name>.c each."""

UartDriver = Literal["stm32_usart", "stm32f4_usart", "cmsdk", "pl011", "nrf_uart", "sifive", "esp32c3", "posix"]
"""firmware/hal/uart_<name>.c each."""


@dataclass(frozen=True, slots=True)
class Core:
    """name as its maker spells it; isa the folder of kernels; flags for GNU compilers; zig_cpu for zig.

    clock_hz   None on the host, whose clock is not ours to know: no latency is derived from it
    """

    name: str
    isa: str
    flags: tuple[str, ...]
    clock_hz: int | None
    cycle_counter: CycleCounter
    has_fpu: bool
    zig_cpu: str

    @property
    def architecture(self) -> Literal["arm", "riscv", "host"]:
        """What decides on compiler, start-up code and emulator."""
        if self.isa == "host":
            return "host"
        return "riscv" if self.isa.startswith("rv32") else "arm"


@dataclass(frozen=True, slots=True)
class Memory:
    """One region of the address space."""

    origin: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Region:
    """RAM beside the main one. speed_rank 0 is as fast as the core; larger is slower; equal ranks are alike."""

    name: str
    memory: Memory
    speed_rank: int


MAIN_REGION = "sram"


@dataclass(frozen=True, slots=True)
class Uart:
    """The serial port that the firmware talks through; base and clock_hz are 0 on the host."""

    driver: UartDriver
    base: int
    baud: int
    clock_hz: int


@dataclass(frozen=True, slots=True)
class ReadyBits:
    """Bits of a peripheral register that read as set in the simulator, such as 'PLL locked'."""

    address: int
    mask: int


@dataclass(frozen=True, slots=True)
class TimerRegister:
    """A peripheral register that counts up by itself, `hz` a second; in the simulator it follows the core's cycles."""

    address: int
    hz: int


@dataclass(frozen=True, slots=True)
class Simulator:
    """The core that the simulator models, and what its peripherals must say.

    cpu          the name of a cycle table
    peripherals  where their registers lie; those that nobody models behave as memory
    vectors      where the vector table lies; None: where flash begins
    """

    cpu: str
    peripherals: tuple[Memory, ...]
    ready: tuple[ReadyBits, ...]
    timers: tuple[TimerRegister, ...]
    vectors: int | None


@dataclass(frozen=True, slots=True)
class Qemu:
    """program is the file's name; machine has its options behind commas, as QEMU takes them."""

    program: str
    machine: str


@dataclass(frozen=True, slots=True)
class Board:
    """Everything that generation, building and measuring need to know of the hardware.

    flash, sram   None on the host, where the operating system decides. sram is where everything goes by default
    sram_rank     speed rank of sram, to be compared with those of `regions`
    regions       more RAM, the fastest first
    wait_factor   modelled: cycles with the wait states of this board's flash and RAM over those without; None: unknown
    leaves_out    what of this board's memories modelled cycles do not hold; None: the file does not say
    ram_image     boot code loads the whole image into RAM: `flash` is the part of it that code and constants take
    stack_bytes   what the linker script sets aside for the stack
    flashers      ways to program it, the preferred one first
    active_power_w  while a network runs; None where nobody published it, and then no energy is reported
    sources       path in the file → where the number comes from
    """

    id: str
    title: str
    tier: int
    soc: str
    core: Core
    flash: Memory | None
    sram: Memory | None
    sram_rank: int
    regions: tuple[Region, ...]
    wait_factor: float | None
    leaves_out: str | None
    uart: Uart
    ram_image: bool
    stack_bytes: int
    active_power_w: float | None
    simulator: Simulator | None
    qemu: Qemu | None
    serial: SerialWiring | None
    flashers: tuple[Flasher, ...]
    renode: Renode | None
    sources: dict[str, str]
    source_file: Path

    def hot_region(self, arena_bytes: int) -> Region | None:
        """Where arena and stack go: the fastest RAM that holds both, the main one among equals; None on the host.

        The main one also where nothing holds them: what is short of is said of it.
        """
        if self.sram is None:
            return None
        main = Region(MAIN_REGION, self.sram, self.sram_rank)
        wanted = self.reserved_bytes + arena_bytes
        faster = [region for region in self.regions if region.speed_rank < main.speed_rank]
        return next((region for region in faster if region.memory.size_bytes >= wanted), main)

    @property
    def reserved_bytes(self) -> int:
        """At most, of a region that holds the stack, and an arena behind it."""
        return self.stack_bytes + _ARENA_ALIGNMENT  # aligning takes less

    @property
    def rams(self) -> tuple[Region, ...]:
        """All RAM, the fastest first, the main one first among equals; none on the host."""
        if self.sram is None:
            return ()
        main = Region(MAIN_REGION, self.sram, self.sram_rank)
        return tuple(sorted((main, *self.regions), key=lambda region: region.speed_rank))

    @property
    def largest_ram_bytes(self) -> int | None:
        """Of one region. None on the host."""
        if self.sram is None:
            return None
        return max(self.sram.size_bytes, *(region.memory.size_bytes for region in self.regions), 0)

    @property
    def links(self) -> tuple[str, ...]:
        """The links by which this board can be measured here, the preferred one first."""
        links = ["simulator"] if self.simulator else []
        others = {"qemu": self.qemu, "renode": self.renode, "serial": self.serial}
        links += [name for name, table in others.items() if table]
        return tuple(links) if self.sram else ("host",)

    def __str__(self) -> str:
        clock = f"at {self.core.clock_hz / 1e6:g} MHz" if self.core.clock_hz else "at an unknown clock"
        memory = (
            f"{self.flash.size_bytes // 1024} KiB flash, {self.sram.size_bytes // 1024} KiB SRAM"
            if (self.flash and self.sram)
            else "no memory limit"
        )
        return f"{self.id}: {self.title}, {self.core.name} {clock}, {memory}"
