"""What a basic block costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sq_micro.simulate.cycles.instruction import Instruction
from sq_micro.simulate.cycles.table import Group

Stream = Sequence[tuple[Instruction, Group]]
"""Instructions that follow each other, each with the group of the table that it belongs to."""


@dataclass(frozen=True, slots=True)
class BlockCost:
    """cycles each time; more of them when it is left by a branch, entered by one, or left otherwise than foreseen."""

    instructions: int
    cycles: int
    taken_cycles: int
    entry_cycles: int
    mispredicted_cycles: int = 0
