"""Accuracy counted on the device, over as many labelled samples as the wanted certainty takes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sq_micro.errors import GoldenMismatchError
from sq_micro.measure.harness import Int8Array, Progress
from sq_micro.measure.session import Session
from sq_micro.reference.golden_vectors import first_difference

CONFIDENCE = 0.95
_Z = 1.959964  # the normal quantile of 97.5 %
_LEAST_SAMPLES = 100  # the interval is not believed before
_BATCH = 32

Codes = Callable[[NDArray[np.int64]], Int8Array]
"""Indices of samples → their input codes (n, input_bytes)."""

Judge = Callable[[Int8Array, NDArray[np.int64]], int]
"""(output codes (n, output_bytes), indices of the samples) → how many are right."""

Reference = Callable[[Int8Array], Int8Array]
"""Input codes (n, input_bytes) → the output codes that the device must give."""


@dataclass(frozen=True, slots=True)
class DeviceAccuracy:
    """`correct` of `samples`, which were drawn from `available`; low and high bound the accuracy over many such."""

    correct: int
    samples: int
    available: int
    low: float
    high: float

    @property
    def accuracy(self) -> float:
        """Fraction of right answers."""
        return self.correct / self.samples


def wilson(correct: int, samples: int) -> tuple[float, float]:
    """The Wilson score interval at 95 %: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927), 209-212.

    >>> [round(bound, 4) for bound in wilson(9, 10)]
    [0.5958, 0.9821]
    """
    share, z2 = correct / samples, _Z * _Z
    middle = (share + z2 / (2 * samples)) / (1 + z2 / samples)
    half = _Z / (1 + z2 / samples) * math.sqrt(share * (1 - share) / samples + z2 / (4 * samples * samples))
    return max(0.0, middle - half), min(1.0, middle + half)


def count_accuracy(
    session: Session,
    available: int,
    codes: Codes,
    reference: Reference,
    judge: Judge,
    *,
    half_width: float = 0.0,
    seed: int = 0,
    progress: Progress | None = None,
) -> DeviceAccuracy:
    """Run labelled samples in random order until the interval is as narrow as wanted, or there are no more.

    half_width  of the interval, a fraction; 0: all samples
    Raises GoldenMismatchError iff the device answers a sample with other codes than the reference.
    """
    order = np.random.default_rng(seed).permutation(available)
    correct = done = 0
    for start in range(0, available, _BATCH):
        chosen = order[start : start + _BATCH]
        inputs = codes(chosen)
        outputs = np.stack([np.frombuffer(session.run(sample.tobytes())[1], np.int8) for sample in inputs])
        _require_same(outputs, reference(inputs), chosen)
        correct += judge(outputs, chosen)
        done += len(chosen)
        if progress is not None:
            progress(done, available)
        low, high = wilson(correct, done)
        if done >= _LEAST_SAMPLES and (high - low) / 2 <= half_width:
            break
    return DeviceAccuracy(correct, done, available, low, high)


def _require_same(outputs: Int8Array, expected: Int8Array, chosen: NDArray[np.int64]) -> None:
    for row in np.flatnonzero((outputs != expected).any(axis=1))[:1]:
        difference: GoldenMismatchError | None = first_difference(
            outputs[row], expected[row], f"output, labelled sample {chosen[row]}"
        )
        if difference is not None:
            raise difference
