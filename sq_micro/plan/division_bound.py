"""What every division of an arena over regions has in slow accesses at least, see `plan.division`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import floor, inf

from sq_micro.board import Space
from sq_micro.plan.arena import Layout

_MOST_USED = 12  # buffers at one operator, of which every assignment is looked at
_ROUNDING = 1e-6  # of sums that are whole numbers


def least_slow_accesses(layout: Layout, accesses: Sequence[int], spaces: Sequence[Space]) -> int | None:
    """A lower bound; None where at some operator nothing fits.

    Operator by operator, each with a part of the accesses of what is in use: all, or an equal one for each operator of
    a lifetime. Of the first the largest answer is a bound, of the second the sum of all.
    """
    operators = [(index, layout.used(index, index)) for index in range(layout.operators)]
    equal = [count / (buffer.last - buffer.first + 1) for count, buffer in zip(accesses, layout.buffers, strict=True)]
    largest = max(_at_one(layout, index, used, accesses, spaces) for index, used in operators)
    together = sum(_at_one(layout, index, used, equal, spaces) for index, used in operators)
    return None if largest == inf else floor(max(largest, together) + _ROUNDING)


def _at_one(layout: Layout, index: int, used: list[int], accesses: Sequence[float], spaces: Sequence[Space]) -> float:
    """The fewest slow accesses with which all that is in use at an operator fits, if it may lie anywhere."""
    sizes = layout.sizes
    common = {frozenset((i, j)): size for at, i, j, size in layout.shared if at == index}
    best = inf

    def descend(rest: list[int], held: list[list[int]], cost: float) -> None:
        nonlocal best
        if not rest:
            best = min(best, cost)
            return
        i, *others = rest
        for space, there in zip(spaces, held, strict=True):
            more = cost + accesses[i] * space.level
            members = [*there, i]
            shared = sum(common.get(frozenset(pair), 0) for pair in combinations(members, 2))
            if more < best and sum(sizes[j] for j in members) - shared <= space.size_bytes:
                descend(others, [members if one is there else one for one in held], more)

    if len(used) > _MOST_USED:
        return 0.0
    descend(sorted(used, key=lambda i: (-sizes[i], i)), [[] for _ in spaces], 0.0)
    return best
