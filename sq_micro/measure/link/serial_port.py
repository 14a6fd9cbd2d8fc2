"""pyserial behind one class; what goes wrong is said in terms of cables, groups and other programs.

A port is whatever `serial_for_url` takes: /dev/ttyACM0, COM5, socket://host:port, rfc2217://host:port, loop://.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import serial  # type: ignore[import-untyped]
from serial.tools import list_ports  # type: ignore[import-untyped]

from sq_micro.errors import LinkError

# Reads are cut into slices, since pyserial sets up the whole port anew for another timeout.
_SLICE_S = 0.02
# A frame takes 23 ms at 115,200 baud; whoever takes nothing for this long has stopped listening.
_WRITE_S = 5.0


@dataclass(frozen=True, slots=True)
class ConnectedPort:
    """A port of this computer. usb_id is `vid:pid` in lower-case hexadecimal, None where it is not on USB."""

    name: str
    description: str
    usb_id: str | None
    serial_number: str | None

    def __str__(self) -> str:
        known = [part for part in (self.description, self.usb_id) if part]
        if self.serial_number:
            known.append(f"serial number {self.serial_number}")
        return f"{self.name} ({', '.join(known)})" if known else self.name


def connected_ports() -> tuple[ConnectedPort, ...]:
    """The ports there are, by name. Built-in UARTs that lead nowhere are left out."""
    found = []
    for port in list_ports.comports():
        usb_id = f"{port.vid:04x}:{port.pid:04x}" if port.vid is not None and port.pid is not None else None
        description = "" if port.description in (None, "n/a") else str(port.description)
        if usb_id or description:
            found.append(ConnectedPort(str(port.device), description, usb_id, port.serial_number or None))
    return tuple(sorted(found, key=lambda port: port.name))


class SerialPort:
    """An open port. Nobody else can open it meanwhile, where the operating system lets one say so.

    dtr, rts  state of the lines from the start; None: asserted, as terminal programs have them

    Every method raises LinkError iff the port is gone.
    """

    def __init__(self, url: str, baud: int, dtr: bool | None = None, rts: bool | None = None) -> None:
        self.url = url
        try:
            # A Windows port is exclusive whatever one says; a lock is what the other systems understand.
            self._port = serial.serial_for_url(
                url, baudrate=baud, timeout=_SLICE_S, write_timeout=_WRITE_S, exclusive=True, do_not_open=True
            )
            self.set_lines(dtr, rts)
            self._port.open()
        except (OSError, ValueError) as error:
            raise LinkError(_why_not_open(url, error)) from error

    def read_some(self) -> bytes:
        """What is there, at least a byte; nothing iff none comes for a short while (a fiftieth of a second)."""
        try:
            first: bytes = self._port.read(1)
            if first:
                first += self._rest()
        except (OSError, TypeError) as error:  # TypeError: pyserial, when the port is closed during the call
            raise self._gone(error) from error
        return first

    def _rest(self) -> bytes:
        if not self.url.startswith("socket://"):
            waiting = self._port.in_waiting
            return bytes(self._port.read(waiting)) if waiting else b""
        # Of a socket pyserial knows only whether a byte waits; but another timeout costs nothing there.
        self._port.timeout = 0
        try:
            return bytes(self._port.read(4096))
        finally:
            self._port.timeout = _SLICE_S

    def write(self, data: bytes) -> None:
        """Return when the operating system has it all."""
        try:
            self._port.write(data)
        except serial.SerialTimeoutException as error:
            raise LinkError(
                f"{self.url} takes no bytes for {_WRITE_S:g} s; is the board held in reset, or flow control on?"
            ) from error
        except (OSError, TypeError) as error:
            raise self._gone(error) from error

    def set_lines(self, dtr: bool | None, rts: bool | None) -> None:
        """Set what is not None."""
        try:
            if dtr is not None:
                self._port.dtr = dtr
            if rts is not None:
                self._port.rts = rts
        except OSError as error:
            raise self._gone(error) from error

    def discard_input(self) -> None:
        """Forget what has come and was not read."""
        try:
            self._port.reset_input_buffer()
        except OSError as error:
            raise self._gone(error) from error

    def close(self) -> None:
        """Nothing to do iff that is done already."""
        self._port.close()

    def _gone(self, error: Exception) -> LinkError:
        return LinkError(f"{self.url} is gone ({_plain(error)}); was the board unplugged, or the port opened twice?")


def _why_not_open(url: str, error: Exception) -> str:
    """One line: what is wrong with the port and what to do. pyserial's errors carry an errno on POSIX only."""
    number = error.errno if isinstance(error, OSError) else None
    said = str(error)
    if number in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK) or "PermissionError" in said:
        return f"{url} is busy: another program has it open; close that one (a terminal, a debugger) and try again"
    if number in (errno.EACCES, errno.EPERM):
        return f"no permission to open {url}; join the group that owns it and log in anew: {_joining(url)}"
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO) or "FileNotFoundError" in said:
        return f"there is no port {url}; {_those_there_are(connected_ports())}"
    if "://" in url:
        return f"{url} cannot be reached: {_plain(error)}; does the server of that port run, and is its address right?"
    return f"{url} cannot be opened: {_plain(error)}"


def _those_there_are(ports: Sequence[ConnectedPort]) -> str:
    if not ports:
        return "no serial port is connected: is the cable one that carries data?"
    return f"there are: {'; '.join(map(str, ports))}"


def permission_remedy(name: str) -> str | None:
    """The command that lets this user open a port; None where nothing forbids it."""
    if os.name != "posix" or os.access(name, os.R_OK | os.W_OK):
        return None
    return f"{_joining(name)}, then log in anew"


def _joining(path: str) -> str:
    return f"sudo usermod -a -G {_owning_group(path)} $USER"


def _owning_group(path: str) -> str:
    """The group of a device file; `dialout` where that cannot be found out."""
    try:
        import grp

        name = grp.getgrgid(Path(path).stat().st_gid).gr_name
    except (ImportError, OSError, KeyError):
        return "dialout"
    return name if name != "root" else "dialout"


def _plain(error: Exception) -> str:
    """What an error says, without the codes that pyserial wraps around it."""
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    said = str(error).rpartition(": ")[2] or type(error).__name__
    return re.sub(r"^\[Errno -?\d+\] ", "", said)
