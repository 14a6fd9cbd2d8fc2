"""What every link promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

CycleKind = Literal["modelled", "measured", "none"]
# What the device's counter counts: cycles of one kind, or executed instructions, as in Renode.
CounterKind = Literal["modelled", "measured", "instructions", "none"]


class Link(Protocol):
    """Bytes to and from one device.  1. open  2. write/read  3. reset any time  4. close (twice is fine)."""

    @property
    def name(self) -> str:
        """One word, for reports."""

    @property
    def cycle_kind(self) -> CounterKind:
        """What it is that the device counts at the other end of this link."""

    def open(self) -> None:
        """Reach the device; nothing to do iff that is done already."""

    def read(self, count: int, timeout_s: float) -> bytes:
        """Exactly `count` bytes. Raises LinkTimeoutError (holding what came) iff timeout_s passes first.

        Raises LinkError iff the device is gone.
        """

    def write(self, data: bytes) -> None:
        """All of it, or LinkError."""

    def reset(self) -> None:
        """Start the device anew; bytes under way are lost."""

    def close(self) -> None:
        """Let go of the device; nothing to do iff that is done already."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """How to greet a device that may still be starting: with HELLO every_s seconds, until limit_s have passed."""

    every_s: float
    limit_s: float


@runtime_checkable
class BlockLink(Protocol):
    """A link that hands over a whole frame at once, which spares a call for each of its bytes."""

    def read_until(self, end: bytes, most: int, timeout_s: float) -> bytes:
        """Up to and with the byte `end`; `most` bytes where it is not among them. Raises as `read` does."""


@runtime_checkable
class GreetedLink(Protocol):
    """A link whose device may lose what comes while it starts; it answers soon, or is not there."""

    @property
    def greeting(self) -> Greeting:
        """How often, how long."""


@dataclass(frozen=True, slots=True)
class Counters:
    """What a simulator has executed, and the same at its last reads of the cycle counter, oldest first."""

    instructions: int
    cycles: int
    reads: tuple[tuple[int, int], ...]

    @property
    def last_run_instructions(self) -> int:
        """Instructions between the last two reads: they bracket an INVOKE without profile."""
        return self.reads[-1][0] - self.reads[-2][0]

    def last_profile_instructions(self, operators: int) -> list[int] | None:
        """Of each operator of the last INVOKE with profile; None iff the simulator has not kept so many reads."""
        if len(self.reads) < 2 * operators:
            return None
        reads = [instructions for instructions, _ in self.reads[len(self.reads) - 2 * operators :]]
        return [after - before for before, after in zip(reads[::2], reads[1::2], strict=True)]


@runtime_checkable
class CountingLink(Protocol):
    """A link whose far end counts instructions."""

    def counters(self) -> Counters:
        """What has been executed so far."""
