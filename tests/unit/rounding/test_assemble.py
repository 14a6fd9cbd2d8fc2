"""Weights that were rounded elsewhere become the same kind of graph."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sq_micro.errors import GraphError
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.quant.calibrate import observe
from sq_micro.quant.quantize import BIAS_LIMIT, Frame, assemble, nearest_weights, quantize, weight_rows, weights_of_rows
from sq_micro.reference.operators import prepare
from tests.unit.quant.random_float_graph import random_float_network
from tests.unit.rounding.test_network import all_at, residual_network


@pytest.mark.parametrize("seed", range(6))
def test_nearest_weights_assembled_are_plain_quantization(seed: int) -> None:
    graph, samples = random_float_network(seed)
    ranges, bitwidths = observe(graph, samples), all_at(graph, 5)
    frame = Frame.of(graph, ranges)
    weights = {op.name: nearest_weights(frame, op, 5) for op in frame.topology.weighted()}
    assert assemble(graph, ranges, bitwidths, weights).digest() == quantize(graph, ranges, bitwidths).digest()


def test_one_operator_alone_computes_what_it_does_in_the_network() -> None:
    graph, samples = residual_network()
    ranges = observe(graph, samples)
    frame, whole = Frame.of(graph, ranges), quantize(graph, ranges, all_at(graph, 4))
    codes = whole.quantize_input(samples)
    first = next(frame.topology.weighted())
    alone = frame.operator_graph(first, nearest_weights(frame, first, 4), 4)
    np.testing.assert_array_equal(prepare(first, alone)(codes), prepare(first, whole)(codes))


@pytest.mark.parametrize("seed", range(4))
def test_rows_go_back_to_where_they_came_from(seed: int) -> None:
    graph, _ = random_float_network(seed)
    for operator in graph.topology.weighted():
        codes = (np.arange(graph.topology.elements(operator.weights)) % 251 - 125).astype(np.int8)
        weights = codes.reshape(graph.topology.shape(operator.weights))
        rows = weight_rows(operator, weights.astype(np.float32)).astype(np.int8)
        np.testing.assert_array_equal(weights_of_rows(operator, rows, graph.topology), weights)


def test_a_bias_beyond_int32_makes_given_weights_coarser() -> None:
    graph, samples = residual_network()
    ranges = observe(graph, samples)
    frame = Frame.of(graph, ranges)
    weights = {op.name: nearest_weights(frame, op, 8) for op in frame.topology.weighted()}
    last = weights["last"]
    unit = frame.activations["sum"].scale * last.rounded.scale
    huge = last.bias + np.array([4 * BIAS_LIMIT, 0, 0], np.float32) * unit
    coarse = frame.operator_graph(frame.topology.operators[-1], replace(last, bias=huge.astype(np.float32)))
    ratio = coarse.weights["last/w"].scale / last.rounded.scale
    np.testing.assert_allclose(ratio, [4, 1, 1], rtol=1e-3)
    np.testing.assert_allclose(coarse.codes["last/w"][0], last.rounded.codes[0].reshape(3, 3, 3) / 4, atol=0.51)


def test_codes_that_are_not_of_the_width_are_a_defect() -> None:
    graph, samples = residual_network()
    ranges = observe(graph, samples)
    frame = Frame.of(graph, ranges)
    weights = {op.name: nearest_weights(frame, op, 8) for op in frame.topology.weighted()}
    with pytest.raises(GraphError, match="stays within its 4-bit levels"):
        frame.assemble(Bitwidths(dict.fromkeys(weights, 4)), weights)
