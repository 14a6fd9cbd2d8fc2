"""`--equalise`: other weights, the same network, and outputs that are still TFLite Micro's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import sq_micro
from sq_micro import api
from sq_micro.errors import UsageError
from sq_micro.ir import evaluate
from sq_micro.ir.storage import load_float_graph
from sq_micro.stages.lock import LOCK_FILE
from tests.acceptance.command_line import sq_micro as command
from tests.unit.tflite.tflite_files import converted

SAMPLES = np.random.default_rng(0).uniform(0, 1, (40, 20, 3)).astype(np.float32)


def test_the_canonical_graph_is_balanced_and_computes_the_same(tmp_path: Path) -> None:
    api.analyze(converted("sequence_float"), out=tmp_path / "plain")
    record = api.analyze(converted("sequence_float"), out=tmp_path / "balanced", equalise_by=SAMPLES)
    plain, balanced = (load_float_graph(tmp_path / run / "02_canonical.npz") for run in ("plain", "balanced"))
    inputs = SAMPLES.reshape(-1, *plain.topology.shape(plain.topology.input)[1:])
    np.testing.assert_allclose(evaluate.run(balanced, inputs), evaluate.run(plain, inputs), atol=1e-5)
    assert any(not np.array_equal(balanced.constants[name], plain.constants[name]) for name in plain.constants)
    assert record.equalised
    assert "channels equalised" in str(record)


def test_a_deployed_run_is_verified_recorded_and_reproduced(tmp_path: Path) -> None:
    np.savez(tmp_path / "samples.npz", x=SAMPLES)
    options = ("--calibrate", tmp_path / "samples.npz", "--weight-bits", "4", "--samples", "5", "--runs", "1")
    out = tmp_path / "run"
    model = converted("sequence_float")
    ran = command("deploy", model, "--board", "host", "--equalise", *options, "--out", out)
    assert ran.code == 0, ran.err
    plain = sq_micro.deploy(
        model, "host", calibrate=SAMPLES, weight_bits=4, samples=5, runs=1, out=tmp_path / "plain"
    ).result
    result = sq_micro.report.result.Result.model_validate_json((out / "result.json").read_text())
    assert result.verification.identical == 5
    assert result.model.equalised
    assert not plain.model.equalised
    assert result.model.model_hash != plain.model.model_hash
    again = api.reproduce(out / LOCK_FILE, out=tmp_path / "again")
    assert again.identical, str(again)


def test_models_that_are_integers_already_refuse(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is for float models"):
        api.analyze(converted("sequence_int8"), out=tmp_path, equalise_by=SAMPLES)


def test_samples_are_needed(tmp_path: Path) -> None:
    ran = command("deploy", converted("sequence_int8"), "--board", "host", "--equalise", "--out", tmp_path)
    assert ran.code == 2
    assert "--equalise needs --calibrate" in ran.err
