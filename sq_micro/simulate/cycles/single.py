"""Cores that take one instruction after the other, each for a time of its own: Cortex-M0+ to M4, M33."""

from __future__ import annotations

from sq_micro.simulate.cycles.block_cost import BlockCost, Stream
from sq_micro.simulate.cycles.instruction import Instruction
from sq_micro.simulate.cycles.table import CycleTable, Group


def single_cost(table: CycleTable, stream: Stream) -> BlockCost:
    """The cost of a block on such a core."""
    cycles = taken_cycles = run = 0
    previous: tuple[Instruction, Group] | None = None
    for instruction, group in stream:
        own = _own_cycles(instruction, group, previous)
        if (group.taken_cycles and instruction.conditional) or instruction.mnemonic in ("cbz", "cbnz"):
            # Not taken it passes in one cycle, whatever it would have loaded or returned to.
            cycles, taken_cycles = cycles + 1, own - 1 + group.taken_cycles
        else:
            cycles += own + group.taken_cycles
        run = run + 1 if instruction.straddles else 0
        if table.unaligned_run_length and run == table.unaligned_run_length:
            cycles += table.unaligned_run_cycles
        previous = instruction, group
    straddling = bool(stream) and stream[0][0].straddles
    entry_cycles = table.unaligned_target_cycles if straddling else 0
    return BlockCost(len(stream), cycles, taken_cycles, entry_cycles)


def _own_cycles(instruction: Instruction, group: Group, previous: tuple[Instruction, Group] | None) -> int:
    """Cycles of the instruction by itself and behind the one before it, without any branch penalty."""
    cycles = group.cycles + group.cycles_per_word * instruction.words
    if previous is None:
        return cycles
    before, group_before = previous
    if group.pipelined_cycles is not None and group_before.name in group.pipelined_after:
        # The base that a write-back leaves is ready in time; what is loaded is not.
        loaded = before.writes - {before.base} if before.write_back else before.writes
        if not instruction.addressing & loaded:
            cycles = group.pipelined_cycles
    if instruction.reads & before.writes:
        cycles += group_before.result_delay
    return cycles
