"""Plans tried for real on a small network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sq_micro.assign import evaluator
from sq_micro.assign.evaluator import compare, make_evaluator
from sq_micro.assign.output_divergence import decisions, float_outputs
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.mapper import ProcessMapper
from sq_micro.quant.quantize import quantize
from sq_micro.reference.interpreter import run
from sq_micro.store import Store
from tests.unit.assign.small_problem import NAMES, small_network

PLANS = [Bitwidths(dict.fromkeys(NAMES, bits)) for bits in (8, 4, 2)]


def test_fewer_bits_diverge_more_and_agree_less() -> None:
    found = make_evaluator(*small_network())(PLANS)
    assert found[0].divergence < found[1].divergence < found[2].divergence
    assert found[0].agreement >= found[2].agreement
    assert 0 <= found[0].expected_drop <= 100
    assert found[0].accuracy is None
    assert found[0].counted_drop is None


def test_labels_make_drops_counted_ones() -> None:
    graph, ranges, samples = small_network()
    labels = decisions(float_outputs(graph, samples).real)[:, 0]
    found = make_evaluator(graph, ranges, samples, labels)(PLANS[2:])[0]
    assert found.float_accuracy == 1.0
    assert found.accuracy == pytest.approx(found.agreement)
    assert found.counted_drop == pytest.approx(100 * (1 - found.agreement))
    assert found.expected_drop <= found.counted_drop


def test_an_evaluation_is_of_the_reference_arithmetic() -> None:
    graph, ranges, samples = small_network()
    quantized = quantize(graph, ranges, PLANS[1])
    logits: list[np.ndarray] = []
    run(
        quantized,
        quantized.quantize_input(samples),
        lambda op, codes: logits.append(codes) if op.name == "dense_5" else None,
    )
    reference = float_outputs(graph, samples)
    real = quantized.activations["dense_5"].dequantize(np.concatenate(logits))
    assert compare(quantized, samples, reference).divergence == pytest.approx(reference.divergence(real).mean())
    nearest = make_evaluator(graph, ranges, samples, method="nearest")(PLANS[1:2])[0]
    assert nearest.divergence == pytest.approx(reference.divergence(real).mean())


def test_a_plan_is_tried_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []
    whole = evaluator.try_plan
    monkeypatch.setattr(evaluator, "try_plan", lambda trial: (tried.append(str(trial.bitwidths)), whole(trial))[1])
    first = make_evaluator(*small_network(), store=Store(tmp_path))
    found = first([PLANS[0], PLANS[1], PLANS[0]])
    assert first(PLANS[:2]) == found[:2] == [found[2], found[1]]
    assert tried == [str(PLANS[0]), str(PLANS[1])]
    assert make_evaluator(*small_network(), store=Store(tmp_path))(PLANS[:2]) == found[:2]
    assert len(tried) == 2


@pytest.mark.slow
def test_processes_find_the_same() -> None:
    mapper = ProcessMapper(2)
    try:
        assert make_evaluator(*small_network(), mapper=mapper)(PLANS) == make_evaluator(*small_network())(PLANS)
    finally:
        mapper.close()
