"""The child's side of its standard streams: bytes for the UART, questions about the counters, the end.

A thread reads ahead, so that the child notices when its parent is gone even while the firmware computes. Packets are
acted on in their order, and only when the firmware asks for input.
"""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import BinaryIO

from sq_micro.errors import LinkError
from sq_micro.simulate.packets import COUNTERS, Kind, encode_packet, read_packet

_FLUSH_BYTES = 1024
# How long firmware may go on computing, without asking for input, after the host has closed the stream.
_GRACE_S = 5.0


class EndOfInputError(Exception):
    """The host has closed the stream and the firmware has read all of it."""


class HostStream:
    """What the UART model talks to.

    answer_counters  makes the JSON answer to the question for the counters
    """

    def __init__(self, source: BinaryIO, sink: BinaryIO, answer_counters: Callable[[], bytes]) -> None:
        self._source = source
        self._sink = sink
        self._answer_counters = answer_counters
        self._packets: queue.SimpleQueue[tuple[Kind, bytes] | LinkError | None] = queue.SimpleQueue()
        self._received: deque[int] = deque()
        self._sent = bytearray()
        self._over = threading.Event()
        threading.Thread(target=self._read_ahead, name="host-stream", daemon=True).start()

    @property
    def waiting_bytes(self) -> int:
        """Bytes that the UART has for the firmware."""
        return len(self._received)

    def take(self) -> int:
        """The next byte for the firmware; 0 when there is none."""
        return self._received.popleft() if self._received else 0

    def send(self, byte: int) -> None:
        """A byte from the firmware. The host sees it at the end of a line, or when the firmware waits."""
        self._sent.append(byte)
        if byte == ord("\n") or len(self._sent) >= _FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Hand the host what the firmware has sent so far."""
        if self._sent:
            body, self._sent = bytes(self._sent), bytearray()
            self._write(Kind.UART, body)

    def wait(self) -> None:
        """Wait until there is a byte for the firmware. Raises EndOfInputError iff none will come."""
        self.flush()
        while not self._received:
            self._handle(self._packets.get())

    def serve_until_end(self) -> None:
        """Answer questions, after the firmware has ended, until the host closes the stream."""
        with contextlib.suppress(EndOfInputError):
            self.flush()
            while True:
                self._handle(self._packets.get())

    def fail(self, text: str) -> None:
        """Send what the firmware wrote, and then the error."""
        with contextlib.suppress(EndOfInputError):
            self.flush()
            self._write(Kind.ERROR, text.encode())

    def close(self) -> None:
        """Hand over what is left. The stream must not be used after this."""
        with contextlib.suppress(EndOfInputError):
            self.flush()
        self._over.set()

    def _handle(self, packet: tuple[Kind, bytes] | LinkError | None) -> None:
        if packet is None:
            self._packets.put(None)  # whoever asks again gets the same answer
            raise EndOfInputError
        if isinstance(packet, LinkError):
            raise packet
        kind, body = packet
        if kind is Kind.UART:
            self._received.extend(body)
        elif kind is Kind.CONTROL and body == COUNTERS:
            self.flush()
            self._write(Kind.CONTROL, self._answer_counters())
        else:
            raise LinkError(f"the simulator does not understand a packet {kind.name} {body[:32]!r}")

    def _write(self, kind: Kind, body: bytes) -> None:
        try:
            self._sink.write(encode_packet(kind, body))
            self._sink.flush()
        except (OSError, ValueError):
            raise EndOfInputError from None  # nobody listens any more

    def _read_ahead(self) -> None:
        try:
            while (packet := read_packet(self._source)) is not None:
                self._packets.put(packet)
            self._packets.put(None)
        except LinkError as error:
            self._packets.put(error)
        except (OSError, ValueError):
            self._packets.put(None)
        if not self._over.wait(_GRACE_S):
            # The firmware computes on and nobody will read the result. The emulator cannot be interrupted reliably
            # from another thread, and there is nothing to tidy up.
            sys.stderr.flush()
            os._exit(0)
