"""What does nothing goes; what does something stays."""

from __future__ import annotations

import pytest

from sq_micro.errors import ModelError
from sq_micro.ir.operators import ActivationFunction, Add, Concatenate, Pad
from sq_micro.passes.remove_identity import remove_identity
from tests.unit.passes.float_graphs import Graph, assert_same_meaning


def test_every_kind_of_nothing_goes() -> None:
    graph = Graph((4, 4, 2))
    x = graph.identity(graph.identity(graph.input))
    x = graph.reshape(graph.relu(x, ActivationFunction()), (4, 4, 2))
    before = graph.build(graph.identity(graph.concatenate(graph.pad2d(x, Pad()), graph.identity(graph.input))))
    after = remove_identity(before)
    assert_same_meaning(before, after)
    (join,) = after.topology.operators
    assert isinstance(join, Concatenate)
    assert join.inputs == ("input", "input")
    assert after.topology.output == join.output


def test_both_sides_of_a_sum_are_rewired() -> None:
    graph = Graph((4, 4, 2))
    idle = graph.identity(graph.input)
    before = graph.build(graph.add(idle, idle))
    after = remove_identity(before)
    assert_same_meaning(before, after)
    (add,) = after.topology.operators
    assert isinstance(add, Add)
    assert (add.left, add.right) == ("input", "input")


def test_a_graph_of_nothing_is_refused() -> None:
    graph = Graph((4, 4, 2))
    with pytest.raises(ModelError, match="model 'test' computes nothing: its output is its input"):
        remove_identity(graph.build(graph.identity(graph.input)))
