"""What one candidate takes."""

from __future__ import annotations

from dataclasses import dataclass

from sq_micro.cost.figure import Figure


@dataclass(frozen=True, slots=True)
class Cost:
    """latency and energy are None where the board has no cycle counter, or no published power; sram where a model of an
    accelerator says nothing of its memories.

    flash    constants and code
    sram     arena, stack and static data
    weights  the packed weights alone, a part of flash
    """

    flash: Figure
    sram: Figure | None
    latency: Figure | None
    energy: Figure | None
    weights: Figure

    def __str__(self) -> str:
        known = (("flash", self.flash), ("SRAM", self.sram), ("latency", self.latency), ("energy", self.energy))
        return ", ".join(f"{name} {figure}" for name, figure in known if figure is not None)
