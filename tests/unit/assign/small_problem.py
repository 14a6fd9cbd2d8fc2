"""A network of five weighted operators that is rounded in milliseconds, and problems about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from sq_micro.assign.options import OperatorOptions, operator_options
from sq_micro.assign.output_divergence import float_outputs
from sq_micro.assign.problem import Evaluation, Problem
from sq_micro.assign.sensitivity import Sensitivity
from sq_micro.cost.budget import Budget
from sq_micro.ir.bitwidths import WEIGHT_BITS, Bitwidths
from sq_micro.ir.float_graph import Float32Array, FloatGraph
from sq_micro.quant.calibrate import Ranges, observe
from sq_micro.quant.quantize import Frame
from tests.models.random_quant_graph import RandomQuantGraph, random_codes
from tests.unit.quant.random_float_graph import float_graph_of

NAMES = ("conv2d_0", "depthwise_conv2d_1", "conv2d_2", "conv2d_3", "dense_5")


@cache
def small_network(samples: int = 40, size: int = 6) -> tuple[FloatGraph, Ranges, Float32Array]:
    """conv 3→6, depthwise, conv 1×1 6→8, conv 3×3 8→8, mean, dense 8→5, softmax on size × size images."""
    builder = RandomQuantGraph(3, (size, size, 3))
    x = builder.conv2d(builder.input, 6)
    x = builder.conv2d(builder.depthwise_conv2d(x), 8, window=(1, 1))
    x = builder.mean(builder.conv2d(x, 8))
    graph = builder.build(builder.softmax(builder.dense(x, 5)))
    inputs = graph.input_params.dequantize(random_codes(graph, samples, 3))
    network = float_graph_of(graph)
    # Logits around zero with a deviation of 2, so that classes are told apart, and widths matter.
    last = list(network.topology.weighted())[-1]
    logits = float_outputs(network, inputs).real
    factor = 2 / logits.std(axis=0)
    weights = network.constants[last.weights] * factor[:, None]
    bias = (network.constants[last.bias] - logits.mean(axis=0)) * factor
    network = replace(network, constants={**network.constants, last.weights: weights, last.bias: bias})
    return network, observe(network, inputs), inputs


@cache
def small_frame() -> Frame:
    graph, ranges, _ = small_network()
    return Frame.of(graph, ranges)


@cache
def small_options(widths: tuple[int, ...] = WEIGHT_BITS) -> tuple[OperatorOptions, ...]:
    return operator_options(small_frame().topology, widths)


def made_up_sensitivity(seed: int = 0, widths: Sequence[int] = WEIGHT_BITS) -> Sensitivity:
    """Falls with the width, differently for each operator; nothing at 8 bits."""
    bits = tuple(sorted(widths))
    rng = np.random.default_rng(seed)
    table = rng.uniform(0.01, 0.2, (len(NAMES), 1)) * np.array([[4.0 ** -(b - 2) if b < 8 else 0.0 for b in bits]])
    return Sensitivity(NAMES, bits, table, table, 0.001)


def small_problem(
    budget: Budget | None = None,
    pins: Mapping[str, int] | None = None,
    widths: tuple[int, ...] = WEIGHT_BITS,
    max_drop: float | None = None,
) -> Problem:
    return Problem(
        small_frame(),
        small_options(widths),
        budget or Budget(),
        made_up_sensitivity(widths=widths),
        pins=pins or {},
        max_drop=max_drop,
    )


def with_latency(problem: Problem, seconds: Callable[[str, int], float]) -> Problem:
    """The problem with a made-up latency, and a watt of power."""
    options = tuple(
        OperatorOptions(
            option.operator,
            tuple(
                replace(width, latency_s=(t := seconds(option.operator, width.bits)), energy_j=t)
                for width in option.widths
            ),
        )
        for option in problem.options
    )
    return replace(problem, options=options)


class CountingEvaluate:
    """An Evaluate that computes with a function, and remembers what it was asked."""

    def __init__(self, drop: Callable[[Bitwidths], float]) -> None:
        self.plans: list[Bitwidths] = []
        self._drop = drop

    def __call__(self, plans: Sequence[Bitwidths]) -> list[Evaluation]:
        self.plans += plans
        return [Evaluation((self._drop(plan) / 100,), 1.0, self._drop(plan)) for plan in plans]


def mean_bits(plan: Bitwidths) -> float:
    return sum(plan.weights.values()) / len(plan.weights)
