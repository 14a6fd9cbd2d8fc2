"""The search for a division of an arena over regions, see `plan.division`.

A start is found by placing buffers one by one, the most accessed byte for byte first, each in the fastest region that
still takes it; one that no region takes comes earlier the next time. Then buffers are moved and exchanged, and branch
and bound goes through the regions of each. All is limited in steps, not seconds, since equal inputs must give equal
code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sq_micro.board import Space
from sq_micro.plan.arena import Layout, Offsets, greedy
from sq_micro.plan.search import searched

_STEPS = 12_000  # a step puts a buffer into a region: a second for tens of buffers
_SOON_STEPS = 3_000
_ROUNDS = 60  # in which a buffer that no region takes comes earlier
_REPAIRS = 20
_PACKING_STEPS = 500  # of the search for a placement of one region's buffers
_REPAIRS_PRICE, _PACKING_PRICE = 1, 8  # steps that repairs, and such a search, stand for: for each buffer


class _Region:
    """What lies in one region so far; an offset of -1 stands for none."""

    def __init__(self, layout: Layout, space: Space) -> None:
        self.space = space
        self.live = [0] * layout.operators
        self.offsets: Offsets = [-1] * len(layout.buffers)


class DivisionSearch:
    """1. start  2. move, and improve, unless any division is enough. `best` has what was found."""

    def __init__(
        self,
        layout: Layout,
        accesses: Sequence[int],
        spaces: Sequence[Space],
        total_bytes: int,
        soon: bool,
    ) -> None:
        self._layout = layout
        self._accesses = accesses
        self._spaces = spaces
        self._total = total_bytes
        self._steps = _SOON_STEPS if soon else _STEPS
        self._exact = True  # whether nothing was given up without a proof
        self._packed: dict[tuple[int, tuple[int, ...]], Offsets | None] = {}
        self._shared: list[list[tuple[int, int, int]]] = [[] for _ in layout.buffers]  # (partner, operator, bytes)
        for index, i, j, common in layout.shared:
            self._shared[i].append((j, index, common))
            self._shared[j].append((i, index, common))
        self._clear()
        self.best: list[int] = []  # region of each buffer; none was found so far if empty
        self.best_offsets: list[Offsets] = []  # by region
        self.least = 1 + sum(accesses) * max(space.level for space in spaces)  # slow accesses

    def _clear(self) -> None:
        self._regions = [_Region(self._layout, space) for space in self._spaces]
        self._chosen = [-1] * len(self._layout.buffers)
        self._left = self._layout.live_bytes()  # what is in no region yet, less what it may share

    # ---- The start ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Some division, if one is found soon."""
        sizes, everyone = self._layout.sizes, range(len(self._chosen))
        orders = (
            sorted(everyone, key=lambda i: (-self._accesses[i] / sizes[i], i)),
            sorted(everyone, key=lambda i: (-sizes[i], i)),
        )
        for start in orders:
            order = list(start)
            for _ in range(_ROUNDS):
                if self._steps <= 0:
                    break
                failed = self._one_by_one(order)
                if failed is None:
                    self._keep()
                    break
                at = order.index(failed)
                if at == 0:
                    break
                order.insert(at // 2, order.pop(at))
        self._clear()

    def _one_by_one(self, order: Sequence[int]) -> int | None:
        """The first buffer that no region takes, if any."""
        self._clear()
        for i in order:
            for region in range(len(self._spaces)):
                if self._put(i, region) is not None:
                    break
            else:
                return i
        return None

    def _keep(self) -> None:
        """What is placed, if it is the best so far and within the bound of all together."""
        cost = sum(self._cost(i, region) for i, region in enumerate(self._chosen))
        if cost >= self.least:
            return
        found = [region.offsets for region in self._regions]
        if sum(map(self._end, found)) > self._total:
            found = [self._smallest(offsets) for offsets in found]
            if sum(map(self._end, found)) > self._total:
                return
        self.best, self.least, self.best_offsets = list(self._chosen), cost, found

    def _end(self, offsets: Offsets) -> int:
        """Of what lies in one region."""
        sizes = self._layout.sizes
        return max((offset + sizes[i] for i, offset in enumerate(offsets) if offset >= 0), default=0)

    def _smallest(self, offsets: Offsets) -> Offsets:
        """The same buffers where they take least."""
        members = [i for i, offset in enumerate(offsets) if offset >= 0]
        if not members:
            return offsets
        self._steps -= _PACKING_PRICE * len(members)
        part = self._layout.of(members)
        bound = max(part.live_bytes())
        placed = searched(part, greedy(part, bound, _REPAIRS), bound, _PACKING_STEPS)
        self._exact &= placed.optimal
        found = [-1] * len(offsets)
        for i, offset in zip(members, placed.offsets, strict=True):
            found[i] = offset
        return found

    def _cost(self, i: int, region: int) -> int:
        return self._accesses[i] * self._spaces[region].level

    # ---- Moves ----------------------------------------------------------------------------------------------------

    def move(self) -> None:
        """From the best so far: buffers into faster regions, the most accessed first, if need be in exchange for one
        that is less accessed, until no such move is left.
        """
        self._clear()
        for i, region in enumerate(self.best):
            self._count(i, region, 1)
            self._chosen[i] = region
        for there, offsets in zip(self._regions, self.best_offsets, strict=True):
            there.offsets = offsets
        slow = [i for i, region in enumerate(self.best) if self._cost(i, region)]
        for i in sorted(slow, key=lambda i: (-self._accesses[i], i)):
            faster = range(self._chosen[i])
            if not any(self._moved({i: region}) for region in faster):
                any(self._moved({j: self._chosen[i], i: region}) for region in faster for j in self._rivals(i, region))
        self._keep()
        self._clear()

    def _rivals(self, i: int, region: int) -> list[int]:
        """Of a region, what is in use beside a buffer and less accessed, the least first."""
        buffers, accesses = self._layout.buffers, self._accesses
        found = [
            j
            for j, chosen in enumerate(self._chosen)
            if chosen == region and buffers[j].overlaps(buffers[i]) and accesses[j] < accesses[i]
        ]
        return sorted(found, key=lambda j: (accesses[j], j))

    def _moved(self, targets: Mapping[int, int]) -> bool:
        """Move buffers to other regions, one after the other; False where they do not fit and nothing changed."""
        if self._steps <= 0:
            return False
        sources = {i: self._chosen[i] for i in targets}
        before = [region.offsets for region in self._regions]
        for i, source in sources.items():
            self._take(i, source, [-1 if j == i else offset for j, offset in enumerate(self._regions[source].offsets)])
        placed = [i for i, target in targets.items() if self._put(i, target) is not None]
        if len(placed) == len(targets):
            return True
        for i in placed:
            self._take(i, targets[i], before[targets[i]])
        for i, source in sources.items():
            self._count(i, source, 1)
            self._chosen[i] = source
        for there, offsets in zip(self._regions, before, strict=True):
            there.offsets = offsets
        return False

    # ---- Branch and bound -----------------------------------------------------------------------------------------

    def improve(self, bound: int) -> int:
        """Search on from what is known; a lower bound of the slow accesses."""
        if self.least == bound:
            return bound
        order = sorted(range(len(self._chosen)), key=lambda i: (-self._accesses[i], i))
        self._descend(order, 0, 0, bound)
        return self.least if self._exact and self._steps > 0 else bound

    def _descend(self, order: Sequence[int], depth: int, cost: int, bound: int) -> None:
        if depth == len(order):
            self._keep()
            return
        i = order[depth]
        for region in range(len(self._spaces)):
            more = self._cost(i, region)
            if cost + more >= self.least:
                return  # the others are no faster
            if self._steps <= 0 or self.least <= bound:
                return
            before = self._put(i, region)
            if before is None:
                continue
            if self._rest_fits(i):
                self._descend(order, depth + 1, cost + more, bound)
            self._take(i, region, before)

    def _rest_fits(self, i: int) -> bool:
        """Whether, while a buffer is in use, the regions could hold what is in none yet."""
        buffer = self._layout.buffers[i]
        return all(
            self._left[index] <= sum(region.space.size_bytes - region.live[index] for region in self._regions)
            for index in range(buffer.first, buffer.last + 1)
        )

    # ---- One buffer -----------------------------------------------------------------------------------------------

    def _put(self, i: int, region: int) -> Offsets | None:
        """Put a buffer into a region; the offsets there before, or None where it does not fit and nothing changed."""
        self._steps -= 1
        there, size = self._regions[region], self._layout.sizes[i]
        room, before = there.space.size_bytes, there.offsets
        self._count(i, region, 1)
        if all(there.live[index] <= room for index in self._lifetime(i)):
            lowest = self._layout.lowest(i, before)
            if lowest + size <= room:
                there.offsets = [*before[:i], lowest, *before[i + 1 :]]
            else:
                members = tuple(j for j, offset in enumerate(before) if offset >= 0 or j == i)
                there.offsets = self._pack(region, members) or before
        if there.offsets is before:
            self._count(i, region, -1)
            return None
        self._chosen[i] = region
        return before

    def _take(self, i: int, region: int, before: Offsets) -> None:
        self._regions[region].offsets = before
        self._chosen[i] = -1
        self._count(i, region, -1)

    def _count(self, i: int, region: int, sign: int) -> None:
        """A buffer's bytes from what is left to a region (1), or back (-1); its partners are counted with both."""
        live, size = self._regions[region].live, self._layout.sizes[i]
        for index in self._lifetime(i):
            live[index] += sign * size
            self._left[index] -= sign * size
        for j, index, common in self._shared[i]:
            if self._chosen[j] == region:
                live[index] -= sign * common
            if self._chosen[j] >= 0:
                self._left[index] += sign * common

    def _lifetime(self, i: int) -> range:
        return range(self._layout.buffers[i].first, self._layout.buffers[i].last + 1)

    def _pack(self, region: int, members: tuple[int, ...]) -> Offsets | None:
        """All of a region's buffers placed anew; None where they do not fit, as far as is found."""
        key = region, members
        if key not in self._packed:
            self._packed[key] = self._packing(self._spaces[region].size_bytes, members)
        return self._packed[key]

    def _packing(self, room: int, members: Sequence[int]) -> Offsets | None:
        part = self._layout.of(members)
        if max(part.live_bytes()) > room:
            return None
        self._steps -= _REPAIRS_PRICE * len(members)
        offsets: Sequence[int] = greedy(part, room, _REPAIRS)
        if part.arena_bytes(offsets) > room:
            self._steps -= _PACKING_PRICE * len(members)
            placed = searched(part, list(offsets), max(part.live_bytes()), _PACKING_STEPS)
            if placed.arena_bytes > room:
                self._exact &= placed.lower_bound_bytes > room
                return None
            offsets = placed.offsets
        found = [-1] * len(self._layout.buffers)
        for i, offset in zip(members, offsets, strict=True):
            found[i] = offset
        return found
