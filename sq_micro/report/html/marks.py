"""A drawing as a list of marks with places, which one template turns into SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Shape = Literal["circle", "square", "diamond", "star"]


@dataclass(frozen=True, slots=True)
class Rect:
    """`style` is a class of report.css; `tip` is shown by a pointer, and read out; `text` stands inside."""

    x: float
    y: float
    width: float
    height: float
    style: str
    tip: str = ""
    text: str = ""
    kind: Literal["rect"] = "rect"


@dataclass(frozen=True, slots=True)
class Dot:
    """A point of a chart; `shape` tells series apart without colour."""

    x: float
    y: float
    style: str
    tip: str
    shape: Shape = "circle"
    kind: Literal["dot"] = "dot"


@dataclass(frozen=True, slots=True)
class Line:
    """From point to point."""

    points: str
    style: str
    kind: Literal["line"] = "line"


@dataclass(frozen=True, slots=True)
class Text:
    """anchor as SVG has it; `turn` in degrees around its own place."""

    x: float
    y: float
    text: str
    style: str = "label"
    anchor: Literal["start", "middle", "end"] = "middle"
    turn: int = 0
    kind: Literal["text"] = "text"


Mark = Rect | Dot | Line | Text


@dataclass(frozen=True, slots=True)
class Drawing:
    """Marks in a coordinate system of its own, later ones on top."""

    width: int
    height: int
    marks: tuple[Mark, ...]


def line(points: Sequence[tuple[float, float]], style: str) -> Line:
    """A line through points."""
    return Line(" ".join(f"{x:.1f},{y:.1f}" for x, y in points), style)


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers that cover low … high, at steps of 1, 2 or 5 times a power of ten.

    >>> ticks(0, 10_500, 5)
    [0.0, 5000.0, 10000.0]
    """
    if high <= low:
        return [low]
    power = 10.0 ** len(str(int(high - low)))
    steps = sorted(power / 10**digits * factor for digits in range(1, 6) for factor in (1, 2, 5))
    step = next((step for step in steps if (high - low) / step <= most), steps[-1])
    first = -(-low // step)
    return [step * (first + index) for index in range(int((high - first * step) / step) + 1)]
