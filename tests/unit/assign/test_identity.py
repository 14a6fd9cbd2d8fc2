"""Stored results are found again only by what they were computed from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sq_micro.assign.identity import network_key
from sq_micro.quant.calibrate import Range
from tests.unit.assign.small_problem import small_network


def test_everything_that_numbers_depend_on_changes_the_key() -> None:
    graph, ranges, samples = small_network()
    key = network_key(graph, ranges, samples)
    assert key == network_key(graph, ranges, samples.copy())
    name = next(iter(graph.constants))
    weights = graph.constants[name].copy()
    weights.flat[0] = np.nextafter(weights.flat[0], np.float32(9))
    others = [
        network_key(replace(graph, constants={**graph.constants, name: weights}), ranges, samples),
        network_key(graph, replace(ranges, tensors={**ranges.tensors, "input": Range(-1.0, 1.0)}), samples),
        network_key(graph, ranges, samples[:-1]),
        network_key(replace(graph, topology=replace(graph.topology, name="other")), ranges, samples),
    ]
    assert len({key, *others}) == 5
