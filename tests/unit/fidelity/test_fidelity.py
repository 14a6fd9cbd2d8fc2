"""Noise of operators: by its definition, by what makes it, and what is advised."""

from __future__ import annotations

from dataclasses import replace
from math import inf, log10

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sq_micro.fidelity.hints import hint
from sq_micro.fidelity.isolate import Isolated, isolate
from sq_micro.fidelity.outputs import Noise, float_tensors, float_twin, output_fidelity
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.params import Float32Array
from sq_micro.quant.quantize import quantize
from sq_micro.reference.interpreter import run
from tests.unit.assign.small_problem import NAMES, small_network


class Rows:
    """Samples in memory."""

    def __init__(self, values: Float32Array) -> None:
        self._values = values

    def __len__(self) -> int:
        return len(self._values)

    def real(self, start: int, stop: int) -> Float32Array:
        return self._values[start:stop]


def network(**bits: int) -> QuantGraph:
    graph, ranges, _ = small_network()
    return quantize(graph, ranges, Bitwidths({name: bits.get(name, 8) for name in NAMES}))


def samples(count: int = 40) -> Rows:
    return Rows(small_network()[2][:count])


@given(arrays(np.float32, 12, elements=st.floats(-8, 8, width=32)), st.floats(-1, 1, width=32))
def test_noise_is_what_its_formulas_say(values: Float32Array, step: float) -> None:
    found = Noise()
    quantized = values + np.float32(step) * np.arange(12, dtype=np.float32)
    for part in (slice(0, 5), slice(5, 12)):
        found.add(values[part], quantized[part])
    signal, noise = (values.astype(float) ** 2).sum(), ((values.astype(float) - quantized) ** 2).sum()
    if signal > 0 and noise > 0:
        assert found.sqnr_db == pytest.approx(10 * log10(signal / noise))
    else:
        assert found.sqnr_db is None
    assert found.cosine is None or -1 <= found.cosine <= 1


def test_outputs_are_compared_with_the_float_networks() -> None:
    """Against a direct computation for the last operator."""
    graph, _, _ = small_network()
    quantized, rows = network(conv2d_3=3), samples()
    found = output_fidelity(graph, quantized, rows)
    assert [output.operator for output in found] == [operator.name for operator in quantized.topology.operators]
    real = rows.real(0, len(rows))
    expected = float_tensors(float_twin(graph, quantized), real)[quantized.topology.output]
    codes = run(quantized, quantized.quantize_input(real))
    noise = Noise()
    noise.add(expected, quantized.output_params.dequantize(codes))
    assert found[-1].sqnr_db == pytest.approx(noise.sqnr_db)
    assert found[-1].cosine == pytest.approx(noise.cosine)


def test_fewer_bits_are_more_noise_from_there_on() -> None:
    graph, _, _ = small_network()
    wide = {o.operator: o.sqnr_db or inf for o in output_fidelity(graph, network(), samples())}
    narrow = {o.operator: o.sqnr_db or inf for o in output_fidelity(graph, network(conv2d_2=2), samples())}
    assert narrow["conv2d_0"] == wide["conv2d_0"]
    assert narrow["conv2d_2"] < wide["conv2d_2"] - 10
    assert narrow["dense_5"] < wide["dense_5"]


@pytest.mark.parametrize("name", NAMES)
def test_the_operator_of_few_bits_is_found(name: str) -> None:
    graph, _, _ = small_network()
    found = isolate(graph, network(**{name: 2}), samples())
    worst = max(found, key=lambda alone: alone.divergence)
    assert worst.operator == name
    assert worst.weights_db is not None
    assert worst.steps_db is not None
    assert worst.weights_db < worst.steps_db - 6
    assert "its weights are the noise" in hint(worst, 2, "mse", "feedback")


def test_the_other_operators_are_not_blamed_for_it() -> None:
    """Isolated noise of one does not depend on the bits of the others."""
    graph, _, _ = small_network()
    wide = {alone.operator: alone for alone in isolate(graph, network(), samples())}
    for alone in isolate(graph, network(conv2d_0=2), samples()):
        if alone.operator != "conv2d_0":
            assert alone == wide[alone.operator]


def test_a_range_that_is_too_narrow_is_found() -> None:
    graph, ranges, _ = small_network()
    name = next(operator.output for operator in graph.topology.operators if operator.name == "conv2d_2")
    span = ranges.tensors[name]
    clipped = replace(ranges, tensors={**ranges.tensors, name: replace(span, maximum=span.maximum / 8)})
    quantized = quantize(graph, clipped, Bitwidths(dict.fromkeys(NAMES, 8)))
    worst = max(isolate(graph, quantized, samples()), key=lambda alone: alone.divergence)
    assert worst.operator == "conv2d_2"
    assert worst.clipped > 0.05
    assert "is clipped: calibrate with more samples, or --observer minmax" in hint(worst, 8, "mse", "feedback")


QUIET = Isolated("conv", 40.0, 45.0, 42.0, clipped=0.0, range_over_rms=6.0, divergence=0.1, agreement=0.9)


@pytest.mark.parametrize(
    ("found", "bits", "observer", "rounding", "advice"),
    [
        (replace(QUIET, weights_db=20.0), 4, "mse", "feedback", "give it 5 bits (--pin conv=5)"),
        (replace(QUIET, weights_db=20.0), 4, "mse", "nearest", "try --rounding feedback"),
        (replace(QUIET, weights_db=20.0), 8, "mse", "feedback", "at 8 bits already"),
        (replace(QUIET, clipped=0.02), 8, "minmax", "feedback", "2.0% of its output is clipped: calibrate with more"),
        (replace(QUIET, range_over_rms=90.0), 8, "minmax", "feedback", "90 times the signal; try --observer mse"),
        (replace(QUIET, range_over_rms=90.0), None, "mse", "feedback", "90 times the signal"),
        (replace(QUIET, weights_db=None), None, "mse", "feedback", "8-bit activations are its noise"),
        (replace(QUIET, weights_db=60.0), 8, "mse", "feedback", "8-bit activations are its noise"),
    ],
)
def test_advice_follows_from_the_kind_of_noise(
    found: Isolated, bits: int | None, observer: str, rounding: str, advice: str
) -> None:
    assert advice in hint(found, bits, observer, rounding)  # type: ignore[arg-type]
