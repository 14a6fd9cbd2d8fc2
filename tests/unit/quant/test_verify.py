"""Defects that are planted in a valid graph are found, and named."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sq_micro.errors import GraphError, QuantizationError
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.operators import Pad
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.params import ActivationParams, Levels
from sq_micro.quant.verify import verify_quant_graph
from tests.models.random_quant_graph import RandomQuantGraph

PARAMS = ActivationParams(0.5, 3)
OTHER = ActivationParams(0.25, 3)


def sound_graph() -> QuantGraph:
    b = RandomQuantGraph(4, (4, 4, 2), PARAMS)
    x = b.concatenate((b.pad2d(b.input, Pad(0, 0, 0, 0)), b.input))
    x = b.reshape(b.average_pool2d(b.max_pool2d(x, (1, 1), (1, 1)), (1, 1), (1, 1)), (8, 8, 1))
    x = b.depthwise_conv2d(b.conv2d(x, 4, bits=4), bits=3)
    return b.build(b.dense(b.mean(b.relu(x)), 3, bits=2))


GRAPH = sound_graph()
NAMES = {type(operator).__name__: operator.name for operator in GRAPH.topology.operators}
CONV, DEPTHWISE, DENSE = tuple(GRAPH.topology.weighted())


def with_code(tensor: str, value: int) -> QuantGraph:
    codes = GRAPH.codes[tensor].copy()
    codes[..., -1] = value
    return replace(GRAPH, codes={**GRAPH.codes, tensor: codes})


def with_params(tensor: str) -> QuantGraph:
    return replace(GRAPH, activations={**GRAPH.activations, tensor: OTHER})


def with_levels(tensor: str, levels: Levels) -> QuantGraph:
    return replace(GRAPH, levels={**GRAPH.levels, tensor: np.full_like(GRAPH.levels[tensor], levels)})


def with_shift(operator: str, shift: int) -> QuantGraph:
    derived: Any = GRAPH.arithmetic[operator]
    wanted = np.full_like(derived.shift, shift) if isinstance(derived.shift, np.ndarray) else shift
    return replace(GRAPH, arithmetic={**GRAPH.arithmetic, operator: replace(derived, shift=wanted)})


def test_a_sound_graph_passes() -> None:
    verify_quant_graph(GRAPH)


@pytest.mark.parametrize(
    ("graph", "operator", "rule"),
    [
        (with_code(CONV.weights, 9), CONV.name, r"channel \d stays within its 4-bit levels"),
        (with_code(CONV.weights, -9), CONV.name, r"channel \d stays within its 4-bit levels"),
        (with_code(DEPTHWISE.weights, 5), DEPTHWISE.name, "channel 3 stays within its 3-bit levels"),
        (with_levels(DENSE.weights, Levels.ODD), DENSE.name, r"channel \d stays within its 2-bit levels"),
        (
            replace(GRAPH, bitwidths=Bitwidths({**GRAPH.bitwidths.weights, CONV.name: 5})),
            CONV.name,
            "has weights of the width that was asked for",
        ),
        *(
            (with_params(NAMES[kind]), NAMES[kind], "moves codes between tensors of the same scale")
            for kind in ("Pad2D", "Concatenate", "MaxPool2D", "AveragePool2D", "Reshape")
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_defect_of_ours_is_named(graph: QuantGraph, operator: str, rule: str) -> None:
    with pytest.raises(GraphError, match=rf"operator '{operator}' breaks the rule '{rule}'") as caught:
        verify_quant_graph(graph)
    assert caught.value.exit_code == 1


def test_an_even_weight_among_odd_levels_is_found() -> None:
    graph = replace(
        with_levels(DENSE.weights, Levels.ODD),
        codes={**GRAPH.codes, DENSE.weights: np.ones_like(GRAPH.codes[DENSE.weights])},
    )
    verify_quant_graph(graph)
    codes = graph.codes[DENSE.weights].copy()
    codes[1, 0] = 2
    with pytest.raises(GraphError, match="channel 1 stays within its 2-bit levels"):
        verify_quant_graph(replace(graph, codes={**graph.codes, DENSE.weights: codes}))


def with_bias(graph: QuantGraph, value: int) -> QuantGraph:
    biases = graph.biases[DENSE.bias].copy()
    biases[2] = value
    return replace(graph, biases={**graph.biases, DENSE.bias: biases})


@pytest.mark.parametrize("sign", [1, -1])
def test_the_bound_of_an_accumulator_is_exact(sign: int) -> None:
    """|bias| + 255·Σ|w| leaves room for the output's zero point, which is added last, and for nothing more."""
    graph = with_shift(DENSE.name, 0)
    products = 255 * int(np.abs(graph.codes[DENSE.weights][2].astype(int)).sum())
    fits = (1 << 31) - 1 - 255 - products
    verify_quant_graph(with_bias(graph, sign * fits))
    with pytest.raises(QuantizationError, match=re.escape(f"channel 2 of '{DENSE.name}' can leave int32")) as caught:
        verify_quant_graph(with_bias(graph, sign * (fits + 1)))
    assert caught.value.exit_code == 4


@pytest.mark.parametrize(("operator", "most"), [(NAMES["Relu"], 23), (NAMES["Mean"], 17)])
def test_a_left_shift_that_leaves_int32_is_found(operator: str, most: int) -> None:
    """255 · 2^23 fits in int32; a mean of 64 pixels has 6 bits less room."""
    verify_quant_graph(with_shift(operator, most))
    with pytest.raises(QuantizationError, match=f"'{operator}' can leave int32"):
        verify_quant_graph(with_shift(operator, most + 1))
