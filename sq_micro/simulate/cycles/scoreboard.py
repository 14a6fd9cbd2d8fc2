"""Cores that start one instruction a cycle unless it waits for a result: the RISC-V cores."""

from __future__ import annotations

from sq_micro.simulate.cycles.block_cost import BlockCost, Stream
from sq_micro.simulate.cycles.table import CycleTable


def scoreboard_cost(table: CycleTable, stream: Stream) -> BlockCost:
    """The cost of a block on such a core. Results that are late at its end are taken as not waited for."""
    now = taken_cycles = mispredicted_cycles = 0
    ready: dict[int, int] = {}
    for instruction, group in stream:
        start = now
        for register in instruction.reads:
            # What is to be stored is needed a stage later than what addresses are made of.
            needed_late = group.unit == "store" and register not in instruction.addressing
            start = max(start, ready.get(register, 0) - needed_late)
        now = start + group.cycles
        for register in instruction.writes:
            ready[register] = start + group.latency
        if instruction.conditional:
            taken_cycles, mispredicted_cycles = group.taken_cycles, group.mispredicted_cycles
        else:
            now += group.taken_cycles
    straddling = bool(stream) and stream[0][0].straddles
    entry_cycles = table.unaligned_target_cycles if straddling else 0
    return BlockCost(len(stream), now, taken_cycles, entry_cycles, mispredicted_cycles)
