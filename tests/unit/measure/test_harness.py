"""Measuring: what is run, what is counted, what is compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sq_micro.errors import GoldenMismatchError, LinkError
from sq_micro.measure.harness import measure
from sq_micro.measure.link.base import Counters
from sq_micro.measure.link.host_link import HostLink
from sq_micro.measure.session import Session
from sq_micro.reference.golden_vectors import first_difference
from tests.unit.measure import fake_firmware
from tests.unit.measure.python_device import CountingDevice, PythonDevice

SAMPLES = np.array([[1, 2, 3, 4], [-1, 0, 0, 0], [5, 5, 5, 5]], dtype=np.int8)
EXPECTED = np.array([[10, 1], [-1, -1], [20, 5]], dtype=np.int8)


def test_every_sample_runs_once_and_the_first_runs_are_timed() -> None:
    device = CountingDevice()
    seen: list[tuple[int, int]] = []
    with Session(device, clock=device.clock) as session:
        found = measure(session, SAMPLES, EXPECTED, runs=2, progress=lambda done, total: seen.append((done, total)))
    assert found.cycles == [1001, 1002]
    assert found.instructions == [701, 702]
    assert found.operator_cycles == list(range(70))
    assert found.operator_instructions == list(range(0, 140, 2))
    assert (found.link, found.cycle_source, found.clock_hz, found.runs) == ("python", "measured", 48_000_000, 2)
    assert (found.stack_used_bytes, found.stack_reserved_bytes) == (104, 2048)
    assert found.identical == 3
    np.testing.assert_array_equal(found.outputs, EXPECTED)
    assert not found.outputs.flags.writeable
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert str(found) == "python: 1,001 cycles (measured), 2 runs, 3 of 3 outputs identical"


def test_a_profile_that_the_simulator_has_forgotten_is_not_told() -> None:
    class Forgetful(CountingDevice):
        def counters(self) -> Counters:
            return replace(super().counters(), reads=super().counters().reads[-139:])

    device = Forgetful()
    with Session(device, clock=device.clock) as session:
        found = measure(session, SAMPLES, EXPECTED, runs=1)
    assert found.operator_cycles == list(range(70))
    assert found.operator_instructions is None


def test_more_runs_than_samples_go_round() -> None:
    device = PythonDevice()
    with Session(device, clock=device.clock) as session:
        found = measure(session, SAMPLES, runs=7)
    assert found.cycles == list(range(1001, 1008))
    assert found.outputs.shape == (3, 2)
    assert found.identical is None
    assert found.instructions is None
    assert device.invokes == 8, "seven, and one profiled"


def test_warm_up_runs_count_for_nothing() -> None:
    device = PythonDevice()
    with Session(device, clock=device.clock) as session:
        found = measure(session, SAMPLES, EXPECTED, runs=2, warm_up=3)
    assert found.cycles == [1004, 1005]
    assert found.identical == 3


def test_what_the_image_carries_is_not_sent() -> None:
    device = PythonDevice()
    with Session(device, clock=device.clock) as session:
        found = measure(session, SAMPLES, EXPECTED, runs=5, carried=2)
    assert found.identical == 3
    written = [frame for frame in device.requests if frame.id == 2]
    assert len(written) == 2, "the third sample, and the first one for the profile"
    assert len([frame for frame in device.requests if frame.id == 10]) == 4


def test_another_input_than_the_carried_one_is_noticed() -> None:
    device = PythonDevice()
    device.carried = (b"\0\0\0\0", b"\1\1\1\1")
    with Session(device, clock=device.clock) as session, pytest.raises(LinkError, match="not kept its input"):
        measure(session, SAMPLES, carried=2)


def test_a_counter_of_instructions_gives_no_cycles() -> None:
    device = PythonDevice()
    device.cycle_kind = "instructions"  # type: ignore[assignment]
    with Session(device, clock=device.clock) as session:
        found = measure(session, SAMPLES, runs=2)
    assert found.instructions == [1001, 1002]
    assert found.operator_instructions == list(range(70))
    assert (found.cycles, found.operator_cycles, found.cycle_source) == (None, None, "none")
    assert "instructions" in str(found)
    assert "cycles" not in str(found)


def test_without_a_counter_nothing_is_counted() -> None:
    device = CountingDevice(cycle_source=0)
    with Session(device, clock=device.clock) as session:
        found = measure(session, SAMPLES, EXPECTED)
    assert (found.cycles, found.instructions, found.operator_cycles) == (None, None, None)
    assert found.cycle_source == "none"
    assert str(found) == "python: no cycle counter, 1 runs, 3 of 3 outputs identical"
    assert device.invokes == 3, "nothing to profile"


def test_differing_outputs_are_counted_and_the_first_is_found() -> None:
    wrong = EXPECTED.copy()
    wrong[1, 1] = 7
    wrong[2, 0] = 0
    device = PythonDevice()
    with Session(device, clock=device.clock) as session:
        found = measure(session, SAMPLES, wrong)
    assert found.identical == 1
    error = first_difference(found.outputs, wrong)
    assert error is not None
    assert (error.index, error.got, error.expected, error.differing_count) == (3, -1, 7, 2)
    assert first_difference(found.outputs, EXPECTED) is None


def test_a_device_that_changes_its_mind_is_found_out() -> None:
    device = PythonDevice()

    def output() -> bytes:
        first, second = PythonDevice.output(device)
        return bytes((first ^ (device.invokes == 4), second))

    device.output = output  # type: ignore[method-assign]
    with Session(device, clock=device.clock) as session, pytest.raises(GoldenMismatchError, match="invoked again"):
        measure(session, SAMPLES, runs=4)


@pytest.mark.parametrize(
    ("samples", "expected", "runs", "text"),
    [
        (SAMPLES[:, :3], None, 1, "takes int8"),
        (SAMPLES[:0], None, 1, "takes int8"),
        (SAMPLES.astype(np.int16), None, 1, "int16"),
        (SAMPLES, EXPECTED[:2], 1, "expected outputs"),
        (SAMPLES, EXPECTED, 0, "0 runs"),
    ],
)
def test_wrong_shapes_are_refused(samples: np.ndarray, expected: np.ndarray | None, runs: int, text: str) -> None:
    device = PythonDevice()
    with Session(device, clock=device.clock) as session, pytest.raises(LinkError, match=text):
        measure(session, samples, expected, runs=runs)


def test_real_firmware_is_measured(host_firmware: Path) -> None:
    samples = np.random.default_rng(3).integers(-128, 127, (5, fake_firmware.MODEL_BYTES)).astype(np.int8)
    with Session(HostLink(host_firmware), model_hash=fake_firmware.MODEL_HASH) as session:
        found = measure(session, samples, np.ascontiguousarray(samples[:, ::-1]), runs=8)
    assert found.identical == 5
    assert found.cycles is None
    assert found.stack_used_bytes is None
