"""Block counts from QEMU: the plugin, its argument, and its result as the same `BlockCounts` that Unicorn gives.

plugin = build_plugin(Path("qemu-system-arm"))
argument = plugin_argument(plugin, csv, marker=image.symbols["sqm_cycles_now"])
... run QEMU with "-plugin", argument ...
model.totals(read_counts(csv), image.read)
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np

from sq_micro.errors import ToolchainError
from sq_micro.simulate.counters import EXECUTIONS, BlockCounts
from sq_micro.simulate.native_library import native_library


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

    csv     where the counts are written when QEMU exits
    thumb   the code is Thumb, as on all cores of Arm's M profile
    marker  address of a function; each entry to it toggles counting, which is off at first. None: count everything.
    """
    for path in (plugin, csv):
        if "," in str(path):
            raise ToolchainError(f"QEMU cannot take a path with a comma: {path}")
    toggle = "" if marker is None else f",marker={marker:#x}"
    return f"{plugin},out={csv}{',isa=thumb' if thumb else ''}{toggle}"


def read_counts(csv: Path) -> BlockCounts:
    """The counts that the plugin wrote. Raises ToolchainError iff the file is absent, foreign or incomplete."""
    try:
        head, columns, *lines = csv.read_text(encoding="ascii").splitlines()
        lost, current = (int(part.partition("=")[2]) for part in head.removeprefix("# ").split())
        rows = np.array([[int(cell) for cell in line.split(",")] for line in lines], np.uint64).reshape(-1, 6)
    except OSError as error:
        raise ToolchainError(f"{csv}: QEMU wrote no counts ({error.strerror})") from error
    except ValueError as error:
        raise ToolchainError(f"{csv}: is not a file of block counts ({error})") from error
    if columns != "address,bytes,executions,fall_out,fall_in,mispredicted":
        raise ToolchainError(f"{csv}: has other columns than expected: {columns}")
    if lost:
        raise ToolchainError(f"{csv}: the firmware has more basic blocks than the plugin can count")
    # What ran before counting began may be QEMU's own boot code, which is in no image.
    counted = rows[:, EXECUTIONS] > 0
    return BlockCounts(rows[counted], None if current < 0 else int(counted[:current].sum()))
