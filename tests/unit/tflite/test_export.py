"""The flatbuffer holds the graph's own integers and scales."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sq_micro.quant.graph import QuantGraph
from sq_micro.tflite.export import write_tflite
from tests.models.random_quant_graph import random_network, resnet8

tflite: Any = pytest.importorskip("tflite")


@pytest.mark.parametrize("graph", [resnet8(), *(random_network(seed) for seed in range(8))], ids=str)
def test_weights_biases_and_scales_are_the_graphs(graph: QuantGraph) -> None:
    root = tflite.Model.GetRootAsModel(write_tflite(graph), 0)
    subgraph = root.Subgraphs(0)
    tensors = {subgraph.Tensors(i).Name().decode(): subgraph.Tensors(i) for i in range(subgraph.TensorsLength())}
    for operator in graph.topology.weighted():
        weights, bias = tensors[operator.weights], tensors[operator.bias]
        stored = root.Buffers(weights.Buffer()).DataAsNumpy().view(np.int8)
        assert np.array_equal(stored.reshape(weights.ShapeAsNumpy()), graph.codes[operator.weights])
        assert np.array_equal(weights.Quantization().ScaleAsNumpy(), graph.weights[operator.weights].scale)
        assert weights.Quantization().QuantizedDimension() == graph.weights[operator.weights].axis
        stored_bias = root.Buffers(bias.Buffer()).DataAsNumpy().view(np.int32)
        assert np.array_equal(stored_bias, graph.biases[operator.bias])
    for name, params in graph.activations.items():
        quantization = tensors[name].Quantization()
        assert float(quantization.Scale(0)) == params.scale
        assert quantization.ZeroPoint(0) == params.zero_point
        assert tuple(tensors[name].ShapeAsNumpy()) == graph.topology.shape(name)


def test_the_bytes_are_always_the_same() -> None:
    assert write_tflite(random_network(3)) == write_tflite(random_network(3))
