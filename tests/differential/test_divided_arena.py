"""Arenas that are divided over two and three regions: outputs are the reference's, operators write nowhere but where
they may, and the sanitizers stand around the array of each region.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.params import Int8Array
from sq_micro.reference.interpreter import run
from tests.differential.c_models import Model, build_runner, make_divided_models
from tests.models.random_quant_graph import random_codes, random_network

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed"),
]
SAMPLES = 2


def networks(seeds: range) -> dict[str, QuantGraph]:
    return {f"random_{seed}": random_network(seed) for seed in seeds}


def ran(program: Path, model: Model, codes: Int8Array) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([program, str(model.index)], input=codes.tobytes(), capture_output=True, check=False)


def compute_the_same(seeds: range, regions: int, folder: Path) -> None:
    models = make_divided_models(networks(seeds), regions)
    assert sum(len(model.plan.shares) > 1 for model in models.values()) >= len(models) / 2
    program = build_runner(models, folder)
    for name, model in models.items():
        codes = random_codes(model.graph, SAMPLES)
        done = ran(program, model, codes)
        assert done.returncode == 0, f"{name}: {done.stderr.decode()}"
        size = model.graph.topology.elements(model.graph.topology.output)
        outputs = np.frombuffer(done.stdout, np.int8).reshape(SAMPLES, -1)[:, -size:]
        assert (outputs == run(model.graph, codes).reshape(SAMPLES, -1)).all(), name


@pytest.mark.parametrize(("regions", "seeds"), [(2, range(200, 202)), (3, range(202, 204))])
def test_divided_arenas_compute_the_same(regions: int, seeds: range, tmp_path: Path) -> None:
    compute_the_same(seeds, regions, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("regions", [2, 3])
@pytest.mark.parametrize("start", [300, 310, 320])
def test_many_divided_arenas_compute_the_same(start: int, regions: int, tmp_path: Path) -> None:
    compute_the_same(range(start, start + 10), regions, tmp_path)


def test_an_array_that_is_a_word_too_small_is_noticed(tmp_path: Path) -> None:
    (model,) = make_divided_models({"one": random_network(203)}, 2).values()
    *others, last = model.plan.shares
    shorter = (*others, replace(last, size_bytes=last.size_bytes - 4))
    wrong = replace(model, plan=replace(model.plan, shares=shorter, arena_bytes=model.plan.arena_bytes - 4))
    done = ran(build_runner({"one": wrong}, tmp_path), wrong, random_codes(model.graph, 1))
    assert b"AddressSanitizer: global-buffer-overflow" in done.stderr
