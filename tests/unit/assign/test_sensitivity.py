"""The table of measured damage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sq_micro.assign import damage, rounded_widths, sensitivity
from sq_micro.assign.damage import RoundingJob, round_widths
from sq_micro.assign.output_divergence import float_outputs
from sq_micro.assign.rounded_widths import RoundedWidths
from sq_micro.assign.sensitivity import Sensitivity, measure_sensitivity, monotone
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.operators import Operator
from sq_micro.reference.interpreter import run
from sq_micro.rounding import RoundingMethod, collect_statistics
from sq_micro.store import Store
from tests.unit.assign.small_problem import NAMES, small_frame, small_network


def rounded(widths: tuple[int, ...] = (2, 4, 8), method: RoundingMethod = "feedback") -> RoundedWidths:
    return RoundedWidths.of(*small_network(), widths, method)


@pytest.fixture(scope="module")
def measured() -> Sensitivity:
    return measure_sensitivity(rounded())


def test_every_operator_and_width_has_a_damage(measured: Sensitivity) -> None:
    assert measured.operators == NAMES
    assert measured.bits == (2, 4, 8)
    assert (measured.divergence >= 0).all()
    assert (np.diff(measured.divergence, axis=1) <= 0).all()
    assert (measured.divergence[:, -1] == 0).all()
    assert measured.divergence[:, 0].max() > 0
    assert measured.baseline > 0


def test_a_damage_is_that_of_the_assembled_network(measured: Sensitivity) -> None:
    """One operator at 2 bits, the others at 8, run as a whole network."""
    graph, ranges, samples = small_network()
    frame = small_frame()
    statistics = collect_statistics(graph, ranges, samples)
    weights = {
        op.name: round_widths(RoundingJob(frame, op, statistics[op.name], (2, 8))) for op in frame.topology.weighted()
    }
    reference = float_outputs(graph, samples)
    for name in ("conv2d_2", "dense_5"):
        bits = {other: 2 if other == name else 8 for other in NAMES}
        quantized = frame.assemble(Bitwidths(bits), {other: weights[other][b] for other, b in bits.items()})
        seen: list[np.ndarray] = []

        def see(operator: Operator, codes: np.ndarray, seen: list[np.ndarray] = seen) -> None:
            if operator.name == "dense_5":
                seen.append(codes)

        run(
            quantized,
            quantized.quantize_input(samples),
            see,
        )
        logits = quantized.activations["dense_5"].dequantize(np.concatenate(seen))
        expected = reference.divergence(logits).mean() - measured.baseline
        assert measured.measured[NAMES.index(name), 0] == pytest.approx(expected, abs=1e-12)


def test_the_prediction_adds_up(measured: Sensitivity) -> None:
    assert measured.total(Bitwidths(dict.fromkeys(NAMES, 8))) == measured.baseline
    one = measured.total(Bitwidths({**dict.fromkeys(NAMES, 8), "conv2d_2": 2}))
    assert one == pytest.approx(measured.baseline + measured.of("conv2d_2", 2))
    with pytest.raises(KeyError, match="'conv2d_2' at 3 bits"):
        measured.of("conv2d_2", 3)


def test_what_was_measured_is_found_again(
    measured: Sensitivity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    first = measure_sensitivity(rounded(), store)
    assert first.divergence.tolist() == measured.divergence.tolist()
    monkeypatch.setattr(rounded_widths, "collect_statistics", None)
    again = measure_sensitivity(rounded(), store)
    assert again.measured.tolist() == first.measured.tolist()


def test_an_interrupted_measurement_goes_on(
    measured: Sensitivity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    whole = damage.mean_divergences

    def dies_at_the_third(job: damage.DamageJob) -> np.ndarray:
        calls.append(job.operator.name)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return whole(job)

    monkeypatch.setattr(sensitivity, "mean_divergences", dies_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        measure_sensitivity(rounded(), Store(tmp_path))
    found = measure_sensitivity(rounded(), Store(tmp_path))
    assert calls == [*NAMES[:3], *NAMES[2:]]
    assert found.measured.tolist() == measured.measured.tolist()


def test_nearest_rounding_needs_no_statistics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounded_widths, "collect_statistics", None)
    found = measure_sensitivity(rounded((2, 8), "nearest"))
    assert found.divergence[:, 0].max() > 0


def test_monotone_rows_are_the_nearest_ones() -> None:
    assert monotone(np.array([[3.0, 2.0, 1.0], [1.0, 2.0, 3.0], [-1.0, -2.0, 0.5]])).tolist() == [
        [3.0, 2.0, 1.0],
        [2.0, 2.0, 2.0],
        pytest.approx([0.5 / 3] * 3),
    ]
