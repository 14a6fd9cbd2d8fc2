"""Bits chosen under budgets: what was allowed is what the linked image and the simulated board take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.acceptance.command_line import Ran, sq_micro
from tests.acceptance.conftest import Digits
from tests.acceptance.networks import network_folder

pytestmark = [pytest.mark.slow, pytest.mark.simulator, pytest.mark.xdist_group("budgets")]
BOARD = ("--board", "nucleo_l4r5zi")
FEW = ("--samples", "10", "--runs", "3", "--workers", "1")


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Searches share what they compute within these tests, and nothing with the person's own cache."""
    folder = tmp_path_factory.getbasetemp() / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))


def deploy(digits: Digits, out: Path, *options: str) -> Ran:
    samples = ("--calibrate", digits.calibrate, "--evaluate", digits.evaluate)
    return sq_micro("deploy", digits.model, *BOARD, *samples, "--out", out, *FEW, *options)


def result_of(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "result.json").read_text())
    return found


def test_every_budget_is_met_by_what_was_measured(digits: Digits, tmp_path: Path) -> None:
    out = tmp_path / "out"
    budgets = ("--flash", "11KiB", "--sram", "2800B", "--latency", "3ms", "--energy", "0.16mJ", "--max-drop", "3")
    ran = deploy(digits, out, *budgets)
    assert ran.code == 0, ran.err
    result = result_of(out)
    assert result["memory"]["flash_bytes"]["total"] <= 11 * 1024
    assert result["memory"]["sram_bytes"]["total"] <= 2800
    assert result["measurement"]["latency_s"] <= 3e-3
    assert result["measurement"]["energy_j"] <= 0.16e-3
    assert result["accuracy"]["float"] - result["accuracy"]["quantized"] <= 0.03
    assert result["verification"]["identical"] == 10
    assert result["assignment"]["allocator"] == "ilp"
    assert result["assignment"]["budget"]["flash_bytes"] == 11 * 1024
    assert "portable" in result["kernels"].values()
    assert "flash" in result["assignment"]["binding"]
    assert len(set(result["bits"]["weights"].values())) > 1
    predicted = result["assignment"]["predicted_latency_s"]
    assert predicted == pytest.approx(result["measurement"]["latency_s"], rel=0.05)
    assert result["assignment"]["predicted_flash_bytes"] == result["memory"]["flash_bytes"]["total"]
    assert "budget" in ran.out
    for artefact in ("04_sensitivity.csv", "05_assignment.txt", "05_frontier.csv", "bits.json"):
        assert (out / artefact).stat().st_size > 0, artefact


def test_a_budget_below_the_minimum_names_it_and_writes_the_nearest_plan(digits: Digits, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = deploy(digits, out, "--flash", "8KiB")
    assert ran.code == 3
    assert "flash" in ran.error_line
    assert "at least" in ran.error_line
    nearest = json.loads((out / "nearest_bits.json").read_text())
    assert set(nearest["operators"].values()) <= {2, 3, 4, 5, 6, 8}
    assert not (out / "result.json").exists()


def test_an_accuracy_that_is_missed_says_so(digits: Digits, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = deploy(digits, out, "--flash", "9KiB", "--rounding", "nearest", "--max-drop", "0.2")
    assert ran.code == 3
    assert "max-drop" in ran.error_line


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--flash", "12KiB", "--weight-bits", "4"), "--weight-bits gives the bits"),
        (("--flash", "12"), "units"),
        (("--allocator", "uniform"), "needs a budget"),
        (("--flash", "12KiB", "--pin", "absent=4"), "no operator 'absent'"),
        (("--flash", "12KiB", "--pin", "conv=7"), "7 bits"),
        (("--flash", "12KiB", "--pin", "conv"), "NAME=BITS"),
        (("--pin", "conv=4"), "a pin needs a budget"),
        (("--flash", "12KiB", "--board", "host", "--latency", "1ms"), "latency"),
    ],
)
def test_what_contradicts_itself_is_refused(
    digits: Digits, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    ran = deploy(digits, tmp_path / "out", *options)
    assert ran.code == 2
    assert said in ran.error_line


def test_too_little_sram_says_what_is_missing_and_where_the_nearest_plan_is(digits: Digits, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = deploy(digits, out, "--sram", "1500B")
    assert ran.code == 3
    assert "sram" in ran.error_line
    assert "short of" in ran.error_line
    assert (out / "nearest_bits.json").is_file()


def test_an_accuracy_without_labelled_samples_is_refused(digits: Digits, tmp_path: Path) -> None:
    arguments = ("--calibrate", digits.calibrate, "--out", tmp_path / "out", "--max-drop", "1")
    ran = sq_micro("deploy", digits.model, *BOARD, *arguments)
    assert ran.code == 2
    assert "--evaluate" in ran.error_line


def test_an_accuracy_with_unlabelled_samples_is_refused(digits: Digits, tmp_path: Path) -> None:
    unlabelled = tmp_path / "eval.npz"
    np.savez(unlabelled, x=np.load(digits.evaluate)["x"][:20])
    arguments = (
        "--calibrate",
        digits.calibrate,
        "--evaluate",
        unlabelled,
        "--out",
        tmp_path / "out",
        "--max-drop",
        "1",
    )
    ran = sq_micro("deploy", digits.model, *BOARD, *arguments)
    assert ran.code == 2
    assert "needs labels" in ran.error_line


def test_a_dry_run_says_that_bits_are_to_be_chosen(digits: Digits, tmp_path: Path) -> None:
    ran = deploy(digits, tmp_path / "out", "--flash", "12KiB", "--dry-run")
    assert ran.code == 0, ran.err
    assert "to be chosen (flash at most 12,288 B)" in ran.out
    assert not (tmp_path / "out").exists()


def test_a_pin_in_conflict_with_a_budget_is_blamed(digits: Digits, tmp_path: Path) -> None:
    ran = deploy(digits, tmp_path / "out", "--flash", "9700B", "--pin", "conv=8")
    assert ran.code == 3
    assert "conv=8" in ran.error_line


def test_kernels_of_a_plan_file_compute_the_same(digits: Digits, tmp_path: Path) -> None:
    """Every set beside every other in one image; the outputs are TFLite Micro's, byte for byte."""
    named = {"stem": "shared", "depthwise": "small", "pointwise": "shared", "pool": "portable", "mean": "small"}
    named |= {"conv": "small", "hidden": "portable", "digit": "shared"}
    bits = {"stem": 8, "depthwise": 3, "pointwise": 8, "conv": 5, "hidden": 2, "digit": 4}
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"operators": bits, "kernels": named}))
    out = tmp_path / "out"
    ran = deploy(digits, out, "--weight-bits", str(plan))
    assert ran.code == 0, ran.err
    result = result_of(out)
    assert result["verification"]["identical"] == 10
    assert result["kernels"] == named
    functions = (out / "09_sections.csv").read_text()
    for name in ("sqm_conv2d_blocks_w8__armv7em_dsp", "sqm_conv2d__small", "sqm_depthwise_conv2d__small"):
        assert name in functions, name


def test_small_kernels_for_all_take_less_flash_and_more_time(digits: Digits, tmp_path: Path) -> None:
    found = {}
    for kernels in ("auto", "small"):
        out = tmp_path / kernels
        ran = deploy(digits, out, "--weight-bits", "4", "--kernels", kernels)
        assert ran.code == 0, ran.err
        found[kernels] = result_of(out)
    assert found["auto"]["kernels"] == {}
    assert set(found["small"]["kernels"].values()) == {"small"}
    assert found["small"]["verification"]["identical"] == 10
    fast, small = (found[kernels]["memory"]["flash_bytes"]["total"] for kernels in ("auto", "small"))
    assert small < fast - 3000
    assert found["small"]["measurement"]["cycles"]["median"] > found["auto"]["measurement"]["cycles"]["median"]


@pytest.mark.parametrize("allocator", ["ilp", "sigmaquant", "uniform", "memory-driven", "size-ranked"])
def test_every_allocator_keeps_the_weight_bytes(digits: Digits, tmp_path: Path, allocator: str) -> None:
    arguments = ("--calibrate", digits.calibrate, "--weight-bytes", "1900B", "--allocator", allocator)
    ran = sq_micro("assign", digits.model, *BOARD, *arguments, "--workers", "1", "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    record = json.loads((tmp_path / "out/05_assignment.json").read_text())
    assert record["cost"]["weights"] <= 1900
    assert record["allocator"] == allocator


@pytest.mark.parametrize(
    ("name", "budgets"),
    [
        ("digits_cnn", ("--flash", "14KiB", "--latency", "2ms")),
        ("fmnist_cnn", ("--flash", "20KiB", "--sram", "22KiB", "--energy", "5mJ")),
        pytest.param(
            "dscnn_kws",
            ("--flash", "31KiB", "--sram", "10KiB", "--latency", "130ms", "--max-drop", "2"),
            marks=pytest.mark.long,
        ),
        pytest.param(
            "resnet8_cifar10",
            ("--flash", "56KiB", "--sram", "37KiB", "--latency", "400ms", "--max-drop", "2"),
            marks=pytest.mark.long,
        ),
    ],
)
def test_each_network_meets_the_budgets_of_its_board(name: str, budgets: tuple[str, ...], tmp_path: Path) -> None:
    folder, out = network_folder(name), tmp_path / "out"
    samples = (
        "--calibrate",
        folder / "calib.npz",
        "--evaluate",
        folder / "eval.npz",
        "--samples",
        "100",
        "--runs",
        "1",
    )
    ran = sq_micro("deploy", folder / "model.keras", *BOARD, *samples, "--workers", "1", *budgets, "--out", out)
    assert ran.code == 0, ran.err
    result = result_of(out)
    allowed, measured = result["assignment"]["budget"], result["measurement"]
    for bound, taken in (
        (allowed["flash_bytes"], result["memory"]["flash_bytes"]["total"]),
        (allowed["sram_bytes"], result["memory"]["sram_bytes"]["total"]),
        (allowed["latency_s"], measured["latency_s"]),
        (allowed["energy_j"], measured["energy_j"]),
    ):
        assert bound is None or taken <= bound
    assert result["verification"]["identical"] == 100


@pytest.mark.long
def test_noise_of_trials_costs_no_time(tmp_path: Path) -> None:
    """Two layers of 6 bits are better than 8 bits everywhere by a fraction of the error, and take a third more time."""
    folder, latency_s = network_folder("dscnn_kws"), {}
    samples = ("--calibrate", folder / "calib.npz", "--samples", "5", "--runs", "1", "--workers", "1")
    for allocator in ("ilp", "uniform"):
        out = tmp_path / allocator
        arguments = (*BOARD, *samples, "--sram", "10KiB", "--allocator", allocator, "--out", out)
        ran = sq_micro("deploy", folder / "model.keras", *arguments)
        assert ran.code == 0, ran.err
        result = result_of(out)
        assert result["memory"]["sram_bytes"]["total"] <= 10 * 1024
        latency_s[allocator] = result["measurement"]["latency_s"]
    assert set(result["bits"]["weights"].values()) == {8}
    assert latency_s["ilp"] <= latency_s["uniform"]
    assert "taken: " in (tmp_path / "ilp" / "05_assignment.txt").read_text()
