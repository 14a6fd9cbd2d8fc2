"""Block counts from QEMU: the plugin, its argument, and its result as the same `BlockCounts` that Unicorn gives.

plugin = build_plugin(Path("qemu-system-arm"))
argument = plugin_argument(plugin, csv, marker=image.symbols["sqm_cycles_now"])
... run QEMU with "-plugin", argument ...
model.totals(read_counts(csv)[-1], image.read)
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sq_micro.errors import ToolchainError
from sq_micro.simulate.counters import EXECUTIONS, BlockCounts, Rows
from sq_micro.simulate.native_library import native_library

_COLUMNS = "address,bytes,executions,fall_out,fall_in,mispredicted\n"


def build_plugin(qemu: Path) -> Path:
    """The plugin for this QEMU, compiled iff it never was. Raises ToolchainError iff that fails."""
    return native_library("qemu_blocks", (f"SQM_QEMU_PLUGIN_VERSION={plugin_version(qemu)}",))


def plugin_version(qemu: Path) -> int:
    """The version of the plugin interface that this QEMU accepts."""
    try:
        done = subprocess.run([str(qemu), "--version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise ToolchainError(f"{qemu} does not run: {error}") from error
    found = re.search(r"version (\d+)\.", done.stdout)
    if found is None:
        raise ToolchainError(f"{qemu} does not tell its version: {done.stdout[:80]!r}")
    # QEMU 9.0 raised the version it insists on to 2; for what the plugin uses nothing changed.
    return 2 if int(found[1]) >= 9 else 1


def plugin_argument(plugin: Path, csv: Path, marker: int | None = None, *, thumb: bool = True) -> str:
    """What follows `-plugin`.

    csv     where the counts are written
    thumb   the code is Thumb, as on all cores of Arm's M profile
    marker  address of a function: counting begins with the first entry to it, and each entry writes what was counted
            up to there. None: count everything
    """
    for path in (plugin, csv):
        if "," in str(path):
            raise ToolchainError(f"QEMU cannot take a path with a comma: {path}")
    toggle = "" if marker is None else f",marker={marker:#x}"
    return f"{plugin},out={csv}{',isa=thumb' if thumb else ''}{toggle}"


def read_counts(csv: Path) -> tuple[BlockCounts, ...]:
    """What had been executed at each entry of the marker, then at QEMU's exit; a block keeps its row in all of them.

    Raises ToolchainError iff the file is absent, foreign or incomplete.
    """
    try:
        columns, *tables = csv.read_text(encoding="ascii").split("# ")
        parsed = [_table(text) for text in tables]
    except OSError as error:
        raise ToolchainError(f"{csv}: QEMU wrote no counts ({error.strerror})") from error
    except ValueError as error:
        raise ToolchainError(f"{csv}: is not a file of block counts ({error})") from error
    if columns != _COLUMNS or not parsed or parsed[-1].when != "exit":
        raise ToolchainError(f"{csv}: is not a whole file of block counts; did QEMU crash?")
    if parsed[-1].lost:
        raise ToolchainError(f"{csv}: the firmware has more basic blocks than the plugin can count")
    # What ran before counting began may be QEMU's own boot code, which is in no image.
    counted = parsed[-1].rows[:, EXECUTIONS] > 0
    place = np.cumsum(counted) - 1
    return tuple(
        BlockCounts(table.rows[counted[: len(table.rows)]], None if table.current < 0 else int(place[table.current]))
        for table in parsed
    )


@dataclass(frozen=True, slots=True)
class _Table:
    """As it stands in the file: current is a row, or -1."""

    when: str
    lost: int
    current: int
    rows: Rows


def _table(text: str) -> _Table:
    """Raises ValueError iff the text is none."""
    head, *lines = text.splitlines()
    when, lost, current = head.split()
    rows = np.array([[int(cell) for cell in line.split(",")] for line in lines], np.uint64).reshape(-1, 6)
    return _Table(when, int(lost.removeprefix("lost=")), int(current.removeprefix("current=")), rows)
