"""Float graphs for the passes: built by hand, and drawn at random with a taste for what passes act on.

graph = Graph((4, 4, 2))
x = graph.conv2d(graph.input, padding=Pad(1, 1, 1, 1))
graph.build(graph.affine(x))
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from sq_micro.frontend.graph_builder import GraphBuilder, Value
from sq_micro.ir import evaluate
from sq_micro.ir.float_graph import FloatGraph
from sq_micro.ir.operators import (
    NONE,
    RELU,
    RELU6,
    ActivationFunction,
    Add,
    AveragePool2D,
    ChannelAffine,
    Concatenate,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Identity,
    MaxPool2D,
    Mean,
    Operator,
    Pad,
    Pad2D,
    Relu,
    Reshape,
    Sigmoid,
    Softmax,
)
from sq_micro.ir.topology import Role, Shape
from sq_micro.ir.verify import verify_float_graph

NO_PAD = Pad()
RING = Pad(1, 1, 1, 1)


class Graph:
    """Adds operators, each named after its kind, with random constants; methods take and return Values."""

    def __init__(self, shape: Shape, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.builder = GraphBuilder(())
        self.input = self.builder.input("input", shape)
        self._weights: dict[Shape, str] = {}

    def conv2d(
        self,
        x: Value,
        padding: Pad = NO_PAD,
        activation: ActivationFunction = NONE,
        stride: int = 1,
        shared: bool = False,
    ) -> Value:
        name, channels, size = self._name("conv2d"), 3, 2 if min(x.shape[:2]) > 1 or padding else 1
        weights = self._constant(name, "kernel", (channels, size, size, x.channels), Role.WEIGHTS, shared)
        bias = self._constant(name, "bias", (channels,), Role.BIAS)
        operator = Conv2D(name, x.tensor, weights, bias, name, (stride, stride), (1, 1), padding, activation)
        return self.builder.add(operator, (*self._slid(x, size, stride, padding), channels))

    def depthwise_conv2d(self, x: Value, padding: Pad = NO_PAD, multiplier: int = 2, shared: bool = False) -> Value:
        name, size = self._name("depthwise_conv2d"), 2 if min(x.shape[:2]) > 1 or padding else 1
        channels = x.channels * multiplier
        weights = self._constant(name, "kernel", (1, size, size, channels), Role.WEIGHTS, shared)
        bias = self._constant(name, "bias", (channels,), Role.BIAS)
        operator = DepthwiseConv2D(name, x.tensor, weights, bias, name, (1, 1), (1, 1), padding, multiplier)
        return self.builder.add(operator, (*self._slid(x, size, 1, padding), channels))

    def dense(self, x: Value, activation: ActivationFunction = NONE, shared: bool = False) -> Value:
        name, units = self._name("dense"), 4
        weights = self._constant(name, "kernel", (units, x.channels), Role.WEIGHTS, shared)
        bias = self._constant(name, "bias", (units,), Role.BIAS)
        return self.builder.add(Dense(name, x.tensor, weights, bias, name, activation), (units,))

    def affine(self, x: Value, offset: bool = True, positive: bool = False) -> Value:
        name = self._name("affine")
        scale = self.rng.normal(size=x.channels)
        shift = self.rng.normal(size=x.channels) * offset
        scale_name = self.builder.constant(f"{name}/scale", np.abs(scale) if positive else scale, Role.CONSTANT)
        offset_name = self.builder.constant(f"{name}/offset", shift, Role.CONSTANT)
        return self.builder.add(ChannelAffine(name, x.tensor, scale_name, offset_name, name), x.shape)

    def add(self, x: Value, y: Value, activation: ActivationFunction = NONE) -> Value:
        name = self._name("add")
        return self.builder.add(Add(name, x.tensor, y.tensor, name, activation), x.shape)

    def concatenate(self, x: Value, y: Value) -> Value:
        name = self._name("concatenate")
        shape = (*x.shape[:-1], x.channels + y.channels)
        return self.builder.add(Concatenate(name, (x.tensor, y.tensor), name, len(x.nhwc) - 1), shape)

    def pad2d(self, x: Value, padding: Pad = RING) -> Value:
        name, (height, width, channels) = self._name("pad2d"), x.shape
        shape = (height + padding.top + padding.bottom, width + padding.left + padding.right, channels)
        return self.builder.add(Pad2D(name, x.tensor, name, padding), shape)

    def max_pool2d(self, x: Value, padding: Pad = RING) -> Value:
        name = self._name("max_pool2d")
        operator = MaxPool2D(name, x.tensor, name, (2, 2), (2, 2), padding)
        return self.builder.add(operator, (*self._slid(x, 2, 2, padding), x.channels))

    def average_pool2d(self, x: Value, padding: Pad = RING) -> Value:
        name = self._name("average_pool2d")
        operator = AveragePool2D(name, x.tensor, name, (2, 2), (1, 1), padding)
        return self.builder.add(operator, (*self._slid(x, 2, 1, padding), x.channels))

    def mean(self, x: Value) -> Value:
        return self._unary(Mean, "mean", x, (x.channels,))

    def reshape(self, x: Value, shape: Shape) -> Value:
        return self._unary(Reshape, "reshape", x, shape)

    def flatten(self, x: Value) -> Value:
        return self.reshape(x, (int(np.prod(x.shape)),))

    def relu(self, x: Value, activation: ActivationFunction = RELU) -> Value:
        name = self._name("relu")
        return self.builder.add(Relu(name, x.tensor, name, activation), x.shape)

    def softmax(self, x: Value) -> Value:
        return self._unary(Softmax, "softmax", x, x.shape)

    def sigmoid(self, x: Value) -> Value:
        return self._unary(Sigmoid, "sigmoid", x, x.shape)

    def identity(self, x: Value) -> Value:
        return self._unary(Identity, "identity", x, x.shape)

    def build(self, output: Value) -> FloatGraph:
        graph = self.builder.build("test", self.input, output)
        verify_float_graph(graph, after="the test")
        return graph

    def _name(self, kind: str) -> str:
        return self.builder.unique_name(kind)

    def _constant(self, name: str, what: str, shape: Shape, role: Role, shared: bool = False) -> str:
        """A new constant, or if shared an earlier one of this shape."""
        if shared and shape in self._weights:
            return self._weights[shape]
        self._weights[shape] = self.builder.constant(f"{name}/{what}", self.rng.normal(size=shape), role)
        return self._weights[shape]

    def _unary(self, kind: Any, word: str, x: Value, shape: Shape) -> Value:
        name = self._name(word)
        return self.builder.add(kind(name, x.tensor, name), shape)

    def _slid(self, x: Value, size: int, stride: int, padding: Pad) -> tuple[int, int]:
        height = x.shape[0] + padding.top + padding.bottom
        width = x.shape[1] + padding.left + padding.right
        return ((height - size) // stride + 1, (width - size) // stride + 1)


_CLAMPS = st.sampled_from([RELU, RELU6, ActivationFunction(0.0, 0.5), ActivationFunction(None, 0.25)])
_MOST_OPERATORS = 12


@st.composite
def float_graphs(draw: st.DrawFn) -> FloatGraph:
    """Up to twelve operators on images of at least 2×2 and vectors, with branches and shared weights."""
    graph = Graph(draw(st.sampled_from([(4, 4, 2), (3, 5, 1), (6,)])), seed=draw(st.integers(0, 2**16)))
    values = [graph.input]
    for _ in range(draw(st.integers(1, _MOST_OPERATORS))):
        x = draw(st.sampled_from([values[-1], values[-1], values[-1], *values]))
        step = draw(st.sampled_from(_ON_VECTORS if len(x.shape) == 1 else _ON_IMAGES))
        values.append(step(draw, graph, x, [value for value in values if value.shape == x.shape]))
    last = values[-1]
    built = graph.build(graph.affine(last) if last is graph.input else last)
    assume(not _is_idle(built))
    return built


def _is_idle(graph: FloatGraph) -> bool:
    """Whether the output is the input; canonicalisation refuses such a graph."""
    topology, tensor = graph.topology, graph.topology.output
    while isinstance(operator := topology.producer(tensor), Identity | Reshape | Pad2D):
        if isinstance(operator, Pad2D) and operator.padding:
            return False
        tensor = operator.input
    return tensor == topology.input and topology.shape(tensor) == topology.shape(topology.output)


_ON_BOTH = [
    lambda draw, graph, x, same: graph.affine(x, offset=draw(st.booleans()), positive=draw(st.booleans())),
    lambda draw, graph, x, same: graph.affine(x, offset=draw(st.booleans()), positive=draw(st.booleans())),
    lambda draw, graph, x, same: graph.relu(x, draw(_CLAMPS)),
    lambda draw, graph, x, same: graph.relu(x, draw(_CLAMPS)),
    lambda draw, graph, x, same: graph.add(x, draw(st.sampled_from(same)), draw(st.sampled_from([NONE, RELU]))),
    lambda draw, graph, x, same: graph.concatenate(x, draw(st.sampled_from(same))),
    lambda draw, graph, x, same: graph.identity(x),
    lambda draw, graph, x, same: graph.sigmoid(x),
    lambda draw, graph, x, same: graph.reshape(x, x.shape),
]
_ON_IMAGES = [
    *_ON_BOTH,
    lambda draw, graph, x, same: graph.conv2d(x, draw(_PADS), draw(_MAYBE_CLAMPS), shared=draw(st.booleans())),
    lambda draw, graph, x, same: graph.conv2d(
        x, draw(_PADS), stride=draw(st.integers(1, 2)), shared=draw(st.booleans())
    ),
    lambda draw, graph, x, same: graph.depthwise_conv2d(x, draw(_PADS), shared=draw(st.booleans())),
    lambda draw, graph, x, same: graph.pad2d(x, draw(_PADS)),
    lambda draw, graph, x, same: graph.max_pool2d(x),
    lambda draw, graph, x, same: graph.average_pool2d(x),
    lambda draw, graph, x, same: graph.mean(x),
    lambda draw, graph, x, same: graph.flatten(x),
    lambda draw, graph, x, same: graph.reshape(x, (x.shape[1], x.shape[0], x.channels)),
]
_ON_VECTORS = [
    *_ON_BOTH,
    lambda draw, graph, x, same: graph.dense(x, draw(_MAYBE_CLAMPS), shared=draw(st.booleans())),
    lambda draw, graph, x, same: graph.dense(x, shared=draw(st.booleans())),
    lambda draw, graph, x, same: graph.softmax(x),
    lambda draw, graph, x, same: graph.reshape(x, (1, 1, x.channels)),
]
_PADS = st.sampled_from([Pad(), RING, Pad(0, 1, 2, 0)])
_MAYBE_CLAMPS = st.sampled_from([NONE, NONE, RELU, RELU6])


def samples_for(graph: FloatGraph, count: int = 3) -> np.ndarray:
    shape = graph.topology.shape(graph.topology.input)[1:]
    return np.random.default_rng(5).normal(size=(count, *shape)).astype(np.float32)


def assert_same_meaning(before: FloatGraph, after: FloatGraph) -> None:
    """Both valid, with the same input, output shape and outputs."""
    verify_float_graph(after, after="the pass under test")
    assert after.topology.input == before.topology.input
    assert after.topology.shape(after.topology.output) == before.topology.shape(before.topology.output)
    samples = samples_for(before)
    expected = evaluate.run(before, samples)
    largest = max(float(np.abs(expected).max()), 1e-3)
    np.testing.assert_allclose(evaluate.run(after, samples), expected, rtol=0, atol=1e-4 * largest)


def operators_of(graph: FloatGraph, kind: type[Operator]) -> list[Any]:
    return [operator for operator in graph.topology.operators if isinstance(operator, kind)]
