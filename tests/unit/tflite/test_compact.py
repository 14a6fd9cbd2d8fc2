"""The compact file: int4 where TFLite Micro runs it, the same outputs, and the reason wherever it is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sq_micro.quant.graph import QuantGraph
from sq_micro.reference.golden_vectors import require_equal
from sq_micro.reference.interpreter import run
from sq_micro.tflite.compact import write_compact_tflite
from sq_micro.tflite.export import write_tflite
from sq_micro.tflite.read import read_tflite
from sq_micro.tflite.twin import run_tflite_micro
from tests.acceptance.command_line import sq_micro
from tests.models.random_quant_graph import RandomQuantGraph, random_codes
from tests.unit.tflite.tflite_files import converted


def chain(seed: int, bits: int) -> QuantGraph:
    """Convolutions with odd and even numbers of weights, a depthwise one, a Dense of one unit and one of several."""
    builder = RandomQuantGraph(seed, (6, 5, 3))
    x = builder.conv2d(builder.input, 5, (3, 3), bits=bits)
    x = builder.conv2d(x, 3, (1, 1), stride=(2, 1), bits=bits)
    x = builder.mean(builder.depthwise_conv2d(x, bits=bits))
    return builder.build(builder.dense(builder.dense(x, 4, bits=bits), 1, bits=bits))


@pytest.mark.oracle
@pytest.mark.parametrize("bits", [2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_tflite_micro_computes_the_same_of_int4(seed: int, bits: int) -> None:
    pytest.importorskip("tflite_micro")
    graph = chain(seed, bits)
    content, stored = write_compact_tflite(graph)
    assert [one.stored_bits for one in stored] == [4, 4, 8, 8, 4]
    assert [bool(one.reason) for one in stored] == [False, False, True, True, False]
    codes = random_codes(graph, 12)
    require_equal("the whole network", run_tflite_micro(content, codes), run(graph, codes))


def test_int4_takes_half_the_bytes_and_says_so_in_the_file() -> None:
    graph = chain(1, 3)
    compact, stored = write_compact_tflite(graph)
    operators = list(graph.topology.weighted())
    narrow = [op for op, one in zip(operators, stored, strict=True) if one.stored_bits == 4]
    saved = sum(graph.codes[op.weights].size // 2 for op in narrow)
    assert len(write_tflite(graph)) - len(compact) >= saved - 16 * len(narrow)  # buffers are aligned to 16 bytes
    model = read_tflite(compact, "compact")
    assert {name for name, tensor in model.tensors.items() if tensor.type == "INT4"} == {op.weights for op in narrow}


def test_what_int4_cannot_hold_stays_int8_with_the_reason() -> None:
    builder = RandomQuantGraph(0, (4, 4, 2))
    graph = builder.build(builder.conv2d(builder.input, 40, (4, 4), bits=4))
    (operator,) = graph.topology.weighted()
    beyond = int((graph.codes[operator.weights] > 7).reshape(40, -1).any(axis=1).sum())
    assert beyond > 0, "a mirrored channel holds 8"
    content, (stored,) = write_compact_tflite(graph)
    assert content == write_tflite(graph)
    assert stored.stored_bits == 8
    assert stored.reason == f"{beyond} of 40 channels hold weights beyond -8 … 7"


@pytest.mark.parametrize("rounding", ["nearest", "feedback"])
def test_runs_for_int4_have_no_weights_beyond_it(rounding: str, tmp_path: Path) -> None:
    out, samples = tmp_path / "out", tmp_path / "samples.npz"
    np.savez(samples, x=np.random.default_rng(0).uniform(0, 1, (40, 20, 3)).astype(np.float32))
    assert sq_micro("analyze", converted("sequence_float"), "--out", out).code == 0
    options = ("--weight-bits", "4", "--rounding", rounding, "--samples", "5", "--calibrate", samples)
    stored = {}
    for int4 in ((), ("--int4",)):
        ran = sq_micro("quantize", *options, *int4, "--out", out)
        assert ran.code == 0, ran.err
        ran = sq_micro("export", "--out", out, "--format", "tflite-compact", "--output", tmp_path / "x.tflite")
        assert ran.code == 0, ran.err
        stored[bool(int4)] = ran.out
    assert "beyond -8 … 7" in stored[False]
    assert "beyond" not in stored[True]
    assert stored[True].count("stored as int4") == 2, "both convolutions"


def test_8_bits_are_the_ordinary_twin_without_reasons() -> None:
    graph = chain(2, 8)
    content, stored = write_compact_tflite(graph)
    assert content == write_tflite(graph)
    assert {(one.stored_bits, one.reason) for one in stored} == {(8, "")}


@pytest.mark.parametrize("form", ["tflite", "tflite-compact"])
def test_the_command_writes_a_file_that_was_run(form: str, tmp_path: Path) -> None:
    out, file = tmp_path / "out", tmp_path / "model.tflite"
    assert sq_micro("analyze", converted("sequence_int8"), "--out", out).code == 0
    options = ("--weight-bits", "3", "--rounding", "nearest", "--samples", "5")
    assert sq_micro("quantize", *options, "--out", out).code == 0
    ran = sq_micro("export", "--out", out, "--format", form, "--output", file)
    assert ran.code == 0, ran.err
    assert "outputs on 5 golden samples are the firmware's" in ran.out or "not verified" in ran.out
    assert ("stored as int4" in ran.out) == (form == "tflite-compact")
    assert f"{file.stat().st_size:,} B" in ran.out
    if form == "tflite":
        assert file.read_bytes() == (out / "07_twin.tflite").read_bytes()
    types = {tensor.type for tensor in read_tflite(file.read_bytes(), "written").tensors.values()}
    assert ("INT4" in types) == (form == "tflite-compact")


def test_export_needs_a_quantized_run(tmp_path: Path) -> None:
    ran = sq_micro("export", "--out", tmp_path, "--output", tmp_path / "x.tflite")
    assert ran.code == 2
    assert "sq-micro quantize" in ran.error_line
    assert not np.any([path.suffix == ".tflite" for path in tmp_path.iterdir()])
