"""What the links over a port have in common: the port, and a buffer in front of it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod

from sq_micro.errors import LinkError, LinkTimeoutError
from sq_micro.measure.link.base import CounterKind, Greeting
from sq_micro.measure.link.serial_port import SerialPort


class PortLink(ABC):
    """A `Link` whose device is behind a port. Subclasses say how to reach it."""

    name: str
    cycle_kind: CounterKind
    greeting: Greeting

    def __init__(self) -> None:
        self._port: SerialPort | None = None
        self._incoming = bytearray()

    @abstractmethod
    def _connect(self) -> SerialPort: ...

    def open(self) -> None:
        """As `Link` says."""
        if self._port is None:
            self._incoming.clear()
            self._port = self._connect()

    def read(self, count: int, timeout_s: float) -> bytes:
        """As `Link` says; up to a fiftieth of a second later."""
        if len(self._incoming) < count:
            self._fill(count, timeout_s)
        data = bytes(self._incoming[:count])
        del self._incoming[:count]
        return data

    def read_until(self, end: bytes, most: int, timeout_s: float) -> bytes:
        """As `BlockLink` says; up to a fiftieth of a second later."""
        deadline = time.monotonic() + timeout_s
        while (found := self._incoming.find(end, 0, most)) < 0 and len(self._incoming) < most:
            self._fill(len(self._incoming) + 1, deadline - time.monotonic())
        length = found + 1 if found >= 0 else most
        data = bytes(self._incoming[:length])
        del self._incoming[:length]
        return data

    def write(self, data: bytes) -> None:
        """As `Link` says."""
        self._opened().write(data)

    def close(self) -> None:
        """As `Link` says."""
        if self._port is not None:
            self._port.close()
            self._port = None

    def _fill(self, count: int, timeout_s: float) -> None:
        port = self._opened()
        deadline = time.monotonic() + timeout_s
        while len(self._incoming) < count:
            chunk = port.read_some()
            self._incoming += chunk
            if not chunk and time.monotonic() >= deadline:
                got = bytes(self._incoming)
                self._incoming.clear()
                raise LinkTimeoutError(count, got, timeout_s)

    def _opened(self) -> SerialPort:
        if self._port is None:
            raise LinkError(f"the {self.name} link is not open")
        return self._port
