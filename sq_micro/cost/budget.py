"""What a person allows: bytes, seconds, joules; and how far a candidate is beyond it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields
from typing import Literal

from sq_micro.cost.cost import Cost
from sq_micro.cost.figure import Unit, amount
from sq_micro.errors import UsageError

Resource = Literal["flash", "sram", "latency", "energy", "weights"]
UNIT: dict[Resource, Unit] = {"flash": "bytes", "sram": "bytes", "latency": "s", "energy": "J", "weights": "bytes"}
_FACTORS: dict[Unit, dict[str, float]] = {
    "bytes": {"B": 1, "KiB": 1024, "MiB": 1024**2, "kB": 1000, "KB": 1000, "MB": 1000**2},
    "s": {"s": 1, "ms": 1e-3, "us": 1e-6, "µs": 1e-6},
    "J": {"J": 1, "mJ": 1e-3, "uJ": 1e-6, "µJ": 1e-6},
}
_QUANTITY = re.compile(r"\s*([0-9]+(?:[._][0-9]+)*(?:\.[0-9]+)?|\.[0-9]+)\s*([A-Za-zµ]+)\s*")


@dataclass(frozen=True, slots=True)
class Violation:
    """A budget that a candidate exceeds."""

    resource: Resource
    needed: float
    allowed: float

    def __str__(self) -> str:
        unit = UNIT[self.resource]
        short = amount(self.needed - self.allowed, unit)
        needed, allowed = amount(self.needed, unit), amount(self.allowed, unit)
        return f"{self.resource}: {needed} needed, {allowed} allowed, short of {short}"


@dataclass(frozen=True, slots=True)
class Budget:
    """None is no bound. weights bounds the packed weights alone, for comparisons at equal bytes."""

    flash: float | None = None
    sram: float | None = None
    latency: float | None = None
    energy: float | None = None
    weights: float | None = None

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) is not None for field in fields(self))

    def violations(self, cost: Cost) -> tuple[Violation, ...]:
        """What a cost exceeds. A cost that is not known is no violation: `stages` refuses such a budget before."""
        found = []
        for resource in UNIT:
            allowed, needed = getattr(self, resource), getattr(cost, resource)
            if allowed is not None and needed is not None and needed.value > allowed:
                found.append(Violation(resource, needed.value, allowed))
        return tuple(found)

    def __str__(self) -> str:
        bounds = ((name, getattr(self, name)) for name in UNIT)
        shown = [f"{name} at most {amount(value, UNIT[name])}" for name, value in bounds if value is not None]
        return ", ".join(shown) or "no budget"


def quantity(option: str, text: str, unit: Unit) -> float:
    """`48KiB`, `60ms`, `4mJ` in bytes, seconds, joules. Raises UsageError naming the option and the units.

    >>> quantity("--flash", "48KiB", "bytes"), quantity("--latency", "60 ms", "s")
    (49152.0, 0.06)
    """
    match = _QUANTITY.fullmatch(text)
    factors = _FACTORS[unit]
    if match is None or match[2] not in factors:
        raise UsageError(
            f"{option} {text}: a number with one of the units {', '.join(factors)} is needed, as in {_EXAMPLE[unit]}"
        )
    value = float(match[1].replace("_", "")) * factors[match[2]]
    if not math.isfinite(value) or value <= 0:
        raise UsageError(f"{option} {text}: more than 0 is needed")
    return value


_EXAMPLE: dict[Unit, str] = {"bytes": "48KiB", "s": "60ms", "J": "4mJ"}
