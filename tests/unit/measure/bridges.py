"""A firmware that runs as a process, reached as a board is: over a pseudo-terminal, or a TCP socket."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass
class Bridge:
    """url for pyserial. say: bytes to the host, as a boot loader would send them. unplug: the device is gone."""

    url: str
    _device_end: int
    _host_end: int
    _process: subprocess.Popen[bytes]

    def say(self, data: bytes) -> None:
        os.write(self._device_end, data)

    def unplug(self) -> None:
        self._process.kill()
        self._process.wait()
        for end in (self._device_end, self._host_end):
            with contextlib.suppress(OSError):
                os.close(end)


@contextlib.contextmanager
def on_pty(command: Sequence[str]) -> Iterator[Bridge]:
    import tty

    device_end, host_end = os.openpty()
    tty.setraw(host_end)
    process = subprocess.Popen(command, stdin=device_end, stdout=device_end)
    bridge = Bridge(os.ttyname(host_end), device_end, host_end, process)
    try:
        yield bridge
    finally:
        bridge.unplug()


@contextlib.contextmanager
def on_socket(command: Sequence[str]) -> Iterator[str]:
    """Each connection gets a firmware of its own."""
    processes: list[subprocess.Popen[bytes]] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    processes.append(subprocess.Popen(command, stdin=connection, stdout=connection))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"socket://127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            for process in processes:
                process.kill()
                process.wait()
    thread.join()
