"""Which tensors share their params, and where a Requantize must stand between."""

from __future__ import annotations

import numpy as np
import pytest

from sq_micro.errors import QuantizationError
from sq_micro.ir.operators import Concatenate, Operator, Pad, Requantize
from sq_micro.ir.topology import Topology
from sq_micro.quant.calibrate import Range, Ranges
from sq_micro.quant.params import ActivationParams
from sq_micro.quant.sharing import PROBABILITIES, activation_params, insert_requantization, shared_groups
from tests.models.random_quant_graph import RandomQuantGraph
from tests.unit.quant.random_float_graph import float_graph_of


def builder(shape: tuple[int, ...] = (4, 4, 2)) -> RandomQuantGraph:
    return RandomQuantGraph(3, shape)


def topology_of(network: RandomQuantGraph, output: str) -> Topology:
    return float_graph_of(network.build(output)).topology


def ranges(topology: Topology, **known: tuple[float, float]) -> Ranges:
    """A range for every tensor: 0 … 1 unless told."""
    names = [topology.input, *(operator.output for operator in topology.operators)]
    return Ranges({name: Range(*known.get(name, (0.0, 1.0))) for name in names}, "minmax", 1)


def test_moving_operators_share_and_computing_ones_do_not() -> None:
    b = builder()
    padded = b.pad2d(b.input, Pad(1, 1, 1, 1))
    pooled = b.average_pool2d(b.max_pool2d(padded))
    flat = b.reshape(pooled, (2,))
    dense = b.dense(flat, 3)
    group = shared_groups(topology_of(b, dense))
    assert len({group[tensor] for tensor in (b.input, padded, pooled, flat)}) == 1
    assert group[dense] != group[flat]


def test_a_concatenation_joins_the_groups_of_its_inputs() -> None:
    b = builder()
    left, right = b.conv2d(b.input, 2), b.conv2d(b.input, 3)
    pooled = b.max_pool2d(right)
    joined = b.concatenate((left, right))
    topology = topology_of(b, joined)
    group = shared_groups(topology)
    assert group[left] == group[right] == group[joined] == group[pooled]
    assert group[b.input] != group[left]
    params = activation_params(topology, ranges(topology, **{left: (-1.0, 0.5), pooled: (0.0, 3.0)}))
    assert params[left] == params[right] == params[joined] == params[pooled]
    assert params[left].scale == pytest.approx(4 / 255), "the union is −1 … 3"


def test_probabilities_have_the_scale_that_tflite_fixes() -> None:
    b = builder()
    soft = b.softmax(b.dense(b.mean(b.input), 4))
    flat = b.reshape(soft, (2, 2))
    topology = topology_of(b, flat)
    params = activation_params(topology, ranges(topology, **{soft: (0.0, 0.3)}))
    assert params[soft] == params[flat] == PROBABILITIES == ActivationParams(1 / 256, -128)


def kinds(topology: Topology) -> list[type[Operator]]:
    return [type(operator) for operator in topology.operators]


def test_a_requantize_stands_before_each_probability_that_is_concatenated() -> None:
    b = builder()
    conv = b.conv2d(b.input, 2)
    gate = b.max_pool2d(b.sigmoid(conv), (1, 1), (1, 1))
    topology = topology_of(b, b.concatenate((gate, conv, gate)))
    assert Requantize not in kinds(topology)
    inserted = insert_requantization(topology)
    assert kinds(inserted)[-3:] == [Requantize, Requantize, Concatenate]
    first, second, joined = inserted.operators[-3:]
    assert isinstance(joined, Concatenate)
    assert joined.inputs == (first.output, conv, second.output)
    assert first.output != second.output
    assert inserted.shape(first.output) == topology.shape(gate)
    params = activation_params(inserted, ranges(topology, **{conv: (-2.0, 2.0)}))
    assert params[gate] == PROBABILITIES
    assert params[first.output] == params[conv] == params[joined.output]
    assert params[conv].scale == pytest.approx(4 / 255)


def test_nothing_is_inserted_where_no_probability_is_concatenated() -> None:
    b = builder()
    topology = topology_of(b, b.concatenate((b.conv2d(b.input, 2), b.input)))
    assert insert_requantization(topology) == topology


def test_a_tensor_without_a_range_is_named() -> None:
    b = builder()
    conv = b.conv2d(b.input, 2)
    topology = topology_of(b, conv)
    with pytest.raises(QuantizationError, match=f"tensor '{conv}': no range was observed"):
        activation_params(topology, Ranges({b.input: Range(0.0, 1.0)}, "minmax", 1))


def test_ranges_print_one_line_a_tensor() -> None:
    text = str(Ranges({"input": Range(0.0, 1.0), "a_conv": Range(-2.5, float(np.float32(0.1)))}, "mse", 100))
    assert text.splitlines() == [
        "observer mse, 100 samples",
        "tensor      minimum      maximum",
        "input             0            1",
        "a_conv         -2.5          0.1",
    ]
