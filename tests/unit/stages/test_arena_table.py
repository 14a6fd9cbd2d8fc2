"""The arena of any plan, looked up as the report's script does it, is that of the plan when it is made."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from sq_micro.board import ArenaRoom, Board, arena_room, load_board
from sq_micro.ir.bitwidths import WEIGHT_BITS, Bitwidths
from sq_micro.ir.kernel_set import KernelSet
from sq_micro.ir.topology import Topology
from sq_micro.plan.plan import make_plan
from sq_micro.quant.quantize import quantize
from sq_micro.report.evidence import ArenaBoxRecord, ArenaTableRecord
from sq_micro.stages import arena_table
from sq_micro.stages.arena_table import arena_table_record
from tests.acceptance.networks import network
from tests.models.dead_channels import mobilenet_v1
from tests.models.random_quant_graph import resnet8
from tests.models.two_rams import inverted_residual
from tests.unit.assign.small_problem import NAMES, small_network

BOARDS = ("nucleo_l4r5zi", "host")


def boxes_of(table: ArenaTableRecord, plan: dict[str, int]) -> list[ArenaBoxRecord]:
    groups = zip(table.operators, table.groups, strict=True)
    place = [next(at for at, group in enumerate(found) if plan[name] in group) for name, found in groups]
    return [
        box
        for box in table.boxes
        if all(low <= at <= high for low, at, high in zip(box.first, place, box.last, strict=True))
    ]


def random_plans(topology: Topology, count: int) -> list[dict[str, int]]:
    rng = np.random.default_rng(1)
    return [{name: int(rng.choice(WEIGHT_BITS)) for name in _names(topology)} for _ in range(count)]


def _names(topology: Topology) -> list[str]:
    return [operator.name for operator in topology.weighted()]


def fast(topology: Topology) -> dict[str, KernelSet]:
    return {operator.name: "fast" for operator in topology.operators}


def table_of(topology: Topology, board: Board, sets: dict[str, KernelSet]) -> ArenaTableRecord | None:
    return arena_table_record(topology, Bitwidths({}), board, sets)


@pytest.mark.parametrize("board_name", BOARDS)
@pytest.mark.parametrize("kernels", ["fast", "small"])
def test_every_plan_lies_in_one_box_that_knows_its_arena(board_name: str, kernels: KernelSet) -> None:
    graph, ranges, _ = small_network()
    board = load_board(board_name)
    topology = quantize(graph, ranges, Bitwidths(dict.fromkeys(NAMES, 8))).topology
    sets = {operator.name: kernels for operator in topology.operators}
    table = table_of(topology, board, sets)
    assert table is not None
    plans = [dict(zip(NAMES, widths, strict=True)) for widths in product((8, 3), repeat=len(NAMES))]
    for plan in [*plans, *random_plans(topology, 40)]:
        (box,) = boxes_of(table, plan)
        assert box.arena_bytes == make_plan(topology, Bitwidths(plan), board.core.isa, sets=sets).arena_bytes, plan


@pytest.mark.parametrize("board_name", BOARDS)
@pytest.mark.parametrize("name", ["resnet8", "mobilenet"])
def test_large_networks_have_small_tables(name: str, board_name: str) -> None:
    topology = (resnet8() if name == "resnet8" else mobilenet_v1()).topology
    board = load_board(board_name)
    table = table_of(topology, board, fast(topology))
    assert table is not None
    assert len(table.boxes) < 30
    for plan in random_plans(topology, 5):
        (box,) = boxes_of(table, plan)
        assert box.arena_bytes == make_plan(topology, Bitwidths(plan), board.core.isa).arena_bytes, plan


def test_an_arena_that_is_divided_over_rams_has_a_table() -> None:
    topology, board = inverted_residual().topology, load_board("stm32f4_discovery")
    room, isa = arena_room(board), board.core.isa
    table = arena_table_record(topology, Bitwidths({}), board, fast(topology), room)
    assert table is not None
    assert not table.proven
    assert len({box.arena_bytes for box in table.boxes}) > 1
    for plan in random_plans(topology, 20):
        (box,) = boxes_of(table, plan)
        made = make_plan(topology, Bitwidths(plan), isa, room=room)
        assert len(made.shares) == 2
        assert box.arena_bytes == made.arena_bytes, plan


def test_there_is_no_table_where_some_plans_run_in_patches() -> None:
    topology, board = mobilenet_v1().topology, load_board("nucleo_l4r5zi")
    arena_bytes = make_plan(topology, Bitwidths(dict.fromkeys(_names(topology), 8)), board.core.isa).arena_bytes
    scarce = ArenaRoom(arena_bytes * 7 // 10, ())
    assert arena_table_record(topology, Bitwidths({}), board, fast(topology), scarce) is None


@pytest.mark.long
def test_where_nothing_is_proven_a_few_bytes_are_all_that_can_differ() -> None:
    topology, board = network("dscnn_kws").graph.topology, load_board("nucleo_l4r5zi")
    table = table_of(topology, board, fast(topology))
    assert table is not None
    differences = []
    for plan in random_plans(topology, 200):
        (box,) = boxes_of(table, plan)
        differences.append(abs(box.arena_bytes - make_plan(topology, Bitwidths(plan), board.core.isa).arena_bytes))
    assert max(differences) <= 8
    assert sum(difference > 0 for difference in differences) < 20


def test_a_table_that_takes_too_many_plans_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arena_table, "_MOST_PLANS", 3)
    topology = resnet8().topology
    assert table_of(topology, load_board("nucleo_l4r5zi"), fast(topology)) is None
