"""What is pruned, what must stay, and that every output code stays what it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sq_micro.ir.operators import RELU
from sq_micro.ir.topology import total_macs
from sq_micro.prune import prune
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.verify import verify_quant_graph
from sq_micro.reference.golden_vectors import require_equal
from sq_micro.reference.interpreter import run
from sq_micro.tflite.export import write_tflite
from sq_micro.tflite.twin import run_tflite_micro
from tests.models.dead_channels import mobilenet_v1, with_dead_filters
from tests.models.random_quant_graph import RandomQuantGraph, random_codes, random_network


def require_same(graph: QuantGraph, pruned: QuantGraph, samples: int = 8) -> None:
    verify_quant_graph(pruned)
    codes = random_codes(graph, samples)
    ends = np.stack([np.full(codes.shape[1:], end, np.int8) for end in (-128, 127)])
    codes = np.concatenate([codes, ends])
    require_equal("pruned", run(pruned, codes), run(graph, codes))


def killed(graph: QuantGraph, operator: str, channels: list[int], bias: int) -> QuantGraph:
    codes, biases = graph.codes[f"{operator}/w"].copy(), graph.biases[f"{operator}/b"].copy()
    if operator.startswith("depthwise"):
        codes[..., channels] = 0
    else:
        codes[channels] = 0
    biases[channels] = bias
    return replace(
        graph, codes={**graph.codes, f"{operator}/w": codes}, biases={**graph.biases, f"{operator}/b": biases}
    )


def widths(graph: QuantGraph) -> dict[str, int]:
    return {op.name: graph.topology.shape(op.output)[-1] for op in graph.topology.operators}


def test_a_network_without_dead_channels_stays_itself() -> None:
    builder = RandomQuantGraph(3, (6, 6, 2))
    x = builder.conv2d(builder.input, 4)
    graph = builder.build(builder.dense(builder.mean(builder.depthwise_conv2d(x)), 3))
    assert prune(graph) is graph


@pytest.mark.parametrize(("bias", "remaining"), [(0, 3), (5000, 5)])
def test_padding_keeps_a_dead_filter_unless_it_gives_the_zero_point(bias: int, remaining: int) -> None:
    builder = RandomQuantGraph(1, (6, 5, 2))
    x = builder.conv2d(builder.input, 5)
    graph = killed(builder.build(builder.conv2d(x, 4, (3, 3), padding="same")), "conv2d_0", [1, 3], bias)
    pruned = prune(graph)
    assert widths(pruned)["conv2d_0"] == remaining
    require_same(graph, pruned)


@pytest.mark.parametrize("window", [(1, 1), (3, 3)])
def test_without_padding_any_constant_goes_into_the_bias(window: tuple[int, int]) -> None:
    builder = RandomQuantGraph(2, (6, 5, 2))
    x = builder.conv2d(builder.input, 5)
    graph = killed(builder.build(builder.conv2d(x, 4, window, padding="valid")), "conv2d_0", [0, 4], 700)
    pruned = prune(graph)
    assert widths(pruned) == {"conv2d_0": 3, "conv2d_1": 4}
    assert (pruned.biases["conv2d_1/b"] != graph.biases["conv2d_1/b"]).any()
    require_same(graph, pruned)


def test_a_dead_channel_is_followed_through_depthwise_addition_and_pooling() -> None:
    builder = RandomQuantGraph(4, (8, 8, 2))
    x = builder.conv2d(builder.input, 6, activation=RELU)
    y = builder.depthwise_conv2d(x, depth_multiplier=1, activation=RELU)
    x = builder.max_pool2d(builder.add(x, y, RELU))
    x = builder.reshape(x, (4 * 4 * 6,))
    graph = killed(builder.build(builder.dense(x, 3)), "conv2d_0", [2, 5], 0)
    graph = killed(graph, "depthwise_conv2d_1", [2, 5], 900)
    pruned = prune(graph)
    assert set(widths(pruned).values()) == {4, 4 * 4 * 4, 3}
    require_same(graph, pruned)


def test_a_channel_that_a_residual_needs_stays_on_both_sides() -> None:
    """Only one side of the addition is dead, so the sum varies."""
    builder = RandomQuantGraph(5, (5, 5, 4))
    x = builder.conv2d(builder.input, 4)
    graph = killed(builder.build(builder.conv2d(builder.add(x, builder.input), 3)), "conv2d_0", [1], 0)
    assert prune(graph) is graph


def test_a_border_that_a_clamp_hides_is_no_border() -> None:
    """The depthwise sums differ at the border, but all lie below the clamp: constant after all, and removed."""
    builder = RandomQuantGraph(6, (5, 5, 2))
    x = builder.depthwise_conv2d(builder.conv2d(builder.input, 4), activation=RELU)
    graph = killed(builder.build(builder.conv2d(x, 3)), "conv2d_0", [1], 3000)
    lowered = graph.biases["depthwise_conv2d_1/b"].copy()
    lowered[1] = -(1 << 22)
    graph = replace(graph, biases={**graph.biases, "depthwise_conv2d_1/b": lowered})
    pruned = prune(graph)
    assert widths(pruned)["conv2d_0"] == 3
    require_same(graph, pruned)


def test_a_filter_that_always_clamps_is_dead_though_its_weights_are_not() -> None:
    builder = RandomQuantGraph(7, (5, 5, 2))
    x = builder.conv2d(builder.input, 4, activation=RELU)
    graph = builder.build(builder.conv2d(x, 3))
    lowered = graph.biases["conv2d_0/b"].copy()
    lowered[2] = -(1 << 22)
    graph = replace(graph, biases={**graph.biases, "conv2d_0/b": lowered})
    pruned = prune(graph)
    assert widths(pruned)["conv2d_0"] == 3
    require_same(graph, pruned)


def test_a_channel_that_nobody_weighs_goes() -> None:
    builder = RandomQuantGraph(8, (5, 5, 2))
    graph = builder.build(builder.conv2d(builder.conv2d(builder.input, 4), 3))
    codes = graph.codes["conv2d_1/w"].copy()
    codes[..., [0, 3]] = 0
    graph = replace(graph, codes={**graph.codes, "conv2d_1/w": codes})
    pruned = prune(graph)
    assert widths(pruned)["conv2d_0"] == 2
    require_same(graph, pruned)


def test_a_layer_of_nothing_keeps_one_channel() -> None:
    builder = RandomQuantGraph(9, (5, 5, 2))
    graph = builder.build(builder.conv2d(builder.conv2d(builder.input, 4), 3))
    graph = killed(graph, "conv2d_0", [0, 1, 2, 3], 0)
    pruned = prune(graph)
    assert widths(pruned)["conv2d_0"] == 1
    require_same(graph, pruned)


def test_input_and_output_stay() -> None:
    builder = RandomQuantGraph(10, (5, 5, 3))
    graph = killed(builder.build(builder.conv2d(builder.input, 4)), "conv2d_0", [0, 1, 2], 40)
    assert prune(graph) is graph


@pytest.mark.parametrize("seed", range(40))
def test_random_networks_compute_the_same(seed: int) -> None:
    graph = with_dead_filters(random_network(seed), seed, biases=0.0 if seed % 2 else 90.0)
    require_same(graph, prune(graph))


def test_random_networks_become_smaller() -> None:
    graphs = [with_dead_filters(random_network(seed), seed) for seed in range(20)]
    assert sum(total_macs(prune(graph).topology) < total_macs(graph.topology) for graph in graphs) > 10


@pytest.mark.parametrize("bits", [8, 2])
def test_mobilenet_with_dead_filters_is_half_as_much_work(bits: int) -> None:
    """A dead channel of a pointwise layer takes the depthwise channel behind it along, and the rows that read it."""
    graph = with_dead_filters(mobilenet_v1(bits=bits, size=32), 1)
    pruned = prune(graph)
    assert total_macs(pruned.topology) < 0.5 * total_macs(graph.topology)
    require_same(graph, pruned, 2)


@pytest.mark.oracle
@pytest.mark.parametrize("biases", [0.0, 60.0])
def test_the_pruned_network_gives_what_tflite_micro_says_of_the_whole(biases: float) -> None:
    pytest.importorskip("tflite_micro")
    graphs = [with_dead_filters(random_network(seed), seed, biases=biases) for seed in range(8)]
    for graph in (*graphs, with_dead_filters(mobilenet_v1(size=64), 2, biases=biases)):
        codes = random_codes(graph, 3)
        expected = run_tflite_micro(write_tflite(graph), codes)
        require_equal("pruned", run(prune(graph), codes), expected.reshape(len(codes), *expected.shape[1:]))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(40, 1000))
def test_many_random_networks_compute_the_same(seed: int) -> None:
    graph = with_dead_filters(random_network(seed), seed, seed % 5 / 5, 0.0 if seed % 2 else 90.0)
    require_same(graph, prune(graph))
