"""From a float network to integers: biases, dead channels, and that the integers mean the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from sq_micro.errors import QuantizationError
from sq_micro.ir import evaluate
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.float_graph import Float32Array, FloatGraph
from sq_micro.ir.operators import NONE, RELU, ActivationFunction, Dense, DepthwiseConv2D, Operator
from sq_micro.ir.topology import Role, TensorSpec, Topology
from sq_micro.quant.calibrate import Range, Ranges, observe
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.quantize import BIAS_LIMIT, DEAD_BIAS_CODE, quantize
from sq_micro.quant.verify import verify_quant_graph
from sq_micro.reference.interpreter import run
from tests.unit.quant.random_float_graph import random_float_network


def dense_graph(weights: object, bias: object, activation: ActivationFunction = NONE) -> FloatGraph:
    w, b = np.asarray(weights, np.float32), np.asarray(bias, np.float32)
    tensors = {
        "input": TensorSpec("input", (1, w.shape[1]), Role.INPUT),
        "w": TensorSpec("w", w.shape, Role.WEIGHTS),
        "b": TensorSpec("b", b.shape, Role.BIAS),
        "out": TensorSpec("out", (1, w.shape[0]), Role.OUTPUT),
    }
    operators = (Dense("dense", "input", "w", "b", "out", activation),)
    return FloatGraph(Topology("dense", tensors, operators, "input", "out"), {"w": w, "b": b}, (w.shape[1],))


def known_ranges(**spans: tuple[float, float]) -> Ranges:
    return Ranges({name: Range(*span) for name, span in spans.items()}, "minmax", 1)


def real_weights(graph: QuantGraph) -> Float32Array:
    return graph.codes["w"] * graph.weights["w"].scale[:, None]


def real_bias(graph: QuantGraph) -> np.ndarray:
    scale = graph.weights["w"].scale.astype(np.float64) * graph.activations["input"].scale
    return graph.biases["b"] * scale


def uniform(graph: FloatGraph, bits: int) -> Bitwidths:
    return Bitwidths({operator.name: bits for operator in graph.topology.weighted()})


def test_biases_are_in_units_of_the_accumulator() -> None:
    graph = dense_graph([[1.0, -1.0], [0.5, 0.25]], [0.3, -7.0])
    quantized = quantize(graph, known_ranges(input=(-1, 1), out=(-9, 3)), uniform(graph, 8))
    np.testing.assert_allclose(real_bias(quantized), [0.3, -7.0], rtol=1e-3)
    np.testing.assert_allclose(real_weights(quantized), graph.constants["w"], atol=0.005)


def test_a_bias_that_would_leave_int32_makes_its_channels_scale_coarser() -> None:
    graph = dense_graph([[1e-4, -1e-4], [1e-4, -1e-4]], [9000.0, 0.5])
    quantized = quantize(graph, known_ranges(input=(0, 1), out=(0, 9001)), uniform(graph, 8), "minmax")
    assert abs(int(quantized.biases["b"][0])) == pytest.approx(BIAS_LIMIT, rel=1e-6)
    np.testing.assert_allclose(real_bias(quantized), [9000.0, 0.5], rtol=1e-5)
    assert quantized.codes["w"].tolist()[1] == [127, -127], "the other channel keeps its precision"
    assert np.abs(quantized.codes["w"][0]).max() < 127


def test_a_dead_channel_is_its_bias() -> None:
    graph = dense_graph([[0.0, 0.0], [1.0, 2.0], [0.0, 0.0]], [0.75, 0.0, 0.0])
    quantized = quantize(graph, known_ranges(input=(0, 1), out=(0, 3)), uniform(graph, 4))
    assert not quantized.codes["w"][[0, 2]].any()
    assert quantized.biases["b"].tolist()[::2] == [DEAD_BIAS_CODE, 0]
    outputs = run(quantized, quantized.quantize_input(np.array([[0, 0], [1, 1]], np.float32)))
    real = quantized.output_params.dequantize(outputs)
    np.testing.assert_allclose(real[:, 0], 0.75, atol=3 / 255)
    np.testing.assert_allclose(real[:, 2], 0.0, atol=1e-6)


def test_a_layer_that_was_never_active_can_still_be_quantized() -> None:
    graph = dense_graph([[1.0, 2.0]], [-10.0], RELU)
    quantized = quantize(graph, known_ranges(input=(0, 1), out=(0, 0)), uniform(graph, 8))
    outputs = run(quantized, quantized.quantize_input(np.ones((1, 2), np.float32)))
    assert quantized.output_params.dequantize(outputs).tolist() == [[0.0]]


def test_weights_too_small_for_float32_scales_count_as_zero() -> None:
    graph = dense_graph([[1e-44, 0.0], [1.0, 2.0]], [0.5, 0.0])
    quantized = quantize(graph, known_ranges(input=(0, 1), out=(0, 3)), uniform(graph, 8))
    assert quantized.codes["w"][0].tolist() == [0, 0]
    assert quantized.biases["b"][0] == DEAD_BIAS_CODE


@pytest.mark.parametrize(
    ("constant", "weights", "bias"), [("w", [[np.nan, 1.0]], [0.0]), ("b", [[1.0, 1.0]], [np.inf])]
)
def test_a_trained_value_that_is_no_number_is_named(constant: str, weights: object, bias: object) -> None:
    graph = dense_graph(weights, bias)
    with pytest.raises(QuantizationError, match=f"tensor '{constant}': NaN or infinity among the trained values"):
        quantize(graph, known_ranges(input=(0, 1), out=(0, 1)), uniform(graph, 8))


def test_an_output_range_that_is_too_small_is_refused() -> None:
    graph = dense_graph([[1000.0] * 50], [0.0], RELU)
    with pytest.raises(
        QuantizationError, match=r"tensor 'out': the accumulator of channel 0 of 'dense' can leave int32"
    ):
        quantize(graph, known_ranges(input=(-1, 1), out=(0, 1e-4)), uniform(graph, 8))


def test_the_activation_function_becomes_a_clamp_of_codes() -> None:
    graph = dense_graph([[1.0, 1.0]], [0.0], ActivationFunction(0.0, 1.5))
    quantized = quantize(graph, known_ranges(input=(-1, 1), out=(-1, 3)), uniform(graph, 8))
    derived = quantized.arithmetic["dense"]
    low, high = quantized.output_params.quantize(np.array([0.0, 1.5], np.float32)).tolist()
    assert (derived.minimum, derived.maximum) == (low, high)  # type: ignore[union-attr]


def test_two_calls_of_one_layer_get_constants_of_their_own() -> None:
    graph = dense_graph([[1.0, 0.5], [-0.5, 1.0]], [0.5, 0.25])
    tensors: Mapping[str, TensorSpec] = {
        **graph.topology.tensors,
        "again": TensorSpec("again", (1, 2), Role.OUTPUT),
    }
    operators: tuple[Operator, ...] = (*graph.topology.operators, Dense("second", "out", "w", "b", "again"))
    twice = replace(graph, topology=replace(graph.topology, tensors=tensors, operators=operators, output="again"))
    ranges = known_ranges(input=(0, 1), out=(0, 20), again=(0, 20))
    quantized = quantize(twice, ranges, Bitwidths({"dense": 8, "second": 4}))
    first, second = quantized.topology.operators
    assert isinstance(first, Dense)
    assert isinstance(second, Dense)
    assert first.weights != second.weights
    assert quantized.weights[second.weights].bits == 4
    assert quantized.biases[first.bias][0] > 10 * quantized.biases[second.bias][0], "the input's scale is in the bias"


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("bits", [8, 4])
def test_a_random_network_becomes_valid_integers(seed: int, bits: int) -> None:
    graph, samples = random_float_network(seed)
    quantized = quantize(graph, observe(graph, samples), uniform(graph, bits))
    verify_quant_graph(quantized)
    for operator in quantized.topology.weighted():
        assert quantized.weights[operator.weights].axis == (3 if isinstance(operator, DepthwiseConv2D) else 0)
        assert quantized.codes[operator.weights].shape == graph.topology.shape(operator.weights)
    used = {name for name in quantized.topology.tensors if name not in quantized.codes | quantized.biases}
    assert used == quantized.activations.keys()


@pytest.mark.parametrize("seed", range(12))
def test_eight_bits_say_nearly_what_the_floats_said(seed: int) -> None:
    graph, samples = random_float_network(seed, samples=48)
    quantized = quantize(graph, observe(graph, samples, "minmax"), uniform(graph, 8), "minmax")
    expected = evaluate.run(graph, samples)
    got = quantized.output_params.dequantize(run(quantized, quantized.quantize_input(samples)))
    assert np.abs(got - expected).mean() < 0.05 * np.ptp(expected) + 1.01 * quantized.output_params.scale
