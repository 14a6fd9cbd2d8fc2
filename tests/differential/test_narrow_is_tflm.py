"""Networks with 4-bit activations: the twin holds their clamps, and the reference equals TFLite Micro on it."""

from __future__ import annotations

import pytest

from sq_micro.ir.operators import RELU, RELU6, ActivationFunction
from sq_micro.reference.interpreter import run
from tests.models.narrowed import every_operator_that_packs, narrowed
from tests.models.random_quant_graph import random_codes, random_network, resnet8
from tests.models.tflm_oracle import require_tflm, require_tflm_everywhere

pytest.importorskip("tflite_micro")
pytestmark = pytest.mark.oracle


@pytest.mark.parametrize("activation", [ActivationFunction(), RELU, RELU6, ActivationFunction(None, 1.5)], ids=str)
@pytest.mark.parametrize("share", [0.5, 1.0])
def test_every_operator_that_packs_is_tflms(activation: ActivationFunction, share: float) -> None:
    for seed in range(6):
        graph = narrowed(every_operator_that_packs(seed, activation), seed, share)
        require_tflm_everywhere(graph, random_codes(graph, 2, seed))
        require_tflm(graph, random_codes(graph, 8, seed))


@pytest.mark.parametrize("seed", range(12))
def test_random_networks_are_tflms(seed: int) -> None:
    graph = narrowed(random_network(seed), seed, 0.7)
    require_tflm(graph, random_codes(graph, 6, seed))


def test_resnet8_is_tflms_and_its_codes_are_of_four_bits() -> None:
    graph = narrowed(resnet8())
    codes = random_codes(graph, 6)
    require_tflm_everywhere(graph, codes[:1])
    narrow = set(graph.bitwidths.activations)
    assert len(narrow) == 11  # all from the input to the average pool
    seen: dict[str, tuple[int, int]] = {}
    run(graph, codes, lambda operator, found: seen.update({operator.output: (int(found.min()), int(found.max()))}))
    assert all(0 <= seen[name][0] <= seen[name][1] <= 15 for name in narrow)
    assert sum(seen[name] == (0, 15) for name in narrow) >= 5
