"""Cores that start up to two neighbouring instructions a cycle: the Cortex-M7.

Nobody published its timing. The rules are those that others found by measuring (the table names them): which two may
start together follows from what there is only one of, and a result comes a cycle later for addresses and shifts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sq_micro.simulate.cycles.block_cost import BlockCost, Stream
from sq_micro.simulate.cycles.instruction import Instruction
from sq_micro.simulate.cycles.table import CycleTable, Group

_WIDTH = 2
_BANK_BYTES = 4  # the tightly coupled memory has two banks of words


@dataclass(frozen=True, slots=True)
class _Result:
    time: int
    unit: str


@dataclass(slots=True)
class _Cycle:
    """What has started in one cycle."""

    instructions: int = 0
    shifts: int = 0
    units: list[str] = field(default_factory=list)
    load: tuple[int, int] | None = None  # base register and bank

    def takes(self, instruction: Instruction, group: Group, shifts: bool) -> bool:
        """Whether the instruction may start in it, too."""
        if self.instructions == _WIDTH or (shifts and self.shifts):
            return False
        if group.unit == "load" and "load" in self.units:
            other = _bank(instruction)
            return self.load is not None and other is not None and self.load[0] == other[0] and self.load != other
        return group.unit == "any" or group.unit not in self.units

    def start(self, instruction: Instruction, group: Group, shifts: bool) -> None:
        """Start it."""
        self.instructions += 1
        self.shifts += shifts
        self.units.append(group.unit)
        if group.unit == "load":
            self.load = _bank(instruction)


def paired_cost(table: CycleTable, stream: Stream) -> BlockCost:
    """The cost of a block on such a core."""
    now = flags = 0
    ready: dict[int, _Result] = {}
    cycle = _Cycle()
    for instruction, group in stream:
        shifts = instruction.shifted or group.shifts
        start = max(
            (_usable(ready[r], r, instruction, group, shifts) for r in instruction.reads & ready.keys()), default=0
        )
        if group.unit == "branch" and instruction.conditional:
            start = max(start, flags)
        if start > now:
            now, cycle = start, _Cycle()
        while not cycle.takes(instruction, group, shifts):
            now, cycle = now + 1, _Cycle()
        cycle.start(instruction, group, shifts)
        ready |= _results(instruction, group, now)
        if instruction.sets_flags:
            flags = now + 1
        if busy := _busy_cycles(instruction, group):
            now, cycle = now + busy, _Cycle()
    cycles = now + (cycle.instructions > 0)
    if not stream:
        return BlockCost(0, 0, 0, 0)
    last, group = stream[-1]
    if last.conditional or last.mnemonic in ("cbz", "cbnz"):
        return BlockCost(len(stream), cycles, group.taken_cycles, 0, group.mispredicted_cycles)
    return BlockCost(len(stream), cycles + group.taken_cycles, 0, 0)


def _usable(result: _Result, register: int, instruction: Instruction, group: Group, shifts: bool) -> int:
    """When a result may be used as this operand."""
    if result.unit == "multiply":
        return result.time - (register == instruction.accumulator)
    if register in instruction.addressing:
        return result.time + 1
    if shifts or (group.unit == "multiply" and result.unit in ("load", "transfer")):
        return result.time + 1
    return result.time - (group.unit == "store" and result.unit not in ("load", "transfer"))


def _results(instruction: Instruction, group: Group, now: int) -> dict[int, _Result]:
    if group.unit == "transfer":
        return dict.fromkeys(instruction.writes, _Result(now + _busy_cycles(instruction, group) + 1, "transfer"))
    found = dict.fromkeys(instruction.writes, _Result(now + group.latency, group.unit))
    if instruction.write_back and instruction.base in found:
        found[instruction.base] = _Result(now + 1, "any")
    return found


def _busy_cycles(instruction: Instruction, group: Group) -> int:
    """Cycles for which nothing else starts."""
    words = instruction.words or (2 if group.unit == "transfer" else 0)
    return group.cycles - 1 + -(-words * group.cycles_per_word // group.words_per_cycle)


def _bank(instruction: Instruction) -> tuple[int, int] | None:
    if not instruction.base or instruction.index:
        return None
    return instruction.base, instruction.displacement // _BANK_BYTES % 2
