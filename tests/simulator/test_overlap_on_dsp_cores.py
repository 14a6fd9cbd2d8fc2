"""Images for a core with DSP instructions in their smallest arenas: outputs are the reference's, and are not where an
output lies one word closer to its input than the kernel's walk allows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sq_micro.board import load_board
from sq_micro.codegen.render import render_board, render_project
from sq_micro.ir.operators import RELU, operator_inputs
from sq_micro.kernels.overlap import ALIGNMENT
from sq_micro.measure.harness import measure
from sq_micro.measure.link.make_link import make_link
from sq_micro.measure.session import Session
from sq_micro.plan.arena import Span
from sq_micro.plan.plan import Plan, make_plan
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.params import Int8Array
from sq_micro.reference.interpreter import run
from sq_micro.toolchain.cmake import BuildRequest
from sq_micro.toolchain.compiler import find_compiler
from sq_micro.toolchain.firmware import build
from tests.models.random_quant_graph import RandomQuantGraph, random_codes

pytestmark = [pytest.mark.slow, pytest.mark.simulator]
SAMPLES = 4


def every_walk(bits: int) -> QuantGraph:
    """Convolutions that shrink, keep and widen, with strides and pads; depthwise of both strides; the rest in place."""
    builder = RandomQuantGraph(bits, (13, 10, 3))
    x = builder.conv2d(builder.input, 8, activation=RELU, bits=bits)
    x = builder.depthwise_conv2d(x, activation=RELU, bits=bits)
    x = builder.conv2d(x, 8, (1, 1), bits=bits)
    x = builder.conv2d(x, 20, (1, 1), activation=RELU, bits=bits)
    x = builder.depthwise_conv2d(x, stride=(2, 2), activation=RELU, bits=bits)
    x = builder.conv2d(x, 12, (3, 2), bits=bits)
    x = builder.add(x, builder.conv2d(x, 12, bits=bits), RELU)
    x = builder.max_pool2d(builder.requantize(x), (2, 2), (1, 1), "same")
    x = builder.conv2d(x, 9, (3, 3), (2, 1), bits=bits)
    return builder.build(builder.softmax(builder.dense(builder.mean(x), 7, bits=bits)))


def every_strip(bits: int) -> QuantGraph:
    """Depthwise windows in place: along rows, along columns, dilated; and two that halve the image."""
    builder = RandomQuantGraph(bits, (11, 12, 6))
    x = builder.depthwise_conv2d(builder.input, (5, 5), activation=RELU, bits=bits)
    x = builder.depthwise_conv2d(x, (7, 1), activation=RELU, bits=bits)
    x = builder.depthwise_conv2d(x, (3, 3), dilation=(2, 2), activation=RELU, bits=bits)
    x = builder.depthwise_conv2d(x, (5, 5), (2, 2), activation=RELU, bits=bits)
    x = builder.depthwise_conv2d(x, (4, 7), (2, 1), activation=RELU, bits=bits)
    return builder.build(builder.softmax(builder.dense(builder.mean(x), 7, bits=bits)))


def outputs(graph: QuantGraph, plan: Plan, codes: Int8Array, folder: Path) -> Int8Array:
    board = load_board("nucleo_l4r5zi")
    render_project(graph, plan).write(folder / "model")
    render_board(graph, plan, board).write(folder / "board")
    compiler = find_compiler(board, "auto")
    request = BuildRequest(folder / "model", folder / "board", folder / "build", board, compiler, plan.arena_bytes)
    link = make_link("simulator", build(request).elf, board)
    with Session(link, model_hash=graph.digest().hex()) as session:
        return measure(session, codes.reshape(len(codes), -1)).outputs


def one_word_closer(graph: QuantGraph, plan: Plan) -> Iterator[Plan]:
    """The output of a convolution moved to where its walk would write over what it still has to read, each in turn."""
    for operator in graph.topology.operators:
        choice = plan.choices[operator.name]
        (source, *_), output = operator_inputs(operator), plan.tensors[operator.output]
        if choice.tiling is None or source not in choice.overlaps:
            continue
        up = operator.name not in plan.downwards
        moved = output.offset_bytes + (ALIGNMENT if up else -ALIGNMENT)
        distance = moved - plan.tensors[source].offset_bytes
        if not choice.overlaps[source].allows(distance) and 0 <= moved <= plan.arena_bytes - output.size_bytes:
            spans = {**plan.tensors, operator.output: Span(moved, output.size_bytes)}
            yield replace(plan, tensors=spans)


@pytest.mark.parametrize("graph", [every_walk(8), every_walk(4), every_walk(3), every_strip(8), every_strip(3)])
def test_the_closest_overlaps_change_no_output(graph: QuantGraph, tmp_path: Path) -> None:
    plan = make_plan(graph.topology, graph.bitwidths, load_board("nucleo_l4r5zi").core.isa, 1)
    codes = random_codes(graph, SAMPLES)
    assert (outputs(graph, plan, codes, tmp_path) == run(graph, codes).reshape(SAMPLES, -1)).all()


def test_one_word_closer_is_caught(tmp_path: Path) -> None:
    graph = every_walk(3)
    plan = make_plan(graph.topology, graph.bitwidths, load_board("nucleo_l4r5zi").core.isa, 1)
    codes = random_codes(graph, SAMPLES)
    expected = np.asarray(run(graph, codes)).reshape(SAMPLES, -1)
    moved = [
        outputs(graph, closer, codes, tmp_path / str(index))
        for index, closer in enumerate(one_word_closer(graph, plan))
    ]
    assert any((found != expected).any() for found in moved), "a later layer may hide one of them, not all"
