"""Which padding operators disappear into their reader."""

from __future__ import annotations

from sq_micro.ir.operators import Pad, Pad2D
from sq_micro.passes.fold_padding import fold_padding
from tests.unit.passes.float_graphs import RING, Graph, assert_same_meaning, operators_of


def test_padding_is_added_to_the_convolutions_own() -> None:
    graph = Graph((4, 4, 2))
    before = graph.build(graph.conv2d(graph.pad2d(graph.input, Pad(0, 1, 2, 3)), RING))
    after = fold_padding(before)
    assert_same_meaning(before, after)
    (conv,) = after.topology.operators
    assert conv.padding == Pad(1, 2, 3, 4)


def test_padding_in_a_row_is_folded_whole() -> None:
    graph = Graph((4, 4, 2))
    before = graph.build(graph.depthwise_conv2d(graph.pad2d(graph.pad2d(graph.pad2d(graph.input)))))
    after = fold_padding(before)
    assert_same_meaning(before, after)
    (depthwise,) = after.topology.operators
    assert depthwise.padding == Pad(3, 3, 3, 3)


def test_padding_before_a_pool_stays() -> None:
    graph = Graph((4, 4, 2))
    before = graph.build(graph.average_pool2d(graph.pad2d(graph.input), Pad()))
    assert fold_padding(before).topology == before.topology


def test_padding_that_others_read_stays() -> None:
    graph = Graph((4, 4, 2))
    pad = graph.pad2d(graph.input)
    before = graph.build(graph.add(graph.conv2d(pad), graph.conv2d(pad)))
    assert len(operators_of(fold_padding(before), Pad2D)) == 1
