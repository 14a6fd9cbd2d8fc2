"""What goes over the standard streams of the simulator child: type u8, length u32 little endian, that many bytes.

    U  bytes of the UART, both ways
    C  a question to the child and its answer: b"counters" -> a JSON object
    E  the child's last words; it ends after them

>>> encode_packet(Kind.UART, b"hi")
b'U\\x02\\x00\\x00\\x00hi'
"""

from __future__ import annotations

import struct
from enum import Enum
from typing import Protocol

from sq_micro.errors import LinkError

HEADER_BYTES = 5
COUNTERS = b"counters"
# Nothing sensible is larger; a wrong length must not make a reader wait for gigabytes.
MAXIMUM_BYTES = 1 << 24


class Kind(Enum):
    """The first byte of a packet."""

    UART = b"U"
    CONTROL = b"C"
    ERROR = b"E"


class Readable(Protocol):
    """The part of a binary file that is needed here."""

    def read(self, size: int, /) -> bytes | None:
        """Up to `size` bytes; none at the end of the stream."""


def encode_packet(kind: Kind, body: bytes) -> bytes:
    """Header and body."""
    return kind.value + struct.pack("<I", len(body)) + body


def read_packet(stream: Readable) -> tuple[Kind, bytes] | None:
    """The next packet; None at the end of the stream. Blocks until it is complete.

    Raises LinkError iff the stream ends inside a packet, or holds something else than packets.
    """
    header = _read_exactly(stream, HEADER_BYTES)
    if not header:
        return None
    if len(header) < HEADER_BYTES:
        raise LinkError("the stream of packets ends inside a packet")
    try:
        kind = Kind(header[:1])
    except ValueError:
        raise LinkError(f"not a packet: {header!r}") from None
    (length,) = struct.unpack("<I", header[1:])
    if length > MAXIMUM_BYTES:
        raise LinkError(f"not a packet: {header!r} announces {length:,} bytes")
    body = _read_exactly(stream, length)
    if len(body) < length:
        raise LinkError("the stream of packets ends inside a packet")
    return kind, body


def _read_exactly(stream: Readable, size: int) -> bytes:
    """`size` bytes, fewer only at the end of the stream."""
    got = b""
    while len(got) < size and (part := stream.read(size - len(got))):
        got += part
    return got
