"""A process with which one exchanges bytes over its standard input and output."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from sq_micro.errors import LinkError

_STOP_S = 5.0


class ChildProcess:
    """Started by the constructor, ended by `stop`.

    A thread takes what the child says, so that neither side ever waits for the other to read. It works where
    `select` does not take pipes, too.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self._name = Path(command[0]).name
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - open until `stop`
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                bufsize=0,
                env=None if environment is None else dict(environment),
                start_new_session=True,  # Ctrl-C is for us; the child ends when its input does
            )
        except OSError as error:
            self._errors.close()
            raise LinkError(f"{command[0]} does not start: {error.strerror}; build the firmware again") from error
        self._chunks: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._take, daemon=True)
        self._reader.start()

    def send(self, data: bytes) -> None:
        """Raises LinkError iff the child has ended."""
        assert self._process.stdin is not None
        try:
            view = memoryview(data)
            while view:
                view = view[self._process.stdin.write(view) or 0 :]
        except OSError:
            raise self._ended() from None

    def receive(self, timeout_s: float) -> bytes:
        """What has come, at least a byte; nothing iff timeout_s passes first.

        Raises LinkError iff the child has ended.
        """
        try:
            chunk = self._chunks.get(timeout=max(timeout_s, 0.0))
        except queue.Empty:
            return b""
        if not chunk:
            self._chunks.put(b"")  # it stays ended
            raise self._ended()
        return chunk

    def stop(self, *, ends_by_itself: bool) -> None:
        """End the child: by closing its input where it takes that for the end, else by a signal."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        if not ends_by_itself:
            self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._process.stdout.close()
        self._errors.close()

    def _take(self) -> None:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        chunk = b"more"
        while chunk:
            chunk = os.read(descriptor, 65536)
            self._chunks.put(chunk)

    def _ended(self) -> LinkError:
        try:
            code: object = self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            code = "no exit code yet"
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return LinkError(f"{self._name} has ended ({code}){': ' + lines[-1] if lines else ''}")
