"""A result in sentences, for every form that a person reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sq_micro.cost.figure import amount
from sq_micro.ir.kernel_set import KERNEL_SETS
from sq_micro.report.evidence import SearchedOperatorRecord, SearchedWidthRecord
from sq_micro.report.result import AccuracyRecord, BudgetRecord, Result

Provenance = Literal["exact", "measured", "modelled", "simulated"]


def verdict(result: Result) -> str:
    """What the person got, in one sentence."""
    memory, latency_s = result.memory, result.measurement.latency_s
    where = f"{result.model.name} on {result.board.title}"
    takes = f"{kib(memory.flash_bytes.total)} of flash and {kib(memory.sram_bytes.total)} of SRAM"
    said = f"{where} takes {takes}"
    if latency_s is not None:
        said = f"{where} answers in {amount(latency_s, 's')}, with {takes}"
    return said + (f", and {_loss(result.accuracy)}." if result.accuracy is not None else ".")


def _loss(accuracy: AccuracyRecord) -> str:
    lost = accuracy_drop(accuracy)
    figures = f"{accuracy.quantized:.2%} against {accuracy.float_:.2%} in float"
    if lost == 0:
        return f"loses no accuracy: {figures}"
    return f"{'loses' if lost > 0 else 'gains'} {abs(lost):.2f} points of accuracy: {figures}"


def accuracy_drop(accuracy: AccuracyRecord) -> float:
    """Percentage points lost by quantization; negative where it gained."""
    return 100.0 * (accuracy.float_ - accuracy.quantized)


def verification(result: Result) -> str:
    """Whether outputs are those of the oracle."""
    checked = result.verification
    if checked.identical == checked.samples:
        return f"All {checked.samples} golden outputs are identical to those of {checked.oracle}, byte for byte."
    return f"Only {checked.identical} of {checked.samples} golden outputs are identical to those of {checked.oracle}."


def choice_of_bits(result: Result) -> str:
    """How the widths came about."""
    narrow = activations_at_rest(result)
    return _choice_of_weight_bits(result) + (f" {narrow}." if narrow else "")


def activations_at_rest(result: Result) -> str:
    """Which outputs have not 8 bits; empty where all have."""
    narrow = result.bits.activations
    return f"4 bits in SRAM have the outputs of {', '.join(narrow)}" if narrow else ""


def _choice_of_weight_bits(result: Result) -> str:
    assignment = result.assignment
    if assignment is None:
        widths = sorted(set(result.bits.weights.values()), reverse=True)
        if len(widths) == 1:
            return f"All weights have {widths[0]} bits, as given; nothing was searched."
        return f"The weights have {', '.join(map(str, widths))} bits, as given; nothing was searched."
    allowed = bounds(assignment.budget)
    under = f" under {_listed(allowed)}" if allowed else ""
    said = f"The bits were chosen by {assignment.allocator}{under}: {assignment.reason}."
    kernels = kernels_taken(result)
    return f"{said} Smaller kernels: {'; '.join(kernels)}." if kernels else said


def kernels_taken(result: Result) -> list[str]:
    """`shared: conv, conv_1`, a text for each set of kernels that is not the fastest."""
    found = []
    for kernels in KERNEL_SETS:
        names = [name for name, taken in result.kernels.items() if taken == kernels]
        if names:
            found.append(f"{kernels}: {', '.join(names)}")
    return found


def why_kernels(result: Result, operator: str) -> str:
    """What an operator's kernels save and cost against the fastest ones, in one sentence; empty where it has those."""
    taken = result.kernels.get(operator)
    if taken is None:
        return ""
    said = f"It has {taken} kernels"
    records = result.assignment.kernels if result.assignment is not None else []
    fast = next((record for record in records if (record.name, record.kernels) == (operator, "fast")), None)
    if fast is None:
        return f"{said}."
    takes = "less" if fast.flash_bytes >= 0 else "more"
    said += f": {amount(abs(fast.flash_bytes), 'bytes')} of flash {takes} than with the fastest"
    if fast.latency_s is not None:
        said += f", {amount(abs(fast.latency_s), 's')} {'more' if fast.latency_s <= 0 else 'less'} (modelled)"
    return f"{said}."


def bounds(budget: BudgetRecord) -> list[str]:
    """What was allowed, each in a few words."""
    found = []
    if budget.flash_bytes is not None:
        found.append(f"{amount(budget.flash_bytes, 'bytes')} of flash")
    if budget.sram_bytes is not None:
        found.append(f"{amount(budget.sram_bytes, 'bytes')} of SRAM")
    if budget.latency_s is not None:
        found.append(amount(budget.latency_s, "s"))
    if budget.energy_j is not None:
        found.append(amount(budget.energy_j, "J"))
    if budget.weight_bytes is not None:
        found.append(f"{amount(budget.weight_bytes, 'bytes')} of packed weights")
    if budget.max_drop_points is not None:
        found.append(f"a loss of {budget.max_drop_points:g} points")
    return found


@dataclass(frozen=True, slots=True)
class Step:
    """One operator at its next width, `cost` against `gain` as sentences; `exceeds` names budgets."""

    direction: Literal["up", "down"]
    bits: int
    text: str
    exceeds: tuple[str, ...]


def steps(operator: SearchedOperatorRecord, chosen: int, sizes: dict[int, int], clock_hz: int | None) -> list[Step]:
    """What one width down and one up would cost and gain; none for a pinned operator.

    sizes  bytes of constants by width, padding included, and of functions that are called for this operator alone
    """
    if operator.pinned:
        return []
    position = next(index for index, width in enumerate(operator.widths) if width.bits == chosen)
    now, found = operator.widths[position], []
    for direction, neighbour in (("down", position - 1), ("up", position + 1)):
        if 0 <= neighbour < len(operator.widths):
            then = operator.widths[neighbour]
            text = _difference(now, then, sizes[then.bits] - sizes[chosen], clock_hz)
            found.append(Step("up" if direction == "up" else "down", then.bits, text, tuple(then.exceeds)))
    return found


def _difference(now: SearchedWidthRecord, then: SearchedWidthRecord, constants: int, clock_hz: int | None) -> str:
    parts = []
    if now.code_bytes is not None and then.code_bytes is not None:
        parts.append(f"{_signed(constants + then.code_bytes - now.code_bytes)} B flash")
    else:
        parts.append(f"{_signed(constants)} B constants")
    if clock_hz and now.cycles is not None and then.cycles is not None:
        seconds = (then.cycles - now.cycles) / clock_hz
        parts.append(("+" if seconds >= 0 else "−") + amount(abs(seconds), "s"))
    if now.damage is not None and then.damage is not None:
        parts.append(("+" if then.damage >= now.damage else "−") + f"{abs(then.damage - now.damage):.2g} nats")
    return ", ".join(parts)


def why(result: Result, operator: SearchedOperatorRecord, chosen: int) -> str:
    """Which budget keeps an operator at its width, in one sentence."""
    assert result.assignment is not None
    if operator.pinned:
        return "Pinned by you."
    position = next(index for index, width in enumerate(operator.widths) if width.bits == chosen)
    if position + 1 == len(operator.widths):
        return "The widest: nothing asked for less."
    wider = operator.widths[position + 1]
    if wider.exceeds:
        return f"One width up would exceed {_listed(list(wider.exceeds))}."
    now = operator.widths[position]
    if wider.damage is None or now.damage is None:
        return "One width up would fit."
    gain = now.damage - wider.damage
    return (
        f"One width up would fit, and gain a predicted {gain:.2g} nats." if gain > 0 else "One width up gains nothing."
    )


def kib(size: int) -> str:
    """As people say it: `10.1 KiB`."""
    return f"{size / 1024:.1f} KiB"


def cycles_provenance(result: Result) -> Provenance | None:
    """How cycles, and all that follows from them, were obtained; None where there are none."""
    source = result.measurement.cycle_source
    return None if source == "none" else source


@dataclass(frozen=True, slots=True)
class CycleModelLimits:
    """How far modelled cycles can be trusted, `text` in whole sentences."""

    table: str
    trust: str
    text: str


def cycle_model_limits(result: Result) -> CycleModelLimits | None:
    """What to bear in mind with every modelled cycle, second and joule of the result; None where it has none."""
    model, measured = result.board.cycle_model, result.measurement
    searched = result.assignment.operators if result.assignment is not None else []
    modelled = (
        measured.cycle_source == "modelled"
        or measured.modelled is not None
        or any(width.cycles is not None for operator in searched for width in operator.widths)
    )
    if model is None or not modelled:
        return None
    factor = f", multiplied by {model.wait_factor:g} for this board's memories" if model.wait_factor else ""
    left_out = model.leaves_out or "what nobody knows: the board's file does not say"
    text = f"Modelled cycles leave out {left_out}. The model's error against silicon: {model.error}."
    return CycleModelLimits(model.core + factor, model.trust, text)


def _signed(value: int) -> str:
    return f"{'+' if value >= 0 else '−'}{abs(value):,}"


def _listed(parts: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
