"""Whatever the line and the board do: the right result or one line of error, within the time limit."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from sq_micro.errors import LinkError
from sq_micro.measure import session as session_module
from sq_micro.measure.link.faulty_link import FaultyLink
from sq_micro.measure.session import Session
from tests.unit.measure.forgetful_device import BYTES, ForgetfulDevice, expected_output
from tests.unit.measure.python_device import MODEL_HASH

TIMEOUT_S = 1.0
ATTEMPTS = 6
RUNS = 2
REQUESTS_A_RUN = 3 + 1 + 3


def outcome(seed: int) -> str:
    """`right`, `wrong`, or what the error was about."""
    draw = random.Random(seed)
    bad = draw.choice((0.0003, 0.001, 0.003, 0.01, 0.03))  # per byte; the last one lets hardly a message through
    device = ForgetfulDevice()
    link = FaultyLink(
        device,
        seed,
        drop=draw.random() * bad,
        duplicate=draw.random() * bad,
        flip=draw.random() * bad,
        repeat=draw.random() * 0.1,
        stall=draw.random() * bad,
        restart=draw.random() * bad / 4,
        blink=draw.random() * bad,
        vanish_after=draw.randrange(40) if draw.random() < 0.05 else None,
    )
    result = "right"
    try:
        with Session(
            link, model_hash=MODEL_HASH, timeout_s=TIMEOUT_S, attempts=ATTEMPTS, clock=device.clock
        ) as session:
            for _ in range(RUNS):
                data = draw.randbytes(BYTES)
                _, output = session.run(data)
                if output != expected_output(data):
                    result = "wrong"
    except LinkError as error:
        said = str(error)
        result = "gone" if "gone" in said else "gave up" if "\n" not in said else "more than one line"
    assert not device.is_open
    requests = 1 + RUNS * (ATTEMPTS + 1) * REQUESTS_A_RUN
    assert device.now <= requests * ATTEMPTS * TIMEOUT_S
    return result


@pytest.fixture(autouse=True)
def _short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three messages for an input and three for an output, so that a reset can come between any two."""
    monkeypatch.setattr(session_module, "MAX_INPUT_CHUNK", 2)
    monkeypatch.setattr(session_module, "MAX_OUTPUT_CHUNK", 2)


@pytest.mark.parametrize("first", range(0, 400, 100))
def test_no_schedule_of_faults_gives_a_wrong_result(first: int) -> None:
    counts = Counter(outcome(seed) for seed in range(first, first + 100))
    assert counts.keys() <= {"right", "gave up", "gone"}, counts
    assert counts["right"] > 50, f"the session gives up too soon: {counts}"


@pytest.mark.long
def test_ten_thousand_schedules_give_no_wrong_result() -> None:
    counts = Counter(outcome(seed) for seed in range(10_000))
    assert counts.keys() == {"right", "gave up", "gone"}, counts
    assert counts["right"] > 5_500, counts


def test_without_faults_nothing_is_repeated() -> None:
    device = ForgetfulDevice()
    with Session(device, clock=device.clock) as session:
        _, output = session.run(b"abcdef")
    assert output == expected_output(b"abcdef")
    assert len(device.requests) == 1 + REQUESTS_A_RUN


class ResettingLink(FaultyLink):
    """Resets the device silently between messages: no byte is lost, only what the device remembered."""

    def __init__(self, device: ForgetfulDevice, before: set[int]) -> None:
        super().__init__(device, 0)
        self._device = device
        self._before = before
        self._writes = 0

    def write(self, data: bytes) -> None:
        self._writes += 1
        if self._writes in self._before:
            self._device.reset()
        super().write(data)


@pytest.mark.parametrize("write", range(3, 3 + REQUESTS_A_RUN))
def test_a_reset_that_nobody_sees_costs_one_more_run_at_most(write: int) -> None:
    device = ForgetfulDevice()
    with Session(ResettingLink(device, {write}), clock=device.clock) as session:
        _, output = session.run(b"abcdef")
    assert output == expected_output(b"abcdef")


def test_a_board_that_keeps_restarting_is_said_to() -> None:
    device = ForgetfulDevice()
    with (
        Session(ResettingLink(device, set(range(4, 100, 3))), clock=device.clock) as session,
        pytest.raises(LinkError, match=r"in 4 inferences .* does the board restart\?"),
    ):
        session.run(b"abcdef")
