"""The conversation: against a device in Python for every answer there can be, against real firmware for the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

from sq_micro.errors import DeviceError, LinkError, LinkTimeoutError
from sq_micro.measure.frame import Frame, encode_frame
from sq_micro.measure.link.base import Greeting
from sq_micro.measure.link.faulty_link import FaultyLink
from sq_micro.measure.link.host_link import HostLink
from sq_micro.measure.messages import AskHello, Invoke, ReadOutput, ReadProfile, WriteInput
from sq_micro.measure.session import Session
from tests.unit.measure import fake_firmware
from tests.unit.measure.python_device import MODEL_HASH, PythonDevice

SAMPLE = bytes(index * 7 % 125 for index in range(fake_firmware.MODEL_BYTES))


def session_with(device: PythonDevice, **options: Any) -> Session:
    return Session(device, clock=device.clock, **options)


# ---- What the host makes of answers ----


def test_hello_tells_who_is_there() -> None:
    device = PythonDevice()
    with session_with(device, model_hash=MODEL_HASH.upper()) as session:
        hello = session.hello
        assert (hello.board, hello.isa, hello.model) == ("desk", "armv7em_dsp", "sum")
        assert (hello.cycle_counter, hello.clock_hz, hello.operators) == ("dwt", 48_000_000, 70)
    assert not device.is_open


def test_another_model_is_refused_and_both_hashes_named() -> None:
    device = PythonDevice()
    with pytest.raises(LinkError) as caught:
        session_with(device, model_hash="cd" * 32).open()
    assert MODEL_HASH[:16] in str(caught.value)
    assert "cd" * 8 in str(caught.value)
    assert not device.is_open


def test_another_protocol_is_refused() -> None:
    with pytest.raises(LinkError, match="protocol 9"):
        session_with(PythonDevice(protocol=9)).open()


def test_long_reads_come_in_pieces() -> None:
    with session_with(PythonDevice()) as session:
        assert session.read_profile() == list(range(70))


def test_a_profile_adds_up() -> None:
    with session_with(PythonDevice()) as session:
        assert session.profile(b"\1\2\3\4") == (list(range(70)), b"\x0a\1")


@pytest.mark.parametrize(("message", "answers_for_another_input"), [(2, False), (4, True), (5, False)])
def test_what_does_not_belong_together_is_no_result(message: int, answers_for_another_input: bool) -> None:
    device, reset = PythonDevice(), PythonDevice()

    def answer(frame: Frame) -> bytes:
        if frame.id == message and answers_for_another_input:
            return reset.proper_answer(frame)
        if frame.id == message == 5:
            return encode_frame(Frame(frame.sequence, 0x85, bytes(1 + 4 * frame.body[2])))
        return encode_frame(Frame(frame.sequence, 0x82, b"\0")) if frame.id == message else device.proper_answer(frame)

    device.answer = answer
    with session_with(device) as session, pytest.raises(LinkError, match="in 4 inferences the device has not kept"):
        session.profile(b"\1\2\3\4")


def test_cycles_are_none_without_a_counter() -> None:
    with session_with(PythonDevice()) as session:
        assert session.run(b"\1\2\3\4")[0] == 1001
    with session_with(PythonDevice(cycle_source=0)) as session:
        assert session.run(b"\1\2\3\4")[0] is None


def test_an_input_of_the_wrong_length_is_refused() -> None:
    with session_with(PythonDevice()) as session, pytest.raises(LinkError, match=r"5 bytes.*takes 4"):
        session.write_input(bytes(5))


def test_a_closed_session_says_so() -> None:
    with pytest.raises(LinkError, match="not open"):
        _ = session_with(PythonDevice()).hello


def test_silence_ends_after_all_attempts_with_what_to_do() -> None:
    device = PythonDevice()
    device.answer = lambda frame: b""
    with pytest.raises(LinkError, match=r"HELLO in 3 attempts.*bench firmware") as caught:
        session_with(device, timeout_s=60).open()
    assert isinstance(caught.value.__cause__, LinkTimeoutError)
    assert device.now == pytest.approx(180)
    assert len({frame.sequence for frame in device.requests}) == 1, "an attempt keeps its number"


def test_a_damaged_answer_is_asked_for_again() -> None:
    device = PythonDevice()
    damage = [b"\x05garbage\0", b"x" * 600 + b"\0", b""]

    def answer(frame: Frame) -> bytes:
        return damage.pop(0) if damage else device.proper_answer(frame)

    device.answer = answer
    with session_with(device, attempts=8) as session:
        assert session.hello.model == "sum"


def test_a_line_of_garbage_only_is_given_up_soon() -> None:
    device = PythonDevice()
    device.answer = lambda frame: b"\xf8\x80\x1c\xe6" * 10 + b"\0"
    with pytest.raises(LinkError, match=r"HELLO in 64 attempts .*garbage: is the baud rate"):
        session_with(device).open()
    assert device.now == 0.0, "it does not wait for more of it"


def test_damaged_answers_end_with_the_time_of_all_attempts() -> None:
    device = PythonDevice()

    def answer(frame: Frame) -> bytes:
        device.now += 50
        return b"\x05garbage\0"

    device.answer = answer
    with pytest.raises(LinkError, match="HELLO in 4 attempts"):
        session_with(device, timeout_s=60, attempts=3).open()
    assert device.now <= 3 * 60 + 50


def test_a_device_that_may_be_starting_is_greeted_until_it_answers() -> None:
    device = PythonDevice()
    device.greeting = Greeting(every_s=0.5, limit_s=10.0)  # type: ignore[attr-defined]
    device.answer = lambda frame: device.proper_answer(frame) if device.now >= 3.0 else b""
    with session_with(device, timeout_s=60) as session:
        assert session.hello.model == "sum"
    assert device.now == pytest.approx(3.0)
    device.answer = lambda frame: b""
    with pytest.raises(LinkError, match=r"HELLO in 20 attempts .*it is silent"):
        session_with(device, timeout_s=60).open()
    assert device.now == pytest.approx(13.0)


def test_the_first_hello_does_not_complete_what_another_host_began() -> None:
    device = PythonDevice()
    written: list[bytes] = []
    write = device.write
    device.write = lambda data: (written.append(data), write(data))[1]  # type: ignore[method-assign, func-returns-value]
    with session_with(device):
        assert b"".join(written).startswith(b"\0")


def test_late_answers_are_not_taken_for_others() -> None:
    device = PythonDevice()

    def answer(frame: Frame) -> bytes:
        other_sequence = Frame((frame.sequence - 1) % 256, frame.id | 0x80, b"\1")
        other_message = Frame(frame.sequence, 0x81 if frame.id != 1 else 0x82, b"\1")
        return b"\0" + encode_frame(other_sequence) + encode_frame(other_message) + device.proper_answer(frame)

    device.answer = answer
    with session_with(device) as session:
        session.write_input(b"\1\2\3\4")
        assert session.read_output() == b"\x0a\1"


def test_sequence_numbers_go_round() -> None:
    with session_with(PythonDevice()) as session:
        for _ in range(300):
            session.read_stack()


@pytest.mark.parametrize(("status", "name"), [(1, "BAD_LENGTH"), (4, "COUNTER_DEAD"), (77, "status 77")])
def test_other_statuses_are_errors_of_the_device(status: int, name: str) -> None:
    device = PythonDevice()
    with session_with(device) as session:
        device.answer = lambda frame: encode_frame(Frame(frame.sequence, frame.id | 0x80, bytes((status,))))
        with pytest.raises(DeviceError, match=name) as caught:
            session.invoke()
    assert caught.value.status == name


def test_a_fault_is_an_error_of_the_device() -> None:
    device = PythonDevice()
    with session_with(device) as session:
        body = bytes.fromhex("80000008 b5000008 00820000 00000040 040000a0")
        device.answer = lambda frame: b"\x07half" + b"\0" + encode_frame(Frame(0, 0x7F, body)) * 2
        with pytest.raises(DeviceError, match="pc 0x08000080, lr 0x080000b5, cfsr 0x00008200") as caught:
            session.invoke()
    assert caught.value.status == "FAULT"


# ---- Real firmware, as a process ----


class Odd:
    """A request that no host would send."""

    name: ClassVar[str] = "HELLO"

    def __init__(self, name: str, body: bytes) -> None:
        self.name = name  # type: ignore[misc]
        self._body = body

    def body(self) -> bytes:
        return self._body

    def parse(self, answer: bytes) -> bytes:
        return answer


def test_the_firmware_runs_its_model(host_firmware: Path) -> None:
    with Session(HostLink(host_firmware), model_hash=fake_firmware.MODEL_HASH) as session:
        assert session.hello.operators == fake_firmware.OPERATORS
        assert session.hello.arena_bytes == 2 * fake_firmware.MODEL_BYTES
        for profile in (False, True):
            session.write_input(SAMPLE)
            assert session.invoke(profile=profile).cycles == 0
            assert session.read_output() == SAMPLE[::-1]
        assert session.read_profile() == [0, 0, 0]
        assert session.read_stack().reserved_bytes == 0


def test_a_run_that_is_asked_for_twice_runs_once(host_firmware: Path) -> None:
    with Session(HostLink(host_firmware)) as session:
        session.write_input(SAMPLE)
        session.ask(Invoke(5))
        session.ask(Invoke(5))
        assert session.read_output() == SAMPLE[::-1]
        session.ask(Invoke(6))  # the first run has used up the first byte of the input
        assert session.read_output() == SAMPLE[:0:-1] + b"\x29"
        session.write_input(SAMPLE)
        session.ask(AskHello())  # a new conversation counts anew
        session.ask(Invoke(6))
        assert session.read_output() == SAMPLE[::-1]


@pytest.mark.parametrize(
    "request_",
    [
        WriteInput(fake_firmware.MODEL_BYTES, b"x"),
        WriteInput(0xFFFF_FFFF, b"xx"),
        ReadOutput(fake_firmware.MODEL_BYTES - 1, 2),
        ReadOutput(0xFFFF_FFFF, 1),
        ReadOutput(0, 250),
        ReadProfile(3, 1),
        ReadProfile(0, 63),
    ],
)
def test_the_firmware_refuses_what_is_out_of_range(host_firmware: Path, request_: ReadOutput) -> None:
    with Session(HostLink(host_firmware)) as session:
        with pytest.raises(DeviceError, match="OUT_OF_RANGE"):
            session.ask(request_)
        assert session.ask(ReadOutput(fake_firmware.MODEL_BYTES, 0)) == b"", "the very end is within"


@pytest.mark.parametrize(
    ("name", "length"),
    [
        *(("HELLO", 1), ("WRITE_INPUT", 3), ("INVOKE", 4), ("INVOKE", 6), ("READ_OUTPUT", 4)),
        *(("READ_OUTPUT", 250), ("READ_PROFILE", 2), ("READ_STACK", 1)),
    ],
)
def test_the_firmware_refuses_bodies_of_the_wrong_length(host_firmware: Path, name: str, length: int) -> None:
    with Session(HostLink(host_firmware)) as session, pytest.raises(DeviceError, match="BAD_LENGTH"):
        session.ask(Odd(name, bytes(length)))


def test_the_firmware_refuses_messages_that_it_does_not_know(host_firmware: Path) -> None:
    with Session(HostLink(host_firmware)) as session, pytest.raises(DeviceError, match="UNKNOWN_MESSAGE"):
        session.ask(Odd("FAULT", b""))


@pytest.mark.parametrize("noise", [b"\0\0\0", b"\x01" * 258 + b"\0", b"x" * 5000 + b"\0", bytes(range(1, 256)) + b"\0"])
def test_the_firmware_finds_back_after_noise(host_firmware: Path, noise: bytes) -> None:
    with Session(HostLink(host_firmware)) as session:
        session.link.write(noise)
        assert session.read_stack().used_bytes == 0


@pytest.mark.parametrize("seed", range(6))
def test_a_bad_line_costs_time_and_nothing_else(host_firmware: Path, seed: int) -> None:
    rates = {"drop": 0.0005, "duplicate": 0.0005, "flip": 0.0005, "repeat": 0.2}
    link = FaultyLink(HostLink(host_firmware), seed, **rates)
    with Session(link, model_hash=fake_firmware.MODEL_HASH, timeout_s=0.05, attempts=30) as session:
        for turn in range(10):
            sample = SAMPLE[turn:] + SAMPLE[:turn]
            session.write_input(sample)
            session.invoke()
            assert session.read_output() == sample[::-1]
    assert link.faults > 5, "the line was not bad"
