"""The smallest arena: against all placements there are, and on cases whose answer is known."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings

from sq_micro.kernels.overlap import aligned
from sq_micro.plan.arena import Layout, greedy
from sq_micro.plan.lifetimes import Buffer
from sq_micro.plan.search import place
from tests.models.random_layout import random_layout
from tests.models.small_layouts import allowed, layouts, least_of_all


def test_tflite_micros_own_example_of_what_its_greedy_planner_misses() -> None:
    """Four operators, where placing by size takes 1,012 units and 826 are enough; tflite-micro,
    memory_planner/non_persistent_buffer_planner_shim.h. A unit is a word here, since we align to words.
    """
    units = (
        *(("a1", 400, 0, 3), ("a2", 401, 0, 0), ("a3", 10, 0, 1), ("a4", 201, 1, 3), ("a5", 11, 1, 2)),
        *(("a6", 202, 2, 2), ("a7", 12, 2, 3), ("a8", 200, 3, 3), ("a9", 13, 3, 3)),
    )
    layout = Layout(tuple(Buffer(name, 4 * size, first, last) for name, size, first, last in units))
    placed = place(layout)
    assert (placed.arena_bytes, placed.lower_bound_bytes) == (4 * 826, 4 * 826)
    by_size = [-1] * len(units)
    for i in sorted(range(len(units)), key=lambda i: -units[i][1]):
        by_size[i] = layout.lowest(i, by_size)
    assert layout.arena_bytes(by_size) == 4 * 1012


def test_the_search_goes_on_where_greedy_placement_ends() -> None:
    units = (
        *(("a", 3, 4, 5), ("b", 2, 3, 4), ("c", 4, 6, 6), ("d", 5, 2, 3), ("e", 5, 0, 2), ("f", 4, 0, 3)),
        *(("g", 3, 0, 0), ("h", 3, 2, 4), ("i", 1, 1, 3), ("j", 4, 0, 0), ("k", 4, 3, 3)),
    )
    layout = Layout(tuple(Buffer(name, 4 * size, first, last) for name, size, first, last in units))
    assert layout.arena_bytes(greedy(layout, 0)) == 4 * 20
    placed = place(layout)
    assert (placed.arena_bytes, placed.optimal) == (4 * 19, True)


def test_too_few_steps_leave_a_gap_that_is_stated() -> None:
    layout = random_layout(operators=60, seed=1)
    placed = place(layout, 3)
    assert not placed.optimal
    assert placed.lower_bound_bytes == max(layout.live_bytes()) < placed.arena_bytes


# ---- Against all placements ------------------------------------------------------------------------------------


@given(layouts())
@settings(max_examples=150, deadline=None)
def test_no_placement_is_smaller(layout: Layout) -> None:
    placed = place(layout)
    assert allowed(layout, placed.offsets)
    assert placed.optimal
    assert placed.arena_bytes == least_of_all(layout) == layout.arena_bytes(placed.offsets)


@pytest.mark.long
@given(layouts())
@settings(max_examples=5000, deadline=None)
def test_no_placement_is_smaller_in_depth(layout: Layout) -> None:
    assert place(layout).arena_bytes == least_of_all(layout)


@given(layouts())
@settings(max_examples=100, deadline=None)
def test_the_greedy_start_is_a_placement_and_the_bound_a_bound(layout: Layout) -> None:
    offsets = greedy(layout, 0)
    assert allowed(layout, tuple(offsets))
    assert max(layout.live_bytes()) <= least_of_all(layout) <= layout.arena_bytes(offsets)


# ---- Large networks --------------------------------------------------------------------------------------------


@pytest.mark.long
def test_two_hundred_operators_are_planned_with_the_gap_stated() -> None:
    layout = random_layout(operators=200, seed=1)
    started_s = time.process_time()
    placed = place(layout)
    assert time.process_time() - started_s < 20
    assert allowed(layout, placed.offsets)
    assert max(layout.live_bytes()) <= placed.lower_bound_bytes <= placed.arena_bytes
    assert placed.arena_bytes <= 1.1 * placed.lower_bound_bytes


def test_alignment() -> None:
    assert [aligned(size) for size in (0, 1, 4, 5)] == [0, 4, 4, 8]
