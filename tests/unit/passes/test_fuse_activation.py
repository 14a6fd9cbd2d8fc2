"""Which clamp ends up where."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sq_micro.frontend.graph_builder import Value
from sq_micro.ir.operators import NONE, RELU, RELU6, ActivationFunction, Relu
from sq_micro.passes.fuse_activation import activation_of, compose, fuse_activation
from tests.unit.passes.float_graphs import RING, Graph, assert_same_meaning, operators_of

Build = Callable[[Graph], Value]
bounds = st.one_of(st.none(), st.floats(-3, 3))


@st.composite
def clamps(draw: st.DrawFn) -> ActivationFunction:
    low, high = draw(bounds), draw(bounds)
    if low is not None and high is not None:
        low, high = min(low, high), max(low, high)
    return ActivationFunction(low, high)


def clamp(x: np.ndarray, activation: ActivationFunction) -> np.ndarray:
    return np.clip(x, activation.minimum, activation.maximum) if activation else x


@given(clamps(), clamps())
def test_composition_is_one_clamp_after_the_other(first: ActivationFunction, second: ActivationFunction) -> None:
    x = np.linspace(-4, 4, 101)
    assert (clamp(x, compose(first, second)) == clamp(clamp(x, first), second)).all()


FUSED: dict[str, Build] = {
    "into conv2d": lambda g: g.relu(g.conv2d(g.input)),
    "into depthwise_conv2d": lambda g: g.relu(g.depthwise_conv2d(g.input)),
    "into dense": lambda g: g.relu(g.dense(g.flatten(g.input))),
    "into add": lambda g: g.relu(g.add(g.input, g.sigmoid(g.input))),
    "past a reshape": lambda g: g.relu(g.flatten(g.conv2d(g.input))),
    "past a pool": lambda g: g.relu(g.max_pool2d(g.conv2d(g.input, RING))),
    "past padding": lambda g: g.relu(g.pad2d(g.conv2d(g.input))),
    "over another": lambda g: g.relu(g.conv2d(g.input, activation=RELU6)),
}
KEPT: dict[str, Build] = {
    "an average is between": lambda g: g.relu(g.average_pool2d(g.conv2d(g.input))),
    "padding's zeros would change": lambda g: g.relu(g.pad2d(g.conv2d(g.input)), ActivationFunction(0.5, 1.0)),
    "nothing computes before it": lambda g: g.relu(g.input),
    "the bare value has another reader": lambda g: g.add(conv := g.conv2d(g.input), g.relu(conv)),
    "the bare value has another reader further up": lambda g: g.add(
        g.flatten(conv := g.conv2d(g.input)), g.relu(g.flatten(conv))
    ),
}


@pytest.mark.parametrize("case", FUSED)
def test_relu_is_fused(case: str) -> None:
    graph = Graph((4, 4, 2))
    before = graph.build(FUSED[case](graph))
    after = fuse_activation(before)
    assert_same_meaning(before, after)
    assert not operators_of(after, Relu)


@pytest.mark.parametrize("case", KEPT)
def test_relu_is_kept_when(case: str) -> None:
    graph = Graph((4, 4, 2))
    before = graph.build(KEPT[case](graph))
    after = fuse_activation(before)
    assert_same_meaning(before, after)
    assert len(operators_of(after, Relu)) == 1


def test_clamps_intersect() -> None:
    graph = Graph((4, 4, 2))
    before = graph.build(graph.relu(graph.relu(graph.conv2d(graph.input)), RELU6))
    (conv,) = fuse_activation(before).topology.operators
    assert activation_of(conv) == RELU6


def test_two_relus_without_an_operator_to_take_them_are_one() -> None:
    graph = Graph((4, 4, 2))
    before = graph.build(graph.relu(graph.relu(graph.input), RELU6))
    after = fuse_activation(before)
    assert_same_meaning(before, after)
    assert [activation_of(operator) for operator in after.topology.operators] == [RELU6]


def test_a_relu_that_changes_nothing_goes_though_others_read() -> None:
    graph = Graph((4, 4, 2))
    conv = graph.conv2d(graph.input, activation=RELU6)
    before = graph.build(graph.add(conv, graph.relu(conv)))
    after = fuse_activation(before)
    assert_same_meaning(before, after)
    assert not operators_of(after, Relu)


def test_operators_without_a_clamp_have_none() -> None:
    graph = Graph((4, 4, 2))
    (pool,) = graph.build(graph.max_pool2d(graph.input)).topology.operators
    assert activation_of(pool) == NONE
    assert compose(NONE, RELU) == RELU


def test_the_graphs_output_stays_bare_though_a_dead_end_clamps_it() -> None:
    graph = Graph((4, 4, 2))
    conv = graph.conv2d(graph.input)
    graph.relu(conv)
    before = graph.build(conv)
    after = fuse_activation(before)
    assert_same_meaning(before, after)
    assert [operator.name for operator in after.topology.operators] == ["conv2d"]
