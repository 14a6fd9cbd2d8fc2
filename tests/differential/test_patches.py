"""Operators that run patch by patch compute what the reference does, and write nowhere but where they may."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sq_micro.kernels.catalogue import PORTABLE
from sq_micro.kernels.overlap import ALIGNMENT
from sq_micro.plan.arena import Span
from sq_micro.plan.patching import heads
from sq_micro.plan.plan import plan_in_patches
from sq_micro.quant.params import Int8Array
from sq_micro.reference.golden_vectors import first_difference
from sq_micro.reference.interpreter import run
from tests.differential.c_models import Model, build_runner, make_models, make_patched_models
from tests.models.patched_networks import convolutions_first
from tests.models.random_quant_graph import RandomQuantGraph, random_codes

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed"),
]
SAMPLES = 2


def c_outputs(program: Path, model: Model, codes: Int8Array) -> Int8Array:
    done = subprocess.run([program, str(model.index)], input=codes.tobytes(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    size = model.graph.topology.elements(model.graph.topology.output)
    return np.frombuffer(done.stdout, np.int8).reshape(len(codes), -1)[:, -size:]


def differences(models: Mapping[str, Model], folder: Path) -> list[str]:
    program = build_runner(models, folder)
    found = []
    for name, model in models.items():
        codes = random_codes(model.graph, SAMPLES)
        expected = run(model.graph, codes).reshape(SAMPLES, -1)
        if difference := first_difference(c_outputs(program, model, codes), expected, f"{name}, {model.plan.head}"):
            found.append(str(difference))
    return found


def networks(seeds: range) -> dict[str, Model]:
    drawn = {str(seed): convolutions_first(seed) for seed in seeds}
    patched = {name: graph for name, graph in drawn.items() if any(heads(graph.topology))}
    assert len(patched) >= len(drawn) / 2
    return make_patched_models(patched, seeds.start)


def test_patches_compute_the_same(tmp_path: Path) -> None:
    assert differences(networks(range(5)), tmp_path) == []


def test_windows_of_one_pixel_read_the_input_row_by_row(tmp_path: Path) -> None:
    """Of a whole image they would be one run of pixels, of a part of its rows they are not."""
    builder = RandomQuantGraph(0, (8, 8, 3))
    graph = builder.build(builder.conv2d(builder.conv2d("input", 4, (1, 1)), 4, (3, 3), (2, 2)))
    (model,) = make_models({"one pixel": graph}).values()
    head = next(head for head in heads(graph.topology) if len(head.operators) == 2 and head.width == 2)
    plan = plan_in_patches(head, graph.topology, graph.bitwidths, PORTABLE)
    assert differences({"one pixel": replace(model, plan=plan)}, tmp_path) == []


@pytest.mark.long
@pytest.mark.parametrize("batch", range(25))
def test_many_patches_compute_the_same(batch: int, tmp_path: Path) -> None:
    assert differences(networks(range(100 + 40 * batch, 140 + 40 * batch)), tmp_path) == []


def test_an_output_that_follows_the_input_one_word_closer_is_caught(tmp_path: Path) -> None:
    """The distance that patches allow is the last one: the first network at its bound, moved up by a word."""
    for model in networks(range(20)).values():
        plan, topology = model.plan, model.graph.topology
        assert plan.head is not None
        output = topology.operators[len(plan.head.operators) - 1].output
        span = plan.tensors[output]
        moved = Span(span.offset_bytes + ALIGNMENT, span.size_bytes)
        distance = moved.offset_bytes - plan.tensors[topology.input].offset_bytes
        if distance <= 0 and not plan.head.overlap.allows(distance) and plan.head.overlap.below_bytes < 0:
            closer = replace(model, index=0, plan=replace(plan, tensors={**plan.tensors, output: moved}))
            assert len(differences({"closer": closer}, tmp_path)) == 1
            return
    raise AssertionError("no output is at its bound")
