from __future__ import annotations

import numpy as np
import pytest

from sq_micro.simulate.counters import BlockCounts
from sq_micro.simulate.cycles.decode import Decoder
from sq_micro.simulate.cycles.model import BlockCost, CycleModel, RunningTotals
from sq_micro.simulate.cycles.table import load_cycle_table
from tests.unit.simulate.timed_kernels import KERNELS, Kernel

MODEL = CycleModel(load_cycle_table("cortex-m4"))
FLASH = 0x0800_0000
# Of these the cost of one block is not the whole story; test_cycle_rules runs them.
BRANCHES = {"b", "bl", "bx", "blx", "cbz", "cbnz", "tbb", "tbh"}
STRAIGHT = [
    kernel
    for kernel in KERNELS
    if not any(i.mnemonic in BRANCHES or i.to_pc for i in Decoder().decode(kernel.code, FLASH))
]


@pytest.mark.parametrize("kernel", STRAIGHT, ids=lambda kernel: kernel.rule)
def test_cost_of_straight_code(kernel: Kernel) -> None:
    cost = MODEL.block_cost(kernel.code, FLASH)
    assert cost.cycles == kernel.cycles
    assert cost.taken_cycles == 0


def test_most_kernels_are_straight() -> None:
    assert len(STRAIGHT) > 30


@pytest.mark.parametrize(
    ("assembly", "code", "expected"),
    [
        ("b .", "fee7", BlockCost(1, 3, 0, 0)),
        ("beq .", "fed0", BlockCost(1, 1, 2, 0)),
        ("cbz r0, .+4", "00b1", BlockCost(1, 1, 2, 0)),
        ("bl .", "fff7feff", BlockCost(1, 3, 0, 0)),
        ("bx lr", "7047", BlockCost(1, 3, 0, 0)),
        ("pop {r4, r5, pc}", "30bd", BlockCost(1, 6, 0, 0)),
        ("ldmia.w sp!, {r4, r8, pc}", "bde81081", BlockCost(1, 6, 0, 0)),
        ("ldr pc, [r0]", "d0f800f0", BlockCost(1, 5, 0, 0)),
        ("it eq; bxeq lr", "08bf7047", BlockCost(2, 2, 2, 0)),
        ("it eq; popeq {r4, pc}", "08bf10bd", BlockCost(2, 2, 4, 0)),
    ],
)
def test_cost_of_branches(assembly: str, code: str, expected: BlockCost) -> None:
    assert MODEL.block_cost(bytes.fromhex(code), FLASH) == expected, assembly


def test_a_block_that_begins_with_a_straddling_instruction() -> None:
    code = bytes.fromhex("4fea0401")  # mov.w r1, r4
    assert MODEL.block_cost(code, FLASH).entry_cycles == 0
    assert MODEL.block_cost(code, FLASH + 2).entry_cycles == 1


def test_an_instruction_that_capstone_does_not_know_counts_as_one() -> None:
    code = bytes.fromhex("00bf" "ffecffff" "00bf")  # fmt: skip  # nop; a coprocessor that is not there; nop
    found = Decoder().decode(code, FLASH)
    assert sum(instruction.size_bytes for instruction in found) == len(code)
    assert MODEL.block_cost(code, FLASH).instructions == 3


def test_an_empty_block_costs_nothing() -> None:
    assert MODEL.block_cost(b"", FLASH) == BlockCost(0, 0, 0, 0)


# 0: mov.w r1, #10   4: subs r1, #1   6: bne 4   8: mov.w (straddling at 10 when entered there)
CODE = bytes.fromhex("4ff00a01" "0139" "fdd1" "00bf" "4fea0401" "fee7")  # fmt: skip


def read_code(address: int, size_bytes: int) -> bytes:
    return CODE[address : address + size_bytes]


def counts(*rows: tuple[int, int, int, int, int], current: int | None = None) -> BlockCounts:
    return BlockCounts(np.array([(*row, 0) for row in rows], np.uint64).reshape(-1, 6), current)


def test_totals_of_a_loop() -> None:
    # The first turn starts at 0 and contains SUBS and BNE; nine turns more start at 4. The last falls through.
    totals = MODEL.totals(counts((0, 8, 1, 0, 0), (4, 4, 9, 1, 0)), read_code)
    assert totals.instructions == 3 + 2 * 9
    assert totals.cycles == (3 + 2) + 9 * 2 + 8 * 2


def test_entries_by_branch_to_a_straddling_instruction() -> None:
    assert MODEL.totals(counts((10, 6, 5, 0, 3)), read_code).cycles == 5 * (1 + 3) + 2


def test_a_block_that_is_being_executed_has_not_branched_yet() -> None:
    rows = (4, 4, 1, 0, 0)
    assert MODEL.totals(counts(rows), read_code).cycles == 4
    assert MODEL.totals(counts(rows, current=0), read_code).cycles == 2


def test_running_totals_equal_totals_from_the_start() -> None:
    running = RunningTotals(MODEL, read_code)
    steps = [
        counts(),
        counts((0, 8, 1, 0, 0), current=0),
        counts((0, 8, 1, 0, 0), (4, 4, 5, 0, 0), current=1),
        counts((0, 8, 1, 0, 0), (4, 4, 9, 1, 0), (8, 8, 1, 0, 1), current=2),
    ]
    for step in steps:
        assert running.totals(step) == MODEL.totals(step, read_code)


def test_many_blocks() -> None:
    rows = [(0, 8, 1, 0, 0)] * 1000
    assert MODEL.totals(counts(*rows), read_code).instructions == 3000
