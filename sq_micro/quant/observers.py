"""Observers: watch a tensor's values as they stream by, then say which range the codes should cover.

All three keep a fixed amount of memory, however many samples pass. An observer is fed twice: first
`see_range` with every batch, then `see_values` with every batch again, when the bins are known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

ObserverName = Literal["mse", "minmax", "percentile", "given"]  # given: by the model's file, nothing is observed
OBSERVERS: tuple[ObserverName, ...] = ("mse", "minmax", "percentile")

BINS = 2048  # 8 bins a code: finer than int8 can resolve
KEPT_FRACTION = 0.999  # the 99.9 percentile on both sides


@dataclass(slots=True)
class Histogram:
    """Extremes and a histogram of one tensor."""

    minimum: float = np.inf
    maximum: float = -np.inf
    samples: int = 0
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS, np.int64))

    def see_range(self, values: NDArray[np.float32]) -> None:
        """First pass: widen the extremes."""
        self.minimum = min(self.minimum, float(values.min()))
        self.maximum = max(self.maximum, float(values.max()))
        self.samples += len(values)

    def see_values(self, values: NDArray[np.float32]) -> None:
        """Second pass: count, between the extremes of the first."""
        if self.maximum > self.minimum:
            # In float64: between neighbouring float32 values there are no 2048 bins of float32.
            self.counts += np.histogram(values.astype(np.float64), BINS, (self.minimum, self.maximum))[0]

    def covered(self, observer: ObserverName, levels: int = 256) -> tuple[float, float]:
        """(minimum, maximum) that so many codes should span; always holds zero."""
        if observer == "minmax" or self.maximum <= self.minimum:
            return min(self.minimum, 0.0), max(self.maximum, 0.0)
        if observer == "percentile":
            return self._percentile()
        return self._least_squares(levels)

    def _edges(self) -> NDArray[np.float64]:
        return np.linspace(self.minimum, self.maximum, BINS + 1)

    def _percentile(self) -> tuple[float, float]:
        cumulative = np.cumsum(self.counts) / max(int(self.counts.sum()), 1)
        edges = self._edges()
        low = edges[int(np.searchsorted(cumulative, 1.0 - KEPT_FRACTION))]
        high = edges[min(int(np.searchsorted(cumulative, KEPT_FRACTION)) + 1, BINS)]
        return min(float(low), 0.0), max(float(high), 0.0)

    def _least_squares(self, levels: int) -> tuple[float, float]:
        """Shrink each end in turn while the mean squared quantization error falls."""
        edges = self._edges()
        centres = (edges[:-1] + edges[1:]) / 2
        weights = self.counts / max(int(self.counts.sum()), 1)
        low, high = min(self.minimum, 0.0), max(self.maximum, 0.0)
        fractions = np.linspace(1.0, 0.2, 81)

        def error(candidate_low: float, candidate_high: float) -> float:
            scale = max(candidate_high - candidate_low, 1e-30) / (levels - 1)
            zero = np.round(-candidate_low / scale)
            codes = np.clip(np.round(centres / scale) + zero, 0, levels - 1)
            # Inside the range a value is off by scale²/12 on average, whatever its bin's centre says.
            rounding = np.where(
                (codes > 0) & (codes < levels - 1), scale**2 / 12, (centres - (codes - zero) * scale) ** 2
            )
            return float((weights * rounding).sum())

        for _ in range(2):
            high = min((error(low, high * f), high * f) for f in fractions)[1] if high > 0 else high
            low = min((error(low * f, high), low * f) for f in fractions)[1] if low < 0 else low
        return low, high
