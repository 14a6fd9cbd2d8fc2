"""A number that knows its unit and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["bytes", "s", "J"]
Source = Literal["exact", "measured", "modelled"]
_SMALLER = {"s": (("ms", 1e3), ("µs", 1e6)), "J": (("mJ", 1e3), ("µJ", 1e6))}


@dataclass(frozen=True, slots=True)
class Figure:
    """exact is counted, measured is from silicon, modelled from a model with a published error.

    >>> print(Figure(0.0412, "s", "modelled"))
    41.20 ms (modelled)
    """

    value: float
    unit: Unit
    source: Source

    def __str__(self) -> str:
        return f"{amount(self.value, self.unit)} ({self.source})"


def amount(value: float, unit: Unit) -> str:
    """A value with its unit, in the size of unit that people use for it.

    >>> amount(49152, "bytes"), amount(0.000004, "J"), amount(2.5, "s")
    ('49,152 B', '4.00 µJ', '2.50 s')
    """
    if unit == "bytes":
        return f"{value:,.0f} B"
    if abs(value) >= 1 or value == 0:
        return f"{value:,.2f} {unit}"
    name, factor = next(
        ((name, factor) for name, factor in _SMALLER[unit] if abs(value) * factor >= 1), _SMALLER[unit][-1]
    )
    return f"{value * factor:,.2f} {name}"
