"""Layouts as large networks with many branches have them."""

from __future__ import annotations

import numpy as np

from sq_micro.kernels.overlap import Overlap
from sq_micro.plan.arena import Layout
from sq_micro.plan.lifetimes import Buffer


def random_layout(operators: int, seed: int) -> Layout:
    """One tensor per operator, alive for up to 12 of them; a third of the operators may write over their input.

    Sizes of one order and lives that interlock are what makes placement hard.
    """
    rng = np.random.default_rng(seed)
    buffers = []
    for index in range(operators):
        size, reach = int(rng.integers(400, 4000)), int(rng.integers(1, 12))
        buffers.append(Buffer(f"t{index}", size, index, min(operators, index + reach)))
    overlaps = []
    for j, output in enumerate(buffers):
        ending = [i for i, source in enumerate(buffers[:j]) if source.last == output.first]
        if ending and rng.random() < 0.33:
            i = int(rng.choice(ending))
            overlaps.append(((i, j), Overlap(0, buffers[i].size_bytes)))
    return Layout(tuple(buffers), tuple(overlaps))
