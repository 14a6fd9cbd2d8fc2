"""A device behind a link, offered as a pseudo-terminal or a TCP socket to a program that wants a serial port."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType

from sq_micro.errors import LinkError, LinkTimeoutError, UsageError
from sq_micro.measure.link.base import Link

_BLOCK = 4096
_POLL_S = 0.2
_BOOT_S = 60.0  # simulated cores and Renode take their time
_READY = b"m-ready\r\n"


class Endpoint(ABC):
    """The host's side: where a program connects to."""

    address: str

    @abstractmethod
    def read(self) -> bytes:
        """What has come; nothing iff there is none for a short while."""

    @abstractmethod
    def write(self, data: bytes) -> None:
        """All of it; lost iff nobody is there."""

    @abstractmethod
    def close(self) -> None: ...


class PtyEndpoint(Endpoint):
    """`address` is a path that pyserial opens. Where there are pseudo-terminals: Linux, macOS."""

    def __init__(self) -> None:
        if not hasattr(os, "openpty"):
            raise UsageError("this system has no pseudo-terminals; use --tcp PORT")
        import tty

        self._ours, self._theirs = os.openpty()  # ours keeps the terminal alive while nobody has it open
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        self.address = os.ttyname(self._theirs)

    def read(self) -> bytes:
        """As `Endpoint` says."""
        import select

        ready, _, _ = select.select([self._ours], [], [], _POLL_S)
        return os.read(self._ours, _BLOCK) if ready else b""

    def write(self, data: bytes) -> None:
        """As `Endpoint` says."""
        import select

        left = memoryview(data)
        while left:
            _, ready, _ = select.select([], [self._ours], [], _POLL_S)
            if not ready:
                return  # nobody reads what is there already
            left = left[os.write(self._ours, left) :]

    def close(self) -> None:
        """As `Endpoint` says."""
        os.close(self._ours)
        os.close(self._theirs)


class TcpEndpoint(Endpoint):
    """`address` is a URL of pyserial. One program at a time; only this computer can connect."""

    def __init__(self, port: int) -> None:
        try:
            self._server = socket.create_server(("127.0.0.1", port))
        except OSError as error:
            raise UsageError(f"--tcp {port}: {error.strerror}; choose another port, or 0 for any") from error
        self._server.settimeout(_POLL_S)
        self._peer: socket.socket | None = None
        self.address = f"socket://127.0.0.1:{self._server.getsockname()[1]}"

    def read(self) -> bytes:
        """As `Endpoint` says."""
        try:
            if self._peer is None:
                self._peer, _ = self._server.accept()
                self._peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._peer.settimeout(_POLL_S)
            if data := self._peer.recv(_BLOCK):
                return data
        except TimeoutError:
            return b""
        except OSError:
            pass
        self._peer = None  # it has hung up
        return b""

    def write(self, data: bytes) -> None:
        """As `Endpoint` says."""
        peer = self._peer
        if peer is not None:
            with contextlib.suppress(OSError):
                peer.sendall(data)

    def close(self) -> None:
        """As `Endpoint` says."""
        for end in (self._peer, self._server):
            if end is not None:
                end.close()


class Bridge:
    """Bytes both ways, from `with` until its end. What the device says at its start is kept back.

    A program that finds the start's `m-ready` would take it for the answer to its first command.
    """

    def __init__(self, link: Link, endpoint: Endpoint) -> None:
        self._link = link
        self._endpoint = endpoint
        self._ending = threading.Event()
        self._failure: LinkError | None = None
        self._threads = [threading.Thread(target=pump, daemon=True) for pump in (self._to_host, self._to_device)]

    def __enter__(self) -> Bridge:
        try:
            self._link.open()
            self._await_start()
        except BaseException:
            self._link.close()
            self._endpoint.close()
            raise
        for thread in self._threads:
            thread.start()
        return self

    @property
    def address(self) -> str:
        """Where a program finds the device: a path or a URL, as pyserial takes them."""
        return self._endpoint.address

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()
        self._link.close()
        self._endpoint.close()

    def wait(self, limit_s: float | None = None) -> None:
        """Return after limit_s; raise LinkError as soon as the device is gone."""
        self._ending.wait(limit_s)
        if self._failure is not None:
            raise self._failure

    def _await_start(self) -> None:
        said = bytearray()
        deadline = time.monotonic() + _BOOT_S
        while not said.endswith(_READY):
            try:
                said += self._link.read(1, deadline - time.monotonic())
            except LinkTimeoutError as error:
                raise LinkError(
                    f"the device has not said m-ready within {_BOOT_S:g} s; does the image hold mlperf_tiny?"
                ) from error

    def _to_host(self) -> None:
        self._pump(self._from_device, self._endpoint.write)

    def _to_device(self) -> None:
        self._pump(self._endpoint.read, self._link.write)

    def _pump(self, read: Callable[[], bytes], write: Callable[[bytes], None]) -> None:
        try:
            while not self._ending.is_set():
                if data := read():
                    write(data)
        except LinkError as error:
            self._failure = error
            self._ending.set()

    def _from_device(self) -> bytes:
        try:
            first = self._link.read(1, _POLL_S)
        except LinkTimeoutError:
            return b""
        try:
            return first + self._link.read(_BLOCK, 0.0)
        except LinkTimeoutError as error:
            return first + error.got
