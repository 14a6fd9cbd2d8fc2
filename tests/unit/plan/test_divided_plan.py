"""When a plan is divided over a board's regions, and when not."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from sq_micro.board import ArenaRoom, Space, arena_room, load_board
from sq_micro.ir.operators import RELU
from sq_micro.kernels.tiling import LOSSES
from sq_micro.plan.accesses import accessed_bytes
from sq_micro.plan.division import divide
from sq_micro.plan.plan import Plan, make_plan, slowdowns
from sq_micro.quant.graph import QuantGraph
from tests.models.random_quant_graph import RandomQuantGraph, random_network, resnet8
from tests.models.tiny_networks import ds_cnn, mobilenet_v1_quarter
from tests.models.two_rams import SIMULATED, board_with

DSP = "armv7em_dsp"
SMALL = ArenaRoom(22_976, (Space("ccm", 18_416, 0), Space("sram", 23_552, 1)))  # ResNet8 takes 35,900 B


def planned(graph: QuantGraph, room: ArenaRoom | None, limit: int | None = None) -> Plan:
    return make_plan(graph.topology, graph.bitwidths, DSP, limit, room=room)


def mobilenet_v1_on_192x192() -> QuantGraph:
    builder = RandomQuantGraph(0, (192, 192, 3))
    x = builder.conv2d(builder.input, 8, stride=(2, 2), activation=RELU)
    for channels, step in ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), (128, 1), (256, 2)):
        x = builder.depthwise_conv2d(x, stride=(step, step), activation=RELU)
        x = builder.conv2d(x, channels, (1, 1), activation=RELU)
    return builder.build(builder.softmax(builder.dense(builder.mean(x), 2)))


@pytest.mark.parametrize("board", ["stm32f4_discovery", "nucleo_h753zi", "hifive1_revb", "host"])
def test_nothing_changes_where_one_region_holds_the_arena(board: str) -> None:
    room = arena_room(load_board(board))
    for graph in (ds_cnn(), random_network(1)):
        assert planned(graph, room) == planned(graph, None)


def test_an_arena_that_fits_no_region_is_divided_and_gives_up_no_time() -> None:
    graph = resnet8()
    plan = planned(graph, SMALL)
    assert [share.region for share in plan.shares] == ["ccm", "sram"]
    assert plan.loss <= LOSSES[0]
    assert plan.choices == planned(graph, None).choices
    assert plan.arena_bytes == sum(plan.share_bytes.values())
    assert plan.lower_bound_bytes == planned(graph, None).lower_bound_bytes, "of any arena, divided or not"
    for name, space in (("ccm", SMALL.spaces[0]), ("sram", SMALL.spaces[1])):
        assert plan.share_bytes[name] <= space.size_bytes
    for span in (*plan.tensors.values(), *plan.scratch.values()):
        assert sum(share.holds(span.offset_bytes) and share.holds(span.end_bytes - 1) for share in plan.shares) == 1


def test_most_accesses_are_in_the_fast_region() -> None:
    plan = planned(resnet8(), SMALL)
    fast, slow = (share.accessed_bytes for share in plan.shares)
    assert fast > slow
    assert plan.least_slow_accesses is not None
    assert 0 < plan.least_slow_accesses <= slow


def test_a_budget_is_on_all_shares_together() -> None:
    graph = resnet8()
    needed = planned(graph, SMALL).arena_bytes
    assert planned(graph, SMALL, needed).arena_bytes <= needed
    tight = planned(graph, SMALL, needed - 1)
    assert tight.arena_bytes < needed
    least = planned(graph, SMALL, SMALL.whole_bytes)
    assert not least.shares, "a budget that one region could meet is not met by two"
    assert least == planned(graph, None, SMALL.whole_bytes)


def test_a_plan_is_the_same_each_time() -> None:
    first = planned(resnet8(), SMALL)
    divide.cache_clear()
    assert planned(resnet8(), SMALL) == first


def test_patches_are_cheaper_where_they_may_use_both_regions() -> None:
    """MobileNetV1 of width 0.25 at 192x192: the first output has 73,728 B beside an input of 110,592 B."""
    graph, room = mobilenet_v1_on_192x192(), arena_room(load_board(SIMULATED))
    assert room is not None
    both, one = planned(graph, room), planned(graph, None, room.whole_bytes)
    assert both.shares
    assert not one.shares
    assert both.head is not None
    assert one.head is not None
    slower, slowest = (sum(slowdowns(graph.topology, graph.bitwidths, plan).values()) for plan in (both, one))
    assert slower < slowest
    assert "in ccm " in str(both)


def test_room_of_a_board_leaves_out_stack_and_variables(tmp_path: Path) -> None:
    board = board_with(SIMULATED, 40_000, 20_000, tmp_path)
    assert arena_room(board) == ArenaRoom(38_400, (Space("ccm", 17_936, 0), Space("sram", 38_976, 1)))
    assert arena_room(load_board("host")) is None
    alone = arena_room(load_board("hifive1_revb"))
    assert alone == ArenaRoom(14_784, (Space("sram", 14_784, 0),))


def test_accesses_follow_the_walks() -> None:
    """4x4x2 to 8 channels: 16 pixels, 18 taps, two blocks of four channels that share what they load."""
    builder = RandomQuantGraph(0, (4, 4, 2))
    graph = builder.build(builder.mean(builder.depthwise_conv2d(builder.conv2d(builder.input, 8))))

    def counted(isa: str) -> dict[str, int]:
        plan = make_plan(graph.topology, graph.bitwidths, isa)
        counts = accessed_bytes(graph.topology, plan.choices, plan.buffers)
        return dict(zip((buffer.name for buffer in plan.buffers), counts, strict=True))

    portable, columns = counted("c"), counted(DSP)
    assert portable["input"] == 16 * 18 * 2
    assert portable["conv2d_0"] == 128 + 128
    assert portable["depthwise_conv2d_1 (scratch)"] == 128 + 2 * 128 * 9
    assert columns["input"] == 16 * 18
    assert columns["conv2d_0 (scratch)"] == 2 * 16 * 18 * (1 + 2)
    assert columns["depthwise_conv2d_1"] == portable["depthwise_conv2d_1"] == 128 + 128
    assert columns["mean_2"] == 8


@pytest.mark.long
@pytest.mark.parametrize("network", [resnet8, mobilenet_v1_quarter], ids=lambda network: network.__name__)
def test_plans_are_divided_in_seconds(network: object) -> None:
    assert callable(network)
    graph = network()
    whole = planned(graph, None).arena_bytes
    for eighths in (4, 5, 6, 7):
        size = whole * eighths // 8 // 4 * 4
        started_s = time.process_time()
        planned(graph, ArenaRoom(whole - 1, (Space("fast", size, 0), Space("slow", size, 1))))
        assert time.process_time() - started_s < 2
