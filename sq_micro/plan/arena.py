"""Offsets in the arena: who may not lie where, seen from whom, and placement one by one at the lowest place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from sq_micro.kernels.overlap import Overlap, aligned, disjoint
from sq_micro.plan.lifetimes import Buffer

Intervals = tuple[tuple[int, int], ...]
Offsets = list[int]

REPAIRS = 1000  # rounds in which whoever lies highest is placed earlier


@dataclass(frozen=True, slots=True)
class Span:
    """A place in the arena."""

    offset_bytes: int
    size_bytes: int

    @property
    def end_bytes(self) -> int:
        """The first offset behind it."""
        return self.offset_bytes + self.size_bytes


@dataclass(frozen=True)
class Layout:
    """Buffers, and the overlaps that operators allow between (input, output), by the buffers' positions.

    Buffers in use at the same time are disjoint unless there is an overlap for them.
    """

    buffers: tuple[Buffer, ...]
    overlaps: tuple[tuple[tuple[int, int], Overlap], ...] = ()

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Bytes of each buffer, with what alignment adds behind it."""
        return tuple(aligned(buffer.size_bytes) for buffer in self.buffers)

    @cached_property
    def _by_pair(self) -> Mapping[tuple[int, int], Overlap]:
        return dict(self.overlaps)

    @cached_property
    def neighbours(self) -> tuple[tuple[tuple[int, Intervals], ...], ...]:
        """For each buffer i, all (j, intervals) in use at the same time: offset i − offset j is in none of them."""
        found: list[list[tuple[int, Intervals]]] = [[] for _ in self.buffers]
        for j, other in enumerate(self.buffers):
            for i in range(j):
                if self.buffers[i].overlaps(other):
                    intervals = self._forbidden(i, j)  # of offset j − offset i
                    found[j].append((i, intervals))
                    found[i].append((j, _mirrored(intervals)))
        return tuple(map(tuple, found))

    def _forbidden(self, i: int, j: int) -> Intervals:
        if (i, j) in self._by_pair:
            return self._by_pair[i, j].forbidden()
        if (j, i) in self._by_pair:
            return _mirrored(self._by_pair[j, i].forbidden())
        return disjoint(self.sizes[i], self.sizes[j]).forbidden()

    def lowest(self, i: int, offsets: Sequence[int], at_least: int = 0) -> int:
        """The lowest offset for buffer i beside those that have one; −1 stands for none."""
        blocked = []
        for j, intervals in self.neighbours[i]:
            base = offsets[j]
            if base >= 0:
                blocked += [(base + start, base + end) for start, end in intervals]
        blocked.sort()
        position = at_least
        for start, end in blocked:
            if start >= position:
                break
            position = max(position, end)
        return position

    def arena_bytes(self, offsets: Sequence[int]) -> int:
        """Up to the highest end."""
        return max(offset + size for offset, size in zip(offsets, self.sizes, strict=True))

    @cached_property
    def operators(self) -> int:
        """How many points in time there are."""
        return 1 + max(buffer.last for buffer in self.buffers)

    @cached_property
    def shared(self) -> tuple[tuple[int, int, int, int], ...]:
        """(operator, input, output, bytes that both may have in common at most), for each at which both are in use."""
        return tuple(
            (index, i, j, overlap.shared_bytes(self.sizes[i], self.sizes[j]))
            for (i, j), overlap in self.overlaps
            for index in self._both(i, j)
        )

    def _both(self, i: int, j: int) -> range:
        one, other = self.buffers[i], self.buffers[j]
        return range(max(one.first, other.first), min(one.last, other.last) + 1)

    def used(self, first: int, last: int) -> list[int]:
        """The buffers in use at any time while operators `first` to `last` run."""
        return [i for i, buffer in enumerate(self.buffers) if buffer.first <= last and first <= buffer.last]

    def of(self, kept: Sequence[int]) -> Layout:
        """Some of the buffers, alone."""
        position = {i: index for index, i in enumerate(kept)}
        overlaps = tuple(
            ((position[i], position[j]), overlap)
            for (i, j), overlap in self.overlaps
            if i in position and j in position
        )
        return Layout(tuple(self.buffers[i] for i in kept), overlaps)

    def during(self, first: int, last: int) -> Layout:
        """What is in use while operators `first` to `last` run, and no longer."""
        part = self.of(self.used(first, last))
        buffers = tuple(
            replace(buffer, first=max(buffer.first, first) - first, last=min(buffer.last, last) - first)
            for buffer in part.buffers
        )
        return Layout(buffers, part.overlaps)

    def live_bytes(self) -> list[int]:
        """Per operator what is in use while it runs, less what may lie on top of each other: a lower bound."""
        live = [0] * self.operators
        for buffer, size in zip(self.buffers, self.sizes, strict=True):
            for index in range(buffer.first, buffer.last + 1):
                live[index] += size
        for index, _, _, common in self.shared:
            live[index] -= common
        return live


def _mirrored(intervals: Intervals) -> Intervals:
    return tuple((-end, -start) for start, end in reversed(intervals))


def greedy(layout: Layout, enough_bytes: int, repairs: int = REPAIRS) -> Offsets:
    """One buffer after another at its lowest place, in several orders; the best of them.

    From each order rounds of repair go on: the buffer that ends highest is placed earlier. Stops at `enough_bytes`.
    """
    buffers, sizes = layout.buffers, layout.sizes
    everyone = range(len(buffers))
    orders = (
        sorted(everyone, key=lambda i: (-sizes[i], buffers[i].first, buffers[i].name)),
        sorted(everyone, key=lambda i: (buffers[i].first, -sizes[i], buffers[i].name)),
        sorted(everyone, key=lambda i: (-buffers[i].last, -sizes[i], buffers[i].name)),
        sorted(everyone, key=lambda i: (-sizes[i] * (buffers[i].last - buffers[i].first + 1), buffers[i].name)),
    )
    best: Offsets = []
    least = 0
    for start in orders:
        order = list(start)
        for _ in range(repairs // len(orders)):
            offsets = _in_order(layout, order)
            arena = layout.arena_bytes(offsets)
            if not best or arena < least:
                best, least = offsets, arena
            if least <= enough_bytes:
                return best
            highest = max(everyone, key=lambda i: (offsets[i] + sizes[i], i))
            at = order.index(highest)
            order.insert(at // 2, order.pop(at))
    return best


def _in_order(layout: Layout, order: Sequence[int]) -> Offsets:
    offsets = [-1] * len(order)
    for i in order:
        offsets[i] = layout.lowest(i, offsets)
    return offsets
