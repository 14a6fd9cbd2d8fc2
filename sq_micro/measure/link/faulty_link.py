"""A link that does, on a seeded schedule, what bad cables and boards do; the tests of `Session` run over it."""

from __future__ import annotations

import random

from sq_micro.errors import LinkError, LinkTimeoutError
from sq_micro.measure.link.base import CounterKind, Link


class FaultyLink:
    """Wraps any link, damages each direction, and resets the device.

    drop, duplicate, flip  probability for each byte: it is lost, comes twice, or has one bit flipped
    repeat                 probability for each write that all of it arrives twice
    stall                  probability for each byte read that it comes only after the time limit of that read
    restart                probability for each write, and for each byte read, that the device is reset in the middle:
                           the rest of what was under way is lost, and so is all that the device remembered
    blink                  probability for each write that the device has been reset just before, and listens again
    vanish_after           writes after which the device is gone for good; None: it stays
    """

    def __init__(
        self,
        link: Link,
        seed: int,
        *,
        drop: float = 0.0,
        duplicate: float = 0.0,
        flip: float = 0.0,
        repeat: float = 0.0,
        stall: float = 0.0,
        restart: float = 0.0,
        blink: float = 0.0,
        vanish_after: int | None = None,
    ) -> None:
        self._link = link
        self._random = random.Random(seed)
        self._drop = drop
        self._duplicate = duplicate
        self._flip = flip
        self._repeat = repeat
        self._stall = stall
        self._restart = restart
        self._blink = blink
        self._writes_left = vanish_after
        self._incoming = bytearray()
        self.faults = 0

    @property
    def name(self) -> str:
        """As `Link` says."""
        return self._link.name

    @property
    def cycle_kind(self) -> CounterKind:
        """As `Link` says."""
        return self._link.cycle_kind

    def open(self) -> None:
        """As `Link` says."""
        self._incoming.clear()
        self._link.open()

    def read(self, count: int, timeout_s: float) -> bytes:
        """As `Link` says."""
        # A lost byte is asked for once more with the whole time limit: the sender waits, and so does the reader.
        while len(self._incoming) < count:
            if self._happens(self._stall):
                raise LinkTimeoutError(count, b"", timeout_s)
            if self._happens(self._restart):
                self._link.reset()
            self._incoming += self._damage(self._link.read(1, timeout_s))
        data = bytes(self._incoming[:count])
        del self._incoming[:count]
        return data

    def write(self, data: bytes) -> None:
        """As `Link` says."""
        if self._writes_left is not None:
            if self._writes_left == 0:
                raise LinkError("the device is gone")
            self._writes_left -= 1
        if self._happens(self._blink):
            self._link.reset()
        if self._happens(self._restart):
            if begun := self._damage(data[: self._random.randrange(len(data) + 1)]):
                self._link.write(begun)
            self._link.reset()
            return
        for _ in range(2 if self._happens(self._repeat) else 1):
            if damaged := self._damage(data):
                self._link.write(damaged)

    def reset(self) -> None:
        """As `Link` says."""
        self._incoming.clear()
        self._link.reset()

    def close(self) -> None:
        """As `Link` says."""
        self._link.close()

    def _happens(self, probability: float) -> bool:
        # No draw for what never happens: a schedule must not change when a kind of fault is added.
        happens = probability > 0 and self._random.random() < probability
        self.faults += happens
        return happens

    def _damage(self, data: bytes) -> bytes:
        out = bytearray()
        for byte in data:
            draw = self._random.random()
            if draw < self._drop:
                self.faults += 1
            elif draw < self._drop + self._duplicate:
                self.faults += 1
                out += bytes((byte, byte))
            elif draw < self._drop + self._duplicate + self._flip:
                self.faults += 1
                out.append(byte ^ 1 << self._random.randrange(8))
            else:
                out.append(byte)
        return bytes(out)
