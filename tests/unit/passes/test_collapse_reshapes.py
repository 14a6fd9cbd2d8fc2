"""No two Reshapes in a row."""

from __future__ import annotations

from sq_micro.ir.operators import Relu, Reshape
from sq_micro.passes.collapse_reshapes import collapse_reshapes
from tests.unit.passes.float_graphs import Graph, assert_same_meaning, operators_of


def test_a_chain_becomes_its_last() -> None:
    graph = Graph((4, 4, 2))
    chain = graph.reshape(graph.reshape(graph.reshape(graph.input, (8, 4)), (2, 4, 4)), (32,))
    before = graph.build(graph.relu(chain))
    after = collapse_reshapes(before)
    assert_same_meaning(before, after)
    (only,) = operators_of(after, Reshape)
    assert (only.name, only.input) == ("reshape_2", "input")


def test_a_round_trip_goes() -> None:
    graph = Graph((4, 4, 2))
    before = graph.build(graph.reshape(graph.flatten(graph.relu(graph.input)), (4, 4, 2)))
    after = collapse_reshapes(before)
    assert_same_meaning(before, after)
    assert [type(operator) for operator in after.topology.operators] == [Relu]


def test_a_shape_that_others_read_stays() -> None:
    graph = Graph((4, 4, 2))
    flat = graph.flatten(graph.relu(graph.input))
    before = graph.build(graph.add(flat, graph.flatten(graph.relu(graph.reshape(flat, (8, 4))))))
    after = collapse_reshapes(before)
    assert_same_meaning(before, after)
    assert [operator.name for operator in operators_of(after, Reshape)] == ["reshape", "reshape_1", "reshape_2"]
