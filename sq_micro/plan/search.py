"""The smallest arena: branch and bound over canonical placements.

Push every buffer of a best placement down as far as it goes, again and again. In what remains, each buffer lies
at the lowest place that those at or below its offset leave. So it is enough to place buffers by rising offset,
each at its lowest place, in every order; an order is given up as soon as

  * some buffer left out would end at or below the offset reached: it could have been placed there, or
  * at some operator, what is placed plus the bytes still to be placed reach the best arena known.

Two buffers that may lie at the same offset but, one moved, nowhere near it, can hold each other up. While both
are open, all places of theirs are tried instead of the lowest.

The limit is a number of steps, not seconds: equal inputs must give equal code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from sq_micro.plan.arena import Layout, Offsets, greedy

_WIDEST = 4  # operators of a part that is solved for a bound
_WINDOW_REPAIRS = 40
_WINDOW_STEPS = 1_000

_TRIAL_STEPS = 1_000  # where many plans are tried, of which one is taken
STEPS = 10_000  # seconds for hundreds of buffers, tenths for tens


@dataclass(frozen=True, slots=True)
class Placement:
    """offsets by position of the buffer; no placement takes less than lower_bound_bytes."""

    offsets: tuple[int, ...]
    arena_bytes: int
    lower_bound_bytes: int

    @property
    def optimal(self) -> bool:
        """Whether it is proven that no placement is smaller."""
        return self.arena_bytes == self.lower_bound_bytes


@lru_cache(maxsize=4096)  # a search over bitwidths asks for the same few again and again
def place(layout: Layout, steps: int = STEPS) -> Placement:
    """The smallest arena that `steps` steps of the search can find, with what is proven about it."""
    bound = max(layout.live_bytes())
    offsets = greedy(layout, bound)
    arena = layout.arena_bytes(offsets)
    if arena > bound:
        bound = _window_bound(layout, bound, arena)
        offsets = _around_the_peak(layout, offsets, bound)
    return searched(layout, offsets, bound, steps)


def fits(layout: Layout, limit_bytes: int) -> bool:
    """Whether a placement within a limit is found soon; in most cases that is known without a search."""
    if max(layout.live_bytes()) > limit_bytes:
        return False
    quickly = greedy(layout, limit_bytes, _WINDOW_REPAIRS)
    return layout.arena_bytes(quickly) <= limit_bytes or place(layout, _TRIAL_STEPS).arena_bytes <= limit_bytes


def searched(layout: Layout, offsets: Offsets, bound: int, steps: int) -> Placement:
    """A placement that is known, made better where it can be."""
    arena = layout.arena_bytes(offsets)
    if arena > bound:
        search = _Search(layout, offsets, bound, steps)
        complete = search.run()
        offsets, arena = search.best, search.least
        bound = arena if complete else bound
    return Placement(tuple(offsets), arena, bound)


def _window_bound(layout: Layout, bound: int, arena: int) -> int:
    """A better lower bound: the exact answer for a few operators in a row, whose buffers must fit in any case."""
    for width in range(2, _WIDEST + 1):
        for first in range(layout.operators - width + 1):
            part = layout.during(first, first + width - 1)
            if not part.buffers:
                continue
            offsets = greedy(part, bound, _WINDOW_REPAIRS)
            if part.arena_bytes(offsets) > bound:
                found = searched(part, offsets, max(part.live_bytes()), _WINDOW_STEPS)
                bound = max(bound, found.lower_bound_bytes)
            if bound >= arena:
                return arena
    return bound


def _around_the_peak(layout: Layout, offsets: Offsets, bound: int) -> Offsets:
    """A better placement: the exact one of some operators in a row where most is in use, and the rest beside it."""
    live = layout.live_bytes()
    peak = live.index(max(live))
    best, least = offsets, layout.arena_bytes(offsets)
    for width in range(1, _WIDEST + 1):
        for first in range(max(0, peak - width + 1), min(peak, layout.operators - width) + 1):
            if least <= bound:
                return best
            last = first + width - 1
            part = layout.during(first, last)
            found = searched(part, greedy(part, bound, _WINDOW_REPAIRS), bound, _WINDOW_STEPS)
            completed = _beside(layout, dict(zip(layout.used(first, last), found.offsets, strict=True)))
            if layout.arena_bytes(completed) < least:
                best, least = completed, layout.arena_bytes(completed)
    return best


def _beside(layout: Layout, placed: Mapping[int, int]) -> Offsets:
    """Some buffers where they are, and the others from the largest down at their lowest places."""
    offsets = [placed.get(i, -1) for i in range(len(layout.buffers))]
    for i in sorted(range(len(offsets)), key=lambda i: (-layout.sizes[i], i)):
        if offsets[i] < 0:
            offsets[i] = layout.lowest(i, offsets)
    return offsets


class _Search:
    def __init__(self, layout: Layout, best: Offsets, bound: int, steps: int) -> None:
        self.layout = layout
        self.best = best
        self.least = layout.arena_bytes(best)
        self._bound = bound
        self._steps = steps
        self._offsets = [-1] * len(best)
        self._open = set(range(len(best)))
        self._top = [0] * layout.operators  # the highest end placed so far, by operator
        self._left = layout.live_bytes()  # what is still to be placed, less what it may share
        self._shared: list[list[tuple[int, int, int]]] = [[] for _ in best]  # (partner, operator, bytes)
        for index, i, j, common in layout.shared:
            self._shared[i].append((j, index, common))
            self._shared[j].append((i, index, common))
        self._partners = [frozenset(j for j, intervals in found if len(intervals) == 2) for found in layout.neighbours]

    def run(self) -> bool:
        """Whether every order was tried or given up for a reason."""
        self._descend(0, -1)
        return self._steps > 0 or self.least == self._bound

    def _descend(self, reached: int, latest: int) -> None:
        if not self._open:
            self.least, self.best = self.layout.arena_bytes(self._offsets), list(self._offsets)
            return
        for offset, i in self._candidates(reached, latest):
            self._steps -= 1
            if self._steps <= 0 or self.least == self._bound:
                return
            undo = self._put(i, offset)
            if all(top + left < self.least for top, left in zip(self._top, self._left, strict=True)):
                self._descend(offset, i)
            self._take(i, undo)

    def _candidates(self, reached: int, latest: int) -> list[tuple[int, int]]:
        """(offset, buffer) worth trying next, lowest first."""
        sizes, offsets = self.layout.sizes, self._offsets
        found: list[tuple[int, int]] = []
        ceilings: list[tuple[int, int]] = []  # (end that a buffer could have, buffer)
        for i in self._open:
            lowest = self.layout.lowest(i, offsets)
            if self._partners[i] & self._open:
                found += [(offset, i) for offset in self._places(i, reached)]
                continue
            ceilings.append((lowest + sizes[i], i))
            if lowest >= reached:
                found.append((lowest, i))
        ceilings.sort()
        kept = []
        for offset, i in found:
            ceiling = next((end for end, j in ceilings if j != i), None)
            if ceiling is not None and offset >= ceiling:
                continue
            # Equal offsets in one order only, unless one could not be placed before the other.
            if offset == reached and i < latest and not self._beside_partner(i, offset):
                continue
            if offset + sizes[i] < self.least:
                kept.append((offset, i))
        return sorted(kept, key=lambda candidate: (candidate[0], -sizes[candidate[1]], candidate[1]))

    def _places(self, i: int, reached: int) -> list[int]:
        """All offsets from `reached` on at which a buffer lies on the bottom or is held up by another."""
        offsets = self._offsets
        ends = {0}
        for j, intervals in self.layout.neighbours[i]:
            if offsets[j] >= 0:
                ends |= {offsets[j] + end for _, end in intervals}
        return [end for end in sorted(ends) if end >= reached and self.layout.lowest(i, offsets, end) == end]

    def _beside_partner(self, i: int, offset: int) -> bool:
        return any(self._offsets[j] == offset for j, _, _ in self._shared[i])

    def _put(self, i: int, offset: int) -> list[int]:
        buffer, size = self.layout.buffers[i], self.layout.sizes[i]
        self._offsets[i] = offset
        self._open.remove(i)
        before = self._top[buffer.first : buffer.last + 1]
        for index in range(buffer.first, buffer.last + 1):
            self._top[index] = max(self._top[index], offset + size)
            self._left[index] -= size
        for j, index, common in self._shared[i]:
            if self._offsets[j] >= 0:
                self._left[index] += common
        return before

    def _take(self, i: int, before: list[int]) -> None:
        buffer, size = self.layout.buffers[i], self.layout.sizes[i]
        for j, index, common in self._shared[i]:
            if self._offsets[j] >= 0:
                self._left[index] -= common
        self._top[buffer.first : buffer.last + 1] = before
        for index in range(buffer.first, buffer.last + 1):
            self._left[index] += size
        self._open.add(i)
        self._offsets[i] = -1
