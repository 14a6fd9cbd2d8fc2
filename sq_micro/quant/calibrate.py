"""Calibration: run the float network over samples and note the range of every activation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sq_micro.errors import QuantizationError
from sq_micro.ir import evaluate
from sq_micro.ir.float_graph import FloatGraph
from sq_micro.quant.observers import Histogram, ObserverName
from sq_micro.quant.params import ActivationParams

BATCH = 32
NARROW_BITS = 4
Progress = Callable[[int, int], None]


class SampleSource(Protocol):
    """Samples that need not be in memory as float32, as `quant.samples.Samples`."""

    def __len__(self) -> int:
        """How many there are."""

    def real(self, start: int, stop: int) -> NDArray[np.float32]:
        """Real values of samples start … stop − 1, fewer at the end."""


@dataclass(frozen=True, slots=True)
class Range:
    """The real values from minimum to maximum."""

    minimum: float
    maximum: float


@dataclass(frozen=True, slots=True)
class Ranges:
    """What the codes should cover, by tensor, and how that was found.

    bits    of the tensors that have not 8
    narrow  what 4 bits should cover, where it was observed: coarse steps are worth more clipping
    """

    tensors: Mapping[str, Range]
    observer: ObserverName
    samples: int
    bits: Mapping[str, int] = field(default_factory=dict)
    narrow: Mapping[str, Range] = field(
        default_factory=dict, compare=False
    )  # until `with_bits` nothing follows from it

    def __post_init__(self) -> None:
        for name in ("tensors", "bits", "narrow"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def with_bits(self, bits: Mapping[str, int]) -> Ranges:
        """The same observations with some tensors of 4 bits. Raises QuantizationError iff one was not observed."""
        for tensor in bits:
            if tensor not in self.narrow:
                raise QuantizationError(tensor, "no range of 4 bits was observed; calibrate this model again")
        spans = {tensor: self.narrow[tensor] for tensor, width in bits.items() if width == NARROW_BITS}
        return replace(self, tensors={**self.tensors, **spans}, bits=bits)

    def __str__(self) -> str:
        width = max((len(name) for name in self.tensors), default=6)
        lines = [
            f"observer {self.observer}, {self.samples} samples",
            f"{'tensor':<{width}} {'minimum':>12} {'maximum':>12}",
        ]
        lines += [f"{name:<{width}} {span.minimum:>12.6g} {span.maximum:>12.6g}" for name, span in self.tensors.items()]
        return "\n".join(lines) + "\n"


def range_of(params: ActivationParams) -> Range:
    """What the codes span: `sharing.params_of_range` makes the same params of it."""
    low, high = params.limits
    return Range(params.scale * (low - params.zero_point), params.scale * (high - params.zero_point))


def observe(
    graph: FloatGraph,
    samples: NDArray[np.floating] | SampleSource,
    observer: ObserverName = "mse",
    progress: Progress = lambda _done, _total: None,
) -> Ranges:
    """Stream samples (n, *input_shape) of real values through the network, twice.

    Where the model's file gives scales and zero points, the ranges are what those span, and no sample is looked at.
    `progress` is told (done, total) after each batch. Raises QuantizationError iff an activation is not finite.
    """
    if graph.given is not None:
        params = {name: ActivationParams(*given) for name, given in graph.given.activations.items()}
        return Ranges({name: range_of(found) for name, found in params.items()}, "given", 0)
    passes = 1 if observer == "minmax" else 2
    histograms: dict[str, Histogram] = {}
    done = 0

    def stream(see: Callable[[str, NDArray[np.float32]], None]) -> None:
        nonlocal done
        for batch in _batches(graph, samples):
            evaluate.run(graph, batch, see)
            done += len(batch)
            progress(done, passes * len(samples))

    def see_range(tensor: str, values: NDArray[np.float32]) -> None:
        if not np.isfinite(values).all():
            raise QuantizationError(tensor, "NaN or infinity among its values; check the weights and the samples")
        histograms.setdefault(tensor, Histogram()).see_range(values)

    def see_values(tensor: str, values: NDArray[np.float32]) -> None:
        histograms[tensor].see_values(values)

    stream(see_range)
    if passes == 2:
        stream(see_values)

    def covered(bits: int) -> dict[str, Range]:
        return {tensor: Range(*histogram.covered(observer, 1 << bits)) for tensor, histogram in histograms.items()}

    return Ranges(covered(8), observer, len(samples), narrow=covered(NARROW_BITS))


def _batches(graph: FloatGraph, samples: NDArray[np.floating] | SampleSource) -> Iterator[NDArray[np.float32]]:
    nhwc = graph.topology.shape(graph.topology.input)[1:]
    for start in range(0, len(samples), BATCH):
        stop = start + BATCH
        batch = samples[start:stop] if isinstance(samples, np.ndarray) else samples.real(start, stop)
        yield np.asarray(batch, np.float32).reshape(-1, *nhwc)
