"""The firmware in Renode, its UART on a pseudo-terminal or a socket.

Renode is a functional simulator: every instruction takes the same virtual time, so what the firmware's counter counts
is instructions. They are the same in every run, and say nothing of wait states, caches or slow instructions.
"""

from __future__ import annotations

import os
import socket
import tempfile
import time
from pathlib import Path
from typing import Literal

from sq_micro.board import Board
from sq_micro.errors import LinkError
from sq_micro.measure.link.base import CounterKind, Greeting
from sq_micro.measure.link.port_link import PortLink
from sq_micro.measure.link.renode_process import PortTakenError, RenodeProcess, private_folder
from sq_micro.measure.link.serial_port import SerialPort
from sq_micro.measure.renode.find import RenodeProgram, find_renode
from sq_micro.measure.renode.platform import platform_text
from sq_micro.measure.renode.script import link_script, pty_terminal, robot_test, run_script, socket_terminal
from sq_micro.paths import write_atomically

Way = Literal["pty", "socket"]

START_S = 120.0  # measured: 5 s alone, 16 s beside another instance on a busy machine
_PORT_ATTEMPTS = 3
_CONNECT_S = 5.0


class RenodeLink(PortLink):
    """Runs an ELF on the board as Renode models it, from files that are generated from the board file.

    folder  gets the files of `write_run_files`, and `renode.log`
    renode  a program to use instead of the one in SQ_RENODE or on PATH
    way     to the UART: a pseudo-terminal where there are any, since Renode's sockets listen on all interfaces
    """

    name = "renode"
    cycle_kind: CounterKind = "instructions"
    greeting = Greeting(every_s=5.0, limit_s=60.0)

    def __init__(
        self,
        elf: Path,
        board: Board,
        folder: Path,
        *,
        renode: str | None = None,
        way: Way | None = None,
        start_s: float = START_S,
    ) -> None:
        super().__init__()
        self._elf = elf.resolve()
        self._board = board
        self._folder = folder
        self._renode = renode
        self._way: Way = way or ("pty" if os.name == "posix" else "socket")
        self._start_s = start_s
        self._process: RenodeProcess | None = None
        self._private: tempfile.TemporaryDirectory[str] | None = None
        self.program: RenodeProgram | None = None

    @property
    def log(self) -> Path:
        """What Renode's console said in the last run."""
        return self._folder / "renode.log"

    def _connect(self) -> SerialPort:
        self.program = find_renode(self._renode)
        platform = self._folder / "board.repl"
        write_run_files(self._folder, self._board, self._elf)
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            self._private = private_folder()
            try:
                return self._start(platform, Path(self._private.name))
            except PortTakenError:
                self.close()
                if attempt == _PORT_ATTEMPTS:
                    raise
            except BaseException:
                self.close()
                raise
        raise AssertionError("the last attempt returns or raises")

    def _start(self, platform: Path, private: Path) -> SerialPort:
        """Raises PortTakenError iff somebody took the port before Renode could."""
        assert self.program is not None
        if self._way == "pty":
            url = str(private / "uart")
            terminal = pty_terminal(private / "uart")
        else:
            number = _free_port()
            url = f"socket://127.0.0.1:{number}"
            terminal = socket_terminal(number)
        script = private / "link.resc"
        write_atomically(script, link_script(platform, self._elf, terminal))
        self._process = RenodeProcess((self.program.path,), script, private, self.log)
        self._process.await_ready(self._start_s)
        return _open_soon(url, self._board.uart.baud)

    def read(self, count: int, timeout_s: float) -> bytes:
        """As `Link` says. Raises LinkError iff Renode says that the firmware does what silicon would not."""
        try:
            return super().read(count, timeout_s)
        except LinkError:
            self._check()
            raise

    def read_until(self, end: bytes, most: int, timeout_s: float) -> bytes:
        """As `BlockLink` says, and raises as `read` does."""
        try:
            return super().read_until(end, most, timeout_s)
        except LinkError:
            self._check()
            raise

    def write(self, data: bytes) -> None:
        """As `Link` says; all that was said before this request is looked at first."""
        self._check()
        try:
            super().write(data)
        except LinkError:
            self._check()
            raise

    def reset(self) -> None:
        """Start Renode anew."""
        self.close()
        self.open()

    def close(self) -> None:
        """As `Link` says."""
        super().close()
        if self._process is not None:
            self._process.stop()
            self._process = None
        if self._private is not None:
            self._private.cleanup()
            self._private = None

    def _check(self) -> None:
        if self._process is not None:
            self._process.check()


def write_run_files(folder: Path, board: Board, elf: Path, model: str | None = None) -> tuple[Path, ...]:
    """What one can use without sq-micro: `renode run.resc` by hand, `renode-test firmware.robot` in one's own CI.

    model  that the Robot test wants to hear of; None: any
    """
    image = _seen_from(folder, elf)
    texts = {
        "board.repl": platform_text(board),
        "run.resc": run_script(board, image),
        "firmware.robot": robot_test(board, image, model),
    }
    for name, text in texts.items():
        write_atomically(folder / name, text)
    return tuple(folder / name for name in texts)


def _seen_from(folder: Path, elf: Path) -> str:
    """The ELF's path relative to the folder, so that both can be moved together."""
    try:
        return Path(os.path.relpath(elf.resolve(), folder.resolve())).as_posix()
    except ValueError:  # another drive
        return elf.resolve().as_posix()


def _free_port() -> int:
    """A TCP port that is free now. Somebody may take it before Renode does; then Renode says so."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _open_soon(url: str, baud: int) -> SerialPort:
    """Renode may still be busy making what it has promised."""
    deadline = time.monotonic() + _CONNECT_S
    while True:
        try:
            return SerialPort(url, baud)
        except LinkError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.05)
