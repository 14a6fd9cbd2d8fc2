"""Deployments whose SRAM budget only patches meet: what is reported is what was measured, and time counts as well."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sq_micro.report.result import Result
from tests.acceptance.command_line import Ran, sq_micro
from tests.bench import random_networks

pytestmark = [pytest.mark.slow, pytest.mark.simulator, pytest.mark.xdist_group("patches")]
BOARD = ("--board", "nucleo_l4r5zi")
SRAM = 2_700  # bytes; whole, the small network takes a kilobyte more


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


def refused_for_latency(folder: Path, out: Path, sram_bytes: int, result: Result, *options: str) -> None:
    """With a latency between that of the whole operators and that of the patches."""
    measured, assignment = result.measurement.latency_s, result.assignment
    assert measured is not None
    assert assignment is not None
    assert assignment.predicted_latency_s == pytest.approx(measured, rel=0.05)
    milliseconds = 0.93e3 * measured
    ran = deploy(folder, out, "--latency", f"{milliseconds:.4f}ms", *options)
    assert ran.code == 0, ran.err  # without the other budget it is met
    ran = deploy(folder, out, "--sram", f"{sram_bytes}B", "--latency", f"{milliseconds:.4f}ms", *options)
    assert ran.code == 3
    assert "latency" in ran.error_line
    assert "short of" in ran.error_line
    assert "nearest_bits.json" in ran.error_line
    assert json.loads((out / "nearest_bits.json").read_text())["operators"]


def test_a_budget_that_patches_alone_meet(tmp_path: Path) -> None:
    folder = small_network(tmp_path / "model")
    options = ("--allocator", "uniform", "--kernels", "fast")
    result = needs_patches(folder, tmp_path / "out", SRAM, *options)
    refused_for_latency(folder, tmp_path / "late", SRAM, result, *options)
