"""What the links to processes have in common: a child, and a buffer in front of it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod

from sq_micro.errors import LinkError, LinkTimeoutError
from sq_micro.measure.link.base import CycleKind
from sq_micro.measure.link.child_process import ChildProcess


class ProcessLink(ABC):
    """A `Link` whose device is a process. Subclasses say how to start it, and may put packets around the bytes."""

    name: str
    cycle_kind: CycleKind
    ends_by_itself = True  # when its input is closed

    def __init__(self) -> None:
        self._child: ChildProcess | None = None
        self._incoming = bytearray()

    @abstractmethod
    def _start(self) -> ChildProcess: ...

    def open(self) -> None:
        """As `Link` says."""
        if self._child is None:
            self._incoming.clear()
            self._child = self._start()

    def read(self, count: int, timeout_s: float) -> bytes:
        """As `Link` says."""
        deadline = time.monotonic() + timeout_s
        while len(self._incoming) < count:
            left_s = deadline - time.monotonic()
            if not self._receive(left_s) and left_s <= 0:
                got = bytes(self._incoming)
                self._incoming.clear()
                raise LinkTimeoutError(count, got, timeout_s)
        data = bytes(self._incoming[:count])
        del self._incoming[:count]
        return data

    def write(self, data: bytes) -> None:
        """As `Link` says."""
        self._running().send(data)

    def reset(self) -> None:
        """As `Link` says."""
        self.close()
        self.open()

    def close(self) -> None:
        """As `Link` says."""
        if self._child is not None:
            self._child.stop(ends_by_itself=self.ends_by_itself)
            self._child = None

    def _receive(self, timeout_s: float) -> bool:
        """Take what the child has sent into the buffer; False iff there was nothing for timeout_s."""
        chunk = self._running().receive(timeout_s)
        self._incoming += chunk
        return bool(chunk)

    def _running(self) -> ChildProcess:
        if self._child is None:
            raise LinkError(f"the {self.name} link is not open")
        return self._child
