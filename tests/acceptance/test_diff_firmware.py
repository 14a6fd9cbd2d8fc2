"""`diff --firmware`: a device whose weights are not those of the run, and where that is first to be seen."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from sq_micro import api
from tests.acceptance.command_line import sq_micro
from tests.unit.tflite.tflite_files import converted

SAMPLES = np.random.default_rng(0).uniform(0, 1, (8, 20, 3)).astype(np.float32)


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A run on the host up to its image, with samples beside it."""
    api.analyze(converted("sequence_int8"), out=tmp_path)
    api.quantize(samples=2, out=tmp_path)
    api.generate("host", out=tmp_path)
    api.build(out=tmp_path)
    np.savez(tmp_path / "samples.npz", x=SAMPLES)
    return tmp_path


def damage_weights_of_first_operator(out: Path) -> None:
    """Another firmware of the same model hash: what bad flash, or a wrong kernel, would be."""
    (source,) = (out / "model" / "src").glob("*_weights.c")
    text = source.read_text()
    number = re.compile(r"0x[0-9a-f]{2}\b").search(text, text.index("_op00_weights["))
    assert number is not None
    source.write_text(f"{text[: number.start()]}0x{int(number[0], 16) ^ 0x40:02x}{text[number.end() :]}")
    api.build(out=out)


def test_a_healthy_device_is_the_reference(built: Path) -> None:
    found = api.diff_firmware(calibrate=SAMPLES, samples=3, out=built)
    assert (found.samples, found.differences) == (3, [])
    assert found.operators > 3
    assert "every output byte is the reference's" in str(found)


def test_outputs_that_rest_in_4_bits_are_compared_code_by_code(tmp_path: Path) -> None:
    api.analyze(converted("sequence_float"), out=tmp_path)
    quantized = api.quantize(calibrate=SAMPLES, activation_bits=["4"], samples=2, out=tmp_path)
    assert 4 in quantized.bits.activations.values()
    api.generate("host", out=tmp_path)
    api.build(out=tmp_path)
    assert api.diff_firmware(calibrate=SAMPLES, samples=3, out=tmp_path).differences == []


def test_the_first_wrong_operator_is_located(built: Path) -> None:
    first = json.loads((built / "analyze.json").read_text())["operators"][0]
    damage_weights_of_first_operator(built)
    ran = sq_micro(
        "diff", "--firmware", "--calibrate", built / "samples.npz", "--samples", "2", "--out", built, "--json"
    )
    assert ran.code == 7, ran.err
    differences = json.loads(ran.out)["differences"]
    assert {found["operator"] for found in differences} == {first}
    assert all(found["got"] != found["expected"] and found["differing"] >= 1 for found in differences)
    said = sq_micro("diff", "--firmware", "--calibrate", built / "samples.npz", "--out", built)
    assert f"first difference at operator '{first}', index " in said.out


def test_a_link_without_firmware_is_refused(tmp_path: Path) -> None:
    ran = sq_micro("diff", "--calibrate", "x.npz", "--link", "host", "--out", tmp_path)
    assert ran.code == 2
    assert "--firmware" in ran.error_line
