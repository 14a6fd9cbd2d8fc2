"""The report of a real run: every form is written, and pins in the page say what the next run takes."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.acceptance.command_line import sq_micro
from tests.acceptance.conftest import Digits
from tests.acceptance.networks import network_folder
from tests.browser.chromium import Opener

pytestmark = [pytest.mark.slow, pytest.mark.simulator, pytest.mark.xdist_group("budgets")]
FEW = ("--samples", "10", "--runs", "3")
CYCLES_TOLERANCE = 0.03
WIDTHS = (2, 3, 4, 5, 6, 8)


@dataclass(frozen=True)
class Deployed:
    """A run with a search; `again` are the arguments for one at given bits."""

    out: Path
    again: tuple[str | Path, ...]


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The cache of the tests of budgets, whose searches are of the same networks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
        yield


@pytest.fixture(scope="module")
def searched(digits: Digits, tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    out = tmp_path_factory.mktemp("report")
    again = (
        *("deploy", digits.model, "--board", "nucleo_l4r5zi", "--calibrate", digits.calibrate),
        *("--evaluate", digits.evaluate, *FEW),
    )
    ran = sq_micro(*again, "--flash", "15KiB", "--latency", "4ms", "--workers", "1", "--out", out)
    assert ran.code == 0, ran.err
    assert f"report: {out / 'report.html'}" in ran.out
    return Deployed(out, again)


def result_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "result.json").read_text())
    return found


def test_a_run_leaves_a_page_and_a_comment(searched: Deployed, open_page: Opener) -> None:
    page = searched.out / "report.html"
    opened = open_page(page)
    assert opened.requests == [page.as_uri()]
    assert opened.complaints == []
    assert opened.page.locator("fieldset[data-operator]").count() == 6
    assert opened.page.locator("#plans svg .point").count() > 8
    assert (searched.out / "report.md").read_text().startswith("<!-- sq-micro: digits on nucleo_l4r5zi -->")


def test_every_form_comes_from_the_result_alone(searched: Deployed, tmp_path: Path) -> None:
    alone = tmp_path / "elsewhere.json"
    alone.write_bytes((searched.out / "result.json").read_bytes())
    for form in ("html", "md"):
        assert sq_micro("report", alone, "--format", form).out == (searched.out / f"report.{form}").read_text()
    for form in ("csv", "trace", "folded", "junit", "svg"):
        file = tmp_path / f"report.{form}"
        ran = sq_micro("report", alone, "--format", form, "-o", file)
        assert ran.code == 0, ran.err
        assert file.stat().st_size > 0
    assert ElementTree.parse(tmp_path / "report.junit").getroot().get("failures") == "0"
    total = sum(int(line.split()[-1]) for line in (tmp_path / "report.folded").read_text().splitlines())
    assert total == sum(operator["cycles"] for operator in result_of(searched.out)["measurement"]["operators"])


def test_diff_names_the_operator_to_look_at(searched: Deployed, digits: Digits) -> None:
    ran = sq_micro("diff", "--calibrate", digits.calibrate, "--out", searched.out, "--samples", "32")
    assert ran.code == 0, ran.err
    head, worst, *_, verdict = ran.out.splitlines()
    assert head.split()[:4] == ["#", "operator", "kind", "bits"]
    assert f"most of the damage is done by '{worst.split()[1]}'" in verdict


def test_a_collapse_has_a_culprit_and_compare_stops_it(searched: Deployed, digits: Digits, tmp_path: Path) -> None:
    plan, out = tmp_path / "bits.json", tmp_path / "out"
    plan.write_text(json.dumps({"default": 8, "operators": {"stem": 2}}))
    ran = sq_micro(*searched.again, "--weight-bits", plan, "--rounding", "nearest", "--out", out)
    assert ran.code == 0, ran.err
    found = json.loads(sq_micro("diff", "--calibrate", digits.calibrate, "--out", out, "--json").out)
    damages = [operator["divergence"] for operator in found["operators"]]
    assert damages == sorted(damages, reverse=True)
    assert found["culprit"] == found["operators"][0]["name"] == "stem"
    assert found["operators"][0]["hint"] == "its weights are the noise: try --rounding feedback"
    passed = sq_micro("compare", searched.out, searched.out, "--max-flash", "+0", "--max-drop", "+0")
    assert passed.code == 0, passed.err
    stopped = sq_micro("compare", searched.out, out, "--max-drop", "+1", "--max-latency", "1s")
    assert stopped.code == 3
    assert stopped.error_line.startswith("sq-micro: error: gate not passed (drop): ")
    assert "passed: latency" in stopped.out
    assert json.loads(sq_micro("compare", searched.out, out, "--json").out)["gates"] == []


@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_pins_say_what_the_next_run_takes(
    searched: Deployed, open_page: Opener, tmp_path: Path, seed: int | None
) -> None:
    """Two operators, or all of them at random."""
    pins = {"conv": 4, "hidden": 3} if seed is None else random_pins(searched, seed)
    require_foretold(searched, open_page, pins, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("name", ["fmnist_cnn", "dscnn_kws", "resnet8_cifar10"])
def test_pins_of_other_networks_say_what_the_next_run_takes(name: str, open_page: Opener, tmp_path: Path) -> None:
    folder, out = network_folder(name), tmp_path / "out"
    samples = ("--calibrate", folder / "calib.npz", *FEW)
    again = ("deploy", folder / "model.keras", "--board", "nucleo_l4r5zi", *samples)
    ran = sq_micro(*again, "--flash", "72KiB", "--out", out)
    assert ran.code == 0, ran.err
    opened = open_page(out / "report.html")
    assert opened.requests == [(out / "report.html").as_uri()]
    assert opened.complaints == []
    operators = list(result_of(out)["bits"]["weights"])
    deployed = Deployed(out, again)
    for pins in ({operators[0]: 6}, dict.fromkeys(operators[1:4], 4), random_pins(deployed, 1)):
        require_foretold(deployed, open_page, pins, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize(
    ("board", "compiler"), [("esp32c3_devkit", "gcc"), ("rpi_pico", "gcc"), ("nucleo_l4r5zi", "zig")]
)
def test_pins_on_other_machines_say_what_the_next_run_takes(
    board: str, compiler: str, digits: Digits, open_page: Opener, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    samples = ("--calibrate", digits.calibrate, "--evaluate", digits.evaluate, *FEW)
    again = ("deploy", digits.model, "--board", board, "--compiler", compiler, *samples)
    ran = sq_micro(*again, "--latency", "1s", "--out", out)
    assert ran.code == 0, ran.err
    deployed = Deployed(out, again)
    for seed in (1, 2):
        require_foretold(deployed, open_page, random_pins(deployed, seed), tmp_path)


def random_pins(deployed: Deployed, seed: int) -> dict[str, int]:
    """Bits for every operator."""
    draw = random.Random(seed)
    return {name: draw.choice(WIDTHS) for name in result_of(deployed.out)["bits"]["weights"]}


def require_foretold(deployed: Deployed, open_page: Opener, pins: dict[str, int], folder: Path) -> None:
    """Pin bits in the page, run with the plan that it saves, compare."""
    opened = open_page(deployed.out / "report.html")
    for operator, bits in pins.items():
        opened.page.locator(f'fieldset[data-operator="{operator}"] label.b{bits}').click()
    with opened.page.expect_download() as download:
        opened.page.get_by_role("button", name="Save as bits.json").click()
    plan, out = folder / "pinned.json", folder / "pinned"
    download.value.save_as(plan)
    ran = sq_micro(*deployed.again, "--weight-bits", plan, "--out", out)
    assert ran.code == 0, ran.err
    told = json.loads(opened.page.evaluate("document.documentElement.dataset.totals"))
    found = result_of(out)
    assert {name: found["bits"]["weights"][name] for name in pins} == pins
    assert told["weights"] == found["memory"]["flash_bytes"]["weights"]
    if found["memory"]["arena_by_width"] is not None:  # else the page says that SRAM is not known
        assert told["sram"] == found["memory"]["sram_bytes"]["total"]
    assert told["flash"] == found["memory"]["flash_bytes"]["total"]
    assert told["cycles"] == pytest.approx(found["measurement"]["cycles"]["median"], rel=CYCLES_TOLERANCE)
