"""The cycle model of in-order cores: what a basic block costs, and what counts of blocks cost together.

    cycles = Σ executions · cycles + exits by branch · taken_cycles + entries by branch · entry_cycles
               + exits that were not foreseen · mispredicted_cycles

A block's cost is known without running it, so counting blocks is all that a simulator has to do. Exact instruction
timing across the end of a block is not modelled, apart from the penalties of branches.

    model = CycleModel(load_cycle_table("cortex-m4"))
    model.totals(counts, image.read).cycles
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sq_micro.simulate.counters import ADDRESS, BYTES, EXECUTIONS, FALL_IN, FALL_OUT, MISPREDICTED, BlockCounts, Rows
from sq_micro.simulate.cycles.block_cost import BlockCost, Stream
from sq_micro.simulate.cycles.decode import Decoder
from sq_micro.simulate.cycles.decode_riscv import RiscvDecoder
from sq_micro.simulate.cycles.instruction import Instruction
from sq_micro.simulate.cycles.pairs import paired_cost
from sq_micro.simulate.cycles.scoreboard import scoreboard_cost
from sq_micro.simulate.cycles.single import single_cost
from sq_micro.simulate.cycles.table import CycleTable, Group

ReadCode = Callable[[int, int], bytes]
"""(address, size_bytes) → the machine code there."""

_RULES: dict[str, Callable[[CycleTable, Stream], BlockCost]] = {
    "single": single_cost,
    "scoreboard": scoreboard_cost,
    "pairs": paired_cost,
}


@dataclass(frozen=True, slots=True)
class Totals:
    """What was executed, and the cycles that the core takes for it."""

    instructions: int
    cycles: int


class CycleModel:
    """Applies one core's table."""

    def __init__(self, table: CycleTable) -> None:
        self.table = table
        self._decoder = Decoder() if table.isa == "thumb" else RiscvDecoder()
        self._rule = _RULES[table.issue]
        self._candidates: dict[str, tuple[Group, ...]] = {}

    def block_cost(self, code: bytes, address: int) -> BlockCost:
        """The cost of the block whose machine code is `code`."""
        return self.cost(self._decoder.decode(code, address))

    def cost(self, instructions: tuple[Instruction, ...]) -> BlockCost:
        """The cost of instructions that follow each other and end in at most one branch."""
        return self._rule(self.table, [(instruction, self.group(instruction)) for instruction in instructions])

    def group(self, instruction: Instruction) -> Group:
        """The first group of the table that the instruction belongs to."""
        name = instruction.mnemonic
        if name not in self._candidates:
            self._candidates[name] = tuple(group for group in self.table.groups if group.names(name))
        for group in self._candidates[name]:
            if (
                group.to_pc in (None, instruction.to_pc)
                and group.index in (None, instruction.index != 0)
                and group.write_back in (None, instruction.write_back)
                and group.double in (None, instruction.double)
            ):
                return group
        raise AssertionError(f"the cycle table has no group for {name}")

    def totals(self, counts: BlockCounts, read_code: ReadCode) -> Totals:
        """Instructions and cycles of `counts`."""
        return RunningTotals(self, read_code).totals(counts)


class RunningTotals:
    """Totals of counts that grow: the cost of a block is worked out once, so reading again is quick."""

    def __init__(self, model: CycleModel, read_code: ReadCode) -> None:
        self._model = model
        self._read_code = read_code
        self._known = 0
        # One row of weights per block, in the order of the columns of the products in `totals`.
        self._weights: NDArray[np.int64] = np.zeros((256, 5), np.int64)

    def totals(self, counts: BlockCounts) -> Totals:
        """`counts` must hold the blocks of the call before, in the same order, and may hold more behind them."""
        rows = counts.rows
        if len(rows) > self._known:
            self._learn(rows)
        instructions, cycles, taken_cycles, entry_cycles, mispredicted_cycles = self._weights[: len(rows)].T
        executions = rows[:, EXECUTIONS].astype(np.int64)
        total = executions @ cycles
        total += (executions - rows[:, FALL_OUT].astype(np.int64)) @ taken_cycles
        total += (executions - rows[:, FALL_IN].astype(np.int64)) @ entry_cycles
        total += rows[:, MISPREDICTED].astype(np.int64) @ mispredicted_cycles
        if counts.current is not None:
            total -= taken_cycles[counts.current]  # where it goes next is not known, so it has not gone anywhere
        return Totals(int(executions @ instructions), int(total))

    def _learn(self, rows: Rows) -> None:
        while len(self._weights) < len(rows):
            self._weights = np.concatenate([self._weights, np.zeros_like(self._weights)])
        for index in range(self._known, len(rows)):
            address, size_bytes = int(rows[index, ADDRESS]), int(rows[index, BYTES])
            cost = self._model.block_cost(self._read_code(address, size_bytes), address)
            self._weights[index] = (
                cost.instructions,
                cost.cycles,
                cost.taken_cycles,
                cost.entry_cycles,
                cost.mispredicted_cycles,
            )
        self._known = len(rows)
