"""Operators in patches, on a core with DSP instructions: outputs are the reference's, whatever the windows and pads."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from sq_micro.board import load_board
from sq_micro.plan.patching import heads
from sq_micro.plan.plan import plan_in_patches
from sq_micro.reference.interpreter import run
from tests.models.patched_networks import convolutions_first
from tests.models.random_quant_graph import random_codes
from tests.simulator.test_overlap_on_dsp_cores import outputs

pytestmark = [pytest.mark.slow, pytest.mark.simulator]
SAMPLES = 2


def is_the_reference(seed: int, folder: Path) -> bool:
    graph = convolutions_first(seed)
    found = list(heads(graph.topology))
    if not found:
        return True
    head = random.Random(seed).choice(found)
    plan = plan_in_patches(head, graph.topology, graph.bitwidths, load_board("nucleo_l4r5zi").core.isa)
    codes = random_codes(graph, SAMPLES)
    return bool((outputs(graph, plan, codes, folder) == run(graph, codes).reshape(SAMPLES, -1)).all())


@pytest.mark.parametrize("seed", [1, 4])
def test_patches_compute_the_same(seed: int, tmp_path: Path) -> None:
    assert is_the_reference(seed, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10, 90))
def test_many_patches_compute_the_same(seed: int, tmp_path: Path) -> None:
    assert is_the_reference(seed, tmp_path)
