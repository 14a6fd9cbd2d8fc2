"""A board: what one buys, in numbers. One TOML file each in `boards/`; every number names its source.

`load_board("nucleo_l4r5zi")` or `load_board("my/board.toml")`. All mistakes of a file are reported at once,
each with its path in the file.
"""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sq_micro.errors import BoardError
from sq_micro.paths import project_files


@dataclass(frozen=True, slots=True)
class Core:
    """name as Arm spells it; isa the folder of kernels; flags for GNU compilers; zig_cpu for zig.

    clock_hz   None on the host, whose clock is not ours to know: no latency is derived from it
    """

    name: str
    isa: str
    flags: tuple[str, ...]
    clock_hz: int | None
    cycle_counter: Literal["dwt", "none"]
    has_fpu: bool
    zig_cpu: str


@dataclass(frozen=True, slots=True)
class Memory:
    """One region of the address space."""

    origin: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Uart:
    """The serial port that the firmware talks through; base and clock_hz are 0 on the host."""

    driver: Literal["stm32_usart", "cmsdk", "posix"]
    base: int
    baud: int
    clock_hz: int


@dataclass(frozen=True, slots=True)
class ReadyBits:
    """Bits of a peripheral register that read as set in the simulator, such as 'PLL locked'."""

    address: int
    mask: int


@dataclass(frozen=True, slots=True)
class Simulator:
    """The core that the simulator models, and what its peripherals must say."""

    cpu: str
    ready: tuple[ReadyBits, ...]


# The tables below are read into these very types: a file has to say no more and no less.
_EXACT = ConfigDict(extra="forbid")
_Text = Annotated[str, Field(min_length=1, strict=True)]
_Source = Annotated[str, Field(min_length=8, strict=True)]
_Address = Annotated[int, Field(ge=0, le=0xFFFF_FFFF, strict=True)]


@dataclass(frozen=True, slots=True)
class SerialWiring:
    """How the board's UART reaches a computer.

    usb_ids   `vid:pid` of what the port belongs to; other boards may share them
    dtr, rts  state of the line while the port is open; None: asserted, as terminal programs have it
    reset     the line whose pulse restarts the board; None: there is no such line
    """

    __pydantic_config__ = _EXACT
    source: _Source
    usb_ids: tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{4}:[0-9a-f]{4}$")], ...] = ()
    dtr: Annotated[bool, Field(strict=True)] | None = None
    rts: Annotated[bool, Field(strict=True)] | None = None
    reset: Literal["dtr", "rts"] | None = None


@dataclass(frozen=True, slots=True)
class OpenOcd:
    """config: the script that knows the board, as OpenOCD finds it on its own search path."""

    __pydantic_config__ = _EXACT
    tool: Literal["openocd"]
    config: _Text
    source: _Source


@dataclass(frozen=True, slots=True)
class PyOcd:
    """target: pyOCD's name of the part."""

    __pydantic_config__ = _EXACT
    tool: Literal["pyocd"]
    target: _Text
    source: _Source


@dataclass(frozen=True, slots=True)
class Esptool:
    """chip as esptool spells it; offset in flash where the boot ROM looks for an image."""

    __pydantic_config__ = _EXACT
    tool: Literal["esptool"]
    chip: _Text
    offset: _Address
    source: _Source


@dataclass(frozen=True, slots=True)
class Uf2:
    """family_id as in Microsoft's list; label of the volume that the boot loader shows."""

    __pydantic_config__ = _EXACT
    tool: Literal["uf2"]
    family_id: _Address
    label: _Text
    source: _Source


@dataclass(frozen=True, slots=True)
class MassStorage:
    """label of the volume that the debug probe shows; a flat binary copied to it is programmed."""

    __pydantic_config__ = _EXACT
    tool: Literal["mass_storage"]
    label: _Text
    source: _Source


Flasher = OpenOcd | PyOcd | Esptool | Uf2 | MassStorage


@dataclass(frozen=True, slots=True)
class RegisterBlock:
    """Registers that the firmware sets up and Renode need not model: memory stands in for them."""

    __pydantic_config__ = _EXACT
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", strict=True)]
    origin: _Address
    size_bytes: Annotated[int, Field(gt=0, multiple_of=4, strict=True)]
    source: _Source


@dataclass(frozen=True, slots=True)
class Renode:
    """What a Renode platform needs beyond the rest of the board file."""

    __pydantic_config__ = _EXACT
    registers: tuple[RegisterBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class Board:
    """Everything that generation, building and measuring need to know of the hardware.

    flash, sram   None on the host, where the operating system decides
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
    uart: Uart
    stack_bytes: int
    active_power_w: float | None
    simulator: Simulator | None
    qemu_machine: str | None
    serial: SerialWiring | None
    flashers: tuple[Flasher, ...]
    renode: Renode | None
    sources: dict[str, str]
    source_file: Path

    @property
    def links(self) -> tuple[str, ...]:
        """The links by which this board can be measured here, the preferred one first."""
        links = ["simulator"] if self.simulator else []
        others = {"qemu": self.qemu_machine, "renode": self.renode, "serial": self.serial}
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


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Number(_Table):
    """A number and where it comes from."""

    value: Annotated[int, Field(gt=0)]
    source: Annotated[str, Field(min_length=8)]


class _BoardTable(_Table):
    title: str
    tier: Literal[1, 2, 3]
    soc: str
    stack_bytes: Annotated[int, Field(ge=256, multiple_of=8)] = 2048


class _CoreTable(_Table):
    name: str
    isa: str
    flags: list[str]
    clock_hz: _Number | None = None
    cycle_counter: Literal["dwt", "none"]
    has_fpu: bool = False
    zig_cpu: str


class _MemoryTable(_Table):
    origin: Annotated[int, Field(ge=0)]
    size_bytes: _Number


class _Memories(_Table):
    flash: _MemoryTable
    sram: _MemoryTable


class _UartTable(_Table):
    driver: Literal["stm32_usart", "cmsdk", "posix"]
    base: _Number | None = None
    baud: Annotated[int, Field(gt=0)]
    clock_hz: _Number | None = None


class _Ready(_Table):
    address: int
    mask: int
    meaning: str


class _SimulatorTable(_Table):
    cpu: str
    ready: list[_Ready] = []


class _EnergyTable(_Table):
    active_power_uw: _Number


class _QemuTable(_Table):
    machine: str


class _Links(_Table):
    serial: SerialWiring


class _File(_Table):
    board: _BoardTable
    core: _CoreTable
    memory: _Memories | None = None
    uart: _UartTable
    energy: _EnergyTable | None = None
    simulator: _SimulatorTable | None = None
    qemu: _QemuTable | None = None
    link: _Links | None = None
    flasher: list[Annotated[Flasher, Field(discriminator="tool")]] = []
    renode: Renode | None = None


def boards_folder() -> Path:
    """Where the boards lie that come with sq-micro."""
    return project_files() / "boards"


def board_ids() -> tuple[str, ...]:
    """The boards that come with sq-micro, in alphabetical order."""
    return tuple(sorted(path.stem for path in boards_folder().glob("*.toml")))


def load_board(name: str | Path) -> Board:
    """Read a board by its id, or from a file. Raises BoardError naming the nearest id, or all mistakes."""
    path = Path(name)
    if path.suffix != ".toml":
        path = boards_folder() / f"{name}.toml"
        if not path.is_file():
            near = difflib.get_close_matches(str(name), board_ids(), n=1, cutoff=0.3)
            hint = f"did you mean '{near[0]}'? " if near else ""
            raise BoardError(f"board '{name}'", (f"unknown; {hint}known boards: {', '.join(board_ids())}",))
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BoardError(path, (f"cannot be read: {error.strerror}",)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BoardError(path, (f"is not TOML: {error}",)) from error
    mistakes = _left_out(content)
    try:
        file = _File.model_validate(content)
    except ValidationError as error:
        raise BoardError(path, (*(_mistake(detail) for detail in error.errors()), *mistakes)) from error
    if mistakes:
        raise BoardError(path, mistakes)
    return _board(path, file, content)


def _mistake(detail: Any) -> str:
    where = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        return f"{where}: unknown key"
    got = detail["input"]
    shown = "" if isinstance(got, dict) else f", got {got!r}"
    return f"{where}: {detail['msg'][:1].lower()}{detail['msg'][1:]}{shown}"


def _left_out(content: dict[str, Any]) -> tuple[str, ...]:
    """Mistakes about what only a host, which has no [memory], may leave out."""
    if "memory" not in content:
        return ()
    return tuple(
        f"{table}.{key}: field required on a board with [memory]"
        for table, key in (("core", "clock_hz"), ("uart", "base"), ("uart", "clock_hz"))
        if isinstance(content.get(table), dict) and key not in content[table]
    )


def _board(path: Path, file: _File, content: dict[str, Any]) -> Board:
    core, uart = file.core, file.uart
    return Board(
        id=path.stem,
        title=file.board.title,
        tier=file.board.tier,
        soc=file.board.soc,
        core=Core(
            name=core.name,
            isa=core.isa,
            flags=tuple(core.flags),
            clock_hz=core.clock_hz.value if core.clock_hz else None,
            cycle_counter=core.cycle_counter,
            has_fpu=core.has_fpu,
            zig_cpu=core.zig_cpu,
        ),
        flash=Memory(file.memory.flash.origin, file.memory.flash.size_bytes.value) if file.memory else None,
        sram=Memory(file.memory.sram.origin, file.memory.sram.size_bytes.value) if file.memory else None,
        uart=Uart(
            uart.driver,
            uart.base.value if uart.base else 0,
            uart.baud,
            uart.clock_hz.value if uart.clock_hz else 0,
        ),
        stack_bytes=file.board.stack_bytes,
        active_power_w=file.energy.active_power_uw.value / 1e6 if file.energy else None,
        simulator=Simulator(
            file.simulator.cpu, tuple(ReadyBits(entry.address, entry.mask) for entry in file.simulator.ready)
        )
        if file.simulator
        else None,
        qemu_machine=file.qemu.machine if file.qemu else None,
        serial=file.link.serial if file.link else None,
        flashers=tuple(file.flasher),
        renode=file.renode,
        sources=_sources(content),
        source_file=path,
    )


def _sources(table: dict[str, Any], prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, entry in table.items():
        if isinstance(entry, dict):
            if "source" in entry:
                found[f"{prefix}{key}"] = entry["source"]
            else:
                found |= _sources(entry, f"{prefix}{key}.")
    return found
