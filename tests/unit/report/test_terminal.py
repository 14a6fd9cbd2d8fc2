"""What a person reads of a result."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from rich.console import Console

from sq_micro.report.terminal import one_line, print_result
from tests.unit.report.results import DIVIDED, REGIONS, made_assignment, made_result


def printed(width: int = 110, **changes: Any) -> str:
    stream = io.StringIO()
    print_result(made_result(**changes), Console(file=stream, width=width))
    return stream.getvalue()


def row(text: str, start: str) -> list[str]:
    """The words of the line that begins with a word."""
    found = [line.split() for line in text.splitlines() if line.split()[:1] == [start]]
    assert len(found) == 1, f"{start!r} begins {len(found)} lines of\n{text}"
    return found[0]


def test_one_line_says_what_the_person_got() -> None:
    assert one_line(made_result()) == (
        "digits on nucleo_l4r5zi: 97.50% top-1 (float 98.61%); 14.0 KiB flash, 5.0 KiB SRAM; 3.12 ms modelled;"
        " outputs identical to TFLite Micro on 100 of 100 samples"
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"accuracy": None, "measurement__latency_s": None},
            "digits on nucleo_l4r5zi: 14.0 KiB flash, 5.0 KiB SRAM;"
            " outputs identical to TFLite Micro on 100 of 100 samples",
        ),
        ({"verification__identical": 99}, "; outputs DIFFERENT from TFLite Micro on 99 of 100 samples"),
        ({"accuracy__metric": "binary"}, ": 97.50% accuracy (float 98.61%); "),
        ({"measurement__cycle_source": "measured"}, "; 3.12 ms measured; "),
    ],
)
def test_one_line_leaves_out_what_is_not_known(changes: dict[str, Any], expected: str) -> None:
    assert expected in one_line(made_result(**changes))


def test_operators_have_their_share_and_speed() -> None:
    text = printed()
    assert row(text, "0") == ["0", "conv2d", "conv2d", "4", "120,000", "300,000", "80.0%", "0.40"]
    assert row(text, "1") == ["1", "mean", "mean", "50,000", "13.3%"]
    assert row(text, "2") == ["2", "dense[red]", "dense", "8", "5,000", "25,000", "6.7%", "0.20"]


def test_without_cycles_there_is_no_share() -> None:
    operators = [{"index": 0, "name": "c", "kind": "conv2d", "weight_bits": 4, "macs": 12, "cycles": None}]
    operators[0]["instructions"] = None
    changes = {"measurement__cycles": None, "measurement__latency_s": None, "measurement__operators": operators}
    text = printed(**changes, measurement__cycle_source="none")
    assert row(text, "0") == ["0", "c", "conv2d", "4", "12"]
    assert "%" not in "".join(row(text, "0"))


def test_memory_is_split_by_purpose() -> None:
    text = printed()
    assert " ".join(row(text, "flash")) == "flash 14,336 weights 3,000, code 10,000, tables 1,336"
    assert " ".join(row(text, "SRAM")) == (
        "SRAM 5,120 arena 2,560 (the least possible), stack 2,048 (worst case 640, seen 412), static 512"
    )
    assert "arena 2,560 (at least 2,500), stack" in printed(
        memory__optimal=False, memory__arena_lower_bound_bytes=2_500
    )
    assert "stack 2,048, static" in printed(memory__worst_case_stack_bytes=None)
    assert "(worst case 640), static" in printed(memory__measured_stack_bytes=None)


def test_each_region_is_told_with_its_share_of_the_arena() -> None:
    text = printed(memory__regions=REGIONS, memory__plan=DIVIDED)
    assert re.findall(r"in (\w+) +([\d,]+) of ([\d,]+), arena ([\d,]+)", text) == [
        ("sram", "2,560", "4,096", "2,048"),
        ("ccm", "2,560", "3,000", "512"),
    ]
    assert "of 3,000, arena" not in printed(memory__regions=REGIONS)


def test_the_last_line_is_the_sentence_on_one_line() -> None:
    assert printed(width=80).splitlines()[-1] == one_line(made_result())


def test_a_name_is_not_taken_for_markup() -> None:
    text = printed(model__name="net[bold]v2")
    assert text.count("net[bold]v2") >= 1
    assert text.splitlines()[-1].startswith("net[bold]v2 on nucleo_l4r5zi: ")


def test_an_unknown_clock_is_said_to_be_unknown() -> None:
    assert "cortex-m4 at 120 MHz" in printed()
    assert "unknown clock" in printed(board__clock_hz=None, measurement__latency_s=None)


def test_budgets_stand_beside_what_was_taken() -> None:
    assignment = made_assignment(flash_bytes=40_000.0)
    text = printed(assignment=assignment)
    assert "chosen by ilp: decided by flash" in text
    assert "of 40,000 B" in text
    assert "3.12 of 4.00 ms" in text
    assert "of 2 points" in text


def test_instructions_have_their_share_where_the_device_counts_those() -> None:
    operators = [
        {"index": 0, "name": "c", "kind": "conv2d", "weight_bits": 4, "macs": 12, "cycles": None, "instructions": 30},
        {"index": 1, "name": "d", "kind": "dense", "weight_bits": 4, "macs": 5, "cycles": None, "instructions": 10},
    ]
    modelled = {"by": "simulator", "cycles": 50, "instructions": 40, "latency_s": 0.002, "operators": [38, 12]}
    text = printed(
        measurement__cycles=None,
        measurement__cycle_source="none",
        measurement__link="renode",
        measurement__operators=operators,
        measurement__modelled=modelled,
    )
    assert row(text, "0") == ["0", "c", "conv2d", "4", "12", "30", "75.0%", "0.40"]
    assert "operators (link renode, instructions simulated)" in text
    assert "MAC/instruction" in text
    assert "50 cycles, 2.00 ms (cycle model, 40 instructions counted by simulator)" in text


def test_accuracy_on_the_device_has_its_interval() -> None:
    counted = {
        "metric": "top1",
        "available": 4410,
        "samples": 400,
        "correct": 368,
        "accuracy": 0.92,
        "low": 0.8893,
        "high": 0.9428,
        "confidence": 0.95,
    }
    text = printed(measurement__accuracy=counted, measurement__notes=["no latency: the counter stands still"])
    assert "92.00% top1, 95% interval 88.93% to 94.28%, 400 of 4,410 samples" in text
    assert "no latency: the counter stands still" in text


def test_activations_that_rest_in_four_bits_are_named() -> None:
    assert "activations" not in printed()
    narrow = printed(bits__activations={"stem": 4, "conv": 4})
    assert " ".join(row(narrow, "activations")) == "activations 4 bits in SRAM have the outputs of stem, conv"
