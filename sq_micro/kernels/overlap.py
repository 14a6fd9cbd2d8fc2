"""How far an output may reach into its input while the kernel still reads it.

Distance means: start of the output less start of the input, in bytes. A kernel that works upwards has, after
every store, a first byte that it will still read; what it has written must end there. Downwards it is the mirror
image. So each walk allows all distances up to a bound, or all from a bound on, and both bounds follow from the
order of loads and stores alone.
"""

from __future__ import annotations

from dataclasses import dataclass

ALIGNMENT = 4  # of tensors and scratch: word loads and stores; the arena itself is aligned to 16


@dataclass(frozen=True, slots=True)
class Overlap:
    """The distances at which an operator may write over an input that nobody reads after it.

    below_bytes  every distance up to this one, at most 0
    above_bytes  every distance from this one on, at least 0
    same_start   distance 0, whatever the bounds say: each store hits only what was read before
    """

    below_bytes: int
    above_bytes: int
    same_start: bool = False

    def allows(self, distance_bytes: int) -> bool:
        """Whether input and output may lie so."""
        outside = not self.below_bytes < distance_bytes < self.above_bytes
        return outside or (self.same_start and distance_bytes == 0)

    def forbidden(self) -> tuple[tuple[int, int], ...]:
        """Open intervals of distances that are not allowed, their ends on the alignment."""
        low = self.below_bytes // ALIGNMENT * ALIGNMENT
        high = aligned(self.above_bytes)
        ends = ((low, 0), (0, high)) if self.same_start else ((low, high),)
        return tuple((start, end) for start, end in ends if start < end)

    def shared_bytes(self, input_bytes: int, output_bytes: int) -> int:
        """The most that both may have in common."""
        best = 0
        distances = (self.below_bytes // ALIGNMENT * ALIGNMENT, aligned(self.above_bytes), 0)
        for distance in distances:
            if self.allows(distance):
                end = min(input_bytes, distance + output_bytes)
                best = max(best, end - max(0, distance))
        return best

    def both(self, other: Overlap) -> Overlap:
        """What two readings of one input allow together."""
        below, above = min(self.below_bytes, other.below_bytes), max(self.above_bytes, other.above_bytes)
        return Overlap(below, above, self.allows(0) and other.allows(0))


def aligned(size_bytes: int) -> int:
    """The next multiple of the alignment.

    >>> aligned(5), aligned(8)
    (8, 8)
    """
    return -(-size_bytes // ALIGNMENT) * ALIGNMENT


def disjoint(input_bytes: int, output_bytes: int) -> Overlap:
    """No byte in common."""
    return Overlap(-output_bytes, input_bytes)
