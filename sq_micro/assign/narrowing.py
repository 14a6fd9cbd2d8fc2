"""Activations of 4 bits, where 8 do not fit into SRAM: which ones, by what they damage.

They cost more accuracy than 4-bit weights do, and time, so they are no part of the integer program: none is taken
while some plan with 8 bits fits. Else all have 4 bits at first, and get 8 back one by one, the most damaging first, as
long as the smallest arena stays within the limit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sq_micro.assign.damage import BASE_BITS
from sq_micro.assign.evaluator import compare
from sq_micro.assign.output_divergence import float_outputs, real_samples
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.float_graph import FloatGraph
from sq_micro.mapper import unwatched
from sq_micro.quant.calibrate import NARROW_BITS, Progress, Ranges, SampleSource
from sq_micro.quant.narrow import narrowable
from sq_micro.quant.quantize import Frame, nearest_weights

_SAMPLES = 256  # they rank a few groups, whose damages differ by factors

Fits = Callable[[Mapping[str, int]], bool]
"""Whether some plan fits with these bits of activations, by tensor."""


@dataclass(frozen=True, slots=True)
class NarrowGroup:
    """Activations that share their scale, and so their bits; damage is the divergence that 4 bits of them alone add."""

    tensors: tuple[str, ...]
    damage: float


def measure_groups(
    graph: FloatGraph,
    ranges: Ranges,
    samples: NDArray[np.floating] | SampleSource,
    progress: Progress = unwatched,
) -> tuple[NarrowGroup, ...]:
    """All that may have 4 bits, amid weights of 8 bits; the same call gives the same figures. No labels are used."""
    values = real_samples(samples, 0, min(len(samples), _SAMPLES))
    reference = float_outputs(graph, values)
    frame = Frame.of(graph, ranges)
    weights = {op.name: nearest_weights(frame, op, BASE_BITS) for op in frame.topology.weighted()}
    eight = Bitwidths(dict.fromkeys(weights, BASE_BITS))

    def divergence(bits: Mapping[str, int]) -> float:
        quantized = Frame.of(graph, ranges.with_bits(bits)).assemble(eight, weights)
        return compare(quantized, values, reference).divergence

    baseline = divergence({})
    groups = list(dict.fromkeys(narrowable(frame.topology).values()))
    found = []
    for done, tensors in enumerate(groups, start=1):
        found.append(NarrowGroup(tensors, divergence(dict.fromkeys(tensors, NARROW_BITS)) - baseline))
        progress(done, len(groups))
    return tuple(found)


def narrow_as_needed(groups: Sequence[NarrowGroup], fits: Fits) -> dict[str, int]:
    """Bits by tensor of those that stay narrow; all groups where even that does not fit."""
    narrow = list(groups)
    if not fits(_bits(narrow)):
        return _bits(narrow)
    for group in sorted(groups, key=lambda group: (-group.damage, group.tensors)):
        fewer = [other for other in narrow if other is not group]
        if fits(_bits(fewer)):
            narrow = fewer
    return _bits(narrow)


def _bits(groups: Sequence[NarrowGroup]) -> dict[str, int]:
    return {tensor: NARROW_BITS for group in groups for tensor in group.tensors}
