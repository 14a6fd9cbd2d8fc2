"""Renode as a child process: its monitor is fed by a script, its console goes to a file that is kept."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from sq_micro.errors import LinkError, ToolchainError
from sq_micro.measure.renode.output import failure, is_port_taken, is_ready
from sq_micro.measure.renode.script import quoted

_POLL_S = 0.05
_QUIT_S = 15.0
_KILL_S = 5.0


class PortTakenError(LinkError):
    """The port that Renode was to serve the UART at belongs to another program."""


class RenodeProcess:
    """Started by the constructor, ready after `await_ready`, ended by `stop`.

    folder  the run's own: configuration, history and temporaries. Renode deletes what it takes for leavings of dead
            instances in its temporary folder, so that no two may share one
    log     what the console says; a pipe that nobody empties would stop Renode, a file does not
    """

    def __init__(self, command: Sequence[str], script: Path, folder: Path, log: Path) -> None:
        self._log = log
        self._program = command[0]
        self._seen = 0
        self._said = ""
        settings = folder / "config"
        settings.write_text(f"[general]\nhistory-path = {folder / 'history'}\n", encoding="utf-8")
        temporaries = folder / "tmp"
        temporaries.mkdir(exist_ok=True)
        arguments = ("--disable-xwt", "--plain", "--console", "--config", str(settings))
        with log.open("wb") as console:
            try:
                self._process = subprocess.Popen(
                    (*command, *arguments, "-e", f"include {quoted(script)}"),
                    stdin=subprocess.PIPE,  # kept open: Renode quits at its end, also when this process dies
                    stdout=console,
                    stderr=subprocess.STDOUT,
                    cwd=folder,
                    env=os.environ
                    | {name: str(temporaries) for name in ("TMPDIR", "TEMP", "TMP")}
                    | {"RENODE_CI_MODE": "YES"},
                    start_new_session=True,  # Ctrl-C is for us; and what Renode starts ends with it
                )
            except OSError as error:
                raise ToolchainError(f"{self._program} does not start: {error.strerror}") from error

    def await_ready(self, limit_s: float) -> None:
        """Return when the firmware runs. Raises PortTakenError or LinkError, which name the log, otherwise."""
        deadline = time.monotonic() + limit_s
        while not is_ready(self._read()):
            if is_port_taken(self._said):
                raise PortTakenError("the port for the UART belongs to another program")
            self.check()
            if time.monotonic() >= deadline:
                raise LinkError(
                    f"Renode has not started the firmware within {limit_s:g} s; is the machine very busy?"
                    f" (log: {self._log})"
                )
            time.sleep(_POLL_S)

    def check(self) -> None:
        """Raises LinkError iff Renode has ended, or has said that what it does cannot be trusted."""
        ended = self._process.poll()
        if problem := failure(self._read()):
            raise LinkError(f"{problem} (log: {self._log})")
        if ended is not None:
            lines = self._said.strip().splitlines()
            said = lines[-1].strip() if lines else "it said nothing"
            raise LinkError(f"Renode has ended ({ended}): {said} (log: {self._log})")

    def stop(self) -> None:
        """Ask Renode to quit, and make it quit where it does not; nothing to do iff it has ended."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(b"quit\n")
            self._process.stdin.close()
        for force, patience_s in ((None, _QUIT_S), (signal.SIGTERM, _KILL_S)):
            if force is not None:
                self._signal(force)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience_s)
                return
        self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        self._process.wait()

    def _signal(self, number: int) -> None:
        """To Renode and all that it has started."""
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
        else:
            self._process.kill()

    def _read(self) -> str:
        """All that the console has said so far."""
        with self._log.open("rb") as stream:
            stream.seek(self._seen)
            new = stream.read()
        self._seen += len(new)
        self._said += new.decode("utf-8", "replace").replace("\r", "")
        return self._said


def private_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder for one run. Its name must not begin with `renode-`: Renode deletes such folders of others."""
    return tempfile.TemporaryDirectory(prefix="sqm-emulation-", ignore_cleanup_errors=True)
