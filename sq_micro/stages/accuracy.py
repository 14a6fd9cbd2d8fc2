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


def correct(outputs: NDArray[np.float32], labels: NDArray[np.int64], metric: Metric) -> int:
    """How many rows of real outputs (n, classes) name their label; of equal scores the first counts."""
    if metric == "binary":
        return int(((outputs[:, 0] > 0.5) == (labels > 0)).sum())
    return int((outputs.argmax(axis=1) == labels).sum())
