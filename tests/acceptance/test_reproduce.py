"""A lock builds the same bytes again, elsewhere; where it cannot, it says what differs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sq_micro.paths import project_files
from sq_micro.stages.lock import LOCK_FILE
from tests.acceptance.command_line import sq_micro
from tests.acceptance.networks import network_folder
from tests.unit.tflite.tflite_files import converted

BOARD = "host"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in `out` beside its inputs: float model, samples, widths of its own for two operators."""
    folder = tmp_path_factory.mktemp("run")
    shutil.copy(converted("sequence_float"), folder / "model.tflite")
    np.savez(folder / "samples.npz", x=np.random.default_rng(0).uniform(0, 1, (40, 20, 3)).astype(np.float32))
    (folder / "bits.json").write_text('{"default": 4, "operators": {"dense_2_1": 8}}')
    options = ("--calibrate", folder / "samples.npz", "--weight-bits", folder / "bits.json", "--samples", "4")
    ran = sq_micro(
        "deploy", folder / "model.tflite", "--board", BOARD, *options, "--runs", "1", "--out", folder / "out"
    )
    assert ran.code == 0, ran.err
    return folder


@pytest.fixture
def elsewhere(run: Path, tmp_path: Path) -> Path:
    """The run under another path, as a colleague gets it."""
    return Path(shutil.copytree(run, tmp_path / "deeper" / "down"))


def changed_lock(folder: Path, *path: str, value: object) -> None:
    file = folder / "out" / LOCK_FILE
    lock = json.loads(file.read_text())
    inner = lock
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    file.write_text(json.dumps(lock))


@pytest.mark.slow
@pytest.mark.simulator
def test_an_arena_that_a_budget_pressed_is_pressed_again(tmp_path: Path) -> None:
    """Without its limit the planner would take larger tiles."""
    folder = network_folder("dscnn_kws")
    shutil.copy(folder / "model.keras", tmp_path)
    shutil.copy(folder / "calib.npz", tmp_path)
    inputs = ("--calibrate", tmp_path / "calib.npz", "--rounding", "nearest", "--samples", "2")
    budget = ("--sram", "10KiB", "--allocator", "uniform", "--kernels", "fast")
    out = tmp_path / "out"
    ran = sq_micro(
        "deploy", tmp_path / "model.keras", "--board", "nucleo_l4r5zi", *inputs, *budget, "--runs", "1", "--out", out
    )
    assert ran.code == 0, ran.err
    assert json.loads((out / LOCK_FILE).read_text())["settings"]["arena_limit_bytes"] < 9_404
    again = sq_micro("reproduce", out, "--output", tmp_path / "again")
    assert again.code == 0, again.out + again.err


@pytest.mark.slow
def test_a_second_clone_gives_the_same_bytes(elsewhere: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    for part in ("sq_micro", "firmware", "boards", "codegen_templates"):
        shutil.copytree(project_files() / part, clone / part, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("CMakeLists.txt", "LICENSE"):
        shutil.copy(project_files() / part, clone / part)
    command = [sys.executable, "-m", "sq_micro", "reproduce", elsewhere / "out", "--output", tmp_path / "again"]
    environment = os.environ | {"PYTHONPATH": str(clone)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "identical: integers, sources and firmware.elf, byte for byte\n"
    for name in ("firmware.elf", "06_quantized.npz", "07_golden.npz"):
        assert (tmp_path / "again" / name).read_bytes() == (elsewhere / "out" / name).read_bytes()


def test_what_differs_is_named_with_what_may_be_why(elsewhere: Path, tmp_path: Path) -> None:
    changed_lock(elsewhere, "outputs", "sources", "src/sqm_model.c", value="0" * 64)
    changed_lock(elsewhere, "outputs", "image_sha256", value="0" * 64)
    changed_lock(elsewhere, "tools", "packages", "numpy", value="1.0.0")
    ran = sq_micro("reproduce", elsewhere / "out", "--output", tmp_path / "again")
    assert ran.code == 7
    lines = ran.out.splitlines()
    assert lines[:2] == ["differs: source src/sqm_model.c", "differs: image, as it is loaded onto the chip"]
    assert lines[2] == f"perhaps since numpy was 1.0.0 and is {np.__version__}"


def test_debug_information_alone_is_no_difference(elsewhere: Path, tmp_path: Path) -> None:
    changed_lock(elsewhere, "outputs", "elf_sha256", value="0" * 64)
    ran = sq_micro("reproduce", elsewhere / "out", "--output", tmp_path / "again")
    assert ran.code == 0
    assert "debug information of firmware.elf differs" in ran.out


def test_inputs_must_be_those_of_the_run(elsewhere: Path, tmp_path: Path) -> None:
    samples = (elsewhere / "samples.npz").rename(elsewhere / "kept.npz")
    np.savez(elsewhere / "samples.npz", x=np.zeros((40, 20, 3), np.float32))
    (elsewhere / "model.tflite").rename(elsewhere / "other.tflite")
    ran = sq_micro("reproduce", elsewhere / "out" / LOCK_FILE, "--output", tmp_path / "again")
    assert ran.code == 2
    assert "model ../model.tflite is missing" in ran.error_line
    assert "samples.npz has changed" in ran.error_line
    assert "--inputs" in ran.error_line
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    samples.rename(inputs / "samples.npz")
    (elsewhere / "other.tflite").rename(inputs / "model.tflite")
    ran = sq_micro("reproduce", elsewhere / "out", "--output", tmp_path / "again", "--inputs", inputs)
    assert ran.code == 0, ran.err


def test_a_lock_that_is_none_is_refused(tmp_path: Path) -> None:
    ran = sq_micro("reproduce", tmp_path, "--output", tmp_path / "again")
    assert ran.code == 2
    assert LOCK_FILE in ran.error_line
    (tmp_path / LOCK_FILE).write_text('{"lock_version": "9"}')
    ran = sq_micro("reproduce", tmp_path, "--output", tmp_path / "again")
    assert ran.code == 2
    assert "no lock of this sq-micro" in ran.error_line


def test_a_stage_that_runs_again_removes_the_lock(elsewhere: Path) -> None:
    assert (elsewhere / "out" / LOCK_FILE).is_file()
    ran = sq_micro("generate", "--board", BOARD, "--out", elsewhere / "out")
    assert ran.code == 0, ran.err
    assert not (elsewhere / "out" / LOCK_FILE).exists()
