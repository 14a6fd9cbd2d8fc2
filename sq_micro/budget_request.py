"""From the texts of budget options to a request for bits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sq_micro.assign.problem import Allocator
from sq_micro.cost.budget import Budget, quantity
from sq_micro.cost.figure import Unit
from sq_micro.errors import UsageError
from sq_micro.stages.assign import AssignRequest


def budget_of(
    flash: str | None, sram: str | None, latency: str | None, energy: str | None, weight_bytes: str | None
) -> Budget:
    """Raises UsageError naming the option whose text is no quantity."""

    def read(option: str, text: str | None, unit: Unit) -> float | None:
        return None if text is None else quantity(option, text, unit)

    return Budget(
        flash=read("--flash", flash, "bytes"),
        sram=read("--sram", sram, "bytes"),
        latency=read("--latency", latency, "s"),
        energy=read("--energy", energy, "J"),
        weights=read("--weight-bytes", weight_bytes, "bytes"),
    )


def pins_of(texts: Sequence[str] | None) -> dict[str, int]:
    """`conv2d=8` … by operator. Raises UsageError for anything else."""
    pins: dict[str, int] = {}
    for text in texts or ():
        name, _, bits = text.partition("=")
        if not name or not bits.isdigit():
            raise UsageError(f"--pin {text}: NAME=BITS is needed, as in --pin dense=8")
        if pins.get(name, int(bits)) != int(bits):
            raise UsageError(f"--pin {text}: '{name}' is pinned to {pins[name]} bits, too")
        pins[name] = int(bits)
    return pins


def needed_samples(calibrate: Path | None) -> Path:
    """Raises UsageError iff there are no samples to choose bits by."""
    if calibrate is None:
        raise UsageError("--calibrate is needed to choose bits: sensitivities are measured on samples")
    return calibrate


def require_measurable(request: AssignRequest, evaluate: Path | None) -> None:
    """Raises UsageError iff an accuracy is asked for that nobody could count."""
    if request.max_drop is not None and evaluate is None:
        raise UsageError("--max-drop needs --evaluate: accuracy cannot be told without labelled samples")


def asked_to_assign(
    budget: Budget,
    max_drop: float | None,
    allocator: Allocator,
    weight_bits: str | None,
    pins: Sequence[str] | None,
    activation_bits: Sequence[str] | None = None,
) -> bool:
    """Whether bits are to be chosen. Raises UsageError iff they are given as well, or nothing says how far to go."""
    wanted = bool(budget) or max_drop is not None
    if wanted and weight_bits is not None:
        raise UsageError("--weight-bits gives the bits, a budget chooses them: leave one of them out (see --pin)")
    if wanted and activation_bits:
        raise UsageError("--activation-bits goes with --weight-bits; under a budget they follow from --sram")
    if not wanted and pins:
        raise UsageError(f"--pin {pins[0]}: a pin needs a budget beside it; bits that are all given are a plan file")
    if not wanted and allocator != "ilp":
        raise UsageError(f"--allocator {allocator} needs a budget, as --flash 48KiB, or --max-drop")
    return wanted


def shares_of(text: str) -> tuple[float, ...]:
    """`28,37.5` as fractions. Raises UsageError for what is no percentage between 0 and 100."""
    try:
        shares = tuple(float(part) / 100.0 for part in text.split(","))
    except ValueError:
        shares = ()
    if not shares or not all(0.0 < share <= 1.0 for share in shares):
        raise UsageError(f"--at {text}: percentages between 0 and 100 are needed, as in --at 28,37.5,50")
    return shares
