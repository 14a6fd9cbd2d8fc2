"""Nothing but an operator's output and scratch changes while it runs, for every example and over many inferences.

All other bytes of the arena are the canaries, tensors that are still needed among them; the sanitizers stand around
the arena. Each network runs as it is planned by default, and in its smallest arena, where overlaps are closest.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from sq_micro.quant.params import Int8Array
from sq_micro.reference.interpreter import run
from tests.acceptance.networks import quantized
from tests.differential.c_models import build_runner, make_models
from tests.models.random_quant_graph import random_codes

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed"),
]


def survives(network: str, plan: str, arena_limit_bytes: int | None, inferences: int, folder: Path) -> None:
    graph, golden = quantized(network, plan)
    models = make_models({network: graph}, arena_limit_bytes)
    program = build_runner(models, folder)
    more = random_codes(graph, max(0, inferences - len(golden)))
    codes: Int8Array = np.concatenate([golden.inputs[:inferences], more])
    done = subprocess.run([program, "0"], input=codes.tobytes(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    outputs = np.frombuffer(done.stdout, np.int8).reshape(inferences, -1)[:, -golden.outputs[0].size :]
    assert (outputs == run(graph, codes).reshape(inferences, -1)).all()


@pytest.mark.parametrize("arena_limit_bytes", [None, 1], ids=["default", "smallest"])
@pytest.mark.parametrize("network", ["digits_cnn", "dscnn_kws"])
def test_canaries_survive(network: str, arena_limit_bytes: int | None, tmp_path: Path) -> None:
    survives(network, "mixed", arena_limit_bytes, 3, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("arena_limit_bytes", [None, 1], ids=["default", "smallest"])
@pytest.mark.parametrize("plan", ["8", "mixed"])
@pytest.mark.parametrize("network", ["digits_cnn", "fmnist_cnn", "dscnn_kws", "resnet8_cifar10"])
def test_canaries_survive_a_thousand_inferences(
    network: str, plan: str, arena_limit_bytes: int | None, tmp_path: Path
) -> None:
    survives(network, plan, arena_limit_bytes, 1000, tmp_path)
