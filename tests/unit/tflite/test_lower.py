from __future__ import annotations

from dataclasses import replace

import pytest

from sq_micro.errors import GraphError
from sq_micro.ir.operators import NONE, RELU, RELU6, ActivationFunction, Identity, Pad, Size
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.params import ActivationParams
from sq_micro.tflite.lower import lower, padding_scheme
from tests.models.random_quant_graph import RandomQuantGraph, resnet8

SAME, VALID = 0, 1


def operation_codes(graph: QuantGraph) -> list[str]:
    return [operation.code for operation in lower(graph).operations]


@pytest.mark.parametrize(
    ("image", "output", "stride", "padding", "expected"),
    [
        ((8, 8), (6, 6), (1, 1), Pad(), VALID),
        ((8, 8), (8, 8), (1, 1), Pad(1, 1, 1, 1), SAME),
        ((8, 8), (4, 4), (2, 2), Pad(0, 1, 0, 1), SAME),
        ((8, 8), (4, 4), (2, 2), Pad(1, 1, 1, 1), None),
        ((9, 9), (5, 5), (2, 2), Pad(1, 1, 1, 1), SAME),
        ((8, 8), (8, 6), (1, 1), Pad(1, 1, 0, 0), None),
        ((8, 8), (9, 9), (1, 1), Pad(1, 2, 1, 2), None),
    ],
)
def test_padding_is_same_or_valid_where_it_coincides(
    image: Size, output: Size, stride: Size, padding: Pad, expected: int | None
) -> None:
    assert padding_scheme(image, output, (3, 3), stride, (1, 1), padding) == expected


def test_other_padding_becomes_an_operator() -> None:
    builder = RandomQuantGraph(0, (8, 8, 2))
    x = builder.conv2d(builder.input, 2, stride=(2, 2), padding=Pad(1, 1, 1, 1))
    graph = builder.build(builder.max_pool2d(x, (2, 2), (1, 1), Pad(1, 1, 1, 1)))
    assert operation_codes(graph) == ["PAD", "CONV_2D", "PADV2", "MAX_POOL_2D"]


def test_an_average_pool_with_padding_of_its_own_is_refused() -> None:
    builder = RandomQuantGraph(0, (8, 8, 2))
    graph = builder.build(builder.average_pool2d(builder.input, padding=Pad(1, 1, 1, 1)))
    with pytest.raises(GraphError, match="average pool"):
        lower(graph)


@pytest.mark.parametrize(
    ("activation", "scale", "zero_point", "expected"),
    [
        (NONE, 0.1, 0, ["CONV_2D"]),
        (RELU, 0.1, 0, ["CONV_2D"]),
        (RELU6, 0.1, 0, ["CONV_2D"]),
        (ActivationFunction(0, 4), 4 / 255, -128, ["CONV_2D"]),  # the output ends at 4 anyway
        (ActivationFunction(0, 4), 0.1, -128, ["CONV_2D", "MINIMUM"]),
        (ActivationFunction(None, 4), 0.1, 0, ["CONV_2D", "MINIMUM"]),
        (ActivationFunction(-2, None), 0.1, 0, ["CONV_2D", "MAXIMUM"]),
        (ActivationFunction(-2, 4), 0.1, 0, ["CONV_2D", "MAXIMUM", "MINIMUM"]),
        (ActivationFunction(-1, 1), 0.1, 0, ["CONV_2D"]),
    ],
)
def test_clamps_are_fused_where_they_can_be(
    activation: ActivationFunction, scale: float, zero_point: int, expected: list[str]
) -> None:
    builder = RandomQuantGraph(0, (4, 4, 2))
    builder.random_params = lambda *_, **__: ActivationParams(scale, zero_point)  # type: ignore[method-assign]
    assert operation_codes(builder.build(builder.conv2d(builder.input, 2, activation=activation))) == expected


def test_more_than_ten_inputs_are_joined_in_groups() -> None:
    builder = RandomQuantGraph(0, (3, 3, 1))
    graph = builder.build(builder.concatenate((builder.input,) * 20))
    model = lower(graph)
    assert [len(operation.inputs) for operation in model.operations] == [10, 10, 2]
    assert model.tensors[model.operations[1].output].shape == (1, 3, 3, 19)


def test_a_graph_that_was_not_canonicalised_is_refused() -> None:
    builder = RandomQuantGraph(0, (3,))
    graph = builder.build(builder.relu(builder.input))
    name = graph.topology.output
    topology = replace(graph.topology, operators=(Identity(name, "input", name),))
    with pytest.raises(GraphError, match="canonicalisation"):
        lower(replace(graph, topology=topology))


def test_resnet8_needs_no_extra_operators() -> None:
    graph = resnet8()
    assert len(operation_codes(graph)) == len(graph.topology.operators)
