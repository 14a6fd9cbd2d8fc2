"""The cycle table of a core, as `cycles/*.toml` writes it: groups of instructions, each row with its source."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Literal

from sq_micro.board import Board
from sq_micro.errors import ToolchainError


@dataclass(frozen=True, slots=True)
class Group:
    """Instructions that cost the same; cycles/armv7em.toml says at its head what each field means.

    to_pc, index, write_back, double   None: does not matter
    latency      cycles from the start to when the result may be used, where results are waited for
    unit, shifts, words_per_cycle   what a core that issues in pairs has once a cycle
    """

    name: str
    mnemonics: tuple[str, ...]
    cycles: int
    source: str
    cycles_per_word: int = 0
    taken_cycles: int = 0
    mispredicted_cycles: int = 0
    latency: int = 1
    unit: Literal["load", "store", "multiply", "divide", "branch", "transfer", "any"] = "any"
    shifts: bool = False
    words_per_cycle: int = 1
    result_delay: int = 0
    pipelined_cycles: int | None = None
    pipelined_after: tuple[str, ...] = ()
    to_pc: bool | None = None
    index: bool | None = None
    write_back: bool | None = None
    double: bool | None = None

    def names(self, mnemonic: str) -> bool:
        """Whether one of the mnemonics is this one, or the beginning of it where it ends in *."""
        return any(
            mnemonic.startswith(entry[:-1]) if entry.endswith("*") else mnemonic == entry for entry in self.mnemonics
        )


@dataclass(frozen=True, slots=True)
class CycleTable:
    """One core.

    isa, issue               how its code is read, and how instructions follow each other
    label                    how far the model can be trusted
    error                    how far the model is off, measured on real boards, and on what
    unaligned_target_cycles  more, for each entry by a branch to a 32-bit instruction across two words
    unaligned_run_cycles     more, for each run of at least `unaligned_run_length` such instructions
    """

    cores: tuple[str, ...]
    title: str
    isa: Literal["thumb", "rv32"]
    issue: Literal["single", "scoreboard", "pairs"]
    label: Literal["validated", "±15 %", "unvalidated"]
    error: str
    error_source: str
    left_out: str
    unaligned_target_cycles: int
    unaligned_run_length: int
    unaligned_run_cycles: int
    groups: tuple[Group, ...]


def cycle_tables() -> tuple[CycleTable, ...]:
    """All tables there are, in the order of their files."""
    return tuple(_parse(path) for path in sorted(Path(__file__).parent.glob("*.toml")))


@cache
def load_cycle_table(core: str) -> CycleTable:
    """The table of a core by its maker's name, such as "cortex-m4". Raises ToolchainError iff there is none."""
    known: list[str] = []
    for table in cycle_tables():
        if core in table.cores:
            return table
        known += table.cores
    raise ToolchainError(f"no cycle table for {core}; there are tables for: {', '.join(known)}")


def find_cycle_table(board: Board) -> CycleTable | None:
    """The table that prices this board's code, on the simulator and in QEMU; None iff there is none for its core."""
    core = board.simulator.cpu if board.simulator else board.core.name
    return next((table for table in cycle_tables() if core in table.cores), None)


def _parse(path: Path) -> CycleTable:
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    core, fetch = content["core"], content.get("fetch", {})
    groups = tuple(_group(path, entry) for entry in content["group"])
    names = {group.name for group in groups}
    for group in groups:
        if unknown := set(group.pipelined_after) - names:
            raise ToolchainError(f"{path.name}: group '{group.name}' is pipelined after unknown groups {unknown}")
    return CycleTable(
        cores=tuple(core["names"]),
        title=core["title"],
        isa=core["isa"],
        issue=core["issue"],
        label=core["label"],
        error=core["error"],
        error_source=core["error_source"],
        left_out=core["left_out"],
        unaligned_target_cycles=_number(fetch, "unaligned_target_cycles"),
        unaligned_run_length=_number(fetch, "unaligned_run_length"),
        unaligned_run_cycles=_number(fetch, "unaligned_run_cycles"),
        groups=groups,
    )


def _number(fetch: dict[str, Any], name: str) -> int:
    return int(fetch[name]["value"]) if name in fetch else 0


def _group(path: Path, entry: dict[str, Any]) -> Group:
    allowed = {field.name for field in fields(Group)}
    if unknown := set(entry) - allowed:
        raise ToolchainError(f"{path.name}: group '{entry.get('name')}' has unknown keys {sorted(unknown)}")
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    return Group(**values)
