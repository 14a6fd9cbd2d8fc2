"""An arena divided over regions: against all divisions there are, and on a case whose answer is known."""

from __future__ import annotations

import time
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sq_micro.board import Space
from sq_micro.plan.arena import Layout
from sq_micro.plan.division import Division, divide
from sq_micro.plan.lifetimes import Buffer
from tests.models.random_layout import random_layout
from tests.models.small_layouts import allowed, layouts, least_of_all


@st.composite
def instances(draw: st.DrawFn) -> tuple[Layout, tuple[int, ...], tuple[Space, ...]]:
    """A few buffers with their accesses, and two or three regions, some of them equally fast."""
    layout = draw(layouts())
    accesses = tuple(draw(st.integers(0, 9)) for _ in layout.buffers)
    levels = [0, *sorted(draw(st.lists(st.integers(0, 2), min_size=1, max_size=2)))]
    sizes = [4 * draw(st.integers(1, 8)) for _ in levels]
    return layout, accesses, tuple(Space(f"r{i}", *pair) for i, pair in enumerate(zip(sizes, levels, strict=True)))


def shares_of_all(layout: Layout, spaces: tuple[Space, ...]) -> dict[tuple[int, ...], int]:
    """Every choice of a region for each buffer that fits, with the bytes that all shares take at least."""
    least: dict[tuple[int, ...], int] = {(): 0}
    found = {}
    for chosen in product(range(len(spaces)), repeat=len(layout.buffers)):
        parts = [tuple(i for i, region in enumerate(chosen) if region == number) for number in range(len(spaces))]
        for part in parts:
            if part not in least:
                least[part] = least_of_all(layout.of(part))
        if all(least[part] <= space.size_bytes for part, space in zip(parts, spaces, strict=True)):
            found[chosen] = sum(least[part] for part in parts)
    return found


def slow(chosen: tuple[int, ...], accesses: tuple[int, ...], spaces: tuple[Space, ...]) -> int:
    return sum(count * spaces[region].level for region, count in zip(chosen, accesses, strict=True))


def regions_of(division: Division, layout: Layout, spaces: tuple[Space, ...]) -> tuple[int, ...]:
    """The region of each buffer, once what may not be is ruled out."""
    names = [space.region for space in spaces]
    chosen = []
    for offset, size in zip(division.offsets, layout.sizes, strict=True):
        (share,) = (share for share in division.shares if share.holds(offset))
        assert share.holds(offset + size - 1), "a buffer lies wholly in one region"
        chosen.append(names.index(share.region))
    for share in division.shares:
        assert share.lower_bound_bytes <= share.size_bytes <= spaces[names.index(share.region)].size_bytes
    for number in set(chosen):
        members = [i for i, region in enumerate(chosen) if region == number]
        assert allowed(layout.of(members), tuple(division.offsets[i] for i in members))
    return tuple(chosen)


@given(instances())
@settings(max_examples=60, deadline=None)
def test_no_division_has_fewer_slow_accesses(instance: tuple[Layout, tuple[int, ...], tuple[Space, ...]]) -> None:
    layout, accesses, spaces = instance
    every = shares_of_all(layout, spaces)
    division = divide(layout, accesses, spaces)
    assert (division is None) == (not every)
    if division is not None:
        chosen = regions_of(division, layout, spaces)
        least = min(slow(each, accesses, spaces) for each in every)
        assert slow(chosen, accesses, spaces) == division.slow_accesses == division.least_slow_accesses == least
        assert division.arena_bytes == sum(share.size_bytes for share in division.shares) >= every[chosen]


@given(instances(), st.integers(1, 16))
@settings(max_examples=60, deadline=None)
def test_all_shares_together_keep_a_bound(
    instance: tuple[Layout, tuple[int, ...], tuple[Space, ...]], words: int
) -> None:
    layout, accesses, spaces = instance
    every = {chosen: total for chosen, total in shares_of_all(layout, spaces).items() if total <= 4 * words}
    division = divide(layout, accesses, spaces, 4 * words)
    assert (division is None) == (not every)
    if division is not None:
        assert division.arena_bytes <= 4 * words
        assert division.slow_accesses == min(slow(each, accesses, spaces) for each in every)


@given(instances())
@settings(max_examples=60, deadline=None)
def test_what_is_found_soon_is_a_division(instance: tuple[Layout, tuple[int, ...], tuple[Space, ...]]) -> None:
    layout, accesses, spaces = instance
    division = divide(layout, accesses, spaces, soon=True)
    if division is not None:
        chosen = regions_of(division, layout, spaces)
        assert division.least_slow_accesses <= slow(chosen, accesses, spaces) == division.slow_accesses


def test_what_is_hot_goes_where_it_is_fast() -> None:
    """Scratch is small and hot; of two tensors one fits beside it."""
    buffers = (Buffer("cold", 80, 0, 1), Buffer("warm", 60, 1, 2), Buffer("scratch", 20, 1, 1))
    spaces = Space("fast", 80, 0), Space("slow", 100, 1)
    division = divide(Layout(buffers), (100, 200, 1000), spaces)
    assert division is not None
    assert regions_of(division, Layout(buffers), spaces) == (1, 0, 0)
    assert [(share.region, share.size_bytes, share.accessed_bytes) for share in division.shares] == [
        ("fast", 80, 1200),
        ("slow", 80, 100),
    ]


def test_too_little_room_is_told_as_none() -> None:
    spaces = Space("fast", 60, 0), Space("slow", 60, 1)
    assert divide(Layout((Buffer("large", 100, 0, 0),)), (1,), spaces) is None, "more than any region has"
    three = Layout(tuple(Buffer(name, 40, 0, 0) for name in "abc"))
    assert divide(three, (1, 1, 1), spaces) is None, "of three that fit together, no two fit one region"


@pytest.mark.long
def test_a_large_network_is_divided_in_seconds() -> None:
    layout = random_layout(operators=200, seed=1)
    half = max(layout.live_bytes()) * 5 // 8 // 4 * 4
    spaces = Space("fast", half, 0), Space("slow", half, 1)
    started_s = time.process_time()
    division = divide(layout, tuple(layout.sizes), spaces)
    assert time.process_time() - started_s < 20
    assert division is not None
    assert 0 < division.least_slow_accesses <= division.slow_accesses
    regions_of(division, layout, spaces)
