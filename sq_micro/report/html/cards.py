"""The figures at the top of the page, each with a bar of what is taken of what is allowed."""

from __future__ import annotations

from dataclasses import dataclass

from sq_micro.cost.figure import Unit, amount
from sq_micro.report.html.views import CardView, PartView
from sq_micro.report.result import BudgetRecord, Result
from sq_micro.report.wording import Provenance, accuracy_drop, cycles_provenance, kib

_HEADROOM = 1.15  # a bar without a bound is drawn this much longer than what is taken


@dataclass(frozen=True, slots=True)
class _Taken:
    """parts add up to `total`; bound and capacity in the same unit."""

    key: str
    label: str
    total: float
    unit: Unit
    provenance: Provenance
    parts: tuple[tuple[str, float], ...]
    bound: float | None
    capacity: float | None = None


def cards(result: Result) -> tuple[CardView, ...]:
    """Flash, SRAM, latency, energy and accuracy, as far as they are known."""
    budget = result.assignment.budget if result.assignment else None
    flash, sram = result.memory.flash_bytes, result.memory.sram_bytes
    found = [
        _Taken(
            *("flash", "Flash", flash.total, "bytes", "exact"),
            (("weights", flash.weights), ("code", flash.code), ("tables", flash.tables)),
            budget.flash_bytes if budget else None,
            result.board.flash_bytes,
        ),
        _Taken(
            *("sram", "SRAM", sram.total, "bytes", "exact"),
            (("arena", sram.arena), ("stack", sram.stack), ("static", sram.static)),
            budget.sram_bytes if budget else None,
            result.board.sram_bytes,
        ),
    ]
    measured, source = result.measurement, cycles_provenance(result)
    latency_s = measured.latency_s
    if latency_s is None and measured.modelled is not None:
        latency_s, source = measured.modelled.latency_s, "modelled"
    if latency_s is not None and source is not None:
        parts = (("inference", latency_s),)
        bound = budget.latency_s if budget else None
        found.append(_Taken("latency", "Latency", latency_s, "s", source, parts, bound))
    if measured.energy_j is not None:
        parts = (("inference", measured.energy_j),)
        bound = budget.energy_j if budget else None
        found.append(_Taken("energy", "Energy", measured.energy_j, "J", "modelled", parts, bound))
    return (*_accuracy(result, budget), *(_card(taken) for taken in found))


def _card(taken: _Taken) -> CardView:
    over = taken.bound is not None and taken.total > taken.bound
    length = max(taken.total, taken.bound or taken.total * _HEADROOM)
    number, _, unit = amount(taken.total, taken.unit).rpartition(" ")
    return CardView(
        key=taken.key,
        label=taken.label,
        value=number,
        unit=unit,
        provenance=taken.provenance,
        parts=tuple(
            PartView(name, f"{name} {amount(size, taken.unit)}", f"{100 * size / length:.2f}")
            for name, size in taken.parts
        ),
        tick=None if taken.bound is None else f"{100 * taken.bound / length:.2f}",
        allowed=_allowed(taken, over),
        over=over,
    )


def _allowed(taken: _Taken, over: bool) -> str:
    if taken.bound is not None:
        rest = amount(abs(taken.bound - taken.total), taken.unit)
        return f"of {amount(taken.bound, taken.unit)} allowed, {rest} {'too much' if over else 'left'}"
    if taken.capacity is not None:
        return f"{taken.total / taken.capacity:.1%} of the board's {kib(int(taken.capacity))}"
    return "no bound was set"


def _accuracy(result: Result, budget: BudgetRecord | None) -> tuple[CardView, ...]:
    """Points lost of those allowed; a bar only where there is a bound."""
    if result.accuracy is None:
        return ()
    lost = accuracy_drop(result.accuracy)
    bound = budget.max_drop_points if budget else None
    allowed = f"float {result.accuracy.float_:.2%}, {result.accuracy.samples:,} samples"
    parts: tuple[PartView, ...] = ()
    tick = None
    if bound is not None:
        length = max(bound, lost, 1e-9)
        parts = (PartView("lost", f"{max(lost, 0.0):.2f} points lost", f"{100 * max(lost, 0.0) / length:.2f}"),)
        tick = f"{100 * bound / length:.2f}"
        allowed += f"; {lost:.2f} of {bound:g} points lost"
    return (
        CardView(
            key="accuracy",
            label="Top-1 accuracy" if result.accuracy.metric == "top1" else "Accuracy",
            value=f"{100 * result.accuracy.quantized:.2f}",
            unit="%",
            provenance="exact",
            parts=parts,
            tick=tick,
            allowed=allowed,
            over=bound is not None and lost > bound,
        ),
    )
