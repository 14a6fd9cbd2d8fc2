"""`compare`: what changed, and the gates."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sq_micro.errors import GateError, UsageError
from sq_micro.report.changes import Gates, compare, require_gates
from sq_micro.report.changes_text import changes_markdown, changes_text
from tests.unit.report.results import OPERATORS, made_result

NARROWER = [{**OPERATORS[0], "weight_bits": 3, "cycles": 310_000}, *OPERATORS[1:]]


def larger(**changes: Any) -> Any:
    return made_result(
        **{"memory__flash_bytes": {"total": 14_600, "weights": 3_000, "code": 10_264, "tables": 1_336}, **changes}
    )


def test_equal_results_differ_in_nothing() -> None:
    found = compare(made_result(), made_result(), Gates("+0", "+0", "+0", "+0"))
    assert found.operators == []
    assert found.notes == []
    assert all(change.before == change.after for change in found.figures)
    require_gates(found)


def test_operators_that_changed_are_named() -> None:
    found = compare(made_result(), larger(measurement__operators=NARROWER), Gates())
    assert [(change.name, change.bits_before, change.bits_after) for change in found.operators] == [("conv2d", 4, 3)]
    text = changes_text(found)
    assert "flash    14,336 B  14,600 B  +264 B (+1.8%)" in text
    assert "conv2d   4 → 3 300,000 → 310,000 +10,000 (+3.3%)" in text


def test_an_operator_that_only_one_has_is_named() -> None:
    found = compare(made_result(measurement__operators=OPERATORS[:2]), made_result(), Gates())
    assert [(change.name, change.bits_before, change.bits_after) for change in found.operators] == [
        ("dense[red]", None, 8)
    ]


@pytest.mark.parametrize(
    ("gates", "limit", "passed"),
    [
        (Gates(flash="14600B"), 14_600, True),
        (Gates(flash="14KiB"), 14_336, False),
        (Gates(flash="+264B"), 14_600, True),
        (Gates(flash="+263B"), 14_599, False),
        (Gates(flash="+2%"), 14_336 * 1.02, True),
        (Gates(flash="+1%"), 14_336 * 1.01, False),
        (Gates(flash="+0"), 14_336, False),
        (Gates(sram="+0"), 5_120, True),
        (Gates(latency="3ms"), 3e-3, False),
        (Gates(latency="+0%"), 0.003125, True),
    ],
)
def test_gates_are_limits_or_relative_to_the_first(gates: Gates, limit: float, passed: bool) -> None:
    found = compare(made_result(), larger(), gates)
    assert found.gates[0].limit == pytest.approx(limit)
    assert found.gates[0].passed is passed
    if not passed:
        with pytest.raises(GateError) as error:
            require_gates(found)
        assert error.value.exit_code == 3
        assert error.value.gates == (found.gates[0].name,)


@pytest.mark.parametrize(
    ("stated", "passed"), [("1.2", True), ("1.0", False), ("+0.5", True), ("+0.4", False), ("+1", True)]
)
def test_a_drop_is_from_the_own_float_network_or_from_the_first_result(stated: str, passed: bool) -> None:
    """98.611 % in float, 97.5 % in the first result, 97 % in the second, whose float network has 98.1 %."""
    after = made_result(accuracy__quantized=0.97, accuracy__float=0.981)
    found = compare(made_result(), after, Gates(drop=stated))
    assert found.gates[0].passed is passed


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_a_drop_of_whole_samples_is_not_lost_in_rounding(before: int, after: int) -> None:
    first = made_result(accuracy__quantized=before / 10_000)
    second = made_result(accuracy__quantized=after / 10_000)
    gate = compare(first, second, Gates(drop="+1.00")).gates[0]
    assert gate.passed is (before - after <= 100)


@pytest.mark.parametrize(
    ("gates", "before", "after", "message"),
    [
        (Gates(flash="a lot"), {}, {}, "--max-flash a lot"),
        (Gates(flash="+2"), {}, {}, "--max-flash 2"),
        (Gates(flash="+x%"), {}, {}, r"\+x%: a percentage of 0 or more"),
        (Gates(flash="+-3%"), {}, {}, "a percentage of 0 or more"),
        (Gates(drop="-1"), {}, {}, "points of 0 or more"),
        (Gates(drop="nan"), {}, {}, "points of 0 or more"),
        (Gates(drop="1"), {}, {"accuracy": None}, "the second result has no accuracy"),
        (Gates(drop="+1"), {"accuracy": None}, {}, "the first result has no accuracy"),
        (Gates(latency="1ms"), {}, {"measurement__latency_s": None}, "the second result has no latency"),
        (Gates(latency="+1%"), {"measurement__latency_s": None}, {}, "the first result has no latency"),
        (
            Gates(latency="+1%"),
            {},
            {"measurement__cycle_source": "measured"},
            "one latency is modelled, the other measured",
        ),
    ],
)
def test_a_gate_that_cannot_be_judged_is_no_passed_gate(
    gates: Gates, before: dict[str, Any], after: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        compare(made_result(**before), made_result(**after), gates)


def test_what_makes_figures_hard_to_compare_is_said() -> None:
    changes = {
        "board__id": "mps2_an386",
        "model__sha256": "1" * 64,
        "build__compiler": "zig",
        "measurement__cycle_source": "measured",
        "accuracy__samples": 100,
    }
    notes = compare(made_result(), made_result(**changes), Gates()).notes
    assert len(notes) == 5
    assert "the boards differ: nucleo_l4r5zi, mps2_an386" in notes


def test_markdown_says_which_gates_passed() -> None:
    found = compare(made_result(), larger(measurement__operators=NARROWER), Gates(flash="+1%", sram="+0"))
    text = changes_markdown(found)
    assert text.startswith("<!-- sq-micro compare: digits on nucleo_l4r5zi -->\n")
    assert "| flash | 14,336 B | 14,600 B | +264 B (+1.8%) |" in text
    assert "- ❌ flash 14,600 B, at most 14,479 B (+1%)" in text
    assert "- ✅ sram 5,120 B, at most 5,120 B (+0)" in text
