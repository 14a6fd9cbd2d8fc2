"""No figure from a counter that stands still, counts something else, or runs at another rate than the firmware says."""

from __future__ import annotations

import pytest

from sq_micro.errors import LinkError
from sq_micro.measure.counter_check import check_counter
from sq_micro.measure.frame import Frame
from sq_micro.measure.harness import measure
from sq_micro.measure.session import Session
from tests.unit.measure.python_device import CLOCK_HZ, PythonDevice
from tests.unit.measure.test_harness import EXPECTED, SAMPLES


def checked(device: PythonDevice, *, against_clock: bool = True) -> bool:
    with Session(device, clock=device.clock) as session:
        return check_counter(session, against_clock=against_clock)


def test_a_good_counter_passes() -> None:
    assert checked(PythonDevice())


@pytest.mark.parametrize("factor", [0.85, 1.2])
def test_a_core_that_is_a_little_off_passes(factor: float) -> None:
    device = PythonDevice()
    device.real_hz = factor * CLOCK_HZ
    assert checked(device)


@pytest.mark.parametrize("factor", [1 / 3, 0.75, 1.5, 4.0])
def test_a_core_at_another_clock_is_refused(factor: float) -> None:
    device = PythonDevice()
    device.real_hz = factor * CLOCK_HZ
    with pytest.raises(LinkError, match=f"about {factor * 48:.3g} MHz .* built for 48 MHz"):
        checked(device)
    device = PythonDevice()
    device.real_hz = factor * CLOCK_HZ
    assert checked(device, against_clock=False), "a simulator's time is its own"


@pytest.mark.parametrize("scale", [0.01, 200.0])
def test_what_cannot_be_cycles_is_refused(scale: float) -> None:
    device = PythonDevice()
    device.spin_scale = scale
    with pytest.raises(LinkError, match="is none"):
        checked(device)


def test_a_counter_that_stands_still_reports_no_cycles() -> None:
    device = PythonDevice()
    device.spin_scale = 0.0
    with Session(device, clock=device.clock) as session:
        found = measure(session, SAMPLES, EXPECTED)
    assert not found.counter_alive
    assert found.cycles is None
    assert found.operator_cycles is None
    assert found.cycle_source == "none"
    assert found.identical == len(SAMPLES)


def test_a_device_without_a_counter_is_not_asked() -> None:
    device = PythonDevice(cycle_source=0)
    assert not checked(device)
    assert [frame.id for frame in device.requests] == [1]


@pytest.mark.parametrize("late", range(2, 9))
def test_one_message_that_is_late_condemns_no_core(late: int) -> None:
    device = PythonDevice()
    answer = device.answer

    def sometimes_late(frame: Frame) -> bytes:
        device.now += 3.0 if len(device.requests) == late else 0.002
        return answer(frame)

    device.answer = sometimes_late
    assert checked(device)
