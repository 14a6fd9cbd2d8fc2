"""What the templates get: finished texts and places. They hold no arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

from sq_micro.report.html.marks import Drawing
from sq_micro.report.wording import Provenance


@dataclass(frozen=True, slots=True)
class PartView:
    """A segment of a bar; share in percent of the bar's length."""

    name: str
    text: str
    percent: str


@dataclass(frozen=True, slots=True)
class CardView:
    """One figure with its bar.

    key       what the page's script knows it by: flash, sram, latency, energy, accuracy
    parts     of what is taken; the bar's length is the larger of what is allowed and what is taken
    tick      where the bound lies, in percent of the bar; None without one
    allowed   in words: of what, and how much is left
    """

    key: str
    label: str
    value: str
    unit: str
    provenance: Provenance
    parts: tuple[PartView, ...]
    tick: str | None
    allowed: str
    over: bool


@dataclass(frozen=True, slots=True)
class WidthView:
    """A width that an operator may be pinned to; `hint` is what a pointer or a screen reader is told."""

    bits: int
    chosen: bool
    hint: str


@dataclass(frozen=True, slots=True)
class GhostView:
    """The operator at another width, on the same scale as its bar."""

    bits: int
    percent: str
    text: str


@dataclass(frozen=True, slots=True)
class StepView:
    """One width up or down."""

    label: str
    text: str
    exceeds: str


@dataclass(frozen=True, slots=True)
class RowView:
    """One operator that runs; fields that are not known, or have no meaning for it, are empty."""

    index: int
    name: str
    kind: str
    bits: int | None
    widths: tuple[WidthView, ...]
    sigma: str
    divergence: str
    damage: str
    weight_bytes: str
    cycles: str
    latency: str
    energy: str
    share: str
    percent: str
    flame_percent: str
    sqnr: str
    cosine: str
    why: str
    steps: tuple[StepView, ...]
    ghosts: tuple[GhostView, ...]


@dataclass(frozen=True, slots=True)
class TableView:
    """What lies behind a chart."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class ChartView:
    """A drawing, what it shows in words, and its numbers."""

    drawing: Drawing
    description: str
    table: TableView


@dataclass(frozen=True, slots=True)
class CellView:
    """A cell of the confusion matrix; depth 0 … 9 of its shade, change against the float network."""

    count: str
    change: str
    depth: int
    diagonal: bool


@dataclass(frozen=True, slots=True)
class ConfusionView:
    """Rows of labels; recall by row, in words."""

    rows: tuple[tuple[CellView, ...], ...]
    recalls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FactView:
    """A line of the table of provenance, or of the run."""

    name: str
    value: str
    how: str


@dataclass(frozen=True, slots=True)
class PageView:
    """Everything on the page. longest: cycles of the longest bar; data: the JSON that its script reads.

    cycle_limits  how far modelled cycles can be trusted; empty where there are none
    """

    title: str
    verdict: str
    lede: str
    verification: str
    verified: bool
    cards: tuple[CardView, ...]
    prices: tuple[str, ...]
    warnings: tuple[str, ...]
    rows: tuple[RowView, ...]
    searched: bool
    timed: bool
    cycle_source: str
    cycle_limits: str
    longest: int
    plans: ChartView | None
    arena: ChartView | None
    confusion: ConfusionView | None
    figures: tuple[FactView, ...]
    run: tuple[FactView, ...]
    footer: str
    data: str
