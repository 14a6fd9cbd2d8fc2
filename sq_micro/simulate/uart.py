"""UARTs of microcontrollers, as far as polling firmware sees them, with the host at the other end.

Bytes take no time: the transmitter is always ready. Firmware that polls for input would spin for nothing, at some
microseconds of the host per turn, so the status register blocks: when it is read again at the same place in the code,
with nothing received and nothing else done to the UART in between, the child waits for the host. Waiting takes no
cycles of the core.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from sq_micro.errors import DeviceError
from sq_micro.simulate.registers import Registers, lane

# Firmware that uses other registers of the UART while it polls waits after this many turns.
_IDLE_POLLS = 1000


class Host(Protocol):
    """The other end of the wire."""

    @property
    def waiting_bytes(self) -> int:
        """Bytes that were received and not taken yet."""

    def take(self) -> int:
        """The next of them; 0 when there is none."""

    def send(self, byte: int) -> None:
        """Pass one byte to the host, soon."""

    def wait(self) -> None:
        """Pass on what was sent, then wait until something is received."""


class Uart:
    """What the models have in common; a subclass says which register is which, and how many bytes they take.

    host   where bytes come from and go to
    place  address of the code that is being executed, to tell one polling loop from another
    """

    size_bytes = 0x400
    status_offset: int
    receive_offset: int
    transmit_offset: int

    def __init__(self, host: Host, place: Callable[[], int]) -> None:
        self._host = host
        self._place = place
        self._polled_at: set[int] = set()
        self._idle_polls = 0
        self._registers = Registers()

    def read(self, offset: int, size_bytes: int) -> int:
        """What the core reads at an offset from the UART's base."""
        register = offset & ~3
        if register == self.status_offset:
            self._poll()
            return lane(self._status(), offset, size_bytes)
        self._polled_at.clear()
        if register == self.receive_offset:
            self._idle_polls = 0
            return lane(self._host.take(), offset, size_bytes)
        return self._registers.read(offset, size_bytes)

    def write(self, offset: int, size_bytes: int, value: int) -> None:
        """Do what the core's write does. Raises DeviceError iff it sends while the transmitter is off."""
        self._polled_at.clear()
        if offset == self.transmit_offset:
            if not self._transmitter_on():
                raise DeviceError("FAULT", "the firmware sends through a UART whose transmitter is not enabled")
            self._idle_polls = 0
            self._host.send(value & 0xFF)
        else:
            self._registers.write(offset, size_bytes, value)

    def _poll(self) -> None:
        # When the host's bytes arrive must not matter, or cycles would differ from run to run. So nothing is received
        # but by waiting, and whether to wait follows from what the firmware did.
        if self._host.waiting_bytes:
            return
        place = self._place()
        self._idle_polls += 1
        if place in self._polled_at or self._idle_polls >= _IDLE_POLLS:
            self._polled_at.clear()
            self._idle_polls = 0
            self._host.wait()
        else:
            self._polled_at.add(place)

    def _status(self) -> int:
        raise NotImplementedError

    def _transmitter_on(self) -> bool:
        raise NotImplementedError
