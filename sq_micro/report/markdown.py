"""A result for a pull request: a sentence, what it takes, and the operators folded away."""

from __future__ import annotations

from sq_micro.report.html.cards import cards
from sq_micro.report.html.rows import rows
from sq_micro.report.html.views import RowView
from sq_micro.report.result import Result
from sq_micro.report.wording import choice_of_bits, cycle_model_limits, verdict, verification


def marker(result: Result) -> str:
    """The first line: by it a bot finds its own comment of last time, and replaces it."""
    return f"<!-- sq-micro: {result.model.name} on {result.board.id} -->"


def render_markdown(result: Result) -> str:
    """GitHub's dialect; equal results give equal texts."""
    lines = [marker(result), f"### {_text(verdict(result))}", "", _text(choice_of_bits(result)), ""]
    lines += ["| figure | value | | how |", "|---|--:|---|---|"]
    for card in cards(result):
        over = " **over**" if card.over else ""
        lines.append(f"| {card.label} | {card.value} {card.unit}{over} | {cell(card.allowed)} | {card.provenance} |")
    mark = "✅" if result.verification.identical == result.verification.samples else "❌"
    lines += ["", f"{mark} {_text(verification(result))}", ""]
    if (limits := cycle_model_limits(result)) is not None:
        lines += [f"Cycle model ({limits.trust}): {_text(limits.text)}", ""]
    if result.assignment is not None and result.assignment.warnings:
        lines += [*(f"> **Look at this:** {_text(warning)}" for warning in result.assignment.warnings), ""]
    lines += ["<details><summary>Operators</summary>", ""]
    lines += [
        "| # | operator | kind | bits | weights [B] | cycles | share | SQNR [dB] | why |",
        "|--:|---|---|--:|--:|--:|--:|--:|---|",
    ]
    lines += [_row(row) for row in rows(result)]
    lines += ["", "</details>"]
    return "\n".join(lines) + "\n"


def _row(row: RowView) -> str:
    cells = (
        str(row.index),
        cell(row.name),
        row.kind,
        str(row.bits or ""),
        row.weight_bytes,
        row.cycles,
        row.share,
        row.sqnr,
        cell(row.why),
    )
    return f"| {' | '.join(cells)} |"


def cell(text: str) -> str:
    """A text that may stand in a table."""
    return _text(text).replace("|", "\\|")


def _text(text: str) -> str:
    """Names may hold what Markdown or HTML takes for markup."""
    for character in "\\`*_[]<>":
        text = text.replace(character, f"\\{character}")
    return text
