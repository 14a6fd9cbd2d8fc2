"""The bits of every operator, plan by plan, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sq_micro.ir.bitwidths import WEIGHT_BITS
from sq_micro.report.figures import new_figure, save_svg

_INCHES_PER_CELL = 0.34
_DARK = 4  # bits up to which a cell is dark and its number white


@dataclass(frozen=True, slots=True)
class PlannedBits:
    """A plan's label, and its bits in the order of the operators."""

    label: str
    bits: tuple[int, ...]


def plot_bits(title: str, operators: Sequence[str], plans: Sequence[PlannedBits], file: Path) -> None:
    """A row a plan, a column an operator, its bits in the cell; SVG. ToolchainError iff matplotlib is not there."""
    width, height = _INCHES_PER_CELL * len(operators) + 2.6, _INCHES_PER_CELL * len(plans) + 2.2
    figure = new_figure(width, height)
    axes = figure.subplots()
    axes.imshow([plan.bits for plan in plans], cmap="viridis", vmin=min(WEIGHT_BITS), vmax=max(WEIGHT_BITS))
    for row, plan in enumerate(plans):
        for column, bits in enumerate(plan.bits):
            colour = "white" if bits <= _DARK else "black"
            axes.text(column, row, str(bits), ha="center", va="center", color=colour, fontsize=8)
    axes.set_xticks(range(len(operators)), operators, rotation=60, ha="right", fontsize=8)
    axes.set_yticks(range(len(plans)), [plan.label for plan in plans], fontsize=8)
    axes.set_title(title, fontsize=10)
    save_svg(figure, file)
