"""What `measure` says beyond cycles, on the digits example: links without cycles, wrong images, labelled samples."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile

from sq_micro.board import board_ids, load_board
from tests.acceptance.command_line import sq_micro
from tests.acceptance.conftest import Digits

needs_qemu = pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed")
pytestmark = pytest.mark.xdist_group("measuring")


@pytest.fixture(scope="module")
def on_mps2(digits: Digits, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return deployed(digits, tmp_path_factory.mktemp("mps2"), "mps2_an386")


@pytest.fixture(scope="module")
def on_host(digits: Digits, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return deployed(digits, tmp_path_factory.mktemp("host"), "host")


def deployed(digits: Digits, out: Path, board: str) -> Path:
    ran = sq_micro(
        *("deploy", digits.model, "--board", board, "--calibrate", digits.calibrate, "--evaluate", digits.evaluate),
        *("--weight-bits", "4", "--samples", "6", "--runs", "2", "--out", out),
    )
    assert ran.code == 0, ran.err
    return out


def measurement(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "result.json").read_text())["measurement"]
    return found


@needs_qemu
@pytest.mark.qemu
@pytest.mark.simulator
def test_qemus_blocks_give_the_cycles_of_the_simulated_core(on_mps2: Path) -> None:
    assert sq_micro("measure", "--out", on_mps2, "--link", "simulator", "--runs", "1").code == 0
    simulated = measurement(on_mps2)
    ran = sq_micro("measure", "--out", on_mps2, "--link", "qemu", "--runs", "1")
    assert ran.code == 0, ran.err
    found = measurement(on_mps2)
    assert found["cycles"] is None
    assert found["cycle_source"] == "none"
    assert found["modelled"]["by"] == "qemu"
    assert found["instructions"] == found["modelled"]["instructions"]
    assert found["modelled"]["instructions"] == pytest.approx(simulated["instructions"], rel=1e-5)
    assert found["modelled"]["cycles"] == pytest.approx(simulated["cycles"]["median"], rel=1e-5)
    profile = [operator["cycles"] for operator in simulated["operators"]]
    assert found["modelled"]["operators"] == pytest.approx(profile, rel=1e-3)
    counted = [operator["instructions"] for operator in found["operators"]]
    assert counted == [operator["instructions"] for operator in simulated["operators"]]
    assert [note for note in found["notes"] if "no latency" in note]
    assert "cycle model" in ran.out


@pytest.mark.long
@pytest.mark.simulator
@pytest.mark.skipif(not (os.environ.get("SQ_RENODE") or shutil.which("renode")), reason="renode is not installed")
@pytest.mark.parametrize("board", [name for name in board_ids() if load_board(name).renode is not None])
def test_renode_executes_what_the_simulated_core_executes(digits: Digits, tmp_path: Path, board: str) -> None:
    out = deployed(digits, tmp_path / board, board)
    simulated = measurement(out)["operators"]
    ran = sq_micro("measure", "--out", out, "--link", "renode", "--runs", "1")
    assert ran.code == 0, ran.err
    found = measurement(out)
    assert found["cycles"] is None
    assert found["instructions"] == found["modelled"]["instructions"]
    assert found["modelled"]["by"] == "simulator"
    raw = json.loads((out / "11_measurement.json").read_text())
    assert raw["operator_instructions"] == [operator["instructions"] for operator in found["operators"]]
    assert sum(raw["operator_instructions"]) == pytest.approx(found["instructions"], rel=0.01)
    assert raw["operator_instructions"] == [operator["instructions"] for operator in simulated]
    # Some branches are foreseen better after more runs.
    assert found["modelled"]["operators"] == pytest.approx([operator["cycles"] for operator in simulated], rel=1e-2)


@pytest.mark.simulator
def test_a_wrong_image_is_told_by_the_operator_that_is_wrong(on_mps2: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(on_mps2, broken)
    with (broken / "firmware.elf").open("r+b") as stream:
        file = ELFFile(stream)
        symbols = {symbol.name: symbol for symbol in file.get_section_by_name(".symtab").iter_symbols()}
        name = sorted(name for name in symbols if name.endswith("_weights"))[1]
        symbol, text = symbols[name], file.get_section(symbols[name]["st_shndx"])
        place = text["sh_offset"] + symbol["st_value"] - text["sh_addr"]
        stream.seek(place)
        inverted = bytes(byte ^ 0xFF for byte in stream.read(symbol["st_size"]))
        stream.seek(place)
        stream.write(inverted)
    ran = sq_micro("measure", "--out", broken, "--runs", "1", "--warm-up", "0")
    assert ran.code == 7
    operators = [operator["name"] for operator in measurement(on_mps2)["operators"]]
    wrong = operators[int(name.split("_op")[1].split("_")[0])]
    assert f"operator '{wrong}, sample 0', index" in ran.error_line
    assert not (broken / "result.json").exists()


def test_inputs_that_the_image_carries_are_no_part_of_its_size(on_host: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(on_host, out, ignore=shutil.ignore_patterns("build"))
    sizes = json.loads((out / "build.json").read_text())["memory"]["flash_bytes"]
    assert sq_micro("build", "--out", out, "--bake", "4").code == 0
    assert json.loads((out / "build.json").read_text())["memory"]["flash_bytes"]["weights"] == sizes["weights"]
    assert sq_micro("measure", "--out", out, "--runs", "9", "--warm-up", "2").code == 0
    found = measurement(out)
    assert (found["carried_inputs"], found["warm_up"], found["runs"]) == (4, 2, 9)
    assert sq_micro("build", "--out", out).code == 0
    assert not (out / "carried_inputs.c").exists()
    assert sq_micro("measure", "--out", out, "--runs", "1").code == 0
    assert measurement(out)["carried_inputs"] == 0


def test_accuracy_on_the_device_is_that_of_the_result(on_host: Path, digits: Digits) -> None:
    arguments = ("measure", "--out", on_host, "--runs", "1", "--accuracy", digits.evaluate)
    assert sq_micro(*arguments, "--accuracy-margin", "0").code == 0
    result = json.loads((on_host / "result.json").read_text())
    counted = result["measurement"]["accuracy"]
    assert counted["samples"] == counted["available"] == 600
    assert counted["accuracy"] == result["accuracy"]["quantized"]
    assert counted["low"] < counted["accuracy"] < counted["high"]
    ran = sq_micro(*arguments, "--accuracy-margin", "3")
    assert 100 <= measurement(on_host)["accuracy"]["samples"] < 600
    assert "95% interval" in ran.out


def test_samples_without_labels_are_refused_before_anything_runs(on_host: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "bare.npz", x=np.zeros((3, 8, 8, 1), np.float32))
    kept = (on_host / "result.json").read_text()
    ran = sq_micro("measure", "--out", on_host, "--accuracy", tmp_path / "bare.npz")
    assert ran.code == 2
    assert "no labels" in ran.error_line
    assert (on_host / "result.json").read_text() == kept


def test_pins_that_cannot_be_had_are_refused(on_host: Path) -> None:
    ran = sq_micro("build", "--out", on_host, "--edge-pin", "PC7")
    assert ran.code == 2
    assert "no driver for the pins of posix" in ran.error_line
    assert (on_host / "firmware.elf").exists()
