"""The tables of result.json that need no search."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from sq_micro.board import load_board
from sq_micro.codegen.model_view import make_model_view
from sq_micro.ir.bitwidths import WEIGHT_BITS, Bitwidths
from sq_micro.ir.kernel_set import KernelSet
from sq_micro.plan.plan import make_plan
from sq_micro.quant.quantize import quantize
from sq_micro.report.evidence import ArenaTableRecord
from sq_micro.stages.operator_records import arena_plan_record, arena_table_record, weighted_operator_records
from tests.unit.assign.small_problem import NAMES, small_network

BOARDS = ("nucleo_l4r5zi", "host")


def looked_up(table: ArenaTableRecord, plan: dict[str, int]) -> int:
    """As the report's script does it."""
    index = 0
    for name, groups in zip(table.operators, table.groups, strict=True):
        index = index * len(groups) + next(i for i, group in enumerate(groups) if plan[name] in group)
    return table.arena_bytes[index]


@pytest.mark.parametrize("board_name", BOARDS)
@pytest.mark.parametrize("kernels", ["fast", "small"])
def test_the_arena_of_any_plan_is_in_the_table(board_name: str, kernels: KernelSet) -> None:
    graph, ranges, _ = small_network()
    board = load_board(board_name)
    chosen = Bitwidths(dict(zip(NAMES, (8, 4, 6, 3, 8), strict=True)))
    topology = quantize(graph, ranges, chosen).topology
    sets = {operator.name: kernels for operator in topology.operators}
    table = arena_table_record(topology, chosen, board, sets)
    assert table is not None
    rng = np.random.default_rng(1)
    plans = [dict(zip(NAMES, widths, strict=True)) for widths in product((8, 3), repeat=len(NAMES))]
    plans += [{name: int(rng.choice(WEIGHT_BITS)) for name in NAMES} for _ in range(40)]
    for plan in plans:
        assert looked_up(table, plan) == make_plan(topology, Bitwidths(plan), board.core.isa, sets=sets).arena_bytes, (
            plan
        )


@pytest.mark.parametrize("board_name", BOARDS)
@pytest.mark.parametrize("widths", [(8, 8, 8, 8, 8), (2, 2, 2, 2, 2), (8, 4, 6, 3, 5)])
@pytest.mark.parametrize("sets", [{}, dict.fromkeys(NAMES, "shared"), dict.fromkeys(NAMES[::2], "small")])
def test_bytes_at_the_chosen_width_are_those_of_the_generated_arrays(
    board_name: str, widths: tuple[int, ...], sets: dict[str, KernelSet]
) -> None:
    graph, ranges, _ = small_network()
    board = load_board(board_name)
    executed = quantize(graph, ranges, Bitwidths(dict(zip(NAMES, widths, strict=True))))
    plan = make_plan(executed.topology, executed.bitwidths, board.core.isa, sets=sets)
    view = make_model_view(executed, plan)
    records = weighted_operator_records(graph, executed, board, plan.sets)
    chosen = [next(w for w in record.widths if w.bits == executed.bitwidths.weights[record.name]) for record in records]
    assert sum(width.weight_bytes for width in chosen) == view.weight_bytes
    assert sum(width.table_bytes for width in chosen) == view.table_bytes
    assert [width.scratch_bytes for width in chosen] == [plan.choices[name].scratch_bytes for name in NAMES]


def test_the_plan_names_what_lies_where() -> None:
    graph, ranges, _ = small_network()
    executed = quantize(graph, ranges, Bitwidths(dict.fromkeys(NAMES, 4)))
    plan = make_plan(executed.topology, executed.bitwidths)
    record = arena_plan_record(executed.topology, plan)
    assert record.operators == [operator.name for operator in executed.topology.operators]
    assert max(buffer.offset_bytes + buffer.size_bytes for buffer in record.buffers) <= plan.arena_bytes
    assert {buffer.scratch_of for buffer in record.buffers} == {None, *plan.scratch}
    for buffer in record.buffers:
        for tensor in buffer.tensors:
            assert plan.tensors[tensor].offset_bytes == buffer.offset_bytes
