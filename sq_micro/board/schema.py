"""The form of a board file: its tables as pydantic reads them, and the mistakes that single fields cannot show."""

from __future__ import annotations

import itertools
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from sq_micro.board.board import CycleCounter, UartDriver
from sq_micro.board.connections import Flasher, Renode, SerialWiring


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


_Source = Annotated[str, Field(min_length=8)]


class Number(_Table):
    """A number and where it comes from."""

    value: Annotated[int, Field(gt=0)]
    source: _Source


class Factor(_Table):
    """A ratio that is at least 1, and where it comes from."""

    value: Annotated[float, Field(ge=1.0)]
    source: _Source


class BoardTable(_Table):
    """[board]."""

    title: str
    tier: Literal[1, 2, 3]
    soc: str
    stack_bytes: Annotated[int, Field(ge=256, multiple_of=8)] = 2048
    ram_image: bool = False


class CoreTable(_Table):
    """[core]."""

    name: str
    isa: Literal["armv6m", "armv7m", "armv7em_dsp", "rv32imc", "host"]
    flags: list[str]
    clock_hz: Number | None = None
    cycle_counter: CycleCounter
    has_fpu: bool = False
    zig_cpu: str


class MemoryTable(_Table):
    """[memory.flash], [memory.sram] and every further RAM; the rank is RAM's."""

    origin: Annotated[int, Field(ge=0, multiple_of=4)]
    size_bytes: Number
    speed_rank: Annotated[int, Field(ge=0)] = 0


class UartTable(_Table):
    """[uart]."""

    driver: UartDriver
    base: Number | None = None
    baud: Annotated[int, Field(gt=0)]
    clock_hz: Number | None = None


class ReadyTable(_Table):
    """[[simulator.ready]]."""

    address: int
    mask: int
    meaning: str


class TimerTable(_Table):
    """[[simulator.timer]]."""

    address: Number
    hz: Number


class PeripheralsTable(_Table):
    """[[simulator.peripherals]]."""

    origin: Annotated[int, Field(ge=0, multiple_of=4096)]
    size_bytes: Number


class SimulatorTable(_Table):
    """[simulator]."""

    cpu: str
    peripherals: list[PeripheralsTable] = []
    vectors: Number | None = None
    ready: list[ReadyTable] = []
    timer: list[TimerTable] = []


class EnergyTable(_Table):
    """[energy]."""

    active_power_uw: Number


class QemuTable(_Table):
    """[qemu]."""

    machine: str


class LinksTable(_Table):
    """[link]."""

    serial: SerialWiring


class TimingTable(_Table):
    """[timing]."""

    wait_factor: Factor | None = None
    leaves_out: Annotated[str, Field(min_length=8)] | None = None


class BoardFile(_Table):
    """A whole file."""

    board: BoardTable
    core: CoreTable
    memory: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], MemoryTable] = {}
    uart: UartTable
    timing: TimingTable | None = None
    energy: EnergyTable | None = None
    simulator: SimulatorTable | None = None
    qemu: QemuTable | None = None
    link: LinksTable | None = None
    flasher: list[Annotated[Flasher, Field(discriminator="tool")]] = []
    renode: Renode | None = None


def mistakes_between_tables(content: dict[str, Any]) -> tuple[str, ...]:
    """What is wrong with tables that are each well-formed; `content` may hold anything."""
    memory = content.get("memory")
    if not isinstance(memory, dict):
        return ()  # only a host has none, and it may leave out what follows
    found = [
        f"memory.{name}: field required on a board with [memory]" for name in ("flash", "sram") if name not in memory
    ]
    found += [
        f"{table}.{key}: field required on a board with [memory]"
        for table, key in (("core", "clock_hz"), ("uart", "base"), ("uart", "clock_hz"))
        if isinstance(content.get(table), dict) and key not in content[table]
    ]
    return (*found, *_overlaps(memory))


def _overlaps(memory: dict[str, Any]) -> list[str]:
    ranges: list[tuple[int, int, str]] = []
    for name, table in memory.items():
        size = table.get("size_bytes") if isinstance(table, dict) else None
        value = size.get("value") if isinstance(size, dict) else None
        if isinstance(value, int) and isinstance(table.get("origin"), int):
            ranges.append((table["origin"], table["origin"] + value, name))
    ranges.sort()
    found = [
        f"memory.{name}: overlaps memory.{before} (which ends at {end:#010x})"
        for (_, end, before), (start, _, name) in itertools.pairwise(ranges)
        if start < end
    ]
    return found + [f"memory.{name}: ends beyond the 32-bit address space" for _, end, name in ranges if end > 1 << 32]
