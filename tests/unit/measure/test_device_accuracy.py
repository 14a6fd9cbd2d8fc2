"""Accuracy counted on a device: the interval, the early stop, the order, and what it refuses to count."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sq_micro.errors import GoldenMismatchError
from sq_micro.measure.device_accuracy import DeviceAccuracy, count_accuracy, wilson
from sq_micro.measure.session import Session
from tests.unit.measure.python_device import INPUT_BYTES, PythonDevice

AVAILABLE = 1000
INPUTS = np.random.default_rng(0).integers(-128, 128, (AVAILABLE, INPUT_BYTES)).astype(np.int8)


def reference(inputs: np.ndarray) -> np.ndarray:
    return np.stack([inputs.astype(np.int64).sum(axis=1).astype(np.int8), inputs[:, 0]], axis=1)


# Three in four samples are right, the wrong ones last: a set sorted by class must not mislead an early stop.
RIGHT = np.arange(AVAILABLE) < 750


def count(device: PythonDevice, **options: float) -> DeviceAccuracy:
    with Session(device, clock=device.clock) as session:
        return count_accuracy(
            session,
            AVAILABLE,
            lambda chosen: INPUTS[chosen],
            reference,
            lambda _outputs, chosen: int(RIGHT[chosen].sum()),
            **options,  # type: ignore[arg-type]
        )


def test_all_samples_are_counted_by_default() -> None:
    found = count(PythonDevice())
    assert (found.correct, found.samples, found.available, found.accuracy) == (750, 1000, 1000, 0.75)
    assert (found.low, found.high) == wilson(750, 1000)


def test_counting_stops_when_it_is_certain_enough() -> None:
    found = count(PythonDevice(), half_width=0.05)
    assert 250 <= found.samples <= 320, "1.96 · sqrt(0.75 · 0.25 / n) = 0.05 at n = 288"
    assert found.high - found.low <= 0.1
    assert found.low < 0.75 < found.high
    assert count(PythonDevice(), half_width=0.05) == found, "the order is the same each time"
    assert count(PythonDevice(), half_width=0.05, seed=1).correct != found.correct


def test_a_wide_interval_still_takes_a_hundred_samples() -> None:
    assert 100 <= count(PythonDevice(), half_width=0.9).samples <= 128


def test_an_output_that_differs_from_the_reference_counts_for_nothing() -> None:
    device = PythonDevice()
    device.output = lambda: b"\0\0"  # type: ignore[method-assign]
    with pytest.raises(GoldenMismatchError, match="labelled sample"):
        count(device)


@given(st.integers(1, 10_000), st.data())
def test_the_interval_holds_the_share_and_narrows(samples: int, data: st.DataObject) -> None:
    correct = data.draw(st.integers(0, samples))
    low, high = wilson(correct, samples)
    assert 0.0 <= low <= correct / samples + 1e-12
    assert correct / samples - 1e-12 <= high <= 1.0
    wide_low, wide_high = wilson(correct * 4, samples * 4)
    assert wide_high - wide_low < high - low


def test_nineteen_of_twenty_intervals_hold_the_truth() -> None:
    counts = np.random.default_rng(3).binomial(200, 0.9, 2000)
    covered = np.mean([wilson(int(c), 200)[0] <= 0.9 <= wilson(int(c), 200)[1] for c in counts])
    assert 0.93 < covered < 0.97
