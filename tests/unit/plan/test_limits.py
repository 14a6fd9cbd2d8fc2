"""Time is given up for memory where a limit asks for it, and no further than it asks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.kernels.tiling import LOSSES
from sq_micro.plan.floor import floor_bytes
from sq_micro.plan.plan import Plan, make_plan, slowdowns
from sq_micro.quant.graph import QuantGraph
from tests.models.random_quant_graph import random_network, resnet8
from tests.models.tiny_networks import autoencoder, ds_cnn, mobilenet_v1_quarter

DSP = "armv7em_dsp"


def planned(graph: QuantGraph, isa: str = DSP, limit: int | None = None, bits: int = 8) -> Plan:
    widths = Bitwidths(dict.fromkeys(graph.bitwidths.weights, bits))
    return make_plan(graph.topology, widths, isa, limit)


@pytest.mark.parametrize(
    ("network", "limit", "most"),
    [(resnet8, None, 36_000), (ds_cnn, None, 10_000), (mobilenet_v1_quarter, None, 40_000), (autoencoder, 900, 900)],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
@pytest.mark.parametrize("bits", [8, 4])
def test_arenas_of_known_networks(network: Callable[[], QuantGraph], limit: int | None, most: int, bits: int) -> None:
    assert planned(network(), limit=limit, bits=bits).arena_bytes <= most


def test_a_limit_is_kept_where_it_can_be() -> None:
    graph = ds_cnn()
    free, tight = planned(graph), planned(graph, limit=8_700)
    assert free.loss <= LOSSES[0]
    assert tight.arena_bytes <= 8_700 < free.arena_bytes
    assert tight.loss > free.loss


def test_no_more_time_is_given_up_than_it_takes() -> None:
    """With the limit at what the plan takes, nothing changes; a byte less costs some operators time, not all."""
    graph = ds_cnn()
    free = planned(graph)
    assert planned(graph, limit=free.arena_bytes).choices == free.choices
    tight = planned(graph, limit=free.arena_bytes - 1)
    slower = [name for name, choice in tight.choices.items() if choice.loss > LOSSES[0]]
    assert 0 < len(slower) < len(tight.choices)


def test_what_cannot_be_kept_gives_the_smallest_plan() -> None:
    graph = ds_cnn()
    least = planned(graph, limit=1)
    assert least.arena_bytes > 1
    assert least.arena_bytes <= planned(graph, limit=9_000).arena_bytes


@pytest.mark.parametrize("isa", ["c", DSP])
@pytest.mark.parametrize("seed", range(6))
def test_the_floor_is_below_every_plan(seed: int, isa: str) -> None:
    graph = random_network(seed)
    floor = max(floor_bytes(graph.topology, isa))
    for limit in (None, 1):
        plan = planned(graph, isa, limit)
        assert plan.head is not None or floor <= plan.arena_bytes


@pytest.mark.parametrize(("isa", "limit", "columns"), [(DSP, 30_000, 12), (DSP, 34_000, 24), ("c", 30_000, 12)])
def test_patches_where_no_kernels_are_small_enough(isa: str, limit: int, columns: int) -> None:
    """MobileNetV1 of width 0.25 at 96x96: the first four operators, as far as the limit asks for."""
    graph = mobilenet_v1_quarter()
    plan = planned(graph, isa, limit)
    assert plan.arena_bytes <= limit
    assert plan.optimal
    assert plan.head is not None
    assert (len(plan.head.operators), plan.head.width) == (4, columns)
    assert min(slowdowns(graph.topology, graph.bitwidths, plan)[name] for name in plan.head.operators) > 1


def test_no_patches_where_kernels_are_small_enough_or_patches_save_nothing() -> None:
    assert planned(mobilenet_v1_quarter(), limit=38_768).head is None
    assert planned(ds_cnn(), limit=1).head is None  # the first output is all that binds
