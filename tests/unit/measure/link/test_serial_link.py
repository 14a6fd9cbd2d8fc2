"""The serial link over a real pseudo-terminal and a TCP socket, with the host-built firmware at the other end."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import serial

from sq_micro.board import SerialWiring
from sq_micro.errors import LinkError, LinkTimeoutError
from sq_micro.measure.link import serial_port
from sq_micro.measure.link.base import GreetedLink, Greeting
from sq_micro.measure.link.faulty_link import FaultyLink
from sq_micro.measure.link.serial_link import SerialLink
from sq_micro.measure.link.serial_port import ConnectedPort, SerialPort
from sq_micro.measure.session import Session
from tests.unit.measure.bridges import Bridge, on_pty, on_socket
from tests.unit.measure.fake_firmware import MODEL_BYTES, MODEL_HASH

pytestmark = pytest.mark.skipif(os.name != "posix", reason="no pseudo-terminals on this system")

SAMPLE = bytes(index * 7 % 125 for index in range(MODEL_BYTES))
BAUD = 921_600
HASTY = Greeting(every_s=0.2, limit_s=0.6)
SILENT = (sys.executable, "-c", "import sys; sys.stdin.buffer.read()")


@pytest.fixture
def board(host_firmware: Path) -> Iterator[Bridge]:
    with on_pty((str(host_firmware),)) as bridge:
        yield bridge


def infer(session: Session, sample: bytes) -> bytes:
    return session.run(sample)[1]


def test_a_board_on_a_pty_runs_its_model(board: Bridge) -> None:
    link = SerialLink(board.url, BAUD)
    assert isinstance(link, GreetedLink)
    with Session(link, model_hash=MODEL_HASH) as session:
        assert session.hello.model == "fake"
        for turn in range(5):
            sample = SAMPLE[turn:] + SAMPLE[:turn]
            assert infer(session, sample) == sample[::-1]


def test_a_board_on_a_socket_runs_its_model(host_firmware: Path) -> None:
    with on_socket((str(host_firmware),)) as url, Session(SerialLink(url, BAUD), model_hash=MODEL_HASH) as session:
        assert infer(session, SAMPLE) == SAMPLE[::-1]


@pytest.mark.parametrize("seed", range(3))
def test_faults_on_a_pty_cost_time_and_nothing_else(board: Bridge, seed: int) -> None:
    rates = {"drop": 0.0002, "duplicate": 0.0002, "flip": 0.0002, "repeat": 0.1, "stall": 0.0002}
    link = FaultyLink(SerialLink(board.url, BAUD), seed, **rates)
    with Session(link, model_hash=MODEL_HASH, timeout_s=0.1, attempts=20) as session:
        for turn in range(6):
            sample = SAMPLE[turn:] + SAMPLE[:turn]
            assert infer(session, sample) == sample[::-1]
    assert link.faults > 2, "the line was not bad"


@pytest.mark.parametrize(
    "banner",
    [
        b"Boot loader 1.2\r\nstarting...\r\n",
        b"x" * 5000,
        b"\0\0\xff\x00garbage\0",
        bytes(range(256)) * 8,
        b"\x07half a frame",
    ],
)
def test_a_boot_banner_does_not_confuse_the_first_reply(board: Bridge, banner: bytes) -> None:
    link = SerialLink(board.url, BAUD)
    link.open()
    board.say(banner)
    with Session(link, model_hash=MODEL_HASH) as session:
        assert infer(session, SAMPLE) == SAMPLE[::-1]


def test_what_an_earlier_host_left_half_said_is_no_harm(board: Bridge) -> None:
    first = SerialLink(board.url, BAUD)
    first.open()
    first.write(b"\x30half a request")
    first.close()
    link = SerialLink(board.url, BAUD, greeting=Greeting(every_s=30.0, limit_s=30.0))
    with Session(link) as session:
        assert session.hello.model == "fake", "the first HELLO is heard"


def test_another_model_is_refused(board: Bridge) -> None:
    with pytest.raises(LinkError, match="load the image of this run: `sq-micro flash`"):
        Session(SerialLink(board.url, BAUD), model_hash="ab" * 32).open()


def test_silence_is_told_soon() -> None:
    with on_pty(SILENT) as bridge, pytest.raises(LinkError, match=r"HELLO in 3 attempts.*it is silent"):
        Session(SerialLink(bridge.url, BAUD, greeting=HASTY)).open()


def test_another_firmware_is_quoted() -> None:
    chatter = "import os\nwhile os.read(0, 1): os.write(1, b'*** Booting Zephyr OS ***\\r\\n')"
    with on_pty((sys.executable, "-c", chatter)) as bridge, pytest.raises(LinkError, match="Booting Zephyr OS"):
        Session(SerialLink(bridge.url, BAUD, greeting=HASTY)).open()


def test_a_wrong_baud_rate_is_suspected_where_there_is_garbage() -> None:
    garbage = "import os\nwhile os.read(0, 1): os.write(1, bytes([0xF8, 0x80, 0x1C, 0xE6]))"
    with on_pty((sys.executable, "-c", garbage)) as bridge, pytest.raises(LinkError, match="baud rate"):
        Session(SerialLink(bridge.url, BAUD, greeting=HASTY)).open()


def test_a_board_that_is_unplugged_is_gone(board: Bridge) -> None:
    with Session(SerialLink(board.url, BAUD)) as session:
        board.unplug()
        with pytest.raises(LinkError, match=r"is gone .*unplugged"):
            session.run(SAMPLE)


def test_a_port_that_is_in_use_is_busy(board: Bridge) -> None:
    first = SerialLink(board.url, BAUD)
    first.open()
    with pytest.raises(LinkError, match="is busy: another program has it open"):
        SerialLink(board.url, BAUD).open()
    first.close()
    second = SerialLink(board.url, BAUD)
    second.open()
    second.close()
    second.close()


def test_a_port_that_is_not_there_is_told_with_those_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serial_port, "connected_ports", lambda: ())
    with pytest.raises(LinkError, match=r"there is no port /dev/ttyNONE; no serial port is connected"):
        SerialLink("/dev/ttyNONE", BAUD).open()
    there = ConnectedPort("/dev/ttyACM0", "STM32 STLink", "0483:374b", "066BFF")
    monkeypatch.setattr(serial_port, "connected_ports", lambda: (there,))
    with pytest.raises(LinkError, match=r"there are: /dev/ttyACM0 \(STM32 STLink, 0483:374b, serial number 066BFF\)"):
        SerialLink("/dev/ttyNONE", BAUD).open()


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (serial.SerialException(errno.EACCES, "could not open port"), r"usermod -a -G \w+ \$USER"),
        (serial.SerialException(errno.EBUSY, "could not open port"), "is busy"),
        (serial.SerialException("could not open port 'COM5': PermissionError(13, 'Access is denied.')"), "is busy"),
        (serial.SerialException("could not open port 'COM9': FileNotFoundError(2, '...')"), "there is no port"),
        (serial.SerialException(errno.EINVAL, "Could not configure port"), "cannot be opened: Invalid argument"),
        (ValueError("invalid URL, protocol 'foo' not known"), "cannot be opened"),
    ],
)
def test_each_grief_has_its_remedy(monkeypatch: pytest.MonkeyPatch, error: Exception, text: str) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(serial, "serial_for_url", refuse)
    with pytest.raises(LinkError, match=text):
        SerialLink("/dev/ttyACM0", BAUD).open()


def test_a_socket_that_nobody_listens_at_is_told() -> None:
    with pytest.raises(
        LinkError, match=r"socket://127\.0\.0\.1:1 cannot be reached: Connection refused; does the server"
    ):
        SerialLink("socket://127.0.0.1:1", BAUD).open()


def test_a_loop_echoes_and_reads_are_exact() -> None:
    link = SerialLink("loop://", BAUD)
    link.open()
    link.write(bytes(range(256)))
    assert link.read(3, 1) == b"\0\1\2"
    assert link.read(253, 1) == bytes(range(3, 256))
    link.write(b"abc")
    with pytest.raises(LinkTimeoutError) as caught:
        link.read(5, 0.05)
    assert caught.value.got == b"abc"
    link.close()
    with pytest.raises(LinkError, match="serial link is not open"):
        link.read(1, 1)


class Lines(SerialPort):
    """Keeps what was done to the lines."""

    done: list[tuple[bool | None, bool | None]]

    def set_lines(self, dtr: bool | None, rts: bool | None) -> None:
        self.__dict__.setdefault("done", []).append((dtr, rts))
        super().set_lines(dtr, rts)


@pytest.mark.parametrize(
    ("wiring", "lines"),
    [
        (None, [(None, None)]),
        (SerialWiring("a source", dtr=False, rts=False, reset="rts"), [(False, False), (None, True), (None, False)]),
        (SerialWiring("a source", reset="dtr"), [(None, None), (True, None), (False, None)]),
    ],
)
def test_a_reset_pulses_the_line_of_the_board(
    monkeypatch: pytest.MonkeyPatch, wiring: SerialWiring | None, lines: list[tuple[bool | None, bool | None]]
) -> None:
    monkeypatch.setattr("sq_micro.measure.link.serial_link.SerialPort", Lines)
    link = SerialLink("loop://", BAUD, wiring)
    link.open()
    link.write(b"old")
    link.reset()
    port = link._port
    assert isinstance(port, Lines)
    assert port.done == lines
    with pytest.raises(LinkTimeoutError):
        link.read(1, 0.0)
    link.close()
