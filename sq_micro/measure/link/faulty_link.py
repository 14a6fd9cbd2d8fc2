"""A link that loses, doubles and flips bytes on a seeded schedule; the tests of `Session` run over it."""

from __future__ import annotations

import random

from sq_micro.measure.link.base import CycleKind, Link


class FaultyLink:
    """Wraps any link, and damages each direction.

    drop, duplicate, flip  probability for each byte: it is lost, comes twice, or has one bit flipped
    repeat                 probability for each write that all of it arrives twice
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
    ) -> None:
        self._link = link
        self._random = random.Random(seed)
        self._drop = drop
        self._duplicate = duplicate
        self._flip = flip
        self._repeat = repeat
        self._incoming = bytearray()
        self.faults = 0

    @property
    def name(self) -> str:
        """As `Link` says."""
        return self._link.name

    @property
    def cycle_kind(self) -> CycleKind:
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
            self._incoming += self._damage(self._link.read(1, timeout_s))
        data = bytes(self._incoming[:count])
        del self._incoming[:count]
        return data

    def write(self, data: bytes) -> None:
        """As `Link` says."""
        times = 1
        if self._random.random() < self._repeat:
            self.faults += 1
            times = 2
        for _ in range(times):
            if damaged := self._damage(data):
                self._link.write(damaged)

    def reset(self) -> None:
        """As `Link` says."""
        self._incoming.clear()
        self._link.reset()

    def close(self) -> None:
        """As `Link` says."""
        self._link.close()

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
