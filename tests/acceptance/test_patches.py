"""Deployments whose SRAM budget only patches meet: what is reported is what was measured, and time counts as well."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sq_micro.assign.rounded_widths import RoundedWidths
from sq_micro.cost.profile import NetworkProfile, OperatorFigures
from sq_micro.report.result import Result
from sq_micro.stages import assign as stage
from tests.acceptance.command_line import Ran, sq_micro
from tests.bench import random_networks

pytestmark = [pytest.mark.slow, pytest.mark.simulator, pytest.mark.xdist_group("patches")]
BOARD = ("--board", "nucleo_l4r5zi")
SRAM = 2_800  # bytes; whole, the small network takes a kilobyte more


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "patches cache"))


def small_network(folder: Path) -> Path:
    """Its second tensor is four times its input."""
    keras, layers = random_networks.keras, random_networks.keras.layers
    keras.utils.set_random_seed(4)
    inputs = keras.Input((16, 16, 2))
    x = layers.ReLU()(layers.Conv2D(8, 3, 1, "same")(inputs))
    x = layers.ReLU()(layers.DepthwiseConv2D(3, 2, "same")(x))
    x = layers.GlobalAveragePooling2D()(layers.ReLU()(layers.Conv2D(8, 1)(x)))
    random_networks.write(keras.Model(inputs, layers.Dense(3, activation="softmax")(x), name="small"), folder)
    return labelled(folder)


def labelled(folder: Path) -> Path:
    """Some labels: outputs are compared, accuracy is not looked at."""
    x = np.load(folder / "eval.npz")["x"]
    np.savez(folder / "eval.npz", x=x, y=np.arange(len(x)) % 2)
    return folder


def deploy(folder: Path, out: Path, *options: str) -> Ran:
    samples = ("--calibrate", folder / "calib.npz", "--evaluate", folder / "eval.npz")
    return sq_micro(
        "deploy", folder / "model.keras", *BOARD, *samples, "--out", out, "--runs", "2", "--workers", "1", *options
    )


def needs_patches(folder: Path, out: Path, sram_bytes: int, *options: str) -> Result:
    """What a deployment left that was to fit; every sample's outputs are compared on the simulated core."""
    ran = deploy(folder, out, "--sram", f"{sram_bytes}B", *options)
    assert ran.code == 0, ran.err
    result = Result.model_validate_json((out / "result.json").read_text())
    assert result.memory.sram_bytes.total <= sram_bytes
    assert result.verification.identical == result.verification.samples > 0
    patches = result.memory.plan.patches
    assert patches is not None
    assert patches.operators == result.memory.plan.operators[: len(patches.operators)]
    assert patches.patches > 1
    assert max(patches.slowdowns) > 1
    return result


def refused_for_latency(folder: Path, out: Path, sram_bytes: int, latency_s: float, *options: str) -> None:
    """With a latency between that of the whole operators and that of the patches."""
    budgets = ("--sram", f"{sram_bytes}B", "--latency", f"{1e3 * latency_s:.4f}ms")
    ran = deploy(folder, out, *budgets, *options)
    assert ran.code == 3
    assert "no plan meets the budgets for sram and latency; the nearest one is short of latency by" in ran.error_line
    assert "nearest_bits.json" in ran.error_line
    assert json.loads((out / "nearest_bits.json").read_text())["operators"]
    assert not (out / "result.json").exists()


def made_up(rounded: RoundedWidths, *_: object) -> NetworkProfile:
    """What images would say: they take most of a deployment's time, and are built for the long tests alone."""
    weighted = {operator.name for operator in rounded.frame.topology.weighted()}
    figures = OperatorFigures(cycles=40_000, code_bytes=600)
    operators = {
        op.name: dict.fromkeys((2, 3, 4, 5, 6, 8) if op.name in weighted else (0,), figures)
        for op in rounded.frame.topology.operators
    }
    return NetworkProfile(operators, 8_000, overhead_cycles=1_000, static_bytes=250, stack_bytes=1_380)


def test_a_budget_that_patches_alone_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "characterise", made_up)
    folder = small_network(tmp_path / "model")
    result = needs_patches(folder, tmp_path / "out", SRAM)
    assert result.assignment is not None
    assert result.assignment.predicted_latency_s is not None
    refused_for_latency(folder, tmp_path / "late", SRAM, 0.95 * result.assignment.predicted_latency_s)


@pytest.mark.long
@pytest.mark.parametrize(("network", "sram_bytes"), [("small", SRAM), ("mobilenet", 32 * 1024)])
def test_time_is_what_was_promised(network: str, sram_bytes: int, tmp_path: Path) -> None:
    """With real images. A latency that whole operators keep alone is refused beside the SRAM budget."""
    if network == "small":
        folder = small_network(tmp_path / "model")
    else:
        folder = labelled(random_networks.write(random_networks.mobilenet(), tmp_path / "model"))
    options = ("--allocator", "uniform", "--kernels", "fast")
    result = needs_patches(folder, tmp_path / "out", sram_bytes, *options)
    measured, assignment = result.measurement.latency_s, result.assignment
    assert measured is not None
    assert assignment is not None
    assert assignment.predicted_latency_s == pytest.approx(measured, rel=0.05)
