"""Counts of executed basic blocks: how often each ran, and how often it was left and entered by falling through.

`NativeCounter` holds the table that `native/block_counts.c` fills at full speed; `PythonCounter` fills the same table
from Python, some fifty times slower, where no C compiler is at hand. Both give the same numbers.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sq_micro.errors import ToolchainError

Rows = NDArray[np.uint64]
ADDRESS, BYTES, EXECUTIONS, FALL_OUT, FALL_IN, MISPREDICTED = range(6)
_PREDICTOR = 6  # of each row in the tables, not of what is handed out
_WEAKLY_NOT_TAKEN = 1

# 65,536 blocks is some ten times what our largest firmware has. Slots cover 512 KiB of code without a collision.
_ROWS = 1 << 16
_SLOTS = 1 << 18


@dataclass(frozen=True, slots=True)
class BlockCounts:
    """What was executed.

    rows     (blocks, 6): address, bytes, executions, exits by falling through, entries by falling through, exits that
             a two-bit predictor did not expect
    current  row of the block that is being executed, whose exit is not known yet; None iff there is none
    """

    rows: Rows
    current: int | None = None

    @property
    def executions(self) -> int:
        """Blocks entered, all together."""
        return int(self.rows[:, EXECUTIONS].sum())


class Counter(Protocol):
    """Where a hook keeps its counts."""

    def counts(self) -> BlockCounts:
        """The counts up to now, without a copy: they change when the core runs on."""

    @property
    def place(self) -> int:
        """Address of the block that is being executed; 0 before the first."""


class Table(ctypes.Structure):
    """`sqm_block_table` of native/block_table.h."""

    _fields_ = (
        ("rows", ctypes.c_void_p),
        ("slots", ctypes.c_void_p),
        ("capacity", ctypes.c_uint64),
        ("slot_mask", ctypes.c_uint64),
        ("used", ctypes.c_uint64),
        ("lost", ctypes.c_uint64),
        ("current", ctypes.c_void_p),
    )


class NativeCounter:
    """The table that native code fills. The object must live as long as the hook is installed."""

    def __init__(self) -> None:
        self._rows: Rows = np.zeros((_ROWS, 7), np.uint64)
        self._slots = np.zeros(_SLOTS, np.uint32)
        self.table = Table(self._rows.ctypes.data, self._slots.ctypes.data, _ROWS, _SLOTS - 1, 0, 0, None)

    def counts(self) -> BlockCounts:
        """As `Counter` says. Raises ToolchainError iff there were more blocks than rows."""
        if self.table.lost:
            raise ToolchainError(f"the firmware has more than {_ROWS:,} basic blocks; its cycles cannot be counted")
        return BlockCounts(self._rows[: self.table.used, :_PREDICTOR], self._current())

    @property
    def place(self) -> int:
        """As `Counter` says."""
        row = self._current()
        return 0 if row is None else int(self._rows[row, ADDRESS])

    def _current(self) -> int | None:
        pointer: int | None = self.table.current
        return None if pointer is None else (pointer - self.table.rows) // self._rows.strides[0]


class PythonCounter:
    """The same counts, by a hook in Python: `enter` is called with each block."""

    def __init__(self) -> None:
        self._index: dict[tuple[int, int], int] = {}
        self._rows: list[list[int]] = []
        self._current: int | None = None

    def enter(self, address: int, size_bytes: int) -> None:
        """Count one entry of a block."""
        index = self._index.setdefault((address, size_bytes), len(self._rows))
        if index == len(self._rows):
            self._rows.append([address, size_bytes, 0, 0, 0, 0, _WEAKLY_NOT_TAKEN])
        row = self._rows[index]
        if self._current is not None:
            previous = self._rows[self._current]
            branched = address != previous[ADDRESS] + previous[BYTES]
            if not branched:
                previous[FALL_OUT] += 1
                row[FALL_IN] += 1
            previous[MISPREDICTED] += branched != (previous[_PREDICTOR] > _WEAKLY_NOT_TAKEN)
            previous[_PREDICTOR] = min(3, previous[_PREDICTOR] + 1) if branched else max(0, previous[_PREDICTOR] - 1)
        row[EXECUTIONS] += 1
        self._current = index

    def counts(self) -> BlockCounts:
        """As `Counter` says, but a copy."""
        return BlockCounts(np.array(self._rows, np.uint64).reshape(-1, 7)[:, :_PREDICTOR], self._current)

    @property
    def place(self) -> int:
        """As `Counter` says."""
        return 0 if self._current is None else self._rows[self._current][ADDRESS]
