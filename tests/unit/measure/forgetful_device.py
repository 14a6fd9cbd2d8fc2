"""A device in Python with a memory that a reset wipes, as silicon has: inputs are used up, outputs lost."""

from __future__ import annotations

import struct
import zlib
from typing import Any

from sq_micro.measure.frame import Frame
from tests.unit.measure.python_device import MODEL_HASH, PythonDevice

BYTES = 6  # of input and of output


def expected_output(data: bytes) -> bytes:
    """Each byte depends on all bytes before it, so that a part of another input shows."""
    out, total = bytearray(), 1
    for byte in data:
        total = (31 * total + byte) % 251
        out.append(total)
    return bytes(out)


class ForgetfulDevice(PythonDevice):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._wipe()

    def reset(self) -> None:
        super().reset()
        self._wipe()

    def _wipe(self) -> None:
        self._arena = bytearray(BYTES)
        self._result = bytes(BYTES)
        self._last_run: int | None = None

    def _body(self, frame: Frame) -> bytes:
        match frame.id:
            case 1:
                self._last_run = None
                fixed = (3, 1, 1, 0, 48_000_000, BYTES, BYTES, 64)
                return struct.pack("<HBHHIIII", *fixed) + bytes.fromhex(MODEL_HASH) + b"desk\0armv7em\0sum\0"
            case 2:
                offset = int.from_bytes(frame.body[:4], "little")
                self._arena[offset : offset + len(frame.body) - 4] = frame.body[4:]
                return b""
            case 3:
                run, _ = struct.unpack("<IB", frame.body)
                if run != self._last_run:
                    self._crcs = zlib.crc32(self._arena), zlib.crc32(expected_output(bytes(self._arena)))
                    self._result = expected_output(bytes(self._arena))
                    self._arena = bytearray(b"\xaa" * BYTES)
                    self._last_run = run
                return struct.pack("<IQII", run, 1000, *self._crcs)
            case 4:
                offset, length = struct.unpack("<IB", frame.body)
                return self._result[offset : offset + length]
            case _:
                return super()._body(frame)
