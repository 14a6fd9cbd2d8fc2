"""What leads to a board: its serial port, ways to program it, what Renode must be told.

The tables of a board file are read into these very types: a file has to say no more and no less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

_EXACT = ConfigDict(extra="forbid")
_Text = Annotated[str, Field(min_length=1, strict=True)]
_Source = Annotated[str, Field(min_length=8, strict=True)]
_Address = Annotated[int, Field(ge=0, le=0xFFFF_FFFF, strict=True)]


@dataclass(frozen=True, slots=True)
class SerialWiring:
    """How the board's UART reaches a computer.

    usb_ids   `vid:pid` of what the port belongs to; other boards may share them
    dtr, rts  state of the line while the port is open; None: asserted, as terminal programs have it
    reset     the line whose pulse restarts the board; None: there is no such line
    """

    __pydantic_config__ = _EXACT
    source: _Source
    usb_ids: tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{4}:[0-9a-f]{4}$")], ...] = ()
    dtr: Annotated[bool, Field(strict=True)] | None = None
    rts: Annotated[bool, Field(strict=True)] | None = None
    reset: Literal["dtr", "rts"] | None = None


@dataclass(frozen=True, slots=True)
class OpenOcd:
    """config: the script that knows the board, as OpenOCD finds it on its own search path."""

    __pydantic_config__ = _EXACT
    tool: Literal["openocd"]
    config: _Text
    source: _Source


@dataclass(frozen=True, slots=True)
class PyOcd:
    """target: pyOCD's name of the part."""

    __pydantic_config__ = _EXACT
    tool: Literal["pyocd"]
    target: _Text
    source: _Source


@dataclass(frozen=True, slots=True)
class Esptool:
    """chip as esptool spells it; offset in flash where the boot ROM looks for an image."""

    __pydantic_config__ = _EXACT
    tool: Literal["esptool"]
    chip: _Text
    offset: _Address
    source: _Source


@dataclass(frozen=True, slots=True)
class Uf2:
    """family_id as in Microsoft's list; label of the volume that the boot loader shows."""

    __pydantic_config__ = _EXACT
    tool: Literal["uf2"]
    family_id: _Address
    label: _Text
    source: _Source


@dataclass(frozen=True, slots=True)
class MassStorage:
    """label of the volume that the debug probe shows; a flat binary copied to it is programmed."""

    __pydantic_config__ = _EXACT
    tool: Literal["mass_storage"]
    label: _Text
    source: _Source


Flasher = OpenOcd | PyOcd | Esptool | Uf2 | MassStorage


@dataclass(frozen=True, slots=True)
class RegisterBlock:
    """Registers that the firmware sets up and Renode need not model: memory stands in for them."""

    __pydantic_config__ = _EXACT
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", strict=True)]
    origin: _Address
    size_bytes: Annotated[int, Field(gt=0, multiple_of=4, strict=True)]
    source: _Source


@dataclass(frozen=True, slots=True)
class Renode:
    """What a Renode platform needs beyond the rest of the board file."""

    __pydantic_config__ = _EXACT
    registers: tuple[RegisterBlock, ...] = ()
