"""Phase 1's clusters: sigmas on a line, split exactly (equation 2).

    minimise  Σ_j [ Σ_{x_i ∈ C_j} (x_i − μ_j)² + λ (|C_j| − N/K)² ]

Clusters are intervals of the sorted sigmas: swapping two values between clusters changes no size, and sorting them
never raises the sum of squares. So dynamic programming over the sorted values finds the optimum in O(K·N²), without
starts or seeds. No cluster is empty while N ≥ K: moving a value from a larger cluster into an empty one raises neither
term.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sq_micro.assign.sigmaquant.options import SigmaQuantOptions

Float64Array = NDArray[np.float64]
_TINY = 1e-30


def normalised(sigmas: Sequence[float], options: SigmaQuantOptions) -> Float64Array:
    """Sigmas as the clusters see them; equal ones stay equal."""
    values = np.asarray(sigmas, np.float64)
    if options.log_sigma:
        values = np.log(np.maximum(values, _TINY))
    match options.sigma_norm:
        case "range":
            spread = float(values.max() - values.min())
            return np.asarray((values - values.min()) / spread) if spread > 0 else np.zeros_like(values)
        case "z-score":
            deviation = float(values.std())
            return np.asarray((values - values.mean()) / deviation) if deviation > 0 else np.zeros_like(values)
        case "raw":
            return values


def cluster(values: Float64Array, clusters: int, penalty: float) -> tuple[int, ...]:
    """The cluster of each value, 0 for the one with the smallest mean.

    With fewer values than clusters each value has its own, the largest the last: the widest widths are used.
    """
    count = len(values)
    if count < clusters:
        ranks = np.argsort(np.argsort(values, kind="stable"), kind="stable")
        return tuple(int(rank) + clusters - count for rank in ranks)
    order = np.argsort(values, kind="stable")
    cost = _interval_costs(values[order], penalty, count / clusters)
    best = np.full((clusters + 1, count + 1), np.inf)
    best[0, 0] = 0.0
    start = np.zeros((clusters + 1, count + 1), np.int64)
    for k in range(1, clusters + 1):
        for end in range(k, count + 1):
            totals = best[k - 1, :end] + cost[:end, end]
            start[k, end] = int(totals.argmin())
            best[k, end] = totals[start[k, end]]
    labels = np.zeros(count, np.int64)
    end = count
    for k in range(clusters, 0, -1):
        first = int(start[k, end])
        labels[order[first:end]] = k - 1
        end = first
    return tuple(int(label) for label in labels)


def objective(values: Float64Array, labels: Sequence[int], clusters: int, penalty: float) -> float:
    """Equation 2 of given clusters."""
    total = 0.0
    for k in range(clusters):
        members = values[np.asarray(labels) == k]
        deviation = float(((members - members.mean()) ** 2).sum()) if len(members) else 0.0
        total += deviation + penalty * (len(members) - len(values) / clusters) ** 2
    return total


def _interval_costs(ordered: Float64Array, penalty: float, even: float) -> Float64Array:
    """cost[i, j] of a cluster that holds the sorted values i … j − 1."""
    count = len(ordered)
    cost = np.full((count, count + 1), np.inf)
    for first in range(count):
        for end in range(first + 1, count + 1):
            members = ordered[first:end]
            cost[first, end] = ((members - members.mean()) ** 2).sum() + penalty * (end - first - even) ** 2
    return cost
