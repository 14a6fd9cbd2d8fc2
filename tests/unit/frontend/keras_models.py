"""Keras models with random weights, and what Keras itself computes with them."""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "numpy")

import keras
import numpy as np

from sq_micro.frontend.keras_model import import_model
from sq_micro.ir import evaluate
from sq_micro.ir.float_graph import FloatGraph

SAMPLES = 3
RELATIVE = 1e-4  # of the largest output: what float32 sums in another order may differ by


def randomise(model: Any, seed: int = 0) -> Any:
    """Give every variable values that a training could have left: nothing is zero, variances are positive."""
    rng = np.random.default_rng(seed)
    for variable in model.variables:
        if not str(variable.dtype).startswith("float"):
            continue
        values = rng.normal(0.0, 0.5, variable.shape)
        variable.assign(0.2 + np.abs(values) if "variance" in variable.name else values)
    return model


def functional(shape: tuple[int, ...], *layers: Any, name: str | None = None) -> Any:
    """A chain of layers as a Functional model, with random weights."""
    tensor = source = keras.Input(shape, name="image")
    for layer in layers:
        tensor = layer(tensor)
    return randomise(keras.Model(source, tensor, name=name))


def samples_for(model: Any) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(SAMPLES, *model.inputs[0].shape[1:])).astype(np.float32)


def run_keras(model: Any, samples: np.ndarray) -> np.ndarray:
    return np.asarray(model(samples, training=False))


def run_graph(graph: FloatGraph, samples: np.ndarray) -> np.ndarray:
    return evaluate.run(graph, samples.reshape(len(samples), *graph.topology.shape(graph.topology.input)[1:]))


def assert_close(got: np.ndarray, expected: np.ndarray) -> None:
    """Equal elements in equal order, whatever the shapes: Keras knows no NHWC for vectors and sequences."""
    assert got.size == expected.size
    largest = float(np.abs(expected).max())
    np.testing.assert_allclose(got.reshape(expected.shape), expected, rtol=0, atol=RELATIVE * max(largest, 1e-3))


def assert_imported(model: Any) -> FloatGraph:
    """The model's graph, having checked that it computes what Keras does."""
    graph = import_model(model)
    samples = samples_for(model)
    assert_close(run_graph(graph, samples), run_keras(model, samples))
    return graph
