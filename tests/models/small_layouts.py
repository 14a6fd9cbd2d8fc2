"""Buffers so few and small that all placements can be looked at."""

from __future__ import annotations

from itertools import product

from hypothesis import strategies as st

from sq_micro.kernels.overlap import ALIGNMENT, Overlap, disjoint
from sq_micro.plan.arena import Layout
from sq_micro.plan.lifetimes import Buffer


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    """Up to five buffers of a few words, with overlaps of every kind."""
    buffers = []
    for index in range(draw(st.integers(1, 5))):
        first = draw(st.integers(0, 3))
        buffers.append(Buffer(f"b{index}", draw(st.integers(1, 14)), first, draw(st.integers(first, 3))))
    overlaps = {}
    for i, j in product(range(len(buffers)), repeat=2):
        if i != j and buffers[i].last == buffers[j].first and (j, i) not in overlaps and draw(st.booleans()):
            apart = disjoint(buffers[i].size_bytes, buffers[j].size_bytes)
            below = draw(st.integers(apart.below_bytes, 0))
            above = draw(st.integers(0, apart.above_bytes))
            overlaps[i, j] = Overlap(below, above, draw(st.booleans()))
    return Layout(tuple(buffers), tuple(overlaps.items()))


def allowed(layout: Layout, offsets: tuple[int, ...]) -> bool:
    """By the definition: disjoint, or at a distance that is allowed."""
    overlaps = dict(layout.overlaps)
    for i, left in enumerate(layout.buffers):
        for j, right in enumerate(layout.buffers):
            if i == j or not left.overlaps(right):
                continue
            apart = offsets[i] + left.size_bytes <= offsets[j] or offsets[j] + right.size_bytes <= offsets[i]
            distance = offsets[j] - offsets[i]
            shared = ((i, j) in overlaps and overlaps[i, j].allows(distance)) or (
                (j, i) in overlaps and overlaps[j, i].allows(-distance)
            )
            if not apart and not shared:
                return False
    return True


def least_of_all(layout: Layout) -> int:
    """Every placement at multiples of the alignment, in arenas that grow until one is right."""
    arena = max(layout.sizes)
    while True:
        places = [range(0, arena - size + 1, ALIGNMENT) for size in layout.sizes]
        if any(allowed(layout, offsets) for offsets in product(*places)):
            return arena
        arena += ALIGNMENT
