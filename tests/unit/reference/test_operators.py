from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sq_micro.errors import GraphError
from sq_micro.ir.operators import ChannelAffine, Identity, Operator
from sq_micro.reference.operators import prepare
from tests.models.random_quant_graph import RandomQuantGraph


@pytest.mark.parametrize("operator", [Identity("drop", "input", "y"), ChannelAffine("bn", "input", "s", "o", "y")])
def test_operators_that_canonicalisation_removes_are_refused(operator: Operator) -> None:
    builder = RandomQuantGraph(0, (4,))
    graph = builder.build(builder.relu(builder.input))
    with pytest.raises(GraphError, match="canonicalisation"):
        prepare(operator, graph)


def test_arithmetic_of_another_operator_is_refused() -> None:
    builder = RandomQuantGraph(0, (4,))
    graph = builder.build(builder.softmax(builder.relu(builder.input)))
    relu, softmax = graph.topology.operators
    swapped = replace(graph, arithmetic={relu.name: graph.arithmetic[softmax.name]})
    with pytest.raises(GraphError, match="Rescaling"):
        prepare(relu, swapped)


def test_concatenate_joins_in_order() -> None:
    builder = RandomQuantGraph(0, (2, 2, 1))
    graph = builder.build(builder.concatenate((builder.input, builder.input), 1))
    compute = prepare(graph.topology.operators[0], graph)
    first, second = (np.full((1, 2, 2, 1), value, np.int8) for value in (1, 2))
    assert compute(first, second)[0, :, 0, 0].tolist() == [1, 1, 2, 2]
