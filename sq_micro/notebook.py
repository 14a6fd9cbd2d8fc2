"""Small HTML tables, which notebooks show in place of a result's text. The full report is another thing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from sq_micro.report.result import Result

_LEFT = ' style="text-align:left"'


def fact_table(facts: Mapping[str, object]) -> str:
    """Names and values, one pair to a row.

    >>> fact_table({"flash": "<1 KiB"})
    '<table><tr><td style="text-align:left">flash</td><td style="text-align:left">&lt;1 KiB</td></tr></table>'
    """
    return _table((), facts.items())


def result_table(result: Result) -> str:
    """What a run came to, and its operators below; each figure says where it is from."""
    memory, measured, checked = result.memory, result.measurement, result.verification
    facts: dict[str, object] = {"model": result.model.name, "board": result.board.title}
    if result.accuracy is not None:
        accuracy = result.accuracy
        facts["accuracy"] = f"{accuracy.quantized:.2%} quantized, {accuracy.float_:.2%} float ({accuracy.metric})"
    facts["flash"] = f"{memory.flash_bytes.total:,} B (linked image)"
    facts["SRAM"] = f"{memory.sram_bytes.total:,} B (linked image)"
    if measured.latency_s is not None:
        facts["latency"] = f"{measured.latency_s * 1e3:,.2f} ms {measured.cycle_source}"
    if measured.energy_j is not None:
        facts["energy"] = f"{measured.energy_j * 1e3:,.3f} mJ modelled"
    facts["verified"] = f"{checked.identical} of {checked.samples} samples identical to {checked.oracle}"
    head = ("operator", "kind", "bits", "MACs", f"cycles {measured.cycle_source}")
    rows = [
        (one.name, one.kind, one.weight_bits or "", f"{one.macs:,}", "" if one.cycles is None else f"{one.cycles:,}")
        for one in measured.operators
    ]
    return fact_table(facts) + _table(head, rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    heads = "".join(f"<th>{escape(name, quote=False)}</th>" for name in head)
    body = "".join(
        "<tr>" + "".join(f"<td{_LEFT}>{escape(str(value), quote=False)}</td>" for value in row) + "</tr>"
        for row in rows
    )
    return f"<table>{f'<tr>{heads}</tr>' if head else ''}{body}</table>"
