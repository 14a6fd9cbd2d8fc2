"""`--weight-bits`: one width, or a plan file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from sq_micro.errors import PlanFileError, UsageError
from sq_micro.ir.bitwidths import WEIGHT_BITS
from sq_micro.ir.topology import Topology
from sq_micro.quant.plan_file import bitwidths_from, kernels_from
from tests.models.random_quant_graph import RandomQuantGraph


def three_layers() -> Topology:
    builder = RandomQuantGraph(1, (4, 4, 1))
    x = builder.depthwise_conv2d(builder.conv2d(builder.input, 2))
    return builder.build(builder.dense(builder.mean(x), 2)).topology


TOPOLOGY = three_layers()
NAMES = [operator.name for operator in TOPOLOGY.weighted()]


def planned(folder: Path, content: object) -> dict[str, int]:
    path = folder / "bits.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return dict(bitwidths_from(str(path), TOPOLOGY).weights)


@pytest.mark.parametrize("bits", WEIGHT_BITS)
def test_one_width_for_all(bits: int) -> None:
    assert dict(bitwidths_from(str(bits), TOPOLOGY).weights) == dict.fromkeys(NAMES, bits)


@pytest.mark.parametrize("bits", ["0", "1", "7", "16", "99"])
def test_a_width_that_does_not_exist(bits: str) -> None:
    with pytest.raises(UsageError, match=f"--weight-bits {bits}: weights take 8, 6, 5, 4, 3 or 2 bits, or a plan file"):
        bitwidths_from(bits, TOPOLOGY)


def test_a_plan_names_some_operators_and_a_default(tmp_path: Path) -> None:
    assert planned(tmp_path, {"default": 8, "operators": {NAMES[1]: 3}}) == {NAMES[0]: 8, NAMES[1]: 3, NAMES[2]: 8}
    assert planned(tmp_path, {"default": 2}) == dict.fromkeys(NAMES, 2)
    assert planned(tmp_path, {"operators": dict.fromkeys(NAMES, 5)}) == dict.fromkeys(NAMES, 5)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "is not JSON: "),
        ([8], 'must look like {"default": 8, "operators": {"<name>": 4}}'),
        ({"operators": [8]}, 'must look like {"default": 8, "operators": {"<name>": 4}}'),
        ({"default": 8, "layers": {}}, "unknown key 'layers'; known: default, operators, activations, kernels"),
        ({"default": 8, "operators": {"conv2d_1": 4}}, "unknown operator 'conv2d_1'; did you mean 'conv2d_0'?"),
        ({"default": 8, "operators": {"zzz": 4}}, f"unknown operator 'zzz' (known: {', '.join(NAMES)})"),
        ({"operators": {NAMES[0]: 4}}, f"gives no bits for '{NAMES[1]}' and has no \"default\""),
        ({}, f"gives no bits for '{NAMES[0]}' and has no \"default\""),
        ({"default": 7}, '"default": 7 bits; weights take 8, 6, 5, 4, 3 or 2'),
        ({"default": True}, '"default": True bits; weights take 8, 6, 5, 4, 3 or 2'),
        ({"default": "8"}, "\"default\": '8' bits; weights take 8, 6, 5, 4, 3 or 2"),
        ({"default": 8, "operators": {NAMES[2]: 4.0}}, f"'{NAMES[2]}': 4.0 bits; weights take 8, 6, 5, 4, 3 or 2"),
        ({"default": None}, '"default": None bits; weights take'),
        ({"default": 8, "operators": {NAMES[2]: None}}, f"'{NAMES[2]}': None bits; weights take"),
        ({"default": 9, "operators": dict.fromkeys(NAMES, 8)}, '"default": 9 bits; weights take'),
        (
            {"default": 8, "activations": {"conv2d_9": 4}},
            "\"activations\": no operator 'conv2d_9'; did you mean 'conv2d_0'?",
        ),
        ({"default": 8, "activations": 3}, '"activations": 3 bits; activations take 8 or 4'),
        (
            {"default": 8, "activations": {NAMES[2]: 4}},
            f"the output of '{NAMES[2]}' takes 8 bits (4 are for: {NAMES[0]}, {NAMES[1]})",
        ),
    ],
)
def test_what_is_wrong_in_a_plan_is_said(tmp_path: Path, content: object, problem: str) -> None:
    with pytest.raises(PlanFileError, match=re.escape(problem)) as caught:
        planned(tmp_path, content)
    assert str(caught.value).startswith(str(tmp_path / "bits.json"))
    assert caught.value.exit_code == 2


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.json", tmp_path):
        with pytest.raises(PlanFileError, match="takes 8, 6, 5, 4, 3 or 2 or a plan file; this file cannot be read"):
            bitwidths_from(str(path), TOPOLOGY)
    binary = tmp_path / "binary.json"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PlanFileError, match="is not JSON"):
        bitwidths_from(str(binary), TOPOLOGY)


def test_activations_of_a_plan_and_of_the_option(tmp_path: Path) -> None:
    outputs = [TOPOLOGY.operators[index].output for index in (0, 1)]
    path = tmp_path / "bits.json"
    path.write_text(json.dumps({"default": 8, "activations": {NAMES[0]: 4, NAMES[2]: 8}}), encoding="utf-8")
    assert dict(bitwidths_from(str(path), TOPOLOGY).activations) == {outputs[0]: 4}
    both = bitwidths_from(str(path), TOPOLOGY, [f"{NAMES[1]}=4"])
    assert dict(both.activations) == dict.fromkeys(outputs, 4)
    assert not bitwidths_from(str(path), TOPOLOGY, ["8"]).activations
    assert dict(bitwidths_from("4", TOPOLOGY, ["4"]).activations) == dict.fromkeys(outputs, 4)
    for text, problem in (("5", "5 bits; activations take 8 or 4"), ("zzz=4", "no operator 'zzz'"), ("a", "invalid")):
        with pytest.raises(UsageError, match=f"--activation-bits {text}: {problem}"):
            bitwidths_from("8", TOPOLOGY, [text])


def test_a_pool_has_the_bits_of_what_it_reads() -> None:
    builder = RandomQuantGraph(1, (4, 4, 1))
    x = builder.max_pool2d(builder.conv2d(builder.input, 2))
    topology = builder.build(builder.dense(builder.mean(x), 2)).topology
    assert dict(bitwidths_from("8", topology, ["conv2d_0=4"]).activations) == {"conv2d_0": 4, x: 4}


def test_kernels_are_named_by_operator_those_without_weights_too(tmp_path: Path) -> None:
    path, mean = tmp_path / "bits.json", TOPOLOGY.operators[2].name
    path.write_text(json.dumps({"default": 8, "kernels": {NAMES[0]: "shared", mean: "portable"}}), encoding="utf-8")
    assert kernels_from(str(path), TOPOLOGY) == {NAMES[0]: "shared", mean: "portable"}
    assert dict(bitwidths_from(str(path), TOPOLOGY).weights) == dict.fromkeys(NAMES, 8)
    assert kernels_from("4", TOPOLOGY) == {}


@pytest.mark.parametrize(
    ("kernels", "problem"),
    [
        ({"zzz": "small"}, "unknown operator 'zzz'"),
        ({NAMES[0]: "tiny"}, f"'{NAMES[0]}': 'tiny' kernels; known: fast, shared, portable, small"),
        (["small"], "must look like"),
    ],
)
def test_kernels_that_do_not_exist(kernels: object, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "bits.json"
    path.write_text(json.dumps({"default": 8, "kernels": kernels}), encoding="utf-8")
    with pytest.raises(PlanFileError, match=re.escape(problem)):
        kernels_from(str(path), TOPOLOGY)
