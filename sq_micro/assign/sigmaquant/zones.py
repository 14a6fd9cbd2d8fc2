"""Where a plan lies in the plane of quality and size (the paper's figure 2), and which way to go from there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sq_micro.assign.sigmaquant.options import SigmaQuantOptions


class Zone(Enum):
    """The zones of the figure, by what is met and what is near.

    TARGET         both met: done
    ITERATION      one met, the other inside its buffer: go on refining
    BIT_INCREASE   size met, quality beyond its buffer: more bits
    BIT_DECREASE   quality met, size beyond its buffer: fewer bits
    TRANSITION     both missed, at least one inside its buffer
    ABANDON        both missed beyond their buffers
    """

    TARGET = "target"
    ITERATION = "iteration"
    BIT_INCREASE = "bit-increase"
    BIT_DECREASE = "bit-decrease"
    TRANSITION = "transition"
    ABANDON = "abandon"


@dataclass(frozen=True, slots=True)
class Position:
    """A plan against its targets.

    excess_drop  points of accuracy lost beyond what is allowed; ≤ 0 meets the target
    load         the largest share of any budget taken; ≤ 1 meets all. The paper's size alone, and beyond it flash,
                 SRAM, latency and energy
    """

    excess_drop: float
    load: float

    @property
    def quality_met(self) -> bool:
        return self.excess_drop <= 0

    @property
    def size_met(self) -> bool:
        return self.load <= 1

    def quality_near(self, options: SigmaQuantOptions) -> bool:
        """Inside the buffer dA."""
        return self.excess_drop <= options.quality_buffer

    def size_near(self, options: SigmaQuantOptions) -> bool:
        """Inside the buffer dM."""
        return self.load <= 1 + options.size_buffer

    def zone(self, options: SigmaQuantOptions) -> Zone:
        """The zone of this position."""
        near = self.quality_near(options), self.size_near(options)
        if self.quality_met and self.size_met:
            return Zone.TARGET
        if self.size_met:
            return Zone.ITERATION if near[0] else Zone.BIT_INCREASE
        if self.quality_met:
            return Zone.ITERATION if near[1] else Zone.BIT_DECREASE
        return Zone.TRANSITION if any(near) else Zone.ABANDON

    def distance(self, options: SigmaQuantOptions) -> float:
        """How far from both targets, each in units of its buffer."""
        quality = max(self.excess_drop, 0.0) / (options.quality_buffer or 1.0)
        return quality + max(self.load - 1, 0.0) / (options.size_buffer or 1.0)
