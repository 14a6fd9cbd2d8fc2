"""The commands around the search: comparison, sweep, pairwise terms, plots, an accelerator for a board, Dask."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.command_line import sq_micro
from tests.acceptance.conftest import Digits

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("budgets")]
SHIFT_ADD = ("--board", "shift_add")
HERE = ("--workers", "1")


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "search cache"))


def test_allocators_are_compared_at_equal_bytes(digits: Digits, tmp_path: Path) -> None:
    samples = ("--calibrate", digits.calibrate, "--evaluate", digits.evaluate)
    ran = sq_micro("compare-allocators", digits.model, *samples, "--at", "30", "--out", tmp_path, *HERE)
    assert ran.code == 0, ran.err
    found = json.loads((tmp_path / "allocators.json").read_text())
    by_name = {plan["allocator"]: plan for plan in found["plans"]}
    assert set(by_name) == {"ilp", "uniform", "memory-driven", "size-ranked", "sigmaquant"}
    for plan in found["plans"]:
        assert plan["weight_bytes"] <= 0.3 * found["int8_weight_bytes"] or not plan["feasible"]
        assert 0.5 < plan["accuracy"] <= 1
    rules = ("uniform", "memory-driven", "size-ranked")
    assert all(by_name["ilp"]["calibration_divergence"] <= by_name[rule]["calibration_divergence"] for rule in rules)
    rows = list(csv.DictReader((tmp_path / "allocators.csv").open()))
    assert [row["allocator"] for row in rows] == [plan["allocator"] for plan in found["plans"]]
    for plot in ("allocators.svg", "bits.svg"):
        assert "<svg" in (tmp_path / plot).read_text()


def test_a_sweep_says_what_fits(digits: Digits, tmp_path: Path) -> None:
    arguments = ("--calibrate", digits.calibrate, "--boards", "shift_add", "--flash", "1KiB,3KiB")
    ran = sq_micro("sweep", digits.model, *arguments, "--out", tmp_path, *HERE)
    assert ran.code == 0, ran.err
    points = json.loads((tmp_path / "sweep.json").read_text())["points"]
    assert [point["fits"] for point in points] == [False, True]
    assert "takes flash at least" in points[0]["reason"]
    assert points[0]["flash_bytes"] < points[1]["flash_bytes"] <= 3 * 1024
    assert points[1]["divergence"] > 0
    assert points[1]["energy_j"] > points[0]["energy_j"]
    assert points[1]["sram_bytes"] is None
    assert len(list(csv.DictReader((tmp_path / "sweep.csv").open()))) == 2


def test_pairwise_terms_and_a_plot_on_request(digits: Digits, tmp_path: Path) -> None:
    arguments = ("--calibrate", digits.calibrate, "--energy", "16.5nJ", "--pairwise", "--plot")
    assert sq_micro("assign", digits.model, *SHIFT_ADD, *arguments, "--out", tmp_path, *HERE).code == 2  # no such unit
    arguments = ("--calibrate", digits.calibrate, "--energy", "0.0185uJ", "--pairwise", "--plot")
    ran = sq_micro("assign", digits.model, *SHIFT_ADD, *arguments, "--out", tmp_path, *HERE)
    assert ran.code == 0, ran.err
    record = json.loads((tmp_path / "05_assignment.json").read_text())
    assert record["cost"]["energy"] <= 0.0185e-6
    assert record["cost"]["sram"] is None
    assert record["binding"] == ["energy"]
    assert "chosen" in (tmp_path / "05_bits.svg").read_text()


def test_pairwise_terms_are_refused_where_nothing_adds_up_damages(digits: Digits, tmp_path: Path) -> None:
    arguments = ("--calibrate", digits.calibrate, "--weight-bytes", "2KiB", "--pairwise", "--allocator", "uniform")
    ran = sq_micro("assign", digits.model, *SHIFT_ADD, *arguments, "--out", tmp_path, *HERE)
    assert ran.code == 2
    assert "--pairwise is for --allocator ilp" in ran.error_line


def test_no_firmware_is_made_for_an_analytic_model(digits: Digits, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = sq_micro("deploy", digits.model, *SHIFT_ADD, "--calibrate", digits.calibrate, "--out", out)
    assert ran.code == 2
    assert "runs no firmware" in ran.error_line
    assert not out.exists()


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    distributed = pytest.importorskip("distributed", reason="the extra `dask` is not installed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        yield cluster.scheduler_address


@pytest.mark.long
def test_a_search_on_a_cluster_finds_the_same(digits: Digits, tmp_path: Path, scheduler: str) -> None:
    arguments = ("--calibrate", digits.calibrate, "--weight-bytes", "1900B", "--no-cache")
    plans = []
    for name, where in (("here", HERE), ("there", ("--dask", scheduler))):
        ran = sq_micro("assign", digits.model, *SHIFT_ADD, *arguments, "--out", tmp_path / name, *where)
        assert ran.code == 0, ran.err
        plans.append((tmp_path / name / "bits.json").read_text())
    assert plans[0] == plans[1]
