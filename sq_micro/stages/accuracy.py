"""What counts as a right answer."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sq_micro.ir.operators import Sigmoid
from sq_micro.ir.topology import Topology

Metric = Literal["top1", "binary"]


def accuracy_metric(topology: Topology) -> Metric | None:
    """top1 for a vector of scores, binary for a single sigmoid; None where labels have no meaning."""
    shape = topology.shape(topology.output)
    if len(shape) != 2:
        return None
    if shape[1] > 1:
        return "top1"
    return "binary" if isinstance(topology.operators[-1], Sigmoid) else None


def decide(outputs: NDArray[np.float32], metric: Metric) -> NDArray[np.int64]:
    """The class that each row of real outputs (n, classes) names; of equal scores the first counts."""
    if metric == "binary":
        return (outputs[:, 0] > 0.5).astype(np.int64)
    return np.asarray(outputs.argmax(axis=1), np.int64)


def confusion(decisions: NDArray[np.int64], labels: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Samples by label (row) and decision (column), (classes, classes)."""
    cells = labels * classes + decisions
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def share_correct(decisions: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    """Decisions that are the label's, in 0 … 1."""
    return int((decisions == labels).sum()) / len(labels)
