"""A comparison of allocators as table, CSV and plot."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from sq_micro.report.figures import new_figure, save_svg


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """One allocator at one share of the 8-bit bytes; accuracy in 0 … 1 or None."""

    allocator: str
    share: float
    weight_bytes: int
    feasible: bool
    bits: tuple[int, ...]
    divergence: float
    accuracy: float | None


def print_comparison(title: str, rows: Sequence[ComparedRow], console: Console) -> None:
    """One line a plan, a section for each share."""
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False, padding=0)
    table.add_column("allocator")
    for column in ("share of int8", "bytes", "accuracy", "divergence"):
        table.add_column(column, justify="right")
    table.add_column("bits by operator")
    share = rows[0].share if rows else None
    for row in rows:
        if row.share != share:
            table.add_section()
            share = row.share
        table.add_row(
            row.allocator,
            f"{row.share:.1%}",
            f"{row.weight_bytes:,}",
            "" if row.accuracy is None else f"{row.accuracy:.2%}",
            f"{row.divergence:.4f}",
            " ".join(map(str, row.bits)) + ("" if row.feasible else "  (does not fit)"),
        )
    console.print(table)


def comparison_csv(rows: Sequence[ComparedRow]) -> str:
    """The same for a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("allocator", "share", "weight_bytes", "feasible", "accuracy", "calibration_divergence", "bits"))
    for row in rows:
        accuracy = "" if row.accuracy is None else row.accuracy
        bits = " ".join(map(str, row.bits))
        writer.writerow((row.allocator, row.share, row.weight_bytes, int(row.feasible), accuracy, row.divergence, bits))
    return text.getvalue()


def plot_comparison(title: str, rows: Sequence[ComparedRow], float_accuracy: float | None, file: Path) -> None:
    """Accuracy, or divergence without one, over bytes, as SVG. Raises ToolchainError iff matplotlib is missing."""
    figure = new_figure(7.0, 4.5)
    axes = figure.subplots()
    counted = all(row.accuracy is not None for row in rows)
    for allocator in dict.fromkeys(row.allocator for row in rows):
        own = sorted((row for row in rows if row.allocator == allocator and row.feasible), key=lambda r: r.weight_bytes)
        heights = [100 * (row.accuracy or 0.0) if counted else row.divergence for row in own]
        axes.plot([row.weight_bytes / 1024 for row in own], heights, marker="o", markersize=4, label=allocator)
    if counted and float_accuracy is not None:
        axes.axhline(100 * float_accuracy, color="0.5", linewidth=1, linestyle="--", label="float")
    axes.set_xlabel("packed weights [KiB]")
    axes.set_ylabel("accuracy on the evaluation set [%]" if counted else "divergence on calibration data [nats]")
    if not counted:
        axes.set_yscale("log")
    axes.set_title(title)
    axes.grid(alpha=0.3)
    axes.legend()
    save_svg(figure, file)
