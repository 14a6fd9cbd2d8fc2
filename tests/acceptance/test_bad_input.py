"""Whatever is wrong: one line that says what and what to do, the documented exit code, and nothing half-written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.acceptance.command_line import Ran, sq_micro
from tests.acceptance.conftest import Digits


def deploy(digits: Digits, out: Path, **changes: str | Path) -> Ran:
    """`sq-micro deploy` of the digits with some options changed; `model` changes the model."""
    options: dict[str, str | Path] = {
        "board": "nucleo_l4r5zi",
        "calibrate": digits.calibrate,
        "evaluate": digits.evaluate,
        "weight-bits": "4",
        "out": out,
    } | {name.replace("_", "-"): value for name, value in changes.items() if name != "model"}
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    return sq_micro("deploy", changes.get("model", digits.model), *arguments)


def npz(path: Path, **arrays: np.ndarray) -> Path:
    np.savez(path, **arrays)
    return path


IMAGES = np.zeros((4, 8, 8, 1), np.float32)


def test_a_missing_model_is_named(digits: Digits, tmp_path: Path) -> None:
    ran = deploy(digits, tmp_path / "out", model=tmp_path / "absent.keras")
    assert ran.code == 2
    assert "absent.keras" in ran.error_line


def test_a_corrupt_model_is_named(digits: Digits, tmp_path: Path) -> None:
    corrupt = tmp_path / "corrupt.keras"
    corrupt.write_bytes(digits.model.read_bytes()[:2000])
    ran = deploy(digits, tmp_path / "out", model=corrupt)
    assert ran.code == 4
    assert "corrupt.keras" in ran.error_line


def test_a_zip_that_is_no_model_is_named(digits: Digits, tmp_path: Path) -> None:
    other = tmp_path / "other.keras"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("readme.txt", "nothing here")
    ran = deploy(digits, tmp_path / "out", model=other)
    assert ran.code == 4
    assert "other.keras" in ran.error_line


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"x": np.zeros((4, 9, 8, 1), np.float32)}, "(9, 8, 1)"),
        ({"x": np.full((4, 8, 8, 1), np.nan, np.float32)}, "NaN"),
        ({"x": np.zeros((0, 8, 8, 1), np.float32)}, "empty"),
        ({"images": IMAGES}, "no array 'x'"),
        ({"x": np.array([["a"] * 8] * 4)}, "numbers"),
    ],
    ids=["shape", "nan", "empty", "no-x", "text"],
)
def test_unusable_calibration_data_is_refused(
    digits: Digits, tmp_path: Path, arrays: dict[str, np.ndarray], said: str
) -> None:
    ran = deploy(digits, tmp_path / "out", calibrate=npz(tmp_path / "calib.npz", **arrays))
    assert ran.code == 2
    assert said in ran.error_line
    assert "calib.npz" in ran.error_line


def test_labels_out_of_range_are_refused(digits: Digits, tmp_path: Path) -> None:
    labelled = npz(tmp_path / "eval.npz", x=IMAGES, y=np.array([0, 1, 2, 10]))
    ran = deploy(digits, tmp_path / "out", evaluate=labelled)
    assert ran.code == 2
    assert "0..10" in ran.error_line
    assert "0..9" in ran.error_line


def test_a_file_that_is_no_npz_is_refused(digits: Digits, tmp_path: Path) -> None:
    text = tmp_path / "calib.npz"
    text.write_text("not an archive")
    ran = deploy(digits, tmp_path / "out", calibrate=text)
    assert ran.code == 2
    assert "calib.npz" in ran.error_line


def test_an_unknown_board_gets_the_nearest_name(digits: Digits, tmp_path: Path) -> None:
    ran = deploy(digits, tmp_path / "out", board="nucleo_l4r5z")
    assert ran.code == 2
    assert "did you mean 'nucleo_l4r5zi'" in ran.error_line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("bits", ["7", "1", "0", "four"])
def test_a_width_that_does_not_exist_is_refused(digits: Digits, tmp_path: Path, bits: str) -> None:
    ran = deploy(digits, tmp_path / "out", weight_bits=bits)
    assert ran.code == 2
    assert "8, 6, 5, 4, 3 or 2" in ran.error_line


def test_a_plan_that_names_an_unknown_operator_is_refused(digits: Digits, tmp_path: Path) -> None:
    plan = tmp_path / "bits.json"
    plan.write_text(json.dumps({"default": 8, "operators": {"conv2d_17": 4}}))
    ran = deploy(digits, tmp_path / "out", weight_bits=plan)
    assert ran.code == 2
    assert "conv2d_17" in ran.error_line
    assert "did you mean" in ran.error_line


def test_an_out_folder_that_is_a_file_is_refused(digits: Digits, tmp_path: Path) -> None:
    occupied = tmp_path / "out"
    occupied.write_text("mine")
    ran = deploy(digits, occupied)
    assert ran.code == 2
    assert "--out" in ran.error_line
    assert occupied.read_text() == "mine"


def test_a_link_that_the_board_lacks_is_refused(digits: Digits, tmp_path: Path) -> None:
    ran = deploy(digits, tmp_path / "out", link="qemu")
    assert ran.code == 2
    assert "simulator" in ran.error_line


def test_a_stage_without_the_one_before_says_which(tmp_path: Path) -> None:
    for command, missing in (("build", "generate"), ("measure", "analyze")):
        ran = sq_micro(command, "--out", tmp_path)
        assert ran.code == 2
        assert f"sq-micro {missing}" in ran.error_line


def small_board(folder: Path, sram_bytes: int) -> Path:
    """The NUCLEO-L4R5ZI with less SRAM."""
    text = (Path(__file__).resolve().parents[2] / "boards/nucleo_l4r5zi.toml").read_text(encoding="utf-8")
    board = folder / "small.toml"
    board.write_text(text.replace("655_360", str(sram_bytes)), encoding="utf-8")
    return board


def test_a_model_too_big_for_the_board_says_by_how_much(digits: Digits, tmp_path: Path) -> None:
    ran = deploy(digits, tmp_path / "out", board=small_board(tmp_path, 2304))
    assert ran.code == 3
    assert "short of" in ran.error_line
    assert "B of SRAM" in ran.error_line
    assert not (tmp_path / "out/result.json").exists()


def test_a_failed_run_leaves_no_older_result(digits: Digits, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "result.json").write_text("{}")
    (out / "firmware.elf").write_text("old")
    assert deploy(digits, out, board=small_board(tmp_path, 2304)).code == 3
    assert not (out / "result.json").exists()
    assert not (out / "firmware.elf").exists()


def test_debug_shows_the_traceback(digits: Digits, tmp_path: Path) -> None:
    absent = tmp_path / "absent.npz"
    ran = sq_micro("deploy", digits.model, "--board", "host", "--calibrate", absent, "--out", tmp_path / "o", "--debug")
    assert ran.code == 2
    assert "Traceback" in ran.err


def test_an_unknown_option_is_one_line(tmp_path: Path) -> None:
    ran = sq_micro("deploy", "--bits", "4")
    assert ran.code == 2
    assert "--bits" in ran.error_line


def heed_interrupts() -> None:
    """A test run in the background ignores SIGINT, and so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_whole_files_only(digits: Digits, tmp_path: Path, end: signal.Signals) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "sq_micro", "deploy", digits.model, "--board", "host", "--out", out]
    command += ["--calibrate", digits.calibrate, "--evaluate", digits.evaluate, "--runs", "1000000"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=heed_interrupts)
    try:
        deadline = time.monotonic() + 120
        while not (out / "build.json").exists():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(end)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "sq-micro: error: interrupted" in err
    assert "Traceback" not in err
    assert not (out / "result.json").exists()
    assert not [path for path in out.rglob("*") if path.name.startswith(".") and path.name.endswith(".part")]


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "sq_micro", "boards", "list", "--json"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "No space left" in done.stderr
