"""Every form that a result takes, read back by what reads such files."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from sq_micro.errors import UsageError
from sq_micro.report.forms import Form, load_result, render
from sq_micro.report.markdown import marker, render_markdown
from sq_micro.report.result import SCHEMA_VERSION
from sq_micro.report.tables import render_csv, render_folded, render_junit, render_trace
from tests.unit.report.results import made_assignment, made_result

WITHOUT_CYCLES = [
    {"index": 0, "name": "c", "kind": "conv2d", "weight_bits": 4, "macs": 12, "cycles": None, "instructions": None},
]


def test_a_line_of_csv_for_each_operator() -> None:
    rows = list(csv.DictReader(io.StringIO(render_csv(made_result(assignment=made_assignment())))))
    assert [row["operator"] for row in rows] == ["conv2d", "mean", "dense[red]"]
    first = rows[0]
    assert (first["bits"], first["weight_bytes"], first["scratch_bytes"]) == ("4", "2400", "512")
    assert (first["cycles"], first["cycle_source"], first["latency_s"]) == ("300000", "modelled", "0.0025")
    assert float(first["damage"]) == 0.08 / 16
    assert (rows[1]["bits"], rows[1]["weight_bytes"], rows[1]["damage"]) == ("", "", "")


def test_a_trace_lays_operators_end_to_end() -> None:
    events = json.loads(render_trace(made_result()))["traceEvents"]
    slices = [event for event in events if event["ph"] == "X"]
    assert [event["name"] for event in slices] == ["conv2d", "mean", "dense[red]"]
    assert [event["ts"] for event in slices] == pytest.approx([0, 2_500, 2_500 + 50_000 / 120])
    assert sum(event["dur"] for event in slices) == pytest.approx(375_000 / 120)
    assert slices[0]["args"] == {"bits": 4, "macs": 120_000, "cycles": 300_000, "provenance": "modelled"}


def test_folded_stacks_add_up_to_the_operators_cycles() -> None:
    lines = render_folded(made_result(model__name="a;b c")).splitlines()
    assert lines[0] == "a:b c;conv2d;conv2d 300000"
    assert sum(int(line.rpartition(" ")[2]) for line in lines) == 375_000


@pytest.mark.parametrize("form", ["trace", "folded"])
def test_without_cycles_there_is_no_time_to_show(form: Form) -> None:
    result = made_result(measurement__operators=WITHOUT_CYCLES, measurement__link="host")
    with pytest.raises(UsageError, match="'host' does not count them"):
        render(form, result)


def test_without_a_clock_there_is_no_trace() -> None:
    with pytest.raises(UsageError, match="clock of nucleo_l4r5zi is not known"):
        render("trace", made_result(board__clock_hz=None))


def test_junit_has_a_case_for_the_outputs_and_for_every_budget() -> None:
    suite = ElementTree.fromstring(render_junit(made_result(assignment=made_assignment())))
    assert (suite.get("tests"), suite.get("failures")) == ("4", "0")
    assert [case.get("name") for case in suite] == [
        "outputs identical to the oracle",
        "flash within its budget",
        "latency within its budget",
        "accuracy loss within its bound",
    ]


@pytest.mark.parametrize(
    ("changes", "failed", "message"),
    [
        ({"verification__identical": 98}, 0, "2 outputs differ"),
        ({"assignment": made_assignment(flash_bytes=14_000.0)}, 1, "336 B too much"),
        ({"assignment": made_assignment(max_drop_points=1.0)}, 3, "more accuracy lost than allowed"),
    ],
)
def test_junit_fails_where_something_is_missed(changes: dict[str, Any], failed: int, message: str) -> None:
    suite = ElementTree.fromstring(render_junit(made_result(**{"assignment": made_assignment(), **changes})))
    assert suite.get("failures") == "1"
    failure = list(suite)[failed].find("failure")
    assert failure is not None
    assert failure.get("message") == message


def test_markdown_begins_with_what_a_bot_looks_for() -> None:
    result = made_result(assignment=made_assignment(), model__name="net|v2*")
    text = render_markdown(result)
    assert text.splitlines()[0] == marker(result) == "<!-- sq-micro: net|v2* on nucleo_l4r5zi -->"
    assert "### net|v2\\* on ST NUCLEO-L4R5ZI answers in 3.12 ms" in text
    assert "| Flash | 14,336 B | of 14,500 B allowed, 164 B left | exact |" in text
    assert "| 2 | dense\\[red\\] | dense | 8 |" in text
    assert text == render_markdown(result)


def test_markdown_shows_what_is_over() -> None:
    text = render_markdown(made_result(assignment=made_assignment(flash_bytes=14_000.0), verification__identical=7))
    assert "14,336 B **over** | of 14,000 B allowed, 336 B too much" in text
    assert "❌ Only 7 of 100 golden outputs" in text


@pytest.mark.parametrize("searched", [True, False])
def test_pictures_are_the_same_each_time(searched: bool) -> None:
    result = made_result(assignment=made_assignment() if searched else None)
    picture = render("svg", result)
    assert ElementTree.fromstring(picture).tag.endswith("svg")
    assert picture == render("svg", result)


def test_a_png_is_one() -> None:
    assert render("png", made_result()).startswith(b"\x89PNG")


def test_a_result_is_found_in_its_folder(tmp_path: Path) -> None:
    result = made_result()
    (tmp_path / "result.json").write_text(result.to_json())
    assert load_result(tmp_path) == load_result(tmp_path / "result.json") == result


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", f"is no result of schema {SCHEMA_VERSION}"),
        (b"\xff\xfe", "is no text"),
        (b'{"schema_version": "1.0"}', "schema_version"),
    ],
)
def test_what_is_no_result_is_said_to_be_none(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "result.json"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        load_result(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nothing\.json: cannot be read"):
        load_result(tmp_path / "nothing.json")
