"""`render_html(result)`: the page, complete in one text."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jinja2

from sq_micro.cost.budget import UNIT
from sq_micro.cost.figure import amount
from sq_micro.report.evidence import ConfusionRecord, PriceRecord
from sq_micro.report.html.cards import cards
from sq_micro.report.html.charts import arena_chart, plans_chart
from sq_micro.report.html.facts import figures, run_facts
from sq_micro.report.html.rows import longest_cycles, rows
from sq_micro.report.html.views import CellView, ConfusionView, PageView
from sq_micro.report.html.what_if import what_if_data
from sq_micro.report.operators import operators
from sq_micro.report.result import Result
from sq_micro.report.wording import choice_of_bits, cycle_model_limits, verdict, verification

_FOLDER = Path(__file__).resolve().parent
_SHADES = 9


def render_html(result: Result) -> str:
    """The report as one file: its styles, its script and its tables are inside, and nothing is fetched."""
    return (
        _environment()
        .get_template("page.html.j2")
        .render(page=page_view(result), css=_text("report.css"), js=_text("report.js"))
    )


def page_view(result: Result) -> PageView:
    """All texts and places; what the result does not know is absent."""
    assignment, memory = result.assignment, result.memory
    confused = result.accuracy.confusion if result.accuracy is not None else None
    checked = result.verification
    return PageView(
        title=f"{result.model.name} on {result.board.title}",
        verdict=verdict(result),
        lede=choice_of_bits(result),
        verification=verification(result),
        verified=checked.identical == checked.samples,
        cards=cards(result),
        prices=tuple(_price(price) for price in assignment.prices) if assignment else (),
        warnings=tuple(assignment.warnings) if assignment else (),
        rows=rows(result),
        searched=assignment is not None,
        timed=result.measurement.cycles is not None,
        cycle_source=result.measurement.cycle_source,
        cycle_limits=limits.text if (limits := cycle_model_limits(result)) else "",
        longest=longest_cycles(operators(result)),
        plans=plans_chart(result, assignment) if assignment else None,
        arena=arena_chart(memory.plan, memory.sram_bytes.arena) if memory.plan is not None else None,
        confusion=_confusion(confused) if confused is not None else None,
        figures=figures(result),
        run=run_facts(result),
        footer=f"sq-micro {result.tool.version}",
        data=what_if_data(result),
    )


def _price(price: PriceRecord) -> str:
    more = f"{amount(price.amount, UNIT[price.resource])} more {price.resource}"
    if price.gain <= 0:
        return f"{more} would gain nothing."
    points = f", {price.gain_points:.2f} points of expected accuracy" if price.gain_points else ""
    return f"{more} would lower the predicted divergence by {price.gain:.2g} nats{points}."


def _confusion(confused: ConfusionRecord) -> ConfusionView:
    found, recalls = [], []
    for label, (row, before) in enumerate(zip(confused.quantized, confused.float_network, strict=True)):
        total = sum(row)
        found.append(
            tuple(
                CellView(
                    count=str(count) if count else "",
                    change=f"{count - was:+d}".replace("-", "−") if count != was else "",
                    depth=round(_SHADES * count / total) if total else 0,
                    diagonal=decision == label,
                )
                for decision, (count, was) in enumerate(zip(row, before, strict=True))
            )
        )
        recalls.append(f"{row[label] / total:.1%}" if total else "")
    return ConfusionView(tuple(found), tuple(recalls))


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
