"""Networks some of whose activations have 4 bits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.operators import ActivationFunction
from sq_micro.quant.graph import QuantGraph, derive_arithmetic
from sq_micro.quant.narrow import narrowable
from sq_micro.quant.params import ActivationParams
from sq_micro.quant.verify import verify_quant_graph
from tests.models.random_quant_graph import RandomQuantGraph


def narrowed(graph: QuantGraph, seed: int = 0, share: float = 1.0, centred: bool = False) -> QuantGraph:
    """The network with that share of the activations that may be of 4 bits, each at about 16 times its scale.

    centred  zero points in the middle, so that few outputs are clamped and each depends on what it sees
    """
    rng = np.random.default_rng(seed)
    activations = dict(graph.activations)
    for tensors in dict.fromkeys(narrowable(graph.topology).values()):
        if rng.random() >= share:
            continue
        wide = activations[tensors[0]]
        zero_point = 8 if centred else int(rng.choice([0, (wide.zero_point + 128) // 16, 15]))
        narrow = ActivationParams(wide.scale * float(rng.uniform(8, 20)), zero_point, 4)
        activations |= dict.fromkeys(tensors, narrow)
    return with_activations(graph, activations)


def with_activations(graph: QuantGraph, activations: Mapping[str, ActivationParams]) -> QuantGraph:
    """The network with other scales, zero points and bits."""
    derived = (
        (op.name, derive_arithmetic(op, graph.topology, activations, graph.weights)) for op in graph.topology.operators
    )
    result = replace(
        graph,
        activations=activations,
        bitwidths=Bitwidths(graph.bitwidths.weights, {name: found.bits for name, found in activations.items()}),
        arithmetic={name: arithmetic for name, arithmetic in derived if arithmetic is not None},
    )
    verify_quant_graph(result)
    return result


def every_operator_that_packs(seed: int, activation: ActivationFunction) -> QuantGraph:
    """Not narrowed yet: every operator that takes activations of 4 bits, odd channels and one-sided pads."""
    builder = RandomQuantGraph(seed, (9, 7, 3))
    x = builder.conv2d(builder.input, 5, activation=activation)
    y = builder.depthwise_conv2d(x, activation=activation, bits=4)
    x = builder.add(x, builder.conv2d(y, 5, (1, 1)), activation)
    x = builder.max_pool2d(builder.relu(x), (2, 2), (2, 2), "same")
    x = builder.average_pool2d(builder.conv2d(x, 7, bits=2), (2, 3), (1, 1))
    flat = builder.reshape(x, (int(np.prod(builder.shape(x))),))
    x = builder.dense(builder.dense(flat, 11, activation), 3)
    return builder.build(builder.softmax(x))
