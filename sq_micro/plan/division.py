"""An arena divided over several regions: each buffer lies wholly in one, what is most accessed in the fastest.

Buffers in different regions share no byte; in one region they lie as `plan.search` places them. Of all divisions that
fit, the best has the fewest slow accesses: bytes loaded and stored, times how many faster levels the region has above
it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from sq_micro.board import Space
from sq_micro.plan.arena import Layout
from sq_micro.plan.division_bound import least_slow_accesses
from sq_micro.plan.division_search import DivisionSearch
from sq_micro.plan.search import place


@dataclass(frozen=True, slots=True)
class Share:
    """The part of an arena that lies in one region. Offsets count through all shares, one behind the other.

    lower_bound_bytes  no placement of this share's buffers is smaller
    accessed_bytes     loaded and stored there by an inference; modelled, see `plan.accesses`
    """

    region: str
    offset_bytes: int
    size_bytes: int
    lower_bound_bytes: int
    accessed_bytes: int

    def holds(self, offset_bytes: int) -> bool:
        """Whether an offset of the whole arena lies in it."""
        return self.offset_bytes <= offset_bytes < self.offset_bytes + self.size_bytes

    def __str__(self) -> str:
        return (
            f"in {self.region} {self.size_bytes:,} B from offset {self.offset_bytes:,}, at least"
            f" {self.lower_bound_bytes:,} B for its buffers; {self.accessed_bytes:,} B loaded and stored (modelled)"
        )


@dataclass(frozen=True, slots=True)
class Division:
    """offsets by position of the buffer, through all shares; no division has less than least_slow_accesses."""

    shares: tuple[Share, ...]
    offsets: tuple[int, ...]
    slow_accesses: int
    least_slow_accesses: int

    @property
    def arena_bytes(self) -> int:
        """Of all shares."""
        return sum(share.size_bytes for share in self.shares)


@lru_cache(maxsize=4096)
def divide(
    layout: Layout,
    accesses: tuple[int, ...],
    spaces: tuple[Space, ...],
    total_bytes: int | None = None,
    soon: bool = False,
) -> Division | None:
    """The best division that is found; None where none is.

    accesses     bytes loaded from and stored to each buffer
    spaces       what the regions leave, the fastest first
    total_bytes  that all shares may take together; None: no bound but theirs
    soon         be content with any, looked for not as long
    """
    total = sum(space.size_bytes for space in spaces) if total_bytes is None else total_bytes
    bound = least_slow_accesses(layout, accesses, spaces)
    if bound is None or max(layout.live_bytes()) > total:
        return None
    search = DivisionSearch(layout, accesses, spaces, total, soon)
    search.start()
    if not soon:
        if search.best:
            search.move()
        bound = search.improve(bound)
    if not search.best:
        return None
    shares, offsets, start = [], [0] * len(layout.buffers), 0
    for region, space in enumerate(spaces):
        members = [i for i, chosen in enumerate(search.best) if chosen == region]
        if not members:
            continue
        placed = place(layout.of(members))
        kept = search.best_offsets[region]
        packed = placed.arena_bytes <= max(kept[i] + layout.sizes[i] for i in members)
        for i, offset in zip(members, placed.offsets, strict=True):
            offsets[i] = start + (offset if packed else kept[i])
        size = max(offsets[i] + layout.sizes[i] for i in members) - start
        accessed = sum(accesses[i] for i in members)
        shares.append(Share(space.region, start, size, placed.lower_bound_bytes, accessed))
        start += size
    return Division(tuple(shares), tuple(offsets), search.least, bound)
