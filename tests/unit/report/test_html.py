"""The page's text, without a browser."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest

from sq_micro.report.html.marks import ticks
from sq_micro.report.html.page import page_view, render_html
from sq_micro.report.markdown import render_markdown
from tests.unit.report.results import DIVIDED, REGIONS, made_assignment, made_result

MODELLED = {"by": "qemu", "cycles": 380_000, "instructions": 310_000, "latency_s": 0.0032, "operators": None}


def test_nothing_is_referred_to_outside_of_the_page() -> None:
    page = render_html(made_result(assignment=made_assignment()))
    assert not re.findall(r"(?:src|href)\s*=\s*[\"'](?!#)", page)
    assert not re.findall(r"https?://|@import|url\((?!#)", page)


def test_equal_results_give_equal_pages() -> None:
    assert render_html(made_result()) == render_html(made_result())


def test_a_name_is_no_markup() -> None:
    name = "</script><img src=x onerror=alert(1)>"
    operators = [
        {"index": 0, "name": name, "kind": "conv2d", "weight_bits": 4, "macs": 1, "cycles": 2, "instructions": None}
    ]
    weighted = [{**made_result().operators[0].model_dump(), "name": name}]
    result = made_result(model__name=name, measurement__operators=operators, operators=weighted)
    page = render_html(result)
    assert "<img" not in page
    assert page.count("</script>") == 2
    assert html.escape(name, quote=False) in page
    tables = re.search(r'id="tables">(.*?)</script>', page)
    assert tables is not None
    assert json.loads(tables[1])["operators"][0]["name"] == name


def test_the_verdict_is_the_first_thing_said() -> None:
    view = page_view(made_result(assignment=made_assignment()))
    assert view.verdict == (
        "digits on ST NUCLEO-L4R5ZI answers in 3.12 ms, with 14.0 KiB of flash and 5.0 KiB of SRAM,"
        " and loses 1.11 points of accuracy: 97.50% against 98.61% in float."
    )
    assert view.lede == (
        "The bits were chosen by ilp under 14,500 B of flash, 4.00 ms and a loss of 2 points: decided by flash."
    )


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"accuracy": None}, "answers in 3.12 ms, with 14.0 KiB of flash and 5.0 KiB of SRAM."),
        ({"accuracy__quantized": 0.99}, "gains 0.39 points of accuracy: 99.00% against 98.61% in float."),
        ({"accuracy__quantized": 0.98611}, "loses no accuracy: 98.61% against 98.61% in float."),
        ({"measurement__latency_s": None, "accuracy": None}, "takes 14.0 KiB of flash and 5.0 KiB of SRAM."),
    ],
)
def test_the_verdict_leaves_out_what_is_not_known(changes: dict[str, Any], verdict: str) -> None:
    assert page_view(made_result(**changes)).verdict.endswith(verdict)


def test_why_names_the_budget_that_stands_in_the_way() -> None:
    rows = {row.name: row for row in page_view(made_result(assignment=made_assignment())).rows}
    conv = rows["conv2d"]
    assert conv.why == "One width up would exceed flash."
    down, up = conv.steps
    assert (down.label, down.exceeds) == ("down to 3", "")
    assert down.text == "−600 B flash, +8.33 µs, +0.0039 nats"
    assert (up.label, up.exceeds) == ("up to 5", "flash")
    assert rows["dense[red]"].why == "Pinned by you."
    assert rows["dense[red]"].steps == ()
    assert rows["mean"].bits is None
    assert rows["mean"].widths == ()


def test_a_bar_has_room_for_what_is_allowed_and_for_what_is_taken() -> None:
    cards = {card.key: card for card in page_view(made_result(assignment=made_assignment())).cards}
    assert (cards["flash"].tick, cards["flash"].over) == ("100.00", False)
    assert cards["sram"].tick is None
    assert cards["sram"].allowed == "0.8% of the board's 640.0 KiB"
    over = {card.key: card for card in page_view(made_result(assignment=made_assignment(flash_bytes=7_168.0))).cards}
    assert (over["flash"].tick, over["flash"].over) == ("50.00", True)
    assert over["flash"].allowed == "of 7,168 B allowed, 7,168 B too much"


def test_without_a_search_there_is_no_talk_of_one() -> None:
    view = page_view(made_result())
    assert view.plans is None
    assert view.prices == ()
    assert all(row.why == row.damage == "" and row.ghosts == row.steps == () for row in view.rows)
    assert view.lede == "The weights have 8, 4 bits, as given; nothing was searched."
    assert {fact.name for fact in view.figures}.isdisjoint({"damage, divergence", "other widths"})


def test_without_cycles_there_is_no_time() -> None:
    operators = [
        {
            "index": 0,
            "name": "conv2d",
            "kind": "conv2d",
            "weight_bits": 4,
            "macs": 1,
            "cycles": None,
            "instructions": None,
        }
    ]
    absent: dict[str, Any] = {f"measurement__{name}": None for name in ("cycles", "latency_s", "energy_j")}
    view = page_view(made_result(**absent, measurement__operators=operators, measurement__cycle_source="none"))
    assert not view.timed
    assert {card.key for card in view.cards} == {"accuracy", "flash", "sram"}
    assert all(row.cycles == row.latency == row.energy == row.share == "" for row in view.rows)


def test_what_the_device_and_the_model_say_beside_the_measurement_is_told_apart() -> None:
    counted = {
        "metric": "top1",
        "available": 600,
        "samples": 200,
        "correct": 194,
        "accuracy": 0.97,
        "low": 0.936,
        "high": 0.986,
        "confidence": 0.95,
    }
    absent: dict[str, Any] = {f"measurement__{name}": None for name in ("cycles", "latency_s", "energy_j")}
    view = page_view(
        made_result(
            **absent,
            measurement__cycle_source="none",
            measurement__link="qemu",
            measurement__modelled=MODELLED,
            measurement__accuracy=counted,
            measurement__notes=["QEMU has no cycle counter"],
        )
    )
    figures = {fact.name: fact for fact in view.figures}
    assert figures["cycles of the model"].value == "380,000"
    assert figures["cycles of the model"].how.endswith("counted by qemu")
    assert figures["accuracy on the device"].value == "97.00%"
    assert figures["accuracy on the device"].how == (
        "simulated: counted on the device over 200 of 600 samples; 93.60% to 98.60% at 95% confidence"
    )
    assert next(fact for fact in view.run if fact.name == "link").value == "qemu (QEMU has no cycle counter)"
    latency = next(card for card in view.cards if card.key == "latency")
    assert (latency.value, latency.unit, latency.provenance) == ("3.20", "ms", "modelled")


@pytest.mark.parametrize(
    ("changes", "known"),
    [
        ({}, True),
        ({"board__cycle_model": None}, False),
        ({"measurement__cycle_source": "measured"}, False),
        ({"measurement__cycle_source": "measured", "assignment": made_assignment()}, True),
        ({"measurement__cycle_source": "none"}, False),
        ({"measurement__cycle_source": "none", "measurement__modelled": MODELLED}, True),
    ],
)
def test_what_modelled_cycles_leave_out_is_said_wherever_there_are_any(changes: dict[str, Any], known: bool) -> None:
    result = made_result(**changes)
    view, said = page_view(result), "Modelled cycles leave out the wait states of flash."
    told = [fact for fact in view.figures if fact.name == "cycle model"]
    assert [(fact.value, said in fact.how) for fact in told] == [("validated", True)] * known
    assert (said in view.cycle_limits, said in render_markdown(result)) == (known, known)
    assert render_html(result).count(said) == (1 + view.timed if known else 0)


def test_a_factor_for_the_boards_memories_is_told_and_so_is_what_nobody_knows() -> None:
    told = made_result(board__cycle_model__wait_factor=1.25, board__cycle_model__leaves_out=None)
    how = next(fact.how for fact in page_view(told).figures if fact.name == "cycle model")
    assert how.startswith("modelled: Arm Cortex-M4, multiplied by 1.25 for this board's memories. ")
    assert "leave out what nobody knows" in how


def test_the_matrix_shows_changes_against_the_float_network() -> None:
    confusion = page_view(made_result()).confusion
    assert confusion is not None
    assert [[(cell.count, cell.change) for cell in row] for row in confusion.rows] == [
        [("176", "−2"), ("4", "+2")],
        [("5", "+2"), ("175", "−2")],
    ]
    assert confusion.recalls == ("97.8%", "97.2%")


def test_every_figure_says_how_it_was_obtained() -> None:
    kinds = ("exact", "measured", "modelled", "simulated")
    for fact in page_view(made_result(assignment=made_assignment())).figures:
        assert fact.how.startswith(kinds), fact


def test_a_divided_arena_is_drawn_with_its_regions() -> None:
    page = page_view(made_result(memory__regions=REGIONS, memory__plan=DIVIDED))
    assert page.arena is not None
    drawn = [mark.text for mark in page.arena.drawing.marks if mark.kind == "text"]
    assert {"ccm 512 B", "sram 2,048 B"} <= set(drawn)
    assert "512 bytes in ccm and 2,048 bytes in sram" in page.arena.description
    assert [(row[0], row[-1]) for row in page.arena.table.rows] == [
        *(("image", "ccm"), ("conv2d", "sram"), ("conv2d (scratch)", "ccm")),
    ]
    assert "of 3,000 B, 512 B of it arena" in next(fact.how for fact in page.figures if fact.name == "SRAM in ccm")


def test_plans_are_drawn_once_each_and_the_chosen_one_on_top() -> None:
    plans = made_assignment()["plans"]
    chosen = {**plans[0], "origin": "searched", "bits": {"conv2d": 4, "dense[red]": 8}}
    repeated = {**plans[1], "origin": "searched", "trial": None}
    view = page_view(made_result(assignment={**made_assignment(), "plans": [*plans, repeated, chosen]}))
    assert view.plans is not None
    dots = [mark for mark in view.plans.drawing.marks if mark.kind == "dot"]
    assert len(dots) == len(plans) + 1
    assert dots[-1].shape == "star"
    assert len(view.plans.table.rows) == len(dots)


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (9_344, 12_410, [10_000, 11_000, 12_000]),
        (0, 0, [0]),
        (3, 3.5, [3, 3.1, 3.2, 3.3, 3.4, 3.5]),
    ],
)
def test_ticks_are_round(low: float, high: float, found: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(found)
