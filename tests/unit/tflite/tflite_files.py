"""Models as TensorFlow's converter writes them, and what they compute."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.float_graph import FloatGraph
from sq_micro.passes import canonicalise
from sq_micro.quant.calibrate import observe
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.quantize import quantize
from sq_micro.tflite.importing.load import load_tflite

FOLDER = Path(__file__).resolve().parents[2] / "data" / "tflite"


def converted(name: str) -> Path:
    return FOLDER / f"{name}.tflite"


def canonical(name: str) -> FloatGraph:
    return canonicalise(load_tflite(converted(name)))


def integers(graph: FloatGraph, bits: int = 8) -> QuantGraph:
    """The integers that an int8 model gives, without any sample."""
    ranges = observe(graph, np.empty((0, *graph.input_shape), np.float32))
    return quantize(graph, ranges, Bitwidths({operator.name: bits for operator in graph.topology.weighted()}))


def random_inputs(shape: tuple[int, ...], count: int = 20) -> NDArray[Any]:
    return np.random.default_rng(3).integers(-128, 128, (count, *shape)).astype(np.int8)
