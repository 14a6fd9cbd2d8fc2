"""The converter's own int8 files: firmware gives, byte for byte, what TFLite Micro gives on the original file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sq_micro.quant.samples import load_samples
from sq_micro.report.result import Result
from sq_micro.stages.quantize import executed_graph
from sq_micro.tflite.importing.load import load_tflite
from sq_micro.tflite.twin import run_tflite_micro
from sq_micro.workspace import Workspace
from tests.acceptance.command_line import sq_micro
from tests.acceptance.networks import NETWORKS, network_folder
from tests.unit.tflite.tflite_files import converted

FEW, ALL = 10, 100
COUNTS = [pytest.param(FEW, id="10"), pytest.param(ALL, id="100", marks=pytest.mark.long)]


@pytest.mark.slow
@pytest.mark.oracle
@pytest.mark.simulator
@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("name", NETWORKS)
def test_the_image_gives_what_tflite_micro_gives_of_the_file(name: str, count: int, tmp_path: Path) -> None:
    folder = network_folder(name)
    file, out = folder / "baseline_int8.tflite", tmp_path / "out"
    with np.load(folder / "eval.npz") as whole:  # without labels: whole sets for an accuracy take minutes
        np.savez(tmp_path / "few.npz", x=whole["x"][:count], **{k: whole[k] for k in ("scale",) if k in whole})
    arguments = ["--board", "nucleo_l4r5zi", "--evaluate", tmp_path / "few.npz", "--out", out, "--samples", str(count)]
    ran = sq_micro("deploy", file, *arguments, "--runs", "1")
    assert ran.code == 0, ran.err
    result = Result.model_validate_json((out / "result.json").read_text())
    assert result.quantization.observer == result.quantization.rounding == "given"
    assert result.verification.identical == result.verification.samples == count
    assert result.verification.oracle.endswith("on the model's own file")
    # The same once more without the pipeline's help: samples → TFLite Micro on the file = what was verified.
    graph = executed_graph(Workspace(out))
    samples = load_samples(folder / "eval.npz", graph.input_shape)
    codes = graph.quantize_input(samples.real(0, count))
    with np.load(out / "07_golden.npz") as golden:
        assert np.array_equal(golden["inputs"], codes)
        expected = run_tflite_micro(file.read_bytes(), codes)
        assert np.array_equal(golden["outputs"].reshape(expected.shape), expected)


def test_a_model_without_samples_is_deployed_on_random_inputs(tmp_path: Path) -> None:
    arguments = ["--board", "host", "--out", tmp_path, "--samples", "5", "--runs", "1"]
    ran = sq_micro("deploy", converted("image_int8_float_ends"), *arguments)
    assert ran.code == 0, ran.err
    result = Result.model_validate_json((tmp_path / "result.json").read_text())
    assert result.verification.identical == 5
    assert result.quantization.calibration_samples == 0


@pytest.mark.parametrize(
    ("model", "options", "word"),
    [
        ("image_float", (), "--calibrate is needed"),
        ("sequence_int8", ("--weight-bits", "4"), "--rounding nearest"),
        ("sequence_int8", ("--weight-bytes", "1KiB"), "--calibrate is needed to choose bits"),
    ],
)
def test_samples_are_asked_for_where_they_are_needed(
    model: str, options: tuple[str, ...], word: str, tmp_path: Path
) -> None:
    ran = sq_micro("deploy", converted(model), "--board", "host", "--out", tmp_path, *options)
    assert ran.code == 2
    assert word in ran.error_line


def test_bits_are_chosen_for_an_int8_model(tmp_path: Path) -> None:
    """The search measures on the given activations; where it leaves 8 bits, the file's integers stay."""
    model, samples = converted("sequence_int8"), tmp_path / "calib.npz"
    np.savez(samples, x=np.random.default_rng(0).uniform(0, 1, (48, 20, 3)).astype(np.float32))
    arguments = ["--board", "host", "--calibrate", samples, "--out", tmp_path / "out", "--weight-bytes", "0.25KiB"]
    ran = sq_micro("deploy", model, *arguments, "--pin", "conv1d_1=8", "--samples", "5", "--runs", "1", "--no-cache")
    assert ran.code == 0, ran.err
    graph, given = executed_graph(Workspace(tmp_path / "out")), load_tflite(model).given
    assert given is not None
    assert graph.bitwidths.weights["conv1d_1"] == 8
    assert min(graph.bitwidths.weights.values()) < 8
    assert np.array_equal(graph.codes["conv1d_1/weights"], given.weights["conv1d_1"].codes)
    assert (graph.input_params.scale, graph.input_params.zero_point) == given.activations[graph.topology.input]


def test_an_unsupported_operator_ends_with_exit_code_4(tmp_path: Path) -> None:
    ran = sq_micro("analyze", converted("transposed_float"), "--out", tmp_path)
    assert ran.code == 4
    assert "operator 3, TRANSPOSE_CONV" in ran.error_line
    assert "CONV_2D" in ran.error_line


def test_a_corrupt_file_ends_with_exit_code_4(tmp_path: Path) -> None:
    cut = tmp_path / "cut.tflite"
    cut.write_bytes(converted("image_int8").read_bytes()[:5000])
    ran = sq_micro("analyze", cut, "--out", tmp_path / "out")
    assert ran.code == 4
    assert "cut.tflite" in ran.error_line


def test_training_on_given_integers_is_refused(tmp_path: Path) -> None:
    samples = tmp_path / "samples.npz"
    np.savez(samples, x=np.zeros((64, 20, 3), np.float32))
    ran = sq_micro(
        "finetune", converted("sequence_int8"), "--calibrate", samples, "--train", samples, "--out", tmp_path
    )
    assert ran.code == 2
    assert "train its float model" in ran.error_line
