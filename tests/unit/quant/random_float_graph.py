"""Random networks in float32: the same geometry as `random_network`, before anything was quantized."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sq_micro.ir.float_graph import Float32Array, FloatGraph
from sq_micro.ir.operators import Add, Concatenate, Operator, Requantize
from sq_micro.quant.graph import QuantGraph
from tests.models.random_quant_graph import random_codes, random_network


def float_graph_of(graph: QuantGraph) -> FloatGraph:
    """The real numbers that an integer network stands for, without the Requantize that only integers need."""
    source = {op.output: op.input for op in graph.topology.operators if isinstance(op, Requantize)}
    operators: list[Operator] = []
    for operator in graph.topology.operators:
        match operator:
            case Requantize():
                continue
            case Concatenate():
                operator = replace(operator, inputs=tuple(source.get(tensor, tensor) for tensor in operator.inputs))
            case Add():
                left, right = source.get(operator.left, operator.left), source.get(operator.right, operator.right)
                operator = replace(operator, left=left, right=right)
            case _:
                operator = replace(operator, input=source.get(operator.input, operator.input))
        operators.append(operator)
    topology = replace(graph.topology, operators=tuple(operators))
    constants: dict[str, Float32Array] = {}
    for operator in topology.weighted():
        params = graph.weights[operator.weights]
        along = [1] * graph.codes[operator.weights].ndim
        along[params.axis] = -1
        constants[operator.weights] = graph.codes[operator.weights] * params.scale.reshape(along)
        input_scale = np.float32(graph.activations[operator.input].scale)
        constants[operator.bias] = graph.biases[operator.bias] * params.scale * input_scale
    return FloatGraph(topology, constants, graph.input_shape)


def random_float_network(seed: int, samples: int = 24) -> tuple[FloatGraph, Float32Array]:
    """A network and samples for it."""
    graph = random_network(seed)
    return float_graph_of(graph), graph.input_params.dequantize(random_codes(graph, samples, seed))
