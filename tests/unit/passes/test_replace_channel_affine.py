"""A ChannelAffine that no weights could take is a depthwise convolution of one pixel."""

from __future__ import annotations

from sq_micro.ir.operators import DepthwiseConv2D, Relu, Reshape
from sq_micro.passes import canonicalise
from sq_micro.passes.replace_channel_affine import replace_channel_affine
from tests.unit.passes.float_graphs import Graph, assert_same_meaning


def test_an_image_is_scaled_in_place() -> None:
    graph = Graph((4, 4, 2))
    before = graph.build(graph.relu(graph.affine(graph.input)))
    after = replace_channel_affine(before)
    assert_same_meaning(before, after)
    depthwise, _ = after.topology.operators
    assert isinstance(depthwise, DepthwiseConv2D)
    assert depthwise.name == "affine"
    assert after.topology.shape(depthwise.weights) == (1, 1, 1, 2)


def test_a_vector_is_scaled_as_one_pixel() -> None:
    graph = Graph((6,))
    before = graph.build(graph.affine(graph.relu(graph.input)))
    after = replace_channel_affine(before)
    assert_same_meaning(before, after)
    assert [type(operator) for operator in after.topology.operators] == [Relu, Reshape, DepthwiseConv2D, Reshape]
    assert after.topology.operators[2].name == "affine"


def test_reshapes_around_a_pixel_are_not_doubled() -> None:
    graph = Graph((2, 2, 2))
    before = graph.build(graph.relu(graph.affine(graph.flatten(graph.relu(graph.input)))))
    after = canonicalise(before)
    assert_same_meaning(before, after)
    assert [type(operator) for operator in after.topology.operators] == [Relu, Reshape, DepthwiseConv2D, Reshape]
