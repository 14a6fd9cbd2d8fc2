"""The report in a real browser: what it says when bits are pinned, and that it needs nothing but itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sq_micro.report.html.page import render_html
from tests.browser.chromium import Opened, Opener
from tests.unit.report.results import made_assignment, made_result

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
CONTRAST = Path(__file__).with_name("contrast.js")


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("page"), assignment=made_assignment(), measurement__energy_j=0.00015)


def written(folder: Path, **changes: Any) -> Path:
    file = folder / "report.html"
    file.write_text(render_html(made_result(**changes)), encoding="utf-8")
    return file


def pin(opened: Opened, operator: str, bits: int) -> None:
    fieldset = opened.page.locator("fieldset[data-operator]").filter(has_text=f"Bits of {operator}")
    fieldset.locator("label").filter(has_text=str(bits)).click()


def totals(opened: Opened) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(opened.page.evaluate("document.documentElement.dataset.totals"))
    return found


def test_the_page_needs_nothing_and_complains_of_nothing(searched: Path, open_page: Opener) -> None:
    opened = open_page(searched)
    pin(opened, "conv2d", 2)
    assert opened.requests == [searched.as_uri()]
    assert opened.complaints == []


def test_pins_change_every_total_by_the_tables(searched: Path, open_page: Opener) -> None:
    """The image has conv2d at 4 bits: 2,400 B of weights, 160 of tables, 840 of code, and it calls sqm_unpack_4."""
    opened = open_page(searched)
    before = totals(opened)
    assert before["flash"] == 14_336
    assert before["sram"] == 5_120
    pin(opened, "conv2d", 8)
    after = totals(opened)
    weights, tables, code, called = 4_800 - 2_400, 144 - 160, 800 - 840, -100
    assert after["weights"] == before["weights"] + weights
    assert after["flash"] == before["flash"] + weights + tables + code + called
    # No scratch at 8 bits. Both operators then want less stack than the 2,000 B of all that is not pinned.
    assert after["sram"] == before["sram"] - 512 - (2_048 - 2_000)
    assert after["cycles"] == before["cycles"] - 4_000
    assert after["latency"] == pytest.approx(before["latency"] - 4_000 / 120e6)
    assert after["energy"] == pytest.approx(before["energy"] * after["latency"] / before["latency"])
    assert after["damage"] == pytest.approx(-0.08 / 16)
    assert opened.page.locator("#card-flash [data-value]").text_content() == f"{after['flash']:,}"
    assert "too much" in opened.page.locator("#card-flash [data-allowed]").text_content()
    assert "over" in opened.page.locator("#card-flash").get_attribute("class")
    assert "−560 B" in opened.page.locator("#pins [data-summary]").text_content()


def test_going_back_restores_every_text(searched: Path, open_page: Opener) -> None:
    opened = open_page(searched)
    before = opened.page.locator("main").inner_text()
    pin(opened, "conv2d", 2)
    pin(opened, "dense[red]", 5)
    assert "2 operators changed" in opened.page.locator("#pins").inner_text()
    assert opened.page.locator("main").inner_text() != before
    opened.page.get_by_role("button", name="Back to the plan").click()
    assert opened.page.locator("main").inner_text() == before
    assert opened.page.locator("#pins").is_hidden()


def test_the_plan_is_saved_as_a_plan_file(searched: Path, open_page: Opener) -> None:
    opened = open_page(searched)
    pin(opened, "conv2d", 3)
    with opened.page.expect_download() as download:
        opened.page.get_by_role("button", name="Save as bits.json").click()
    assert download.value.suggested_filename == "bits.json"
    plan = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert plan == {"operators": {"conv2d": 3, "dense[red]": 8}}


def test_the_plan_keeps_what_is_not_pinned(tmp_path: Path, open_page: Opener) -> None:
    """Kernels and bits of activations: the totals are of an image with them."""
    kernels = {"conv2d": "small", "mean": "portable"}
    page = written(tmp_path, assignment=made_assignment(), kernels=kernels, bits__activations={"conv2d": 4})
    opened = open_page(page)
    pin(opened, "conv2d", 3)
    with opened.page.expect_download() as download:
        opened.page.get_by_role("button", name="Save as bits.json").click()
    plan = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert plan == {
        "operators": {"conv2d": 3, "dense[red]": 8},
        "activations": {"conv2d": 4},
        "kernels": kernels,
    }


def test_a_keyboard_is_enough(searched: Path, open_page: Opener) -> None:
    opened = open_page(searched)
    opened.page.locator("fieldset[data-operator] input:checked").first.focus()
    opened.page.keyboard.press("ArrowRight")
    assert totals(opened)["weights"] == 3_000 + 600  # 4 to 5 bits of 4,800 weights
    for _ in range(20):
        opened.page.keyboard.press("Tab")
        if opened.page.evaluate("document.activeElement.dataset.action") == "reset":
            break
    opened.page.keyboard.press("Enter")
    assert totals(opened)["weights"] == 3_000
    assert opened.page.evaluate("document.activeElement.type") == "radio"


def test_what_is_not_known_is_not_made_up(tmp_path: Path, open_page: Opener) -> None:
    """Without a search nobody built other widths: bytes of weights and the arena are known, code and time are not."""
    opened = open_page(written(tmp_path))
    pin(opened, "conv2d", 8)
    found = totals(opened)
    assert found["flash"] is None
    assert found["latency"] is None
    assert found["damage"] is None
    assert found["weights"] == 3_000 + 2_400
    assert found["sram"] == 5_120 - 512
    assert opened.page.locator("#card-flash [data-delta]").text_content() == "not known for these pins"
    assert "weights and tables +2,384 B" in opened.page.locator("#pins [data-summary]").text_content()
    assert opened.page.locator("#plans").count() == 0


def test_an_arena_that_nobody_tabulated_is_not_known(tmp_path: Path, open_page: Opener) -> None:
    opened = open_page(written(tmp_path, memory__arena_by_width=None))
    assert opened.page.locator("#card-sram [data-delta]").text_content() == ""
    pin(opened, "conv2d", 8)
    assert opened.page.locator("#card-sram [data-delta]").text_content() == "not known for these pins"
    assert "SRAM" not in opened.page.locator("#pins [data-summary]").text_content()


@pytest.mark.parametrize("width", [360, 800])
def test_nothing_hangs_over_the_edge_of_a_small_screen(searched: Path, open_page: Opener, width: int) -> None:
    opened = open_page(searched, width=width)
    pin(opened, "conv2d", 2)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_stands_out(searched: Path, open_page: Opener, dark: bool) -> None:
    opened = open_page(searched, dark=dark)
    assert opened.page.evaluate(CONTRAST.read_text(encoding="utf-8")) == []


def test_every_control_and_picture_has_a_name(searched: Path, open_page: Opener) -> None:
    opened = open_page(searched)
    unnamed = (
        "[...document.querySelectorAll('input, button')].filter(e => !(e.ariaLabel || e.textContent.trim())).length"
    )
    assert opened.page.evaluate(unnamed) == 0
    assert opened.page.evaluate("[...document.querySelectorAll('svg[role=img]')].every(e => e.querySelector('title'))")
    assert opened.page.locator("h1").count() == 1


def test_it_prints(searched: Path, open_page: Opener) -> None:
    opened = open_page(searched)
    assert opened.page.pdf(format="A4").startswith(b"%PDF")
