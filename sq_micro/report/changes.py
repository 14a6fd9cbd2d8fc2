"""What changed from one result to another, and whether that may pass: `sq-micro compare`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sq_micro.cost.budget import quantity
from sq_micro.cost.figure import Unit, amount
from sq_micro.errors import GateError, UsageError
from sq_micro.report.operators import Operator, operators
from sq_micro.report.record import Bits, Record
from sq_micro.report.result import Result
from sq_micro.report.wording import accuracy_drop

FigureName = Literal["flash", "sram", "latency", "energy", "weights", "accuracy"]
FigureUnit = Literal["bytes", "s", "J", "share"]
GateName = Literal["flash", "sram", "latency", "drop"]
SizeName = Literal["flash", "sram", "latency"]
_SIZE_UNITS: dict[SizeName, Unit] = {"flash": "bytes", "sram": "bytes", "latency": "s"}
UNITS: dict[FigureName, FigureUnit] = {
    "flash": "bytes",
    "sram": "bytes",
    "latency": "s",
    "energy": "J",
    "weights": "bytes",
    "accuracy": "share",
}


class FigureChange(Record):
    """One figure of both results; null where a result does not know it."""

    name: FigureName
    unit: FigureUnit
    before: float | None
    after: float | None


class OperatorChange(Record):
    """An operator whose bits or cycles changed, or that only one of the results has."""

    name: str
    bits_before: Bits | None
    bits_after: Bits | None
    cycles_before: int | None
    cycles_after: int | None


class GateResult(Record):
    """limit and value in the figure's own unit; of `drop` in percentage points."""

    name: GateName
    stated: str
    limit: float
    value: float
    passed: bool


class Changes(Record):
    """notes: what makes figures of both hard to compare."""

    before: str
    after: str
    figures: list[FigureChange]
    operators: list[OperatorChange]
    notes: list[str]
    gates: list[GateResult]


@dataclass(frozen=True, slots=True)
class Gates:
    """As a person states them: `48KiB` is a limit, `+512B` and `+2%` are above the first result; None is no gate.

    drop  `1.0` are points below the second result's own float network, `+0.5` points below the first result
    """

    flash: str | None = None
    sram: str | None = None
    latency: str | None = None
    drop: str | None = None


def compare(before: Result, after: Result, gates: Gates) -> Changes:
    """All that differs. Raises UsageError iff a gate makes no sense, or its figure is not known."""
    notes = _notes(before, after)
    values_before, values_after = _values(before), _values(after)
    figures = [
        FigureChange(name=name, unit=unit, before=values_before[name], after=values_after[name])
        for name, unit in UNITS.items()
        if values_before[name] is not None or values_after[name] is not None
    ]
    stated: tuple[tuple[SizeName, str | None], ...] = (
        ("flash", gates.flash),
        ("sram", gates.sram),
        ("latency", gates.latency),
    )
    judged = [_judge(name, text, before, after) for name, text in stated if text is not None]
    if gates.drop is not None:
        judged.append(_judge_drop(gates.drop, before, after))
    return Changes(
        before=_title(before),
        after=_title(after),
        figures=figures,
        operators=_operators(before, after),
        notes=notes,
        gates=judged,
    )


def require_gates(changes: Changes) -> None:
    """Raises GateError iff a gate was not passed."""
    failed = [gate for gate in changes.gates if not gate.passed]
    if failed:
        detail = "; ".join(gate_text(gate) for gate in failed)
        raise GateError(tuple(gate.name for gate in failed), detail)


def gate_text(gate: GateResult) -> str:
    """`flash 10,360 B, at most 10,000 B (+2%)`."""
    if gate.name == "drop":
        return f"{gate.value:.2f} points of accuracy lost, at most {gate.limit:.2f} ({gate.stated})"
    unit: Unit = "s" if gate.name == "latency" else "bytes"
    return f"{gate.name} {amount(gate.value, unit)}, at most {amount(gate.limit, unit)} ({gate.stated})"


def _title(result: Result) -> str:
    return f"{result.model.name} on {result.board.id}"


def _notes(before: Result, after: Result) -> list[str]:
    notes = []
    if before.model.sha256 != after.model.sha256:
        notes.append("the model files differ")
    if before.board.id != after.board.id:
        notes.append(f"the boards differ: {before.board.id}, {after.board.id}")
    if before.build.compiler != after.build.compiler:
        notes.append(f"the compilers differ: {before.build.compiler}, {after.build.compiler}")
    sources = (before.measurement.cycle_source, after.measurement.cycle_source)
    if sources[0] != sources[1]:
        notes.append(f"cycles are {sources[0]} in the first and {sources[1]} in the second")
    counts = [result.accuracy.samples if result.accuracy else None for result in (before, after)]
    if counts[0] != counts[1]:
        notes.append("accuracy is of different samples")
    return notes


def _values(result: Result) -> dict[FigureName, float | None]:
    memory, measured = result.memory, result.measurement
    return {
        "flash": memory.flash_bytes.total,
        "sram": memory.sram_bytes.total,
        "latency": measured.latency_s,
        "energy": measured.energy_j,
        "weights": memory.flash_bytes.weights,
        "accuracy": result.accuracy.quantized if result.accuracy else None,
    }


def _operators(before: Result, after: Result) -> list[OperatorChange]:
    first = {operator.ran.name: operator for operator in operators(before)}
    second = {operator.ran.name: operator for operator in operators(after)}
    changes = [_operator(name, first.get(name), second.get(name)) for name in dict.fromkeys([*first, *second])]
    return [
        change
        for change in changes
        if change.bits_before != change.bits_after
        or change.cycles_before != change.cycles_after
        or (change.name in first) != (change.name in second)
    ]


def _operator(name: str, before: Operator | None, after: Operator | None) -> OperatorChange:
    return OperatorChange(
        name=name,
        bits_before=before.ran.weight_bits if before else None,
        bits_after=after.ran.weight_bits if after else None,
        cycles_before=before.ran.cycles if before else None,
        cycles_after=after.ran.cycles if after else None,
    )


def _judge(name: SizeName, stated: str, before: Result, after: Result) -> GateResult:
    option, unit = f"--max-{name}", _SIZE_UNITS[name]
    value = _values(after)[name]
    if value is None:
        raise UsageError(f"{option}: the second result has no {name}")
    if not stated.startswith("+"):
        limit = quantity(option, stated, unit)
    else:
        base = _values(before)[name]
        if base is None:
            raise UsageError(f"{option} {stated}: the first result has no {name} to be relative to")
        if name == "latency" and before.measurement.cycle_source != after.measurement.cycle_source:
            raise UsageError(f"{option} {stated}: one latency is modelled, the other measured; state a limit instead")
        limit = base + _above(option, stated, base, unit)
    return GateResult(name=name, stated=stated, limit=limit, value=value, passed=value <= limit)


def _above(option: str, stated: str, base: float, unit: Unit) -> float:
    """`+2%` or `+512B`, in the figure's unit; `+0` is nothing more."""
    text = stated.removeprefix("+").strip()
    if text == "0":
        return 0.0
    if not text.endswith("%"):
        return quantity(option, text, unit)
    try:
        return base * _not_negative(float(text.removesuffix("%"))) / 100.0
    except ValueError:
        raise UsageError(f"{option} {stated}: a percentage of 0 or more is needed, as in +2%") from None


def _judge_drop(stated: str, before: Result, after: Result) -> GateResult:
    if after.accuracy is None:
        raise UsageError("--max-drop: the second result has no accuracy")
    try:
        limit = _not_negative(float(stated))
    except ValueError:
        raise UsageError(f"--max-drop {stated}: points of 0 or more are needed, as in 1.0 or +0.5") from None
    lost = accuracy_drop(after.accuracy)
    if stated.startswith("+"):
        if before.accuracy is None:
            raise UsageError(f"--max-drop {stated}: the first result has no accuracy to be relative to")
        lost = 100.0 * (before.accuracy.quantized - after.accuracy.quantized)
    rounded = round(lost, 9)  # 0.98 − 0.97 is not quite 1 point in binary
    return GateResult(name="drop", stated=stated, limit=limit, value=rounded, passed=rounded <= limit)


def _not_negative(value: float) -> float:
    """Raises ValueError for what is negative or no number."""
    if not 0.0 <= value < float("inf"):
        raise ValueError
    return value
