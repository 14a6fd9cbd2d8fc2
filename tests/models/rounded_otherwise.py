"""The same network with weights as another rounding might have left them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sq_micro.quant.graph import QuantGraph, derive_arithmetic
from sq_micro.quant.params import Levels
from tests.models.random_quant_graph import random_levels_row


def rounded_otherwise(graph: QuantGraph, seed: int) -> QuantGraph:
    """Other codes, levels, biases and scales, with factors on both sides of 1/2; all else stays."""
    rng = np.random.default_rng(seed)
    codes, levels, biases, weights = dict(graph.codes), dict(graph.levels), dict(graph.biases), dict(graph.weights)
    for operator in graph.topology.weighted():
        params, shape = weights[operator.weights], codes[operator.weights].shape
        moved = np.moveaxis(np.empty(shape, np.int8), params.axis, 0).shape
        of_width = np.array(Levels.of_width(params.bits), np.int8)
        drawn = rng.choice(of_width, moved[0]).astype(np.int8)
        rows = [random_levels_row(rng, Levels(int(level)), params.bits, int(np.prod(moved[1:]))) for level in drawn]
        levels[operator.weights] = drawn
        codes[operator.weights] = np.ascontiguousarray(np.moveaxis(np.stack(rows).reshape(moved), 0, params.axis))
        ratio = graph.activations[operator.output].scale / graph.activations[operator.input].scale
        scale = (ratio * 2.0 ** rng.uniform(-9, 5, moved[0])).astype(np.float32)
        weights[operator.weights] = replace(params, scale=scale)
        biases[operator.bias] = np.round(rng.normal(0, 500, moved[0])).astype(np.int32)
    derived = {
        operator.name: derive_arithmetic(operator, graph.topology, graph.activations, weights)
        for operator in graph.topology.operators
    }
    return replace(
        graph,
        codes=codes,
        levels=levels,
        biases=biases,
        weights=weights,
        arithmetic={name: arithmetic for name, arithmetic in derived.items() if arithmetic is not None},
    )
