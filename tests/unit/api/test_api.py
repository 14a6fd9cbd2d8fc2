"""From Python: the same runs as by command, with arrays and models in place of files."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import sq_micro
from sq_micro import api
from sq_micro.errors import UsageError
from sq_micro.frontend.keras_model import load_keras
from sq_micro.pipeline import DeployRequest
from sq_micro.report.result import Result
from tests.acceptance.command_line import sq_micro as command
from tests.unit.frontend.keras_models import functional, keras
from tests.unit.tflite.tflite_files import converted

SAMPLES = np.random.default_rng(0).uniform(0, 1, (40, 20, 3)).astype(np.float32)


def test_deploy_is_the_command(tmp_path: Path) -> None:
    np.savez(tmp_path / "samples.npz", x=SAMPLES)
    model = converted("sequence_float")
    options = ("--calibrate", tmp_path / "samples.npz", "--weight-bits", "4", "--samples", "5", "--runs", "1")
    ran = command("deploy", model, "--board", "host", "--out", tmp_path / "command", *options)
    assert ran.code == 0, ran.err
    run = sq_micro.deploy(model, "host", calibrate=SAMPLES, weight_bits=4, samples=5, runs=1, out=tmp_path / "python")
    assert run.result == Result.model_validate_json((tmp_path / "command" / "result.json").read_text())
    assert run.elf.is_file()
    for file in sorted((tmp_path / "command" / "model").rglob("*.c")):
        assert (run.sources / file.relative_to(tmp_path / "command" / "model")).read_bytes() == file.read_bytes()


def test_stages_hand_on_what_they_made(tmp_path: Path) -> None:
    assert api.analyze(converted("sequence_int8"), out=tmp_path).name == "sequence_int8"
    quantized = api.quantize(weight_bits={"conv1d_1": 4}, rounding="nearest", samples=3, out=tmp_path)
    assert quantized.bits.weights["conv1d_1"] == 4
    assert set(quantized.bits.weights.values()) == {4, 8}, "widths that are not given are 8"
    assert api.generate("host", out=tmp_path).arena_bytes > 0
    assert api.build(out=tmp_path).memory.flash_bytes.total > 0
    run = api.measure(out=tmp_path, runs=1)
    assert run.result.verification.identical == 3
    assert run.export(tmp_path / "exported.tflite").samples == 3
    assert "src/sqm_sequence_int8.c" in run.package("c", tmp_path / "package").files


def test_results_are_tables_in_a_notebook(tmp_path: Path) -> None:
    analyzed = api.analyze(converted("sequence_int8"), out=tmp_path)
    html = analyzed._repr_html_()
    assert html.startswith("<table>")
    assert "sequence_int8" in html
    assert "conv1d_1, separable_conv2d" in html
    run = sq_micro.deploy(converted("sequence_int8"), "host", samples=3, runs=1, out=tmp_path)
    html = run._repr_html_()
    assert html.count("<table>") == html.count("</table>") == 2
    assert f"3 of 3 samples identical to {run.result.verification.oracle}" in html
    assert f"{run.result.memory.flash_bytes.total:,} B (linked image)" in html
    assert html.count("<tr>") >= len(run.result.measurement.operators) + 4


def test_a_keras_model_needs_no_file(tmp_path: Path) -> None:
    model = functional((4, 4, 1), keras.layers.Flatten(), keras.layers.Dense(3, name="scores"), name="in_memory")
    record = api.analyze(model, out=tmp_path)
    assert record.operators[-1] == "scores"
    assert load_keras(tmp_path / "inputs" / "in_memory.keras").topology.name == "in_memory"


def test_labels_come_beside_inputs(tmp_path: Path) -> None:
    labels = np.arange(40) % 4
    run = sq_micro.deploy(
        converted("sequence_int8"), "host", evaluate=(SAMPLES, labels), samples=3, runs=1, out=tmp_path
    )
    assert run.result.accuracy is not None
    assert run.result.accuracy.samples == 40


def test_a_request_says_what_is_wrong_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="calibrate"):
        api.deploy_request(converted("sequence_int8"), "host", weight_bytes="1KiB", out=tmp_path)
    with pytest.raises(UsageError, match="weight-bits"):
        api.deploy_request("x.keras", "host", calibrate="x.npz", weight_bytes="1KiB", weight_bits=4, out=tmp_path)
    assert not list(tmp_path.iterdir())
    request = api.deploy_request("x.keras", "host", calibrate="x.npz", flash="8KiB", pins={"a": 8}, out=tmp_path)
    assert isinstance(request, DeployRequest)
    assert request.assign is not None
    assert request.assign.pins == {"a": 8}


def test_deploy_has_the_signature_of_its_request() -> None:
    assert inspect.signature(sq_micro.deploy).parameters == inspect.signature(api.deploy_request).parameters
    assert "calibrate" in (inspect.getdoc(sq_micro.deploy) or "")
    public = [getattr(api, name) for name in vars(api) if not name.startswith("_")]
    functions = [value for value in public if inspect.isfunction(value) and value.__module__ == api.__name__]
    assert len(functions) >= 11
    assert all(function.__doc__ for function in functions)


def test_importing_the_package_is_cheap() -> None:
    code = "import sys, sq_micro; sys.exit('numpy' in sys.modules or 'jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    with pytest.raises(AttributeError, match="no attribute 'absent'"):
        _ = sq_micro.absent
