"""Equalisation changes no output, stays where it is legal, and helps channels of unequal size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sq_micro.ir import evaluate
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.float_graph import Float32Array, FloatGraph
from sq_micro.ir.operators import RELU6, Add, Conv2D
from sq_micro.quant.calibrate import observe
from sq_micro.reference.interpreter import run
from sq_micro.rounding import collect_statistics, equalise, round_network
from sq_micro.rounding.equalise import channel_groups
from tests.unit.quant.random_float_graph import random_float_network
from tests.unit.rounding.test_network import all_at, residual_network


def equalised(graph: FloatGraph, samples: Float32Array) -> FloatGraph:
    return equalise(graph, collect_statistics(graph, observe(graph, samples), samples))


@pytest.mark.parametrize("seed", range(8))
def test_outputs_stay_the_same(seed: int) -> None:
    graph, samples = random_float_network(seed)
    expected = evaluate.run(graph, samples)
    tolerance = 1e-4 * np.abs(expected).max()
    np.testing.assert_allclose(evaluate.run(equalised(graph, samples), samples), expected, atol=tolerance)


def test_both_branches_of_an_add_are_scaled_together() -> None:
    graph, samples = residual_network()
    assert channel_groups(graph.topology) == [frozenset({"a", "b", "sum"})]
    changed = equalised(graph, samples)
    assert not np.allclose(changed.constants["first/w"], graph.constants["first/w"])
    np.testing.assert_allclose(evaluate.run(changed, samples), evaluate.run(graph, samples), atol=1e-4)
    factors = graph.constants["first/b"] / changed.constants["first/b"]
    np.testing.assert_allclose(graph.constants["second/b"] / changed.constants["second/b"], factors, rtol=1e-5)


@pytest.mark.parametrize("which", ["first", "join"])
def test_a_clamp_above_forbids_it(which: str) -> None:
    graph, samples = residual_network()
    operators = tuple(
        replace(op, activation=RELU6) if op.name == which and isinstance(op, Conv2D | Add) else op
        for op in graph.topology.operators
    )
    clamped = replace(graph, topology=replace(graph.topology, operators=operators))
    assert channel_groups(clamped.topology) == []
    changed = equalised(clamped, samples)
    assert all(np.array_equal(changed.constants[name], clamped.constants[name]) for name in clamped.constants)


def test_channels_of_unequal_size_round_better() -> None:
    graph, samples = residual_network()
    factors = np.array([0.05, 1.0, 8.0], np.float32)
    constants = dict(graph.constants)
    for name in ("first", "second"):
        constants[f"{name}/w"] = constants[f"{name}/w"] * factors[:, None, None, None]
        constants[f"{name}/b"] = constants[f"{name}/b"] * factors
    for name in ("second", "last"):
        constants[f"{name}/w"] = constants[f"{name}/w"] / factors
    uneven = replace(graph, constants=constants)

    def error(candidate: FloatGraph) -> float:
        quantized = round_network(candidate, observe(candidate, samples), all_at(graph, 3), samples)
        real = quantized.output_params.dequantize(run(quantized, quantized.quantize_input(samples)))
        return float(((real - evaluate.run(graph, samples)) ** 2).mean())

    assert error(equalised(uneven, samples)) < 0.5 * error(uneven)


def test_channels_that_nothing_comes_through_keep_their_weights() -> None:
    graph, samples = residual_network()
    constants = dict(graph.constants)
    for name in ("first", "second"):
        constants[f"{name}/w"] = constants[f"{name}/w"] * np.array([0, 1, 1], np.float32)[:, None, None, None]
        constants[f"{name}/b"] = constants[f"{name}/b"] * np.array([0, 1, 1], np.float32)
    changed = equalised(replace(graph, constants=constants), samples)
    assert all(np.isfinite(array).all() for array in changed.constants.values())
    np.testing.assert_array_equal(changed.constants["last/w"][..., 0], graph.constants["last/w"][..., 0])


def test_bitwidths_of_the_equalised_graph_have_the_same_names() -> None:
    graph, samples = residual_network()
    names = {operator.name for operator in equalised(graph, samples).topology.weighted()}
    assert Bitwidths(dict.fromkeys(names, 4)).weights.keys() == names
