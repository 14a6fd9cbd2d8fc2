"""Frames of the wire protocol: sequence, id, body and CRC-32, in COBS, ended by a zero.

The firmware's own implementation is `firmware/protocol/frame.c`; neither is made from the other, and both answer to
the files in `tests/golden/protocol`. See `firmware/protocol/PROTOCOL.md`.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from sq_micro.errors import FrameError

DELIMITER = b"\0"
MAX_BODY_BYTES = 250
MAX_WIRE_BYTES = 259  # 256 bytes of payload, 2 of COBS, the delimiter

_FULL_BLOCK = 254
_HEAD = struct.Struct("<BB")
_CRC = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Frame:
    """sequence 0..255 pairs a reply with its request; body is at most MAX_BODY_BYTES."""

    sequence: int
    id: int
    body: bytes


def encode_frame(frame: Frame) -> bytes:
    """The bytes for the wire, the delimiter included."""
    if len(frame.body) > MAX_BODY_BYTES:
        raise FrameError(f"a body of {len(frame.body)} bytes; at most {MAX_BODY_BYTES} fit", frame.body)
    payload = _HEAD.pack(frame.sequence, frame.id) + frame.body
    return cobs_encode(payload + _CRC.pack(zlib.crc32(payload))) + DELIMITER


def decode_frame(wire: bytes) -> Frame:
    """Undo `encode_frame`; `wire` comes without the delimiter. Raises FrameError iff it is damaged."""
    data = cobs_decode(wire)
    if not _HEAD.size + _CRC.size <= len(data) <= _HEAD.size + MAX_BODY_BYTES + _CRC.size:
        raise FrameError(f"{len(data)} bytes of payload", wire)
    payload, crc = data[: -_CRC.size], data[-_CRC.size :]
    if _CRC.unpack(crc)[0] != zlib.crc32(payload):
        raise FrameError("the CRC does not match", wire)
    sequence, identifier = _HEAD.unpack_from(payload)
    return Frame(sequence, identifier, payload[_HEAD.size :])


def cobs_encode(data: bytes) -> bytes:
    """Bytes without a zero among them, one longer for each begun 254.

    >>> cobs_encode(b"a\\0bc").hex(" ")
    '02 61 03 62 63'
    """
    out = bytearray()
    runs = data.split(b"\0")
    for index, run in enumerate(runs):
        is_last = index == len(runs) - 1
        start = 0
        while len(run) - start >= _FULL_BLOCK:
            out.append(_FULL_BLOCK + 1)
            out += run[start : start + _FULL_BLOCK]
            start += _FULL_BLOCK
        # A full block at the very end is not followed by an empty one: it already says all.
        if start == 0 or start < len(run) or not is_last:
            out.append(len(run) - start + 1)
            out += run[start:]
    return bytes(out)


def cobs_decode(data: bytes) -> bytes:
    """Undo `cobs_encode`. Raises FrameError iff `data` is no encoding of anything.

    >>> cobs_decode(bytes.fromhex("02 61 03 62 63"))
    b'a\\x00bc'
    """
    out = bytearray()
    position = 0
    while position < len(data):
        code = data[position]
        block = data[position + 1 : position + code]
        if code == 0 or 0 in block:
            raise FrameError("a zero inside", data)
        if len(block) != code - 1:
            raise FrameError("it ends inside a block", data)
        out += block
        position += code
        if code != _FULL_BLOCK + 1 and position < len(data):
            out.append(0)
    return bytes(out)
