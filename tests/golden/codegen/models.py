"""The models of the golden files: tiny networks of plain numbers, the same on every machine and for ever.

Nothing in them is random, and every real number is a small fraction, so no rounding of a processor or of a library
can change the text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np

from sq_micro.board import load_board
from sq_micro.codegen.render import render_board, render_project
from sq_micro.ir.operators import (
    NONE,
    RELU,
    ActivationFunction,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Pad,
)
from sq_micro.ir.topology import Role, Shape, TensorSpec
from sq_micro.plan.plan import make_plan
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.narrow import narrowable
from sq_micro.quant.params import ActivationParams, Levels, WeightParams
from tests.models.narrowed import with_activations
from tests.models.random_quant_graph import RandomQuantGraph

BOARD = "nucleo_l4r5zi"


class PlainQuantGraph(RandomQuantGraph):
    """A builder that counts where the other one draws."""

    def __init__(self, shape: Shape) -> None:
        self._drawn = 0
        super().__init__(0, shape, ActivationParams(1 / 128, -128))

    def random_params(self, scale: float | None = None, activation: ActivationFunction = NONE) -> ActivationParams:
        self._drawn += 1
        return ActivationParams((2 + self._drawn) / 128, -128 if activation.minimum is not None else 5 - self._drawn)

    def _add_weights(
        self,
        operator: Conv2D | DepthwiseConv2D | Dense,
        shape: Shape,
        axis: int,
        taps: int,
        bits: int,
        multiplier: float | None,
    ) -> ActivationParams:
        channels = shape[axis]
        books = Levels.of_width(bits)
        levels = np.array([books[channel % len(books)] for channel in range(channels)], np.int8)
        rows = np.stack([_row(Levels(int(level)), bits, taps, start) for start, level in enumerate(levels)])
        moved = np.moveaxis(np.empty(shape, np.int8), axis, 0).shape
        self._tensors[operator.weights] = TensorSpec(operator.weights, shape, Role.WEIGHTS)
        self._tensors[operator.bias] = TensorSpec(operator.bias, (channels,), Role.BIAS)
        scale = np.array([(3 + channel) / (1 << (bits + 2)) for channel in range(channels)], np.float32)
        self._weights[operator.weights] = WeightParams(scale, bits, axis)
        self._codes[operator.weights] = np.ascontiguousarray(np.moveaxis(rows.reshape(moved), 0, axis))
        self._biases[operator.bias] = np.array([100 - 37 * channel for channel in range(channels)], np.int32)
        self._levels[operator.weights] = levels
        self._bits[operator.name] = bits
        return self.random_params(activation=operator.activation)


def _row(levels: Levels, bits: int, taps: int, start: int) -> np.ndarray:
    low, high = levels.limits(bits)
    values = np.arange(low, high + 1, 2 if levels is Levels.ODD else 1)
    return values[(7 * np.arange(taps) + start) % len(values)].astype(np.int8)


def conv_dense() -> QuantGraph:
    """A convolution and a dense layer of 8 bits."""
    b = PlainQuantGraph((6, 6, 1))
    x = b.conv2d(b.input, 4, (3, 3), (2, 2), activation=RELU)
    return _named("conv dense", b.build(b.dense(b.reshape(x, (36,)), 3)))


def mixed() -> QuantGraph:
    """Widths of 2, 3, 4, 5 and 6 bits, branches, and the operators that the other model lacks."""
    b = PlainQuantGraph((6, 5, 2))
    x = b.conv2d(b.input, 5, (3, 3), (1, 2), activation=RELU, bits=4)
    x = b.add(x, b.depthwise_conv2d(x, (3, 3), bits=3), RELU)
    gate = b.sigmoid(b.conv2d(x, 3, (1, 1), bits=2))
    x = b.max_pool2d(b.pad2d(b.concatenate((x, gate)), Pad(1, 0, 0, 1)))
    x = b.relu(b.average_pool2d(x, (2, 1), (1, 1)))
    x = b.dense(b.mean(b.conv2d(x, 4, (1, 1), bits=5)), 3, bits=6)
    return _named("mixed/widths v2", b.build(b.softmax(x)))


def moves_only() -> QuantGraph:
    """A network without weights."""
    b = PlainQuantGraph((4, 4, 1))
    return _named("moves_only", b.build(b.max_pool2d(b.input)))


def packed() -> QuantGraph:
    """Activations of 4 bits beside one of 8: windows, elements, a mean."""
    b = PlainQuantGraph((6, 5, 2))
    x = b.conv2d(b.input, 5, (3, 3), (1, 2), activation=RELU)
    wide = b.depthwise_conv2d(x, (3, 3), bits=4)
    x = b.max_pool2d(b.conv2d(b.add(x, wide, RELU), 3, (1, 1), bits=4))
    graph = _named("packed", b.build(b.dense(b.mean(x), 3)))
    tensors = {tensor for shared in narrowable(graph.topology).values() for tensor in shared} - {wide}
    return with_activations(graph, {**graph.activations, **dict.fromkeys(tensors, ActivationParams(1 / 4, 2, 4))})


MODELS = {"conv_dense": conv_dense, "mixed": mixed, "moves_only": moves_only, "packed": packed}


def _named(name: str, graph: QuantGraph) -> QuantGraph:
    return replace(graph, topology=replace(graph.topology, name=name))


def golden_files(graph: QuantGraph) -> Mapping[PurePosixPath, str]:
    """What is generated for a model and its board, without what is only copied: the licence and the kernels."""
    plan = make_plan(graph.topology, graph.bitwidths)
    project = render_project(graph, plan).files
    board = render_board(graph, plan, load_board(BOARD)).files
    kept = {path: text for path, text in project.items() if path.parts[0] != "sqm" and path.name != "LICENSE"}
    return kept | {PurePosixPath("board") / path: text for path, text in board.items()}
