"""Changes as a table for the terminal, and for a pull request."""

from __future__ import annotations

from sq_micro.cost.figure import amount
from sq_micro.ir.text import columns
from sq_micro.report.changes import Changes, FigureChange, OperatorChange, gate_text
from sq_micro.report.markdown import cell

_HEAD = ("figure", "before", "after", "change")
_OPERATOR_HEAD = ("operator", "bits", "cycles", "change")


def changes_text(changes: Changes) -> str:
    """For people at a terminal."""
    lines = [f"{changes.before}  →  {changes.after}", "", columns([_HEAD, *map(_figure, changes.figures)]).rstrip("\n")]
    if changes.operators:
        lines += ["", columns([_OPERATOR_HEAD, *map(_operator, changes.operators)]).rstrip("\n")]
    lines += [f"note: {note}" for note in changes.notes]
    lines += [f"{'passed' if gate.passed else 'FAILED'}: {gate_text(gate)}" for gate in changes.gates]
    return "\n".join(lines) + "\n"


def changes_markdown(changes: Changes) -> str:
    """For a pull request; the first line lets a bot find its own comment of last time."""
    lines = [f"<!-- sq-micro compare: {changes.after} -->", f"### {cell(changes.before)} → {cell(changes.after)}", ""]
    lines += _table(_HEAD, [_figure(change) for change in changes.figures])
    if changes.operators:
        lines += ["", "<details><summary>Operators</summary>", ""]
        lines += [*_table(_OPERATOR_HEAD, [_operator(change) for change in changes.operators]), "", "</details>"]
    lines += ["", *(f"> {note}" for note in changes.notes)] if changes.notes else []
    lines += [""] if changes.gates else []
    lines += [f"- {'✅' if gate.passed else '❌'} {gate_text(gate)}" for gate in changes.gates]
    return "\n".join(lines) + "\n"


def _figure(change: FigureChange) -> tuple[str, ...]:
    return change.name, _value(change, change.before), _value(change, change.after), _difference(change)


def _value(change: FigureChange, value: float | None) -> str:
    if value is None:
        return "unknown"
    return f"{value:.2%}" if change.unit == "share" else amount(value, change.unit)


def _difference(change: FigureChange) -> str:
    if change.before is None or change.after is None:
        return ""
    difference = change.after - change.before
    if difference == 0:
        return "="
    sign = "+" if difference > 0 else "−"
    if change.unit == "share":
        return f"{sign}{100 * abs(difference):.2f} points"
    share = f" ({sign}{abs(difference / change.before):.1%})" if change.before else ""
    return f"{sign}{amount(abs(difference), change.unit)}{share}"


def _operator(change: OperatorChange) -> tuple[str, ...]:
    return (
        change.name,
        _pair(change.bits_before, change.bits_after),
        _pair(change.cycles_before, change.cycles_after),
        _cycles(change),
    )


def _pair(before: int | None, after: int | None) -> str:
    first, second = ("–" if value is None else f"{value:,}" for value in (before, after))
    return "" if before is None and after is None else first if before == after else f"{first} → {second}"


def _cycles(change: OperatorChange) -> str:
    if change.cycles_before is None or change.cycles_after is None or change.cycles_before == change.cycles_after:
        return ""
    difference = change.cycles_after - change.cycles_before
    share = f" ({difference / change.cycles_before:+.1%})" if change.cycles_before else ""
    return f"{difference:+,}{share}".replace("-", "−")


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", f"|---{'|--:' * (len(head) - 1)}|"]
    return [*lines, *(f"| {' | '.join(map(cell, row))} |" for row in rows)]
