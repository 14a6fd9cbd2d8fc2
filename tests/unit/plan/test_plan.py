"""The plan of a network, and how it is drawn."""

from __future__ import annotations

from sq_micro.plan.arena import Span
from sq_micro.plan.plan import Plan, make_plan
from tests.models.random_quant_graph import RandomQuantGraph

DRAWN = """\
arena 136 B, the least possible, fullest at 'conv2d_0'
buffer                         offset    bytes  operators 0..4
input                             104       32  #....
conv2d_0                           56       48  ##...
depthwise_conv2d_1                 56       48  .##..
mean_2                              0        3  ..###
dense_4                             4        2  ....#
conv2d_0 (scratch)                  0       54  #....
depthwise_conv2d_1 (scratch)        0       45  .#...
"""


def planned() -> Plan:
    builder = RandomQuantGraph(0, (4, 4, 2))
    x = builder.conv2d(builder.input, 3, bits=4)
    x = builder.mean(builder.depthwise_conv2d(x, bits=2))
    graph = builder.build(builder.dense(builder.reshape(x, (3,)), 2))
    return make_plan(graph.topology, graph.bitwidths)


def test_a_plan_is_drawn_with_a_column_per_operator() -> None:
    assert str(planned()) == DRAWN


def test_a_plan_places_every_tensor_and_every_scratch() -> None:
    plan = planned()
    assert set(plan.tensors) == {"input", "conv2d_0", "depthwise_conv2d_1", "mean_2", "reshape_3", "dense_4"}
    assert plan.tensors["reshape_3"] == plan.tensors["mean_2"]
    assert set(plan.scratch) == {"conv2d_0", "depthwise_conv2d_1"}
    assert plan.scratch["depthwise_conv2d_1"].size_bytes == 9 + 6 * 6
    assert isinstance(plan.scratch["conv2d_0"], Span)


def test_a_plan_is_the_same_each_time() -> None:
    assert str(planned()) == str(planned())
