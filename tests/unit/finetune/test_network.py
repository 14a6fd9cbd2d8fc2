"""The fake-quant network computes what the integer reference computes, and gives back the integers it started from."""

from __future__ import annotations

import numpy as np
import pytest

from sq_micro.finetune.forward import Tensor
from sq_micro.finetune.layers import rounded_twice
from sq_micro.finetune.network import FakeQuantNetwork, float_scores, scores_tensor
from sq_micro.ir import evaluate
from sq_micro.ir.operators import RELU
from sq_micro.quant.arithmetic import derive_multiplier
from sq_micro.quant.calibrate import range_of
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.params import ActivationParams
from sq_micro.quant.quantize import assemble
from sq_micro.quant.requantize import requantize
from sq_micro.quant.sharing import params_of_range
from sq_micro.reference.interpreter import run
from tests.models.narrowed import every_operator_that_packs, narrowed
from tests.models.random_quant_graph import random_codes, random_network
from tests.unit.finetune.small_networks import small_network
from tests.unit.quant.random_float_graph import float_graph_of


@pytest.mark.parametrize("seed", range(12))
def test_random_networks_give_the_codes_of_the_reference(seed: int) -> None:
    """All operators and widths. What differs does so where float32 stands on the edge between two codes."""
    graph = random_network(seed)
    network = FakeQuantNetwork(graph, learn_ranges=True)
    codes = random_codes(graph, 24, seed)
    real = graph.input_params.dequantize(codes)
    _, output = network.call(real)
    expected = run(graph, codes).astype(np.int64)
    got = np.round(np.asarray(output) / graph.output_params.scale) + graph.output_params.zero_point
    assert (got == expected).mean() > 0.98
    assert np.abs(got - expected).max() <= 2


@pytest.mark.parametrize("start", [random_network(1), every_operator_that_packs(1, RELU)], ids=["random", "every"])
def test_activations_of_four_bits_are_those_of_the_reference(start: QuantGraph) -> None:
    """Where float32 stands on the edge between two codes, a whole sixteenth of the range is between them."""
    graph = narrowed(start, 1)
    assert graph.bitwidths.activations
    codes = random_codes(graph, 24)
    _, output = FakeQuantNetwork(graph, learn_ranges=True).call(graph.input_params.dequantize(codes))
    got = np.round(np.asarray(output) / graph.output_params.scale) + graph.output_params.zero_point
    assert (got == run(graph, codes)).mean() > 0.95


@pytest.mark.parametrize("factor", [0.9013, 0.3017, 0.2003, 0.0611, 0.00123])
def test_two_roundings_are_those_of_the_kernels(factor: float) -> None:
    accumulators = np.arange(-4000, 4000)
    expected = requantize(accumulators, *derive_multiplier(factor))
    got = np.asarray(rounded_twice(np.float32(factor) * accumulators.astype(np.float32), np.float32(factor)))
    assert (got == expected).mean() > 0.999


def test_two_roundings_differ_from_one_where_the_factor_is_large() -> None:
    x = np.linspace(-100, 100, 20001).astype(np.float32)
    twice = np.asarray(rounded_twice(x, np.float32(0.2)))
    assert 0.1 < (twice != np.round(x)).mean() < 0.15


@pytest.mark.parametrize("bits", [8, 6, 5, 4, 3, 2])
def test_untrained_it_assembles_to_its_start(bits: int) -> None:
    small = small_network(bits=bits)
    network = FakeQuantNetwork(small.integers, learn_ranges=True)
    ranges, weights = network.ranges(small.ranges), network.quantized_weights()
    assert assemble(small.graph, ranges, small.integers.bitwidths, weights).digest() == small.integers.digest()


def test_what_is_trained_follows_learn_ranges() -> None:
    small = small_network()

    def trained(learn_ranges: bool) -> int:
        network = FakeQuantNetwork(small.integers, learn_ranges)
        return len(network.trainable_variables)

    # latent, scale and bias of two operators; of five groups the input's and the Softmax's stay fixed
    assert (trained(False), trained(True)) == (6, 9)


@pytest.mark.parametrize("seed", range(6))
def test_the_float_network_is_that_of_evaluate(seed: int) -> None:
    graph = float_graph_of(random_network(seed))
    topology = graph.topology
    wanted = scores_tensor(topology)
    x = np.random.default_rng(seed).normal(size=(4, *topology.shape(topology.input)[1:])).astype(np.float32)
    seen: dict[str, Tensor] = {}
    evaluate.run(graph, x, lambda tensor, values: seen.__setitem__(tensor, values.copy()))
    constants = {op.name: (graph.constants[op.weights], graph.constants[op.bias]) for op in topology.weighted()}
    np.testing.assert_allclose(float_scores(topology, constants, x), seen[wanted], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    "params",
    [
        *(ActivationParams(0.1, -128), ActivationParams(3e-7, 127), ActivationParams(0.7, 3)),
        *(ActivationParams(0.1, 0, 4), ActivationParams(3e-7, 15, 4), ActivationParams(0.7, 6, 4)),
    ],
)
def test_a_range_gives_its_params_back(params: ActivationParams) -> None:
    assert params_of_range(range_of(params), params.bits) == params
