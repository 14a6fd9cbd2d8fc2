"""The tables of result.json that need no search."""

from __future__ import annotations

import pytest

from sq_micro.board import load_board
from sq_micro.codegen.model_view import make_model_view
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.kernel_set import KernelSet
from sq_micro.plan.plan import make_plan
from sq_micro.quant.quantize import quantize
from sq_micro.stages.operator_records import arena_plan_record, weighted_operator_records
from tests.unit.assign.small_problem import NAMES, small_network

BOARDS = ("nucleo_l4r5zi", "host")


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
    record = arena_plan_record(executed.topology, executed.bitwidths, plan)
    assert record.operators == [operator.name for operator in executed.topology.operators]
    assert max(buffer.offset_bytes + buffer.size_bytes for buffer in record.buffers) <= plan.arena_bytes
    assert {buffer.scratch_of for buffer in record.buffers} == {None, *plan.scratch}
    for buffer in record.buffers:
        for tensor in buffer.tensors:
            assert plan.tensors[tensor].offset_bytes == buffer.offset_bytes
