"""From a board's id, or a file, to a Board."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sq_micro.board.board import (
    Board,
    Core,
    Memory,
    Qemu,
    ReadyBits,
    Region,
    Simulator,
    TimerRegister,
    Uart,
)
from sq_micro.board.schema import (
    BoardFile,
    CoreTable,
    MemoryTable,
    SimulatorTable,
    UartTable,
    mistakes_between_tables,
)
from sq_micro.errors import BoardError
from sq_micro.paths import project_files

# Arm DDI 0403, "The system address map": the part of every Cortex-M's address space that is set aside for them.
_ARM_PERIPHERALS = (Memory(0x4000_0000, 0x2000_0000),)
_QEMU_PROGRAMS = {"arm": "qemu-system-arm", "riscv": "qemu-system-riscv32", "host": "none"}


def boards_folder() -> Path:
    """Where the boards lie that come with sq-micro."""
    return project_files() / "boards"


def board_ids() -> tuple[str, ...]:
    """The boards that come with sq-micro, in alphabetical order."""
    return tuple(sorted(path.stem for path in boards_folder().glob("*.toml")))


def load_board(name: str | Path) -> Board:
    """Read a board by its id, or from a file. Raises BoardError naming the nearest id, or all mistakes."""
    path, content = read_board_file(name)
    mistakes = mistakes_between_tables(content)
    try:
        file = BoardFile.model_validate(content)
    except ValidationError as error:
        raise BoardError(path, (*(_mistake(detail) for detail in error.errors()), *mistakes)) from error
    if mistakes:
        raise BoardError(path, mistakes)
    return _board(path, file, content)


def read_board_file(name: str | Path) -> tuple[Path, dict[str, Any]]:
    """The file of a board, and what it holds, which may be anything. Raises BoardError iff it is no TOML file."""
    path = Path(name)
    if path.suffix != ".toml":
        path = boards_folder() / f"{name}.toml"
        if not path.is_file():
            near = difflib.get_close_matches(str(name), board_ids(), n=1, cutoff=0.3)
            hint = f"did you mean '{near[0]}'? " if near else ""
            raise BoardError(f"board '{name}'", (f"unknown; {hint}known boards: {', '.join(board_ids())}",))
    try:
        return path, tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BoardError(path, (f"cannot be read: {error.strerror}",)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BoardError(path, (f"is not TOML: {error}",)) from error


def _mistake(detail: Any) -> str:
    where = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        return f"{where}: unknown key"
    got = detail["input"]
    shown = "" if isinstance(got, dict) else f", got {got!r}"
    return f"{where}: {detail['msg'][:1].lower()}{detail['msg'][1:]}{shown}"


def _board(path: Path, file: BoardFile, content: dict[str, Any]) -> Board:
    core = _core(file.core)
    memory = file.memory
    regions = [
        Region(name, _memory(table), table.speed_rank)
        for name, table in memory.items()
        if name not in ("flash", "sram")
    ]
    return Board(
        id=path.stem,
        title=file.board.title,
        tier=file.board.tier,
        soc=file.board.soc,
        core=core,
        flash=_memory(memory["flash"]) if memory else None,
        sram=_memory(memory["sram"]) if memory else None,
        sram_rank=memory["sram"].speed_rank if memory else 0,
        regions=tuple(sorted(regions, key=lambda region: region.speed_rank)),
        wait_factor=file.timing.wait_factor.value if file.timing and file.timing.wait_factor else None,
        leaves_out=file.timing.leaves_out if file.timing else None,
        uart=_uart(file.uart),
        ram_image=file.board.ram_image,
        stack_bytes=file.board.stack_bytes,
        active_power_w=file.energy.active_power_uw.value / 1e6 if file.energy else None,
        simulator=_simulator(file.simulator) if file.simulator else None,
        qemu=Qemu(_QEMU_PROGRAMS[core.architecture], file.qemu.machine) if file.qemu else None,
        serial=file.link.serial if file.link else None,
        flashers=tuple(file.flasher),
        renode=file.renode,
        sources=_sources(content),
        source_file=path,
    )


def _core(table: CoreTable) -> Core:
    return Core(
        name=table.name,
        isa=table.isa,
        flags=tuple(table.flags),
        clock_hz=table.clock_hz.value if table.clock_hz else None,
        cycle_counter=table.cycle_counter,
        has_fpu=table.has_fpu,
        zig_cpu=table.zig_cpu,
    )


def _memory(table: MemoryTable) -> Memory:
    return Memory(table.origin, table.size_bytes.value)


def _uart(table: UartTable) -> Uart:
    return Uart(
        table.driver,
        table.base.value if table.base else 0,
        table.baud,
        table.clock_hz.value if table.clock_hz else 0,
    )


def _simulator(table: SimulatorTable) -> Simulator:
    return Simulator(
        table.cpu,
        tuple(Memory(entry.origin, entry.size_bytes.value) for entry in table.peripherals) or _ARM_PERIPHERALS,
        tuple(ReadyBits(entry.address, entry.mask) for entry in table.ready),
        tuple(TimerRegister(entry.address.value, entry.hz.value) for entry in table.timer),
        table.vectors.value if table.vectors else None,
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
