"""One row per operator that runs: its width and why, what it takes, what it loses."""

from __future__ import annotations

from sq_micro.cost.figure import amount
from sq_micro.cost.profile import called_bytes
from sq_micro.report.html.views import GhostView, RowView, StepView, WidthView
from sq_micro.report.operators import Operator, operators
from sq_micro.report.result import Result
from sq_micro.report.wording import steps, why, why_kernels


def rows(result: Result) -> tuple[RowView, ...]:
    """A view for each operator; bars are on the scale of the longest one, at whatever width."""
    known = operators(result)
    total = sum(operator.ran.cycles or 0 for operator in known)
    longest = longest_cycles(known)
    return tuple(_row(result, operator, known, total, longest) for operator in known)


def longest_cycles(known: tuple[Operator, ...]) -> int:
    """Of any operator at any width, at least 1."""
    return max((cycles for operator in known for cycles in _all_cycles(operator)), default=1) or 1


def _all_cycles(operator: Operator) -> list[int]:
    widths = operator.searched.widths if operator.searched else ()
    return [operator.ran.cycles or 0, *(width.cycles or 0 for width in widths)]


def _row(result: Result, operator: Operator, known: tuple[Operator, ...], total: int, longest: int) -> RowView:
    ran, weighted, searched = operator.ran, operator.weighted, operator.searched
    clock, cycles = result.board.clock_hz, ran.cycles
    packed, searched_width = operator.packed_width, operator.searched_width
    seconds = cycles / clock if cycles is not None and clock else None
    joules = None
    if seconds is not None and result.measurement.energy_j and result.measurement.latency_s:
        joules = seconds * result.measurement.energy_j / result.measurement.latency_s
    fidelity = operator.fidelity
    bits_why = why(result, searched, ran.weight_bits) if searched and ran.weight_bits else ""
    return RowView(
        index=ran.index,
        name=ran.name,
        kind=ran.kind,
        bits=ran.weight_bits,
        widths=_widths(operator),
        sigma=f"{weighted.sigma:.4f}" if weighted else "",
        divergence=f"{packed.weight_divergence:.3f}" if packed else "",
        damage=_damage(searched_width.damage) if searched_width and searched_width.damage is not None else "",
        weight_bytes=f"{packed.weight_bytes:,}" if packed else "",
        cycles="" if cycles is None else f"{cycles:,}",
        latency="" if seconds is None else amount(seconds, "s"),
        energy="" if joules is None else amount(joules, "J"),
        share="" if cycles is None or not total else f"{cycles / total:.1%}",
        percent="" if cycles is None else f"{100 * cycles / longest:.2f}",
        flame_percent="" if cycles is None or not total else f"{100 * cycles / total:.3f}",
        sqnr="" if fidelity is None or fidelity.sqnr_db is None else f"{fidelity.sqnr_db:.1f}",
        cosine="" if fidelity is None or fidelity.cosine is None else f"{fidelity.cosine:.5f}",
        why=" ".join(filter(None, (bits_why, why_kernels(result, ran.name)))),
        steps=_steps(result, operator, known),
        ghosts=_ghosts(operator, longest),
    )


def _damage(nats: float) -> str:
    """As the page's script writes it: `2.8e-5`."""
    mantissa, _, exponent = f"{nats:.1e}".partition("e")
    return "0" if nats == 0 else f"{mantissa}e{int(exponent):+d}"


def _widths(operator: Operator) -> tuple[WidthView, ...]:
    if operator.weighted is None:
        return ()
    damages = {width.bits: width.damage for width in operator.searched.widths} if operator.searched else {}
    found = []
    for width in operator.weighted.widths:
        hint = f"{width.bits} bits: {width.weight_bytes:,} B of weights"
        damage = damages.get(width.bits)
        if damage is not None:
            hint += f", {_damage(damage)} nats of damage"
        found.append(WidthView(width.bits, width.bits == operator.ran.weight_bits, hint))
    return tuple(found)


def _steps(result: Result, operator: Operator, known: tuple[Operator, ...]) -> tuple[StepView, ...]:
    if operator.weighted is None or operator.searched is None or operator.ran.weight_bits is None:
        return ()
    calls = {width.bits: width.calls for width in operator.searched.widths}
    others = [other.searched_width.calls for other in known if other is not operator and other.searched_width]
    shared = called_bytes(others)
    sizes: dict[int, int] = {}
    for width in operator.weighted.widths:
        alone = called_bytes([*others, calls[width.bits]]) - shared
        sizes[width.bits] = width.weight_bytes + width.table_bytes + width.padding_bytes + alone
    found = steps(operator.searched, operator.ran.weight_bits, sizes, result.board.clock_hz)
    return tuple(StepView(f"{step.direction} to {step.bits}", step.text, " and ".join(step.exceeds)) for step in found)


def _ghosts(operator: Operator, longest: int) -> tuple[GhostView, ...]:
    widths = operator.searched.widths if operator.searched else ()
    return tuple(
        GhostView(width.bits, f"{100 * width.cycles / longest:.2f}", f"{width.bits} bits: {width.cycles:,} cycles")
        for width in widths
        if width.cycles is not None and width.bits != operator.ran.weight_bits
    )
