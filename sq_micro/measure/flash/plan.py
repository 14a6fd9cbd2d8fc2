"""Which steps put an ELF on a board. Nothing is run, written or opened here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from sq_micro.board import Esptool, Flasher, MassStorage, OpenOcd, PyOcd, Uf2
from sq_micro.measure.flash.steps import Convert, Copy, FlashPlan, Run


@dataclass(frozen=True, slots=True)
class Place:
    """Where the board is, as far as its flasher asks for it, and what the flasher is called here.

    program  of the tool, a name or a path
    probe    serial number of the debug probe; None: the only one there is
    port     of the boot loader
    volume   where the boot loader or the probe is mounted
    folder   for converted images
    """

    program: str
    folder: Path
    probe: str | None = None
    port: str | None = None
    volume: Path | None = None


def make_plan(flasher: Flasher, elf: Path, place: Place) -> FlashPlan:
    """The steps of one flasher. What `place` lacks is printed as a word in capitals: such a plan is for reading."""
    match flasher:
        case OpenOcd():
            return _openocd(flasher, elf, place)
        case PyOcd():
            return _pyocd(flasher, elf, place)
        case Esptool():
            return _esptool(flasher, elf, place)
        case Uf2():
            image = place.folder / f"{elf.stem}.uf2"
            convert = Convert("uf2", elf, image, flasher.family_id)
            return FlashPlan(flasher.tool, (convert, Copy(image, _volume(flasher.label, place))), None)
        case MassStorage():
            image = place.folder / f"{elf.stem}.bin"
            return FlashPlan(
                flasher.tool, (Convert("bin", elf, image), Copy(image, _volume(flasher.label, place))), None
            )
        case _:
            assert_never(flasher)


def _openocd(flasher: OpenOcd, elf: Path, place: Place) -> FlashPlan:
    serial = ("-c", f"adapter serial {place.probe}") if place.probe else ()
    # Braces keep Tcl from reading anything into the path.
    program = ("-c", f"program {{{elf.as_posix()}}} verify reset exit")
    run = Run((place.program, "-f", flasher.config, *serial, *program), proof="** Verified OK **")
    return FlashPlan(flasher.tool, (run,), "OpenOCD, which reads the flash back")


def _pyocd(flasher: PyOcd, elf: Path, place: Place) -> FlashPlan:
    probe = ("--uid", place.probe) if place.probe else ()
    # --no-wait: without a probe it ends with an error, where it would wait for one to be plugged in.
    options = ("--target", flasher.target, *probe, "--no-wait", "--format", "elf")
    return FlashPlan(flasher.tool, (Run((place.program, "load", *options, str(elf))),), None)


def _esptool(flasher: Esptool, elf: Path, place: Place) -> FlashPlan:
    image = place.folder / f"{elf.stem}.bin"
    chip = ("--chip", flasher.chip)
    convert = Run((place.program, *chip, "elf2image", "--output", str(image), str(elf)))
    # esptool 5 writes its commands with dashes and still takes underscores, esptool 4 takes nothing else.
    write = (*chip, "--port", place.port or "PORT", "write_flash", f"{flasher.offset:#x}", str(image))
    return FlashPlan(
        flasher.tool,
        (convert, Run((place.program, *write), proof="Hash of data verified")),
        "esptool, which compares a hash of the flash",
    )


def _volume(label: str, place: Place) -> Path:
    return place.volume or Path(label.upper())
