"""A board on a serial port, here or on another machine."""

from __future__ import annotations

import time

from sq_micro.board import SerialWiring
from sq_micro.measure.link.base import CounterKind, Greeting
from sq_micro.measure.link.port_link import PortLink
from sq_micro.measure.link.serial_port import SerialPort

PATIENT = Greeting(every_s=0.5, limit_s=10.0)  # some boot loaders wait for seconds
_PULSE_S = 0.1  # longer than any reset circuit with a capacitor needs


class SerialLink(PortLink):
    """The firmware on silicon. Opening the port resets some boards; the greeting bears with their boot loaders.

    url     what pyserial's `serial_for_url` takes
    wiring  which lines of the port the board listens to; None: it has none
    """

    name = "serial"
    cycle_kind: CounterKind = "measured"

    def __init__(self, url: str, baud: int, wiring: SerialWiring | None = None, greeting: Greeting = PATIENT) -> None:
        super().__init__()
        self.greeting = greeting
        self._url = url
        self._baud = baud
        self._wiring = wiring

    def _connect(self) -> SerialPort:
        dtr, rts = (self._wiring.dtr, self._wiring.rts) if self._wiring else (None, None)
        port = SerialPort(self._url, self._baud, dtr, rts)
        port.discard_input()
        return port

    def reset(self) -> None:
        """Pulse the line that restarts the board, where it has one; forget what has come in any case."""
        port = self._opened()
        line = self._wiring.reset if self._wiring else None
        if line is not None:
            _set(port, line, True)
            time.sleep(_PULSE_S)
            _set(port, line, False)
        self._incoming.clear()
        port.discard_input()


def _set(port: SerialPort, line: str, state: bool) -> None:
    if line == "dtr":
        port.set_lines(state, None)
    else:
        port.set_lines(None, state)
