"""Sigma and equation 1 on weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sq_micro.assign.sigmaquant.divergence import WeightStatistics, histogram_divergence, scores, weight_statistics
from sq_micro.assign.sigmaquant.options import SigmaQuantOptions
from tests.unit.assign.small_problem import NAMES, small_frame

OPTIONS = SigmaQuantOptions()


def gaussian_rows(sigma: float = 1.0, seed: int = 0) -> np.ndarray:
    return (sigma * np.random.default_rng(seed).normal(size=(8, 4000))).astype(np.float32)


@pytest.mark.parametrize("bins", ["relative", "absolute"])
def test_fewer_bits_diverge_more(bins: str) -> None:
    options = replace(OPTIONS, bins=bins)
    found = [histogram_divergence(gaussian_rows(), bits, options, 5.0) for bits in (2, 4, 6, 8)]
    assert found == sorted(found, reverse=True)
    assert found[0] > 3 * found[1] > 0


def test_weights_spread_evenly_lose_nothing() -> None:
    rows = np.linspace(-1, 1, 2048 * 50, dtype=np.float32)[None]
    assert histogram_divergence(rows, 2, OPTIONS) < 1e-4


def test_relative_bins_do_not_see_the_scale_and_absolute_ones_do() -> None:
    """Table I of the paper has small divergences for small sigmas: an effect of a bin width that layers share."""
    wide, narrow = gaussian_rows(1.0), gaussian_rows(0.01)
    assert histogram_divergence(wide, 4, OPTIONS) == pytest.approx(histogram_divergence(narrow, 4, OPTIONS), rel=1e-3)
    absolute = replace(OPTIONS, bins="absolute")
    assert histogram_divergence(narrow, 4, absolute, 5.0) < histogram_divergence(wide, 4, absolute, 5.0) / 5


def test_full_codes_have_one_cell_more() -> None:
    rows = gaussian_rows()
    assert histogram_divergence(rows, 2, replace(OPTIONS, codes="full")) != histogram_divergence(rows, 2, OPTIONS)


def test_all_constant_weights_are_flagged_and_finite() -> None:
    graph = small_frame().graph
    name = next(graph.topology.weighted()).weights
    for value in (0.0, 0.25):
        constants = {**graph.constants, name: np.full_like(graph.constants[name], value)}
        first = weight_statistics(replace(graph, constants=constants), (2, 8))[0]
        assert first.constant
        assert first.sigma == 0
        assert all(np.isfinite(found) for found in first.divergence.values())


def test_statistics_are_of_every_operator_in_order() -> None:
    found = weight_statistics(small_frame().graph, (2, 4, 6, 8))
    assert tuple(s.operator for s in found) == NAMES
    weights = small_frame().graph.constants[next(small_frame().topology.weighted()).weights]
    assert found[0].sigma == pytest.approx(weights.std(), rel=1e-6)
    assert set(found[0].divergence) == {2, 4, 6, 8}


STATISTICS = (
    WeightStatistics("a", 0.1, {2: 0.5, 4: 0.2, 6: 0.1, 8: 0.1}, False),
    WeightStatistics("b", 0.3, {2: 0.9, 4: 0.4, 6: 0.2, 8: 0.1}, False),
)


def test_scores_lie_between_zero_and_one_and_fall_with_the_width() -> None:
    at = {bits: scores(STATISTICS, {"a": bits, "b": bits}, OPTIONS) for bits in (2, 4, 6, 8)}
    assert at[2] == pytest.approx({"a": 0.5, "b": 1.0})
    assert at[8] == {"a": 0.0, "b": 0.0}
    assert at[2]["b"] > at[4]["b"] > at[6]["b"] > at[8]["b"]


def test_other_normalisations_of_the_score() -> None:
    chosen = {"a": 2, "b": 4}
    assert scores(STATISTICS, chosen, replace(OPTIONS, score_norm="ratio")) == pytest.approx({"a": 5.0, "b": 4.0})
    assert scores(STATISTICS, chosen, replace(OPTIONS, score_norm="none")) == {"a": 0.5, "b": 0.4}
    assert scores(STATISTICS, chosen, replace(OPTIONS, score_norm="none", sigma_score=True)) == {"a": 0.0, "b": 0.4}
