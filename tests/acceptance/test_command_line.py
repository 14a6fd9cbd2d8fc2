"""What a person sees and gets of a run, on the digits example."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import jsonschema
import pytest

from sq_micro.board import board_ids
from sq_micro.report.result import Result, schema_path
from tests.acceptance.command_line import sq_micro
from tests.acceptance.conftest import Digits

FEW = ("--samples", "10", "--runs", "5")


def deploy_arguments(digits: Digits, out: Path, *more: str) -> list[str | Path]:
    arguments: list[str | Path] = ["deploy", digits.model, "--out", out, "--calibrate", digits.calibrate]
    return [*arguments, "--evaluate", digits.evaluate, *FEW, *more]


@pytest.mark.simulator
def test_deploy_says_what_the_person_got(digits: Digits, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = sq_micro(*deploy_arguments(digits, out, "--board", "nucleo_l4r5zi", "--weight-bits", "8"))
    assert ran.code == 0, ran.err
    result = Result.model_validate_json((out / "result.json").read_text())
    jsonschema.validate(json.loads((out / "result.json").read_text()), json.loads(schema_path().read_text()))
    assert result.accuracy is not None
    assert result.accuracy.samples == 600
    assert result.accuracy.quantized > 0.97
    assert result.verification.identical == result.verification.samples == 10
    assert result.measurement.cycle_source == "modelled"
    assert result.measurement.cycles is not None
    assert result.measurement.latency_s == result.measurement.cycles.median / 120e6
    operators = result.measurement.operators
    assert [operator.index for operator in operators] == list(range(len(operators)))
    total = sum(operator.cycles or 0 for operator in operators)
    assert total == pytest.approx(result.measurement.cycles.median, rel=0.05)
    assert sum(operator.macs for operator in operators) == result.model.macs
    flash, sram = result.memory.flash_bytes, result.memory.sram_bytes
    assert flash.total == flash.weights + flash.code + flash.tables
    assert sram.total == sram.arena + sram.stack + sram.static
    assert f"{result.measurement.cycles.median:,}" in ran.out
    assert "identical to tflite-micro" in ran.out
    assert ran.out.count("\n") < 40


def test_the_host_has_no_latency(digits: Digits, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = sq_micro(*deploy_arguments(digits, out, "--board", "host", "--json"))
    assert ran.code == 0, ran.err
    printed = json.loads(ran.out)
    assert printed == json.loads((out / "result.json").read_text())
    assert printed["measurement"]["latency_s"] is None
    assert printed["measurement"]["cycles"] is None
    assert printed["board"]["clock_hz"] is None


def test_the_stages_one_by_one_are_deploy(digits: Digits, tmp_path: Path) -> None:
    whole, steps = tmp_path / "whole", tmp_path / "steps"
    assert sq_micro(*deploy_arguments(digits, whole, "--board", "host", "--weight-bits", "4")).code == 0
    samples = ("--calibrate", digits.calibrate, "--evaluate", digits.evaluate, "--weight-bits", "4", "--samples", "10")
    for command in (
        ("analyze", digits.model),
        ("quantize", *samples),
        ("generate", "--board", "host"),
        ("build",),
        ("measure", "--runs", "5"),
    ):
        ran = sq_micro(*command, "--out", steps)
        assert ran.code == 0, ran.err
        assert ran.out.strip()
    assert (steps / "result.json").read_text() == (whole / "result.json").read_text()
    for source in sorted((whole / "model").rglob("*")):
        if source.is_file():
            assert (steps / source.relative_to(whole)).read_bytes() == source.read_bytes(), source


def test_running_a_stage_again_removes_what_came_after(digits: Digits, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert sq_micro(*deploy_arguments(digits, out, "--board", "host")).code == 0
    assert sq_micro("generate", "--board", "host", "--out", out).code == 0
    assert not (out / "firmware.elf").exists()
    assert not (out / "result.json").exists()
    assert sq_micro("measure", "--out", out).code == 2


def test_a_plan_file_sets_bits_by_operator(digits: Digits, tmp_path: Path) -> None:
    plan = tmp_path / "bits.json"
    plan.write_text(json.dumps({"default": 8, "operators": {"conv": 2, "stem": 5}}))
    out = tmp_path / "out"
    assert sq_micro(*deploy_arguments(digits, out, "--board", "host", "--weight-bits", str(plan))).code == 0
    weights = json.loads((out / "result.json").read_text())["bits"]["weights"]
    assert weights["conv"] == 2
    assert weights["stem"] == 5
    assert weights["hidden"] == 8


def test_a_dry_run_writes_nothing(digits: Digits, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = sq_micro(*deploy_arguments(digits, out, "--board", "nucleo_l4r5zi", "--dry-run"))
    assert ran.code == 0, ran.err
    assert "nothing was written" in ran.out
    assert not out.exists()


def test_accuracy_is_left_out_without_labels(digits: Digits, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ["deploy", digits.model, "--board", "host", "--calibrate", digits.calibrate, "--out", out, *FEW]
    assert sq_micro(*arguments).code == 0
    assert json.loads((out / "result.json").read_text())["accuracy"] is None


@pytest.mark.qemu
@pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed")
def test_qemu_has_instructions_of_no_clock(digits: Digits, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = sq_micro(*deploy_arguments(digits, out, "--board", "mps2_an386", "--link", "qemu"))
    assert ran.code == 0, ran.err
    measured = json.loads((out / "result.json").read_text())["measurement"]
    assert (measured["cycles"], measured["latency_s"]) == (None, None)
    assert "cycles modelled" not in ran.out


def test_boards_and_doctor_answer() -> None:
    listed = sq_micro("boards", "list", "--json")
    boards = {board["id"]: board for board in json.loads(listed.out)}
    assert set(boards) == set(board_ids())
    assert boards["rpi_pico2"]["cycle_model"]["label"] == "unvalidated"
    assert boards["mps3_an547"]["cycle_model"] is None
    assert "stm32l4r5xx.h" in sq_micro("boards", "show", "nucleo_l4r5zi").out
    examined = sq_micro("doctor", "--json")
    assert examined.code in (0, 5)
    assert {"keras", "ziglang", "cmake"} <= {finding["name"] for finding in json.loads(examined.out)["findings"]}


@pytest.mark.parametrize(
    "command", ["deploy", "analyze", "quantize", "generate", "build", "measure", "doctor", "boards"]
)
def test_every_command_explains_itself(command: str) -> None:
    ran = sq_micro(command, "--help")
    assert ran.code == 0
    assert "Usage" in ran.out
