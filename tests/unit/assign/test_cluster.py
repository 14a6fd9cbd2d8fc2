"""Equation 2, solved exactly."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from sq_micro.assign.sigmaquant.cluster import cluster, normalised, objective
from sq_micro.assign.sigmaquant.options import SigmaQuantOptions


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("penalty", [0.0, 0.1, 0.5, 3.0])
def test_no_labelling_at_all_is_better(seed: int, penalty: float) -> None:
    rng = np.random.default_rng(seed)
    clusters, count = int(rng.integers(1, 4)), int(rng.integers(4, 8))
    values = rng.choice([rng.uniform(size=count), rng.exponential(size=count)])
    best = min(objective(values, labels, clusters, penalty) for labels in product(range(clusters), repeat=count))
    assert objective(values, cluster(values, clusters, penalty), clusters, penalty) == pytest.approx(best, abs=1e-12)


def test_a_larger_sigma_never_lies_in_a_lower_cluster() -> None:
    values = np.random.default_rng(1).uniform(size=20)
    labels = np.array(cluster(values, 4, 0.1))
    assert (np.diff(labels[np.argsort(values)]) >= 0).all()
    assert set(labels) == {0, 1, 2, 3}


def test_without_a_penalty_the_gaps_decide() -> None:
    values = np.array([0.0, 0.01, 0.02, 0.5, 0.8, 0.81, 1.0])
    assert cluster(values, 4, 0.0) == (0, 0, 0, 1, 2, 2, 3)


def test_a_growing_penalty_makes_clusters_of_equal_size() -> None:
    values = np.array([0.0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.5, 1.0])
    sizes = [np.bincount(cluster(values, 4, penalty)).max() for penalty in (0.0, 0.001, 10.0)]
    assert sizes[0] > sizes[-1] == 2
    assert sizes == sorted(sizes, reverse=True)


def test_raw_sigmas_are_swamped_by_the_penalty_and_normalised_ones_are_not() -> None:
    """Raw sigmas of 1e-3 … 1e-1 at lambda 0.1: equal quarters, whatever they are."""
    sigmas = [0.001, 0.0011, 0.0012, 0.0013, 0.0014, 0.0015, 0.05, 0.1]
    raw = cluster(normalised(sigmas, SigmaQuantOptions(sigma_norm="raw")), 4, 0.1)
    assert raw == (0, 0, 1, 1, 2, 2, 3, 3)
    assert cluster(normalised(sigmas, SigmaQuantOptions()), 4, 0.02) != raw


@pytest.mark.parametrize("count", [1, 2, 3])
def test_fewer_operators_than_clusters_take_the_widest(count: int) -> None:
    assert cluster(np.arange(count, dtype=float), 4, 0.1) == tuple(range(4 - count, 4))


@pytest.mark.parametrize("norm", ["range", "z-score", "raw"])
def test_equal_sigmas_are_no_trouble(norm: str) -> None:
    values = normalised([0.3] * 6, SigmaQuantOptions(sigma_norm=norm))  # type: ignore[arg-type]
    assert sorted(np.bincount(cluster(values, 4, 0.1)).tolist()) == [1, 1, 2, 2]


def test_normalisation() -> None:
    assert normalised([1.0, 2.0, 3.0], SigmaQuantOptions()).tolist() == [0.0, 0.5, 1.0]
    scored = normalised([1.0, 2.0, 3.0], SigmaQuantOptions(sigma_norm="z-score"))
    assert scored.mean() == pytest.approx(0)
    assert scored.std() == pytest.approx(1)
    assert normalised([1.0, 10.0, 100.0], SigmaQuantOptions(log_sigma=True)).tolist() == pytest.approx([0, 0.5, 1])
