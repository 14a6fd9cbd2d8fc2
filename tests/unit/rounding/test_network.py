"""Whole networks: what each operator is shown, and what comes out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sq_micro.errors import QuantizationError
from sq_micro.ir import evaluate
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.float_graph import Float32Array, FloatGraph
from sq_micro.ir.operators import NONE, RELU, Add, Conv2D, Dense, Pad, WeightedOperator
from sq_micro.ir.topology import Role, TensorSpec, Topology
from sq_micro.quant.calibrate import observe
from sq_micro.quant.quantize import Frame, QuantizedWeights, nearest_weights, quantize
from sq_micro.reference.interpreter import run
from sq_micro.rounding import collect_statistics, round_network, walk
from sq_micro.rounding.statistics import LayerStatistics
from tests.unit.quant.random_float_graph import random_float_network


def residual_network() -> tuple[FloatGraph, Float32Array]:
    """Two convolutions and a shortcut, added; then a dense layer over the pixels."""
    rng = np.random.default_rng(0)
    image, channels = (1, 4, 4, 3), 3
    roles = {"image": Role.INPUT, "scores": Role.OUTPUT}
    tensors = {name: TensorSpec(name, image, roles.get(name, Role.ACTIVATION)) for name in ("image", "a", "b", "sum")}
    tensors["scores"] = TensorSpec("scores", (1, 4, 4, 3), Role.OUTPUT)
    constants = {}
    for name in ("first", "second", "last"):
        constants[f"{name}/w"] = rng.normal(size=(channels, 3, 3, 3)).astype(np.float32) / 3
        constants[f"{name}/b"] = rng.normal(size=channels).astype(np.float32)
        tensors[f"{name}/w"] = TensorSpec(f"{name}/w", (channels, 3, 3, 3), Role.WEIGHTS)
        tensors[f"{name}/b"] = TensorSpec(f"{name}/b", (channels,), Role.BIAS)
    around = Pad(1, 1, 1, 1)
    operators = (
        Conv2D("first", "image", "first/w", "first/b", "a", padding=around, activation=RELU),
        Conv2D("second", "a", "second/w", "second/b", "b", padding=around),
        Add("join", "a", "b", "sum", RELU),
        Conv2D("last", "sum", "last/w", "last/b", "scores", padding=around),
    )
    graph = FloatGraph(Topology("residual", tensors, operators, "image", "scores"), constants, (4, 4, 3))
    return graph, rng.normal(size=(150, 4, 4, 3)).astype(np.float32)


def all_at(graph: FloatGraph, bits: int) -> Bitwidths:
    return Bitwidths({operator.name: bits for operator in graph.topology.weighted()})


def squared_error(graph: FloatGraph, bits: int, samples: Float32Array, method: str) -> float:
    quantized = round_network(graph, observe(graph, samples), all_at(graph, bits), samples, method)  # type: ignore[arg-type]
    real = quantized.output_params.dequantize(run(quantized, quantized.quantize_input(samples)))
    return float(((real - evaluate.run(graph, samples)) ** 2).mean())


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_feedback_errs_less_than_nearest(bits: int) -> None:
    graph, samples = residual_network()
    assert squared_error(graph, bits, samples, "feedback") < 0.7 * squared_error(graph, bits, samples, "nearest")


def test_nearest_is_plain_quantization() -> None:
    graph, samples = residual_network()
    ranges = observe(graph, samples)
    plain = quantize(graph, ranges, all_at(graph, 3))
    assert round_network(graph, ranges, all_at(graph, 3), samples, "nearest").digest() == plain.digest()


def test_the_same_call_gives_the_same_integers_and_progress_counts_operators() -> None:
    graph, samples = residual_network()
    ranges = observe(graph, samples)
    told: list[tuple[int, int]] = []
    first = round_network(graph, ranges, all_at(graph, 2), samples, progress=lambda *step: told.append(step))
    assert first.digest() == round_network(graph, ranges, all_at(graph, 2), samples).digest()
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_an_operator_before_an_add_makes_up_for_the_other_branch() -> None:
    """Its target is the float sum less what the shortcut really brings."""
    graph, samples = residual_network()
    ranges = observe(graph, samples)
    frame = Frame.of(graph, ranges)
    seen: dict[str, LayerStatistics] = {}
    shift = 0.3

    def choose(operator: WeightedOperator, statistics: LayerStatistics | None) -> tuple[int, QuantizedWeights]:
        assert statistics is not None
        seen[operator.name] = statistics
        weights = nearest_weights(frame, operator, 8)
        if operator.name == "first":  # every value of the shortcut too large
            weights = replace(weights, bias=weights.bias + np.float32(shift))
        return 8, weights

    walk.walk(frame, samples, choose, lambda _done, _total: None)
    float_values: dict[str, Float32Array] = {}
    evaluate.run(graph, samples, float_values.__setitem__)
    alone = (float_values["b"] - graph.constants["second/b"]).mean(axis=(0, 1, 2))
    missing = alone - seen["second"].target_mean
    assert (missing > 0.2 * shift).all()  # ReLU hides some of it
    assert (missing < 1.2 * shift).all()


def test_statistics_for_a_search_are_those_of_eight_bits_before() -> None:
    graph, samples = residual_network()
    ranges = observe(graph, samples)
    found = collect_statistics(graph, ranges, samples)
    assert list(found) == ["first", "second", "last"]
    values: dict[str, Float32Array] = {}
    evaluate.run(graph, samples, values.__setitem__)
    centre = found["second"].input_mean.reshape(3, 3, 3)[1, 1]
    np.testing.assert_allclose(centre, values["a"].mean(axis=(0, 1, 2)), atol=0.02)  # the tap that is never padding


def test_k_beyond_memory_is_rounded_to_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, samples = residual_network()
    ranges = observe(graph, samples)
    monkeypatch.setattr(walk, "_LARGEST_K", 26)
    rounded = round_network(graph, ranges, all_at(graph, 4), samples)
    assert rounded.digest() == quantize(graph, ranges, all_at(graph, 4)).digest()
    assert collect_statistics(graph, ranges, samples) == {}


class Counted:
    """A source of samples that notes what was asked of it."""

    def __init__(self, samples: Float32Array) -> None:
        self.samples = samples
        self.asked: list[int] = []

    def __len__(self) -> int:
        return len(self.samples)

    def real(self, start: int, stop: int) -> Float32Array:
        self.asked += range(start, min(stop, len(self.samples)))
        return self.samples[start:stop]


def test_a_source_is_read_like_an_array() -> None:
    graph, samples = residual_network()
    ranges = observe(graph, samples)
    from_source = round_network(graph, ranges, all_at(graph, 3), Counted(samples))
    assert from_source.digest() == round_network(graph, ranges, all_at(graph, 3), samples).digest()


def test_samples_that_do_not_fit_in_memory_are_thinned_out_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, samples = residual_network()
    ranges = observe(graph, samples)
    per_sample = 48 * (5 * 3 + 12)  # three tensors alive while the second convolution runs
    monkeypatch.setattr(walk, "_MEMORY_BYTES", 50 * per_sample)
    source = Counted(samples)
    thinned = round_network(graph, ranges, all_at(graph, 3), source)
    assert len(source.asked) == 50
    assert source.asked[0] == 0
    assert source.asked[-1] == 149
    assert set(np.diff(source.asked)) <= {3, 4}
    assert thinned.digest() == round_network(graph, ranges, all_at(graph, 3), samples).digest()


def test_one_sample_is_enough_to_run() -> None:
    graph, samples = residual_network()
    round_network(graph, observe(graph, samples), all_at(graph, 2), samples[:1])


def test_a_trained_value_that_is_no_number_is_named() -> None:
    graph, samples = residual_network()
    ranges = observe(graph, samples)
    broken = {**graph.constants, "second/w": np.full((3, 3, 3, 3), np.nan, np.float32)}
    with pytest.raises(QuantizationError, match="tensor 'second/w': NaN or infinity among the trained values"):
        round_network(replace(graph, constants=broken), ranges, all_at(graph, 4), samples)


def test_a_layer_that_is_called_twice_is_rounded_for_each_call() -> None:
    rng = np.random.default_rng(1)
    tensors = {
        "x": TensorSpec("x", (1, 4), Role.INPUT),
        "h": TensorSpec("h", (1, 4), Role.ACTIVATION),
        "y": TensorSpec("y", (1, 4), Role.OUTPUT),
        "w": TensorSpec("w", (4, 4), Role.WEIGHTS),
        "b": TensorSpec("b", (4,), Role.BIAS),
    }
    operators = (Dense("one", "x", "w", "b", "h", RELU), Dense("two", "h", "w", "b", "y", NONE))
    constants = {"w": rng.normal(size=(4, 4)).astype(np.float32), "b": rng.normal(size=4).astype(np.float32)}
    graph = FloatGraph(Topology("twice", tensors, operators, "x", "y"), constants, (4,))
    samples = rng.normal(size=(100, 4)).astype(np.float32)
    quantized = round_network(graph, observe(graph, samples), Bitwidths({"one": 2, "two": 6}), samples)
    assert sorted(params.bits for params in quantized.weights.values()) == [2, 6]


@pytest.mark.parametrize("seed", range(8))
def test_random_networks_get_valid_integers_at_any_widths(seed: int) -> None:
    graph, samples = random_float_network(seed)
    widths = (2, 8, 3, 6, 4, 5)
    names = [operator.name for operator in graph.topology.weighted()]
    bitwidths = Bitwidths({name: widths[(seed + index) % 6] for index, name in enumerate(names)})
    quantized = round_network(graph, observe(graph, samples), bitwidths, samples)  # assembly verifies it
    assert quantized.bitwidths.weights == bitwidths.weights
    assert np.isfinite(quantized.output_params.dequantize(run(quantized, quantized.quantize_input(samples)))).all()
