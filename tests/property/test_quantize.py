"""Any random float network, at any mix of widths, becomes a valid integer network that runs."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sq_micro.ir.bitwidths import WEIGHT_BITS, Bitwidths
from sq_micro.quant.calibrate import observe
from sq_micro.quant.observers import OBSERVERS
from sq_micro.quant.quantize import quantize
from sq_micro.quant.verify import verify_quant_graph
from sq_micro.reference.interpreter import run
from tests.unit.quant.random_float_graph import random_float_network


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 10_000),
    widths=st.lists(st.sampled_from(WEIGHT_BITS), min_size=1, max_size=8),
    observer=st.sampled_from(OBSERVERS),
    scales=st.sampled_from(["mse", "minmax"]),
)
def test_quantization_gives_a_valid_graph(seed: int, widths: list[int], observer: str, scales: str) -> None:
    graph, samples = random_float_network(seed, samples=8)
    names = [operator.name for operator in graph.topology.weighted()]
    bitwidths = Bitwidths({name: widths[index % len(widths)] for index, name in enumerate(names)})
    quantized = quantize(graph, observe(graph, samples, observer), bitwidths, scales)  # type: ignore[arg-type]
    verify_quant_graph(quantized)
    assert quantized.bitwidths.weights == bitwidths.weights
    outputs = run(quantized, quantized.quantize_input(samples))
    assert outputs.shape == (8, *graph.topology.shape(graph.topology.output)[1:])
    assert np.isfinite(quantized.output_params.dequantize(outputs)).all()
