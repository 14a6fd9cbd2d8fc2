"""Operators × stages: every operator goes through every stage that may meet it, or the empty cell is named.

An operator is pure data, so adding one means filling a cell in each stage; `assert_never` lets mypy see most of
them, this test sees the rest by sending a network of that one operator through.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np
import pytest

from sq_micro.codegen.model_view import make_model_view
from sq_micro.ir import evaluate
from sq_micro.ir.bitwidths import WEIGHT_BITS, Bitwidths
from sq_micro.ir.float_graph import FloatGraph
from sq_micro.ir.operators import (
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
    Requantize,
    Reshape,
    Sigmoid,
    Softmax,
    kind,
)
from sq_micro.ir.topology import Role, TensorSpec, Topology, macs
from sq_micro.kernels.select import select_kernels
from sq_micro.paths import project_files
from sq_micro.plan.plan import make_plan
from sq_micro.quant.graph import QuantGraph, derive_arithmetic
from sq_micro.reference.interpreter import run
from sq_micro.tflite.lower import lower
from tests.models.random_quant_graph import RandomQuantGraph, random_codes

BEFORE_CANONICALISATION = (ChannelAffine, Identity)
WITHOUT_ARITHMETIC = (Concatenate, Pad2D, MaxPool2D, AveragePool2D, Reshape)  # codes move, or are compared
OPERATORS: tuple[type[Operator], ...] = get_args(Operator)

NETWORKS: Mapping[type[Operator], Callable[[RandomQuantGraph], str]] = {
    Conv2D: lambda b: b.conv2d(b.input, 4, bits=4),
    DepthwiseConv2D: lambda b: b.depthwise_conv2d(b.input, bits=3),
    Dense: lambda b: b.dense(b.input, 3, bits=2),
    Add: lambda b: b.add(b.input, b.input),
    Concatenate: lambda b: b.concatenate((b.input, b.input)),
    Pad2D: lambda b: b.pad2d(b.input, Pad(1, 0, 2, 1)),
    MaxPool2D: lambda b: b.max_pool2d(b.input),
    AveragePool2D: lambda b: b.average_pool2d(b.input),
    Mean: lambda b: b.mean(b.input),
    Reshape: lambda b: b.reshape(b.input, (4, 8, 1)),
    Relu: lambda b: b.relu(b.input),
    Softmax: lambda b: b.softmax(b.input),
    Sigmoid: lambda b: b.sigmoid(b.input),
    Requantize: lambda b: b.requantize(b.input),
}


@dataclass(frozen=True)
class Network:
    """One operator, as a network of floats, and of integers where it reaches quantization."""

    operator: Operator
    floats: FloatGraph
    integers: QuantGraph | None


def network(kind_: type[Operator]) -> Network:
    if kind_ in NETWORKS:
        builder = RandomQuantGraph(seed=5, shape=(4, 4, 2))
        graph = builder.build(NETWORKS[kind_](builder))
        constants = {name: codes.astype(np.float32) for name, codes in (*graph.codes.items(), *graph.biases.items())}
        return Network(graph.topology.operators[-1], FloatGraph(graph.topology, constants, (4, 4, 2)), graph)
    operator = Identity("x", "input", "x") if kind_ is Identity else ChannelAffine("x", "input", "scale", "offset", "x")
    tensors = {
        "input": TensorSpec("input", (1, 4, 4, 2), Role.INPUT),
        "x": TensorSpec("x", (1, 4, 4, 2), Role.OUTPUT),
        "scale": TensorSpec("scale", (2,), Role.CONSTANT),
        "offset": TensorSpec("offset", (2,), Role.CONSTANT),
    }
    topology = Topology("one", tensors, (operator,), "input", "x")
    constants = {"scale": np.ones(2, np.float32), "offset": np.zeros(2, np.float32)}
    return Network(operator, FloatGraph(topology, constants, (4, 4, 2)), None)


def sent_through_evaluate(found: Network) -> None:
    topology = found.floats.topology
    output = evaluate.run(found.floats, np.ones((3, 4, 4, 2), np.float32))
    assert output.shape == (3, *topology.shape(topology.output)[1:])


def sent_through_counting(found: Network) -> None:
    assert kind(found.operator)
    assert macs(found.operator, found.floats.topology) >= 0


def sent_through_arithmetic(found: Network) -> None:
    graph = integers(found)
    derived = derive_arithmetic(found.operator, graph.topology, graph.activations, graph.weights)
    assert (derived is None) == isinstance(found.operator, WITHOUT_ARITHMETIC)


def sent_through_reference(found: Network) -> None:
    graph = integers(found)
    assert len(run(graph, random_codes(graph, 2))) == 2


def sent_through_export(found: Network) -> None:
    assert lower(integers(found)).operations


def sent_through_kernels(found: Network) -> None:
    graph = integers(found)
    for bits in WEIGHT_BITS:
        bitwidths = Bitwidths(dict.fromkeys(graph.bitwidths.weights, bits))
        choice = select_kernels(graph.topology, bitwidths)[found.operator.name]
        assert (choice.variant is not None) == bool(graph.bitwidths.weights)


def sent_through_codegen(found: Network) -> None:
    """The nest that the generated code calls is one that the firmware has."""
    graph = integers(found)
    executed = make_model_view(graph, make_plan(graph.topology, graph.bitwidths)).operators
    if isinstance(found.operator, Reshape):
        assert not executed
        return
    assert executed[-1].symbol.endswith(kind(found.operator))
    operators = project_files() / "firmware" / "kernels" / "operators"
    nests = "\n".join(path.read_text(encoding="utf-8") for path in operators.glob("*.h"))
    assert re.search(rf"void sqm_{executed[-1].nest}\(", nests)


def integers(found: Network) -> QuantGraph:
    assert found.integers is not None
    return found.integers


STAGES: tuple[tuple[str, Callable[[Network], None]], ...] = (
    ("evaluate", sent_through_evaluate),
    ("counting", sent_through_counting),
    ("arithmetic", sent_through_arithmetic),
    ("reference", sent_through_reference),
    ("export", sent_through_export),
    ("kernels", sent_through_kernels),
    ("codegen", sent_through_codegen),
)


def empty_cells(found: Network, name: str) -> list[str]:
    cells = []
    for stage, send in STAGES:
        if found.integers is None and stage not in ("evaluate", "counting"):
            continue
        try:
            send(found)
        except Exception as error:
            cells.append(f"{name} × {stage}: {type(error).__name__}: {error}")
    return cells


@pytest.mark.parametrize("kind_", OPERATORS, ids=lambda kind_: kind_.__name__)
def test_no_cell_is_empty(kind_: type[Operator]) -> None:
    assert kind_ in (*NETWORKS, *BEFORE_CANONICALISATION), f"{kind_.__name__} has no network in this test"
    cells = empty_cells(network(kind_), kind_.__name__)
    assert not cells, "\n" + "\n".join(cells)


def test_an_unknown_operator_has_every_cell_empty() -> None:
    @dataclass(frozen=True)
    class Mystery:
        name: str
        input: str
        output: str

    known = network(Sigmoid)
    graph = integers(known)
    operator: Any = Mystery("mystery", known.operator.input, known.operator.output)
    topology = replace(graph.topology, operators=(operator,))
    mystery = Network(operator, replace(known.floats, topology=topology), replace(graph, topology=topology))
    cells = empty_cells(mystery, "Mystery")
    # kernels: an operator without weights needs no microkernel, whatever it is.
    assert {cell.split(":")[0] for cell in cells} == {f"Mystery × {stage}" for stage, _ in STAGES if stage != "kernels"}
