"""A small trained-looking network with its ranges and integers, made in milliseconds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.float_graph import Float32Array, FloatGraph
from sq_micro.ir.operators import RELU, Conv2D, Dense, Mean, Operator, Pad, Sigmoid, Softmax
from sq_micro.ir.topology import Role, TensorSpec, Topology
from sq_micro.quant.calibrate import Ranges, observe
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.quantize import quantize


@dataclass(frozen=True)
class Small:
    graph: FloatGraph
    ranges: Ranges
    integers: QuantGraph
    x: Float32Array


def small_network(head: str = "softmax", classes: int = 4, bits: int = 2, samples: int = 96) -> Small:
    """conv, mean, dense and a head: `softmax`, `sigmoid` or `values`."""
    rng = np.random.default_rng(3)
    shapes = {"w": (6, 3, 3, 1), "b": (6,), "v": (classes, 6), "c": (classes,)}
    roles = {"w": Role.WEIGHTS, "b": Role.BIAS, "v": Role.WEIGHTS, "c": Role.BIAS}
    operators: list[Operator] = [
        Conv2D("conv", "input", "w", "b", "maps", padding=Pad(1, 1, 1, 1), activation=RELU),
        Mean("mean", "maps", "means"),
        Dense("dense", "means", "v", "c", "scores"),
    ]
    activations = {"input": (1, 6, 6, 1), "maps": (1, 6, 6, 6), "means": (1, 6), "scores": (1, classes)}
    if head != "values":
        operators.append((Softmax if head == "softmax" else Sigmoid)("head", "scores", "output"))
        activations["output"] = (1, classes)
    output = operators[-1].output
    tensors = {name: TensorSpec(name, shape, Role.ACTIVATION) for name, shape in activations.items()}
    tensors |= {name: TensorSpec(name, shape, roles[name]) for name, shape in shapes.items()}
    topology = Topology("small", tensors, tuple(operators), "input", output)
    constants = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    constants["v"] *= 3
    graph = FloatGraph(topology, constants, (6, 6, 1))
    x = rng.normal(size=(samples, 6, 6, 1)).astype(np.float32)
    ranges = observe(graph, x)
    return Small(graph, ranges, quantize(graph, ranges, Bitwidths({"conv": bits, "dense": bits})), x)
