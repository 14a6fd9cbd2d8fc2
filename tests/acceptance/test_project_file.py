"""`sqm.toml`: asked for by `init`, deployed by `run`, and refused with every mistake named."""

from __future__ import annotations

import inspect
import io
import shutil
import sys
import tomllib
from pathlib import Path

import pytest

from sq_micro import api
from sq_micro.errors import UsageError
from sq_micro.project_file import PROJECT_FILE, read_project
from sq_micro.report.result import Result
from tests.acceptance.command_line import sq_micro
from tests.unit.tflite.tflite_files import converted


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(converted("sequence_int8"), tmp_path / "signal.tflite")
    return tmp_path


def written(folder: Path, text: str) -> Path:
    (folder / PROJECT_FILE).write_text(text)
    return folder / PROJECT_FILE


def test_init_without_questions_takes_what_lies_there(folder: Path) -> None:
    (folder / "my_calib.npz").write_bytes(b"")
    ran = sq_micro("init", folder, "--yes", "--board", "host")
    assert ran.code == 0, ran.err
    found = tomllib.loads((folder / PROJECT_FILE).read_text())
    assert found == {"model": "signal.tflite", "board": "host", "calibrate": "my_calib.npz"}
    ran = sq_micro("init", folder, "--yes")
    assert ran.code == 2
    assert "--force" in ran.error_line


def test_init_asks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("\nmps2_an386\ntrain.npz\n\n40KiB\n"))
    ran = sq_micro("init", folder)
    assert ran.code == 0, ran.err
    expected = {"model": "signal.tflite", "board": "mps2_an386", "calibrate": "train.npz", "flash": "40KiB"}
    assert tomllib.loads((folder / PROJECT_FILE).read_text()) == expected
    assert "trained model" in ran.err, "questions do not mix with what is piped on"


def test_run_deploys_the_file_and_options_win(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(folder, 'model = "signal.tflite"\nboard = "nucleo_l4r5zi"\nsamples = 3\nruns = 1\n')
    monkeypatch.chdir(folder.parent)  # paths are the file's, not the shell's
    ran = sq_micro("run", folder, "--board", "host")
    assert ran.code == 0, ran.err
    result = Result.model_validate_json((folder / "out" / "deploy" / "result.json").read_text())
    assert (result.board.id, result.verification.samples) == ("host", 3)


def test_bits_may_be_a_table(folder: Path) -> None:
    text = 'model = "signal.tflite"\nboard = "host"\nout = "here"\nrounding = "nearest"\n[weight_bits]\nconv1d_1 = 4\n'
    request = read_project(written(folder, text))
    assert request.out == folder / "here"
    assert request.quantization.weight_bits == str(folder / "here" / "inputs" / "bits.json")


def test_every_option_of_deploy_is_a_key(folder: Path) -> None:
    values = {
        "model": "m.keras",
        "board": "host",
        "calibrate": "c.npz",
        "evaluate": "e.npz",
        "train": "t.npz",
        "out": "o",
        "weight_bits": 4,
        "observer": "minmax",
        "rounding": "nearest",
        "weight_scales": "minmax",
        "samples": 7,
        "epochs": 2,
        "learning_rate": 0.5,
        "int4": True,
        "activation_bits": ["4"],
        "kernels": "shared",
        "equalise": True,
        "compiler": "zig",
        "link": "host",
        "runs": 3,
        "workers": 1,
        "dask": "d",
        "keep": False,
        "allocator": "ilp",
    }
    budget = {"flash": "1KiB", "sram": "1KiB", "latency": "1ms", "energy": "1mJ", "weight_bytes": "1KiB"}
    budget |= {"max_drop": 1.0, "pins": {"a": 8}}
    keys = inspect.signature(api.deploy_request).parameters
    assert set(values) | set(budget) == set(keys), "a new option belongs into this test"

    def text(chosen: dict[str, object]) -> str:
        def literal(value: object) -> str:
            if isinstance(value, dict):
                return "{" + ", ".join(f"{name} = {part}" for name, part in value.items()) + "}"
            return str(value).lower() if isinstance(value, bool) else repr(value)

        return "".join(f"{key} = {literal(value)}\n" for key, value in chosen.items())

    request = read_project(written(folder, text(values)))
    assert request.quantization.int4
    assert request.quantization.train == folder / "t.npz"
    del values["weight_bits"], values["activation_bits"]
    request = read_project(written(folder, text(values | budget)))
    assert request.assign is not None
    assert (request.assign.pins, request.assign.max_drop) == ({"a": 8}, 1.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('board = "host"\n', ("'model' is missing",)),
        ('model = "m"\nboard = "host"\nwieght_bits = 4\n', ("unknown key 'wieght_bits'", "did you mean weight_bits?")),
        ('model = "m"\nboard = "host"\nruns = "many"\nsampels = 3\n', ("'runs'", "many", "did you mean samples?")),
        ('model = "m"\nboard = "host"\nrounding = "up"\n', ("'rounding'", "'feedback'")),
        ("model = \n", ("is not TOML",)),
        ('model = "m"\nboard = "host"\nflash = "1KiB"\n', ("--calibrate is needed to choose bits",)),
    ],
)
def test_mistakes_are_named(folder: Path, text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as caught:
        read_project(written(folder, text))
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_no_file_says_how_to_get_one(tmp_path: Path) -> None:
    ran = sq_micro("run", tmp_path)
    assert ran.code == 2
    assert "sq-micro init" in ran.error_line
