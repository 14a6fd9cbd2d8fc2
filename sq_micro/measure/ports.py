"""Which boards are behind the ports of this computer: by USB id, then by asking the firmware."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sq_micro.board import Board, board_ids, load_board
from sq_micro.errors import LinkError, UsageError
from sq_micro.measure.link.base import Greeting
from sq_micro.measure.link.serial_link import SerialLink
from sq_micro.measure.link.serial_port import ConnectedPort, connected_ports
from sq_micro.measure.messages import Hello
from sq_micro.measure.session import Session

# HELLO and its answer take 25 ms at 115,200 baud, USB adds up to 16 ms each way; boards that boot slowly show up next
# time, because a list of ports must not take as long as the slowest boot loader.
_GREETING = Greeting(every_s=0.5, limit_s=1.5)


@dataclass(frozen=True, slots=True)
class PortFinding:
    """A port and what is known of the board behind it.

    boards   ids of the boards whose USB id this is, in alphabetical order: several boards can carry the same probe
    hello    what the firmware said; None where it was not asked or did not answer
    problem  why it did not answer, in one line; None where it did or was not asked
    """

    port: ConnectedPort
    boards: tuple[str, ...]
    hello: Hello | None
    problem: str | None

    def __str__(self) -> str:
        if self.hello is not None:
            return f"{self.port}: {self.hello.board}, runs model '{self.hello.model}' ({self.hello.model_hash[:16]})"
        if not self.boards:
            return f"{self.port}: no board has this USB id; an adapter of your own is named with --port"
        unanswered = f", which does not answer: {self.problem}" if self.problem is not None else ""
        return f"{self.port}: {' or '.join(self.boards)}{unanswered}"


def list_ports(*, ask: bool = True, boards: Iterable[Board] | None = None) -> list[PortFinding]:
    """What is connected, by name of the port.

    ask     say HELLO to the ports whose USB id belongs to a board; others are left alone, since bytes could upset
            what is there. Opening a port resets some boards
    boards  those to look for; by default those that come with sq-micro
    """
    known = tuple(boards) if boards is not None else tuple(load_board(name) for name in board_ids())
    return [_look(port, known, ask=ask) for port in connected_ports()]


def choose_port(board: Board, ports: Sequence[ConnectedPort] | None = None) -> str:
    """The one port that leads to such a board. Raises UsageError iff there are several, LinkError iff there is none."""
    present = connected_ports() if ports is None else ports
    usb_ids = board.serial.usb_ids if board.serial else ()
    fitting = [port for port in present if port.usb_id in usb_ids]
    if len(fitting) == 1:
        return fitting[0].name
    if fitting:
        raise UsageError(
            f"{len(fitting)} ports could be a {board.id}: {'; '.join(map(str, fitting))}; choose one with --port"
        )
    there = f"there are: {'; '.join(map(str, present))}" if present else "no serial port is connected"
    if not usb_ids:
        raise LinkError(
            f"{board.id} has no serial port of its own: connect an adapter and name it with --port; {there}"
        )
    wanted = f"no port has the USB id of a {board.id} ({', '.join(usb_ids)})"
    raise LinkError(f"{wanted}; {there}; plug the board in, or name its port with --port")


def _look(port: ConnectedPort, known: Sequence[Board], *, ask: bool) -> PortFinding:
    fitting = [board for board in known if board.serial and port.usb_id in board.serial.usb_ids]
    hello, problem = None, None
    if ask and fitting:
        hello, problem = _ask(port, fitting)
    return PortFinding(port, tuple(sorted(board.id for board in fitting)), hello, problem)


def _ask(port: ConnectedPort, boards: Sequence[Board]) -> tuple[Hello | None, str | None]:
    """HELLO at each baud rate that it could be; the last failure where all fail."""
    problem = None
    for baud, wiring in {board.uart.baud: board.serial for board in boards}.items():
        session = Session(SerialLink(port.name, baud, wiring, greeting=_GREETING))
        try:
            with session:
                return session.hello, None
        except LinkError as error:
            problem = str(error)
    return None, problem
