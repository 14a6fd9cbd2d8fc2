"""Generated C with 4-bit activations computes what the reference computes, in the smallest arena too, under sanitizers.

The runner ends where an operator changes a byte that is neither its output nor its scratch.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sq_micro.errors import GoldenMismatchError
from sq_micro.ir.operators import NONE, RELU, RELU6, Operator, Pad, operator_inputs
from sq_micro.kernels.overlap import ALIGNMENT
from sq_micro.plan.arena import Span
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.params import Int8Array
from sq_micro.reference.golden_vectors import require_equal
from sq_micro.reference.interpreter import run
from tests.differential.c_models import Model, build_runner, make_models
from tests.models.narrowed import every_operator_that_packs, narrowed
from tests.models.random_quant_graph import RandomQuantGraph, random_codes, random_network

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("packed_c"),
    pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed"),
]
SAMPLES = 4


def windows(seed: int, channels: int, pad: Pad | str, bits: int, clamps: tuple[str, str] = (RELU6, RELU)) -> QuantGraph:
    """Windows with dilation, strides, and pads so large that some see nothing but padding."""
    builder = RandomQuantGraph(seed, (7, 6, 2))
    x = builder.conv2d(builder.input, channels, (2, 3), dilation=(2, 1), padding=pad, activation=clamps[0], bits=bits)
    x = builder.depthwise_conv2d(x, (3, 2), (2, 1), (1, 2), Pad(3, 1, 0, 4), 2, NONE, bits)
    x = builder.conv2d(x, channels, (1, 1), activation=clamps[1], bits=bits)
    x = builder.conv2d(x, 3, (3, 3), (2, 3), padding=pad, bits=bits)
    return builder.build(builder.dense(builder.mean(builder.relu(x)), 5, bits=bits))


def networks() -> Iterator[tuple[str, QuantGraph]]:
    for index, (activation, share) in enumerate(((NONE, 0.5), (RELU, 1.0))):
        yield f"every_{index}", narrowed(every_operator_that_packs(index, activation), index, share)
    pads: tuple[tuple[int, Pad | str, int], ...] = ((1, "same", 8), (5, Pad(4, 5, 0, 3), 4), (8, Pad(0, 1, 2, 2), 3))
    for index, (channels, pad, bits) in enumerate(pads):
        yield f"windows_{index}", narrowed(windows(index, channels, pad, bits), index)
    yield "random", narrowed(random_network(1), 1, 0.8)


NETWORKS = dict(networks())
ROOMY = make_models({"every_1": NETWORKS["every_1"]})
TIGHT = make_models(NETWORKS, arena_limit_bytes=1)
SENSITIVE = make_models(  # nothing is clamped, so that what is lost shows
    {
        "every": narrowed(every_operator_that_packs(0, NONE), 0, centred=True),
        "windows": narrowed(windows(1, 5, Pad(1, 1, 1, 1), 4, (NONE, NONE)), 1, centred=True),
        "more_windows": narrowed(windows(2, 8, "same", 8, (NONE, NONE)), 2, centred=True),
        "wide_windows": narrowed(windows(3, 10, Pad(0, 1, 2, 2), 8, (NONE, NONE)), 3, centred=True),
        "every_3": narrowed(every_operator_that_packs(3, NONE), 3, centred=True),
    },
    arena_limit_bytes=1,
)
_ROUNDED_AWAY = "conv2d_3"  # loses a half byte or nothing: bounds stop at 0, and 4 bits of output hide one code of 90
_MOVED = 8  # models that are compiled to show the damage


@pytest.fixture(scope="module")
def roomy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_runner(ROOMY, tmp_path_factory.mktemp("roomy"))


@pytest.fixture(scope="module")
def tight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_runner(TIGHT, tmp_path_factory.mktemp("tight"))


def outputs(runner: Path, model: Model, codes: Int8Array) -> Int8Array:
    """All operators' outputs as they rest, then the model's, a row a sample."""
    done = subprocess.run([runner, str(model.index)], input=codes.tobytes(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return np.frombuffer(done.stdout, np.int8).reshape(len(codes), -1)


def first_difference(model: Model, codes: Int8Array, got: Int8Array) -> None:
    """Raises GoldenMismatchError at the first operator that differs from the reference."""
    expected: dict[str, Int8Array] = {}
    output = run(model.graph, codes, lambda op, result: expected.update({op.name: result.reshape(len(codes), -1)}))
    at = 0
    for operator in model.executed:
        size = model.plan.tensors[operator.output].size_bytes
        require_equal(operator.name, unpacked(model, operator, got[:, at : at + size]), expected[operator.name])
        at += size
    require_equal("the model's output", got[:, at:], output.reshape(len(codes), -1))


def unpacked(model: Model, operator: Operator, stored: Int8Array) -> Int8Array:
    if model.graph.bitwidths.activation(operator.output) == 8:
        return stored
    halves = stored.view(np.uint8)[..., None] >> np.array([0, 4], np.uint8) & 15
    return halves.reshape(len(stored), -1)[:, : model.graph.topology.elements(operator.output)].astype(np.int8)


@pytest.mark.parametrize("name", NETWORKS)
def test_packed_c_is_the_reference(name: str, tight: Path) -> None:
    codes = random_codes(NETWORKS[name], SAMPLES, len(name))
    first_difference(TIGHT[name], codes, outputs(tight, TIGHT[name], codes))


def test_larger_pieces_give_the_same(roomy: Path) -> None:
    (model,) = ROOMY.values()
    codes = random_codes(model.graph, SAMPLES)
    first_difference(model, codes, outputs(roomy, model, codes))
    assert TIGHT["every_1"].plan.arena_bytes < model.plan.arena_bytes


def one_word_closer(model: Model) -> Iterator[Model]:
    """The same model with one operator's output moved to where its pieces would write over what they still read."""
    plan = model.plan
    for operator in model.executed:
        choice, output = plan.choices[operator.name], plan.tensors[operator.output]
        if choice.pieces is None or operator.name == _ROUNDED_AWAY:
            continue
        step = -ALIGNMENT if operator.name in plan.downwards else ALIGNMENT
        moved = output.offset_bytes + step
        for tensor in operator_inputs(operator):
            distance = moved - plan.tensors[tensor].offset_bytes
            if tensor in choice.overlaps and not choice.overlaps[tensor].allows(distance) and moved >= 0:
                spans = {**plan.tensors, operator.output: Span(moved, output.size_bytes)}
                yield replace(model, plan=replace(plan, tensors=spans, arena_bytes=plan.arena_bytes + ALIGNMENT))
                break


def unnoticed(moved: list[Model], folder: Path) -> list[str]:
    """The models whose outputs are the reference's all the same."""
    named = {
        f"m{index}": replace(
            model, index=index, graph=replace(model.graph, topology=replace(model.graph.topology, name=f"m{index}"))
        )
        for index, model in enumerate(moved)
    }
    runner = build_runner(named, folder)
    found = []
    for name, model in named.items():
        codes = random_codes(model.graph, SAMPLES, model.index)
        try:
            first_difference(model, codes, outputs(runner, model, codes))
            found.append(name)
        except GoldenMismatchError:
            pass
    return found


@pytest.mark.parametrize(
    "moved", [range(0, _MOVED, 4), pytest.param(range(_MOVED), marks=pytest.mark.long)], ids=["two", "all"]
)
def test_one_word_closer_is_caught(moved: range, tmp_path: Path) -> None:
    closer = [found for model in SENSITIVE.values() for found in one_word_closer(model)]
    assert len(closer) >= _MOVED
    assert unnoticed([closer[index] for index in moved], tmp_path) == []
