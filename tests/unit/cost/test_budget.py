from __future__ import annotations

import pytest

from sq_micro.cost.budget import Budget, quantity
from sq_micro.cost.cost import Cost
from sq_micro.cost.figure import Figure, Unit
from sq_micro.errors import UsageError

COST = Cost(
    flash=Figure(50_000, "bytes", "modelled"),
    sram=Figure(10_000, "bytes", "exact"),
    latency=Figure(0.050, "s", "modelled"),
    energy=None,
    weights=Figure(40_000, "bytes", "exact"),
)


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("48KiB", "bytes", 49152.0),
        ("48kB", "bytes", 48000.0),
        ("1.5 MiB", "bytes", 1.5 * 1024**2),
        ("1_000B", "bytes", 1000.0),
        ("60ms", "s", 0.06),
        ("250µs", "s", 250e-6),
        ("4mJ", "J", 4e-3),
        (".5J", "J", 0.5),
    ],
)
def test_quantities_are_read_with_their_unit(text: str, unit: Unit, value: float) -> None:
    assert quantity("--x", text, unit) == pytest.approx(value)


@pytest.mark.parametrize("text", ["48", "KiB", "-3KiB", "0KiB", "48 ms", "1e999B", "nanB", "", "48KiB more"])
def test_what_is_no_quantity_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="--flash"):
        quantity("--flash", text, "bytes")


def test_a_budget_that_is_met_exactly_is_met() -> None:
    assert Budget(flash=50_000, sram=10_000, latency=0.050).violations(COST) == ()


def test_every_budget_that_is_exceeded_is_named_with_its_shortfall() -> None:
    violations = Budget(flash=49_000, sram=10_001, latency=0.049, weights=39_999).violations(COST)
    assert [violation.resource for violation in violations] == ["flash", "latency", "weights"]
    assert "short of 1,000 B" in str(violations[0])
    assert "short of 1.00 ms" in str(violations[1])


def test_no_budget_is_falsy_and_any_is_not() -> None:
    assert not Budget()
    assert Budget(energy=1.0)
    assert str(Budget(flash=49152, latency=0.06)) == "flash at most 49,152 B, latency at most 60.00 ms"
