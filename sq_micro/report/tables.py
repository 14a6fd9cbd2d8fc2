"""A result for other programs: CSV, Chrome's trace, folded stacks, JUnit."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from sq_micro.cost.figure import Unit, amount
from sq_micro.errors import UsageError
from sq_micro.report.operators import Operator, operators
from sq_micro.report.result import Result
from sq_micro.report.wording import accuracy_drop

_CSV_HEAD = (
    *("index", "operator", "kind", "bits", "macs", "weights", "weight_bytes", "table_bytes", "scratch_bytes"),
    *("cycles", "cycle_source", "latency_s", "sqnr_db", "cosine", "sigma", "weight_divergence", "damage"),
)


def render_csv(result: Result) -> str:
    """One line per operator that runs, in execution order; what is not known is empty."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_CSV_HEAD)
    for operator in operators(result):
        writer.writerow(["" if value is None else value for value in _csv_row(result, operator)])
    return stream.getvalue()


def _csv_row(result: Result, operator: Operator) -> Iterator[object]:
    ran, clock = operator.ran, result.board.clock_hz
    packed, searched = operator.packed_width, operator.searched_width
    yield from (ran.index, ran.name, ran.kind, ran.weight_bits, ran.macs)
    yield operator.weighted.weights if operator.weighted else None
    yield from (packed.weight_bytes, packed.table_bytes, packed.scratch_bytes) if packed else (None, None, None)
    yield from (ran.cycles, result.measurement.cycle_source if ran.cycles is not None else None)
    yield ran.cycles / clock if ran.cycles is not None and clock else None
    yield from (operator.fidelity.sqnr_db, operator.fidelity.cosine) if operator.fidelity else (None, None)
    yield operator.weighted.sigma if operator.weighted else None
    yield packed.weight_divergence if packed else None
    yield searched.damage if searched else None


def render_trace(result: Result) -> str:
    """Chrome's trace format, for Perfetto: one inference on one track, times in microseconds of the core's clock.

    Raises UsageError iff the result has no cycles, or no clock to make time of them.
    """
    clock = result.board.clock_hz
    if clock is None:
        raise UsageError(f"a trace needs time, and the clock of {result.board.id} is not known")
    source = result.measurement.cycle_source
    events: list[dict[str, object]] = [
        {"ph": "M", "pid": 1, "name": "process_name", "args": {"name": result.board.title}},
        {"ph": "M", "pid": 1, "tid": 1, "name": "thread_name", "args": {"name": f"{result.model.name} ({source})"}},
    ]
    start = 0
    for operator in operators(result):
        ran, cycles = operator.ran, _cycles(operator, result)
        arguments = {"bits": ran.weight_bits, "macs": ran.macs, "cycles": cycles, "provenance": source}
        times = {"ts": 1e6 * start / clock, "dur": 1e6 * cycles / clock}
        events.append({"ph": "X", "pid": 1, "tid": 1, "name": ran.name, "cat": ran.kind, **times, "args": arguments})
        start += cycles
    return json.dumps({"displayTimeUnit": "ns", "traceEvents": events}, indent=1) + "\n"


def render_folded(result: Result) -> str:
    """Folded stacks for flame graphs: `model;kind;operator cycles`. Raises UsageError iff there are no cycles."""
    name = _frame(result.model.name)
    return "".join(
        f"{name};{operator.ran.kind};{_frame(operator.ran.name)} {_cycles(operator, result)}\n"
        for operator in operators(result)
    )


def _cycles(operator: Operator, result: Result) -> int:
    if operator.ran.cycles is None:
        raise UsageError(f"this result has no cycles: the link '{result.measurement.link}' does not count them")
    return operator.ran.cycles


def _frame(name: str) -> str:
    """Semicolons and line ends are the format's own."""
    return " ".join(name.replace(";", ":").split())


@dataclass(frozen=True, slots=True)
class _Case:
    """failure is None where the case holds."""

    name: str
    detail: str
    failure: str | None


def render_junit(result: Result) -> str:
    """Verification and every budget as test cases, for the table of tests of a build server."""
    cases = [_verification(result), *_budgets(result)]
    failures = sum(case.failure is not None for case in cases)
    suite = ElementTree.Element(
        "testsuite",
        name=f"{result.model.name} on {result.board.id}",
        tests=str(len(cases)),
        failures=str(failures),
        errors="0",
        skipped="0",
    )
    for case in cases:
        element = ElementTree.SubElement(suite, "testcase", classname=f"sq-micro.{result.model.name}", name=case.name)
        if case.failure is not None:
            ElementTree.SubElement(element, "failure", message=case.failure).text = case.detail
        else:
            ElementTree.SubElement(element, "system-out").text = case.detail
    ElementTree.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suite, encoding="unicode") + "\n"


def _verification(result: Result) -> _Case:
    checked = result.verification
    detail = f"{checked.identical} of {checked.samples} outputs identical to {checked.oracle}"
    differing = checked.samples - checked.identical
    return _Case("outputs identical to the oracle", detail, f"{differing} outputs differ" if differing else None)


def _budgets(result: Result) -> Iterator[_Case]:
    if result.assignment is None:
        return
    budget, memory, measured = result.assignment.budget, result.memory, result.measurement
    bounds: tuple[tuple[str, float | None, float | None, Unit], ...] = (
        ("flash", memory.flash_bytes.total, budget.flash_bytes, "bytes"),
        ("SRAM", memory.sram_bytes.total, budget.sram_bytes, "bytes"),
        ("latency", measured.latency_s, budget.latency_s, "s"),
        ("energy", measured.energy_j, budget.energy_j, "J"),
        ("weights", memory.flash_bytes.weights, budget.weight_bytes, "bytes"),
    )
    for name, taken, bound, unit in bounds:
        if bound is not None and taken is not None:
            detail = f"{amount(taken, unit)} of {amount(bound, unit)}"
            failure = f"{amount(taken - bound, unit)} too much" if taken > bound else None
            yield _Case(f"{name} within its budget", detail, failure)
    if budget.max_drop_points is not None and result.accuracy is not None:
        lost = accuracy_drop(result.accuracy)
        failure = "more accuracy lost than allowed" if lost > budget.max_drop_points else None
        yield _Case("accuracy loss within its bound", f"{lost:.2f} of {budget.max_drop_points:g} points", failure)
