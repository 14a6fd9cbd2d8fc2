"""Where a ChannelAffine goes, and where it must not go."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sq_micro.frontend.graph_builder import Value
from sq_micro.ir.operators import RELU, ChannelAffine, Pad
from sq_micro.passes.fold_channel_affine import Affine, fold_channel_affine
from tests.unit.passes.float_graphs import RING, Graph, assert_same_meaning, operators_of

Build = Callable[[Graph], Value]
IMAGE = (4, 4, 2)

FOLDED: dict[str, Build] = {
    "into conv2d": lambda g: g.affine(g.conv2d(g.input, RING)),
    "into depthwise_conv2d": lambda g: g.affine(g.depthwise_conv2d(g.input, RING)),
    "into dense": lambda g: g.affine(g.dense(g.flatten(g.input))),
    "two into one": lambda g: g.affine(g.affine(g.conv2d(g.input))),
    "back past a pool": lambda g: g.affine(g.max_pool2d(g.conv2d(g.input), Pad()), positive=True),
    "back past an average": lambda g: g.affine(g.mean(g.average_pool2d(g.conv2d(g.input)))),
    "back past a reshape": lambda g: g.affine(g.reshape(g.conv2d(g.input), (9, 3))),
    "back past padding": lambda g: g.affine(g.pad2d(g.conv2d(g.input)), offset=False),
    "on to conv2d": lambda g: g.conv2d(g.affine(g.input)),
    "on to padded conv2d": lambda g: g.conv2d(g.affine(g.input, offset=False), RING),
    "on to depthwise_conv2d": lambda g: g.depthwise_conv2d(g.affine(g.input)),
    "on to dense": lambda g: g.dense(g.flatten(g.affine(g.input))),
    "on past an average": lambda g: g.dense(g.mean(g.affine(g.input))),
    "on past a pool": lambda g: g.conv2d(g.max_pool2d(g.affine(g.input, positive=True))),
    "on past padding": lambda g: g.conv2d(g.pad2d(g.affine(g.input, offset=False))),
    "on to an activated layer": lambda g: g.conv2d(g.affine(g.input), activation=RELU),
}

KEPT: dict[str, Build] = {
    "an activation is between": lambda g: g.affine(g.conv2d(g.input, activation=RELU)),
    "a relu is between": lambda g: g.affine(g.relu(g.conv2d(g.input))),
    "zeros would be shifted": lambda g: g.conv2d(g.affine(g.input), RING),
    "padding's zeros would be shifted": lambda g: g.conv2d(g.pad2d(g.affine(g.input))),
    "padding's zeros are shifted": lambda g: g.affine(g.pad2d(g.conv2d(g.input))),
    "maximum would be minimum": lambda g: g.affine(g.max_pool2d(g.conv2d(g.input), Pad())),
    "values differ within a channel": lambda g: g.affine(g.flatten(g.conv2d(g.input))),
    "nothing has weights": lambda g: g.relu(g.affine(g.input)),
}


@pytest.mark.parametrize("case", FOLDED)
def test_affine_is_folded(case: str) -> None:
    graph = Graph(IMAGE)
    before = graph.build(FOLDED[case](graph))
    after = fold_channel_affine(before)
    assert_same_meaning(before, after)
    assert not operators_of(after, ChannelAffine)


@pytest.mark.parametrize("case", KEPT)
def test_affine_is_kept_when(case: str) -> None:
    graph = Graph(IMAGE)
    before = graph.build(KEPT[case](graph))
    after = fold_channel_affine(before)
    assert_same_meaning(before, after)
    assert len(operators_of(after, ChannelAffine)) == 1


def test_a_tensor_with_two_readers_is_left_alone() -> None:
    graph = Graph(IMAGE)
    conv = graph.conv2d(graph.input)
    before = graph.build(graph.add(conv, graph.affine(conv)))
    assert fold_channel_affine(before).topology == before.topology


def test_an_affine_with_two_readers_is_left_alone() -> None:
    graph = Graph(IMAGE)
    affine = graph.affine(graph.input)
    before = graph.build(graph.add(graph.conv2d(affine), graph.conv2d(affine)))
    assert fold_channel_affine(before).topology == before.topology


def test_shared_weights_stay_for_the_other_operator() -> None:
    graph = Graph(IMAGE)
    first = graph.depthwise_conv2d(graph.input, RING, multiplier=1)
    second = graph.depthwise_conv2d(graph.affine(first), RING, multiplier=1, shared=True)
    before = graph.build(second)
    after = fold_channel_affine(before)
    assert_same_meaning(before, after)
    one, other = after.topology.operators
    assert (one.weights, other.weights) == ("depthwise_conv2d/kernel_1", "depthwise_conv2d/kernel")
    assert (after.constants[other.weights] == before.constants["depthwise_conv2d/kernel"]).all()


def test_weights_are_rounded_once() -> None:
    graph = Graph(IMAGE)
    before = graph.build(graph.affine(graph.affine(graph.conv2d(graph.input))))
    (conv,) = fold_channel_affine(before).topology.operators
    weights, first, second = (
        before.constants[name].astype(np.float64) for name in ("conv2d/kernel", "affine/scale", "affine_1/scale")
    )
    combined = (first * second).astype(np.float32).astype(np.float64)
    expected = (weights * combined[:, None, None, None]).astype(np.float32)
    assert (fold_channel_affine(before).constants[conv.weights] == expected).all()


def test_an_affine_survives_a_reshape_that_repeats_it() -> None:
    affine = Affine(np.array([2.0, 3.0]), np.array([0.0, 1.0]))
    flat = affine.reshaped((1, 3, 1, 2), (1, 6))
    assert flat is not None
    assert flat.scale.tolist() == [2.0, 3.0] * 3
    back = flat.reshaped((1, 6), (1, 3, 1, 2))
    assert back is not None
    assert back.offset.tolist() == [0.0, 1.0]
    assert flat.reshaped((1, 6), (1, 2, 1, 3)) is None
