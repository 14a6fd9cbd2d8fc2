"""Requests and replies as bytes, and the list they come from."""

from __future__ import annotations

import re

import pytest

from sq_micro.errors import LinkError
from sq_micro.measure.messages import (
    PROTOCOL_VERSION,
    AskHello,
    Fault,
    Invoke,
    Invoked,
    ReadArena,
    ReadOutput,
    ReadProfile,
    ReadStack,
    Spin,
    StackUse,
    Step,
    TakeInput,
    WriteInput,
    message_ids,
    statuses,
)
from sq_micro.paths import project_files


def test_ids_and_statuses_are_those_of_the_protocol() -> None:
    assert message_ids() == {
        "HELLO": 1,
        "WRITE_INPUT": 2,
        "INVOKE": 3,
        "READ_OUTPUT": 4,
        "READ_PROFILE": 5,
        "READ_STACK": 6,
        "SPIN": 7,
        "STEP": 8,
        "READ_ARENA": 9,
        "TAKE_INPUT": 10,
        "FAULT": 0x7F,
    }
    assert [statuses()[value].name for value in range(6)] == [
        "OK",
        "BAD_LENGTH",
        "UNKNOWN_MESSAGE",
        "OUT_OF_RANGE",
        "COUNTER_DEAD",
        "OUT_OF_ORDER",
    ]
    assert all(status.text for status in statuses().values())


def test_no_line_of_the_list_is_overlooked() -> None:
    text = (project_files() / "firmware" / "protocol" / "protocol.def").read_text(encoding="utf-8")
    entries = [line for line in text.splitlines() if re.match(r"SQM_(MESSAGE|STATUS)\(", line)]
    assert len(entries) == len(message_ids()) + len(statuses())


def test_the_firmware_has_the_same_protocol_version() -> None:
    text = (project_files() / "firmware" / "include" / "sqm" / "status.h").read_text(encoding="utf-8")
    assert f"#define SQM_PROTOCOL_VERSION {PROTOCOL_VERSION}\n" in text


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        (AskHello(), ""),
        (WriteInput(0x0102, b"\xff\x00"), "02 01 00 00 ff 00"),
        (Invoke(7), "07 00 00 00 00"),
        (Invoke(7, profile=True), "07 00 00 00 01"),
        (ReadOutput(256, 249), "00 01 00 00 f9"),
        (ReadProfile(62, 3), "3e 00 03"),
        (ReadStack(), ""),
        (Spin(1000), "e8 03 00 00"),
        (Step(258), "02 01"),
        (ReadArena(256, 249), "00 01 00 00 f9"),
        (TakeInput(1), "01 00"),
    ],
)
def test_bodies_of_requests(request_: AskHello, body: str) -> None:
    assert request_.body() == bytes.fromhex(body)


def test_answers_are_read() -> None:
    reply = bytes.fromhex("07000000 9a78563412000000 01000000 02000000")
    assert Invoke(7).parse(reply) == Invoked(0x12_3456_789A, 1, 2)
    assert ReadOutput(0, 2).parse(b"\1\2") == b"\1\2"
    assert ReadProfile(0, 2).parse(bytes.fromhex("01000000 ffffffff")) == (1, 0xFFFF_FFFF)
    assert ReadStack().parse(bytes.fromhex("68000000 00080000")) == StackUse(104, 2048)


def test_a_fault_says_where() -> None:
    fault = Fault.from_body(bytes.fromhex("80000008 b5000008 00820000 00000040 040000a0"))
    assert fault.pc == 0x0800_0080
    assert str(fault) == "pc 0x08000080, lr 0x080000b5, cfsr 0x00008200, hfsr 0x40000000, bfar 0xa0000004"


def test_a_trap_of_riscv_says_where() -> None:
    fault = Fault.from_body(bytes.fromhex("1c180120 a2020120 02000000 00000000"))
    assert fault.pc == 0x2001_181C
    assert str(fault) == "mepc 0x2001181c, ra 0x200102a2, mcause 0x00000002, mtval 0x00000000"


def test_a_fault_of_another_length_is_none_of_ours() -> None:
    with pytest.raises(LinkError, match="FAULT makes no sense"):
        Fault.from_body(bytes(12))


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (AskHello(), b"\1"),
        (AskHello(), b"\3\0" + bytes(60)),
        (AskHello(), b"\3\0\7" + bytes(52) + b"a\0b\0c\0"),  # a cycle counter nobody knows
        (WriteInput(0, b""), b"\0"),
        (Invoke(7), bytes(20)),  # another run
        (Invoke(7), b"\7"),
        (ReadOutput(0, 2), b"\1"),
        (ReadProfile(0, 2), bytes(4)),
        (ReadStack(), bytes(7)),
        (Spin(1), bytes(3)),
        (Step(1), b"\0"),
        (ReadArena(0, 2), b"\1"),
        (TakeInput(1), b"\0"),
    ],
)
def test_answers_of_another_form_are_refused(request_: Invoke, answer: bytes) -> None:
    with pytest.raises(LinkError, match=f"{request_.name}.*rebuild"):
        request_.parse(answer)


def test_another_protocol_is_refused_by_its_number() -> None:
    with pytest.raises(LinkError, match="protocol 2"):
        AskHello().parse(b"\2\0")
