"""Pictures for papers and slides, through matplotlib: plans over bytes, time by operator, the arena."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal

from sq_micro.errors import ToolchainError
from sq_micro.report.operators import operators
from sq_micro.report.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = {2: "#d9ecec", 3: "#b3d8da", 4: "#86c0c6", 5: "#57a3ad", 6: "#2a7d8c", 8: "#124f5e", None: "#cfcbc2"}


def render_plots(result: Result, form: Literal["svg", "png"]) -> bytes:
    """One picture with a panel for each thing that is known. Raises ToolchainError iff matplotlib is missing."""
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ToolchainError("plots need: pip install 'sq-micro[plots]'") from error
    panels = [_bits]
    if result.measurement.cycles is not None:
        panels.append(_time)
    if result.memory.plan is not None:
        panels.append(_arena)
    if result.assignment is not None and any(plan.trial for plan in result.assignment.plans):
        panels.append(_plans)
    with mpl.rc_context({"svg.hashsalt": "sq-micro", "font.size": 9}):
        figure = Figure(figsize=(9.0, 3.2 * len(panels)), layout="constrained")
        for panel, axes in zip(panels, figure.subplots(len(panels), squeeze=False)[:, 0], strict=True):
            panel(result, axes)
            axes.spines[["top", "right"]].set_visible(False)
        stream = io.BytesIO()
        # Without a date and with fixed ids, equal results give equal files.
        metadata = {"Date": None} if form == "svg" else {"Software": None}
        figure.savefig(stream, format=form, dpi=150, metadata=metadata)
    return stream.getvalue()


def _bits(result: Result, axes: Axes) -> None:
    bits = result.bits.weights
    axes.bar(list(bits), list(bits.values()), color=[_COLOURS[width] for width in bits.values()])
    axes.set(ylabel="bits of weights", ylim=(0, 8.5), yticks=sorted(width for width in _COLOURS if width is not None))
    axes.set_title(f"{result.model.name} on {result.board.title}", loc="left")
    axes.tick_params(axis="x", rotation=45)


def _time(result: Result, axes: Axes) -> None:
    known = operators(result)
    cycles = [operator.ran.cycles or 0 for operator in known]
    names = [operator.ran.name for operator in known]
    axes.barh(names, cycles, color=[_COLOURS[operator.ran.weight_bits] for operator in known])
    for index, operator in enumerate(known):
        others = [width.cycles for width in operator.searched.widths if width.cycles] if operator.searched else []
        axes.plot(others, [index] * len(others), "|", color="0.25", markersize=7)
    axes.invert_yaxis()
    axes.set(xlabel=f"cycles, {result.measurement.cycle_source}; marks: at other bits")


def _arena(result: Result, axes: Axes) -> None:
    assert result.memory.plan is not None
    for buffer in result.memory.plan.buffers:
        axes.bar(
            (buffer.first + buffer.last) / 2,
            buffer.size_bytes,
            width=buffer.last - buffer.first + 0.96,
            bottom=buffer.offset_bytes,
            color=_COLOURS[4] if buffer.scratch_of is None else "white",
            edgecolor=_COLOURS[6],
            hatch=None if buffer.scratch_of is None else "///",
            linewidth=0.6,
        )
    axes.axhline(result.memory.sram_bytes.arena, color="0.2", linestyle="--", linewidth=1)
    for share in result.memory.plan.shares:
        axes.axhline(share.offset_bytes, color="0.2", linewidth=1)
    names = result.memory.plan.operators
    axes.set(ylabel="arena offset [bytes]")
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")


def _plans(result: Result, axes: Axes) -> None:
    assert result.assignment is not None
    plans = [plan for plan in result.assignment.plans if plan.trial is not None]
    for label, marker, chosen in (
        ("one width for all", "s", [plan for plan in plans if plan.origin.startswith("uniform")]),
        ("by rules", "D", [plan for plan in plans if plan.origin in ("memory-driven", "size-ranked")]),
        ("searched", "o", [plan for plan in plans if plan.origin == "searched"]),
        ("chosen", "*", [plan for plan in plans if plan.bits == result.bits.weights]),
    ):
        sizes = [(plan.weight_bytes if plan.flash_bytes is None else plan.flash_bytes) / 1024 for plan in chosen]
        heights = [max(plan.trial.divergence, 1e-6) for plan in chosen if plan.trial is not None]
        axes.plot(sizes, heights, marker, markersize=10 if label == "chosen" else 5, label=label)
    whole = all(plan.flash_bytes is not None for plan in plans)
    axes.set(xlabel=f"{'flash' if whole else 'packed weights'} [KiB]", ylabel="divergence [nats]", yscale="log")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
