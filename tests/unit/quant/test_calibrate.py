"""Calibration streams samples through the float network and notes every tensor's range."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sq_micro.errors import QuantizationError
from sq_micro.ir import evaluate
from sq_micro.quant.calibrate import BATCH, observe
from sq_micro.quant.observers import OBSERVERS, ObserverName
from sq_micro.quant.samples import Samples
from tests.unit.quant.random_float_graph import random_float_network


@pytest.mark.parametrize("seed", range(4))
def test_minmax_ranges_are_those_of_every_tensor(seed: int) -> None:
    graph, samples = random_float_network(seed, samples=BATCH + 5)
    seen: dict[str, tuple[float, float]] = {}

    def note(tensor: str, values: np.ndarray) -> None:
        seen[tensor] = (min(0.0, float(values.min())), max(0.0, float(values.max())))

    evaluate.run(graph, samples, note)
    found = observe(graph, samples, "minmax")
    assert found.samples == BATCH + 5
    assert found.tensors.keys() == seen.keys()
    for tensor, (low, high) in seen.items():
        # Batches of another size sum in another order.
        assert (found.tensors[tensor].minimum, found.tensors[tensor].maximum) == pytest.approx((low, high), rel=1e-4)


@pytest.mark.parametrize("observer", OBSERVERS)
def test_progress_counts_every_sample_of_every_pass(observer: ObserverName) -> None:
    graph, samples = random_float_network(1, samples=BATCH + 1)
    told: list[tuple[int, int]] = []
    observe(graph, samples, observer, lambda done, total: told.append((done, total)))
    count = len(samples)
    once = [(BATCH, count), (count, count)]
    twice = [(BATCH, 2 * count), (count, 2 * count), (count + BATCH, 2 * count), (2 * count, 2 * count)]
    assert told == (once if observer == "minmax" else twice)


def test_a_file_of_samples_gives_the_same_ranges_as_its_array() -> None:
    graph, real = random_float_network(2)
    codes = np.round(real * 100).astype(np.int16)
    samples = Samples(codes, None, 0.01, Path("calib.npz"))
    assert observe(graph, samples) == observe(graph, codes.astype(np.float32) * np.float32(0.01))


def test_samples_may_have_the_persons_own_shape() -> None:
    graph, samples = random_float_network(3)
    flat = replace(graph, input_shape=(int(np.prod(samples.shape[1:])),))
    assert observe(flat, samples.reshape(len(samples), -1)) == observe(graph, samples)


def test_the_tensor_that_is_not_finite_is_named() -> None:
    graph, samples = random_float_network(1)
    with pytest.raises(QuantizationError, match=f"tensor '{graph.topology.input}': NaN or infinity among its values"):
        observe(graph, np.full_like(samples, np.nan))
    *_, last = graph.topology.weighted()
    constants = {**graph.constants, last.bias: np.full_like(graph.constants[last.bias], np.inf)}
    with pytest.raises(QuantizationError, match=f"tensor '{last.output}': NaN or infinity"):
        observe(replace(graph, constants=constants), samples)
