"""Which activations get 4 bits where 8 do not fit: as few as possible, the most damaging last."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sq_micro.assign.narrowing import Fits, NarrowGroup, measure_groups, narrow_as_needed
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.plan.plan import make_plan
from sq_micro.quant.narrow import narrowable
from sq_micro.quant.quantize import quantize
from tests.unit.assign.small_problem import small_network

GROUPS = (NarrowGroup(("a",), 0.3), NarrowGroup(("b", "b2"), 0.1), NarrowGroup(("c",), 0.2))
SIZES = {"a": 10, "b": 20, "b2": 0, "c": 30}


def limited(limit: int) -> Fits:
    return lambda bits: sum(size // 2 if bits.get(name) == 4 else size for name, size in SIZES.items()) <= limit


def test_the_most_damaging_get_their_bits_back_first() -> None:
    assert narrow_as_needed(GROUPS, limited(60)) == {}
    assert narrow_as_needed(GROUPS, limited(50)) == {"b": 4, "b2": 4}
    assert narrow_as_needed(GROUPS, limited(45)) == {"c": 4}
    assert narrow_as_needed(GROUPS, limited(35)) == {"b": 4, "b2": 4, "c": 4}
    assert narrow_as_needed(GROUPS, limited(30)) == {"a": 4, "b": 4, "b2": 4, "c": 4}


def test_where_nothing_fits_all_are_narrow() -> None:
    assert narrow_as_needed(GROUPS, limited(29)) == {"a": 4, "b": 4, "b2": 4, "c": 4}


def test_every_group_is_measured_alone_and_the_same_each_time() -> None:
    graph, ranges, samples = small_network()
    found = measure_groups(graph, ranges, samples)
    assert [group.tensors for group in found] == list(dict.fromkeys(narrowable(graph.topology).values()))
    assert found == measure_groups(graph, ranges, samples)
    assert max(group.damage for group in found) > 0


def test_chosen_bits_reach_the_integers_and_the_arena() -> None:
    graph, ranges, samples = small_network()
    groups = measure_groups(graph, ranges, samples)
    eight = Bitwidths({operator.name: 8 for operator in graph.topology.weighted()})
    whole = make_plan(graph.topology, eight, arena_limit_bytes=1).arena_bytes

    def fits(bits: Mapping[str, int]) -> bool:
        return make_plan(graph.topology, Bitwidths(eight.weights, bits), arena_limit_bytes=1).arena_bytes < whole

    bits = narrow_as_needed(groups, fits)
    quantized = quantize(graph, ranges.with_bits(bits), eight)
    assert bits
    assert dict(quantized.bitwidths.activations) == bits
    assert np.all([quantized.activations[tensor].limits == (0, 15) for tensor in bits])
