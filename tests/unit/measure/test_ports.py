"""Which board is behind which port: by USB id, by what the firmware says, and never by guessing."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from sq_micro.board import Board, SerialWiring, load_board
from sq_micro.errors import LinkError, UsageError
from sq_micro.measure import ports
from sq_micro.measure.link import serial_port
from sq_micro.measure.link.make_link import make_link
from sq_micro.measure.link.renode_link import RenodeLink
from sq_micro.measure.link.serial_link import SerialLink
from sq_micro.measure.link.serial_port import ConnectedPort, connected_ports
from sq_micro.measure.ports import PortFinding, choose_port, list_ports
from tests.unit.measure.bridges import on_pty
from tests.unit.measure.fake_firmware import MODEL_HASH

needs_pty = pytest.mark.skipif(os.name != "posix", reason="no pseudo-terminals on this system")

STLINK = ConnectedPort("/dev/ttyACM0", "STM32 STLink", "0483:374b", "066BFF")
SECOND = ConnectedPort("/dev/ttyACM1", "STM32 STLink", "0483:374b", "0672FF")
MODEM = ConnectedPort("/dev/ttyUSB0", "a modem", "1a86:7523", None)


@pytest.fixture
def nucleo() -> Board:
    return load_board("nucleo_l4r5zi")


def listing(monkeypatch: pytest.MonkeyPatch, *present: ConnectedPort) -> None:
    monkeypatch.setattr(ports, "connected_ports", lambda: present)


def test_ports_are_told_as_the_system_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = [
        SimpleNamespace(device="/dev/ttyUSB0", vid=0x1A86, pid=0x7523, description="a modem", serial_number=None),
        SimpleNamespace(device="/dev/ttyS0", vid=None, pid=None, description="n/a", serial_number=None),
        SimpleNamespace(
            device="/dev/ttyACM0", vid=0x0483, pid=0x374B, description="STM32 STLink", serial_number="066BFF"
        ),
        SimpleNamespace(device="COM1", vid=None, pid=None, description="Communications Port", serial_number=None),
    ]
    monkeypatch.setattr(serial_port.list_ports, "comports", lambda: raw)
    assert connected_ports() == (STLINK, MODEM, ConnectedPort("COM1", "Communications Port", None, None))


def test_the_one_port_of_a_board_is_chosen(nucleo: Board) -> None:
    assert choose_port(nucleo, [MODEM, STLINK]) == "/dev/ttyACM0"


def test_of_two_boards_none_is_chosen(nucleo: Board) -> None:
    with pytest.raises(UsageError, match=r"2 ports could be a nucleo_l4r5zi: .*066BFF.*0672FF.*; choose one with"):
        choose_port(nucleo, [STLINK, SECOND, MODEM])


@pytest.mark.parametrize(("present", "text"), [([], "no serial port is connected"), ([MODEM], "there are: .*a modem")])
def test_without_the_board_its_usb_id_is_told(nucleo: Board, present: list[ConnectedPort], text: str) -> None:
    with pytest.raises(LinkError, match=f"USB id of a nucleo_l4r5zi \\(0483:374b\\); {text}"):
        choose_port(nucleo, present)
    with pytest.raises(LinkError, match="no serial port of its own: connect an adapter"):
        choose_port(replace(nucleo, serial=None), present)


def test_unknown_ports_are_listed_and_left_alone(monkeypatch: pytest.MonkeyPatch, nucleo: Board) -> None:
    listing(monkeypatch, MODEM)
    monkeypatch.setattr(ports, "SerialLink", None)
    found = list_ports(boards=[nucleo])
    assert found == [PortFinding(MODEM, (), None, None)]
    assert (
        str(found[0])
        == "/dev/ttyUSB0 (a modem, 1a86:7523): no board has this USB id; an adapter of your own is named with --port"
    )


def test_a_port_that_does_not_open_is_listed_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    listing(monkeypatch, replace(STLINK, name="/dev/ttyNONE"))
    found = list_ports()[0]
    assert found.hello is None
    assert found.problem is not None
    assert "there is no port" in found.problem
    assert "nucleo_l4r5zi" in found.boards


def test_ports_can_be_listed_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    listing(monkeypatch, replace(STLINK, name="/dev/ttyNONE"))
    found = list_ports(ask=False)[0]
    assert (found.hello, found.problem) == (None, None)
    assert "nucleo_l4r5zi" in str(found)


@needs_pty
def test_the_firmware_says_which_board_it_is(
    monkeypatch: pytest.MonkeyPatch, nucleo: Board, host_firmware: Path
) -> None:
    with on_pty((str(host_firmware),)) as bridge:
        listing(monkeypatch, replace(STLINK, name=bridge.url))
        found = list_ports(boards=[nucleo])[0]
    assert found.hello is not None
    assert found.hello.board == "host"
    assert str(found).endswith(f": host, runs model 'fake' ({MODEL_HASH[:16]})")


@needs_pty
def test_a_silent_board_is_asked_at_each_baud_rate_it_could_have(
    monkeypatch: pytest.MonkeyPatch, nucleo: Board
) -> None:
    monkeypatch.setattr(ports, "_GREETING", replace(ports._GREETING, every_s=0.05, limit_s=0.1))
    slow = replace(nucleo, id="slow", uart=replace(nucleo.uart, baud=115_200))
    asked: list[int] = []

    class Noting(SerialLink):
        def __init__(self, url: str, baud: int, *rest: object, **options: object) -> None:
            asked.append(baud)
            super().__init__(url, baud, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(ports, "SerialLink", Noting)
    with on_pty((sys.executable, "-c", "import sys; sys.stdin.buffer.read()")) as bridge:
        listing(monkeypatch, replace(STLINK, name=bridge.url))
        found = list_ports(boards=[nucleo, slow])[0]
    assert asked == [921_600, 115_200]
    assert found.problem is not None
    assert "it is silent" in found.problem
    assert "which does not answer: " in str(found)
    assert found.problem in str(found)
    assert found.boards == ("nucleo_l4r5zi", "slow")


# ---- make_link ----


def test_links_to_boards_and_to_renode_are_made_by_name(
    monkeypatch: pytest.MonkeyPatch, nucleo: Board, tmp_path: Path
) -> None:
    elf = tmp_path / "firmware.elf"
    named = make_link("serial", elf, nucleo, port="socket://farm:4000")
    assert isinstance(named, SerialLink)
    assert (named._url, named._baud, named._wiring) == ("socket://farm:4000", 921_600, nucleo.serial)
    monkeypatch.setattr(ports, "connected_ports", lambda: (STLINK,))
    found = make_link("serial", elf, nucleo)
    assert isinstance(found, SerialLink)
    assert found._url == "/dev/ttyACM0"
    renode = make_link("renode", elf, nucleo, renode="my/renode")
    assert isinstance(renode, RenodeLink)
    assert renode.log == tmp_path / "renode" / "renode.log"
    assert (renode.name, renode.cycle_kind) == ("renode", "instructions")


def test_a_named_port_needs_no_table(nucleo: Board) -> None:
    bare = replace(nucleo, serial=None)
    with pytest.raises(UsageError, match="has no link 'serial'"):
        make_link("serial", Path("a.elf"), bare)
    assert isinstance(make_link("serial", Path("a.elf"), bare, port="COM5"), SerialLink)


def test_a_port_is_for_the_serial_link_only(nucleo: Board) -> None:
    with pytest.raises(UsageError, match="--port COM5 is for --link serial; the link here is 'simulator'"):
        make_link("simulator", Path("a.elf"), nucleo, port="COM5")


def test_a_board_that_holds_its_lines_is_opened_so(nucleo: Board) -> None:
    wired = replace(nucleo, serial=SerialWiring("a source", dtr=False, rts=False))
    link = make_link("serial", Path("a.elf"), wired, port="loop://")
    link.open()
    link.close()
