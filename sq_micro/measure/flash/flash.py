"""Choose flasher and probe, program, verify."""

from __future__ import annotations

import shutil
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sq_micro.board import Board, Esptool, Flasher, MassStorage, Uf2
from sq_micro.errors import LinkError, ToolchainError, UsageError
from sq_micro.measure.flash.perform import perform
from sq_micro.measure.flash.plan import Place, make_plan
from sq_micro.measure.flash.steps import FlashPlan
from sq_micro.measure.flash.volume import find_volume
from sq_micro.measure.link.serial_link import SerialLink
from sq_micro.measure.link.serial_port import ConnectedPort, connected_ports
from sq_micro.measure.messages import Hello
from sq_micro.measure.ports import choose_port
from sq_micro.measure.session import Session

_PROGRAMS = {"openocd": ("openocd",), "pyocd": ("pyocd",), "esptool": ("esptool", "esptool.py")}
_REMEDIES = {
    "openocd": "Debian: apt-get install openocd",
    "pyocd": "pip install pyocd",
    "esptool": "pip install esptool",
}


@dataclass(frozen=True, slots=True)
class FlashOptions:
    """What the person chooses; None leaves it to the board file and to what is plugged in.

    tool        one of those that the board file names
    probe       serial number of the debug probe, or of the board
    port        serial port, for esptool and for the check afterwards
    volume      where the boot loader or the probe is mounted
    model_hash  that the firmware must say after programming; None: it is not asked
    dry_run     plan only
    """

    tool: str | None = None
    probe: str | None = None
    port: str | None = None
    volume: Path | None = None
    model_hash: str | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class FlashReport:
    """verified_by: who has compared, in their order; empty after a dry run. hello: what the firmware then said.

    unasked  the firmware was to be asked, but no port leads to it
    """

    plan: FlashPlan
    done: bool
    verified_by: tuple[str, ...]
    hello: Hello | None
    unasked: bool = False

    def __str__(self) -> str:
        if not self.done:
            return str(self.plan)
        said = f"flashed by {self.plan.tool}; verified by {', '.join(self.verified_by) or 'nobody'}"
        unasked = (
            "; the firmware was not asked: the board has no port of its own, name that of your adapter with --port"
        )
        return said + (unasked if self.unasked else "")


def flash(board: Board, elf: Path, options: FlashOptions | None = None) -> FlashReport:
    """Program `elf` into the board and verify it.

    Raises UsageError iff the board file names no flasher, or not the one asked for, or several probes are connected;
    ToolchainError iff no tool is installed or it fails; LinkError iff no board is there or it runs another model.
    """
    options = options or FlashOptions()
    flasher, program = choose_flasher(board, options)
    place = _place(flasher, program, board, elf, options)
    plan = make_plan(flasher, elf, place)
    if options.dry_run:
        return FlashReport(plan, done=False, verified_by=(), hello=None)
    perform(plan, elf.parent / "flash.log")
    verified = [plan.verified_by] if plan.verified_by else []
    hello = None
    is_reachable = options.port is not None or (board.serial is not None and board.serial.usb_ids != ())
    if options.model_hash is not None and is_reachable:
        hello = ask_firmware(board, options.port or choose_port(board), options.model_hash)
        verified.append("the model hash that the firmware says")
    unasked = options.model_hash is not None and not is_reachable
    return FlashReport(plan, done=True, verified_by=tuple(verified), hello=hello, unasked=unasked)


def ask_firmware(board: Board, port: str, model_hash: str) -> Hello:
    """HELLO of the firmware at a port. Raises LinkError iff there is none, or it runs another model."""
    with Session(SerialLink(port, board.uart.baud, board.serial), model_hash=model_hash) as session:
        return session.hello


def choose_flasher(board: Board, options: FlashOptions) -> tuple[Flasher, str]:
    """The flasher and its program: the one asked for, else the first of the board file that can be used here."""
    named = [flasher.tool for flasher in board.flashers]
    if not named:
        raise UsageError(f"board '{board.id}' names no [[flasher]]; load {board.id} images with your own tool")
    if options.tool is not None and options.tool not in named:
        raise UsageError(f"board '{board.id}' is not flashed by '{options.tool}'; its file names: {', '.join(named)}")
    candidates = [flasher for flasher in board.flashers if options.tool in (None, flasher.tool)]
    reasons = []
    for flasher in candidates:
        if isinstance(flasher, Uf2 | MassStorage):
            if options.volume or find_volume(flasher.label):
                return flasher, ""
            how = (
                "hold its boot button while you plug the board in" if isinstance(flasher, Uf2) else "plug the board in"
            )
            reasons.append(f"no volume {flasher.label} is mounted ({how}, or name it with --volume)")
        elif program := flasher_program(flasher.tool):
            return flasher, program
        else:
            reasons.append(f"{flasher.tool} is not on PATH ({flasher_remedy(flasher.tool)})")
    if options.dry_run:
        return candidates[0], candidates[0].tool
    raise ToolchainError(f"nothing can flash a {board.id} from here: {'; '.join(reasons)}")


def choose_probe(board: Board, wanted: str | None, ports: Sequence[ConnectedPort]) -> str | None:
    """The serial number of the one probe that belongs to such a board, as its port tells it.

    None where the one that is there has no number.

    Raises UsageError iff there are several, LinkError iff there is none.
    """
    if wanted is not None:
        return wanted
    usb_ids = board.serial.usb_ids if board.serial else ()
    fitting = {port.serial_number: port for port in ports if port.usb_id in usb_ids}
    if len(fitting) > 1:
        listed = "; ".join(map(str, fitting.values()))
        raise UsageError(f"{len(fitting)} probes could belong to a {board.id}: {listed}; choose one with --probe")
    if not fitting:
        raise LinkError(
            f"no probe of a {board.id} is connected ({', '.join(usb_ids) or 'the board file has no usb_ids'});"
            " plug it in, or name its serial number with --probe"
        )
    return next(iter(fitting))


def _place(flasher: Flasher, program: str, board: Board, elf: Path, options: FlashOptions) -> Place:
    if isinstance(flasher, Uf2 | MassStorage):
        return Place(program, elf.parent, volume=options.volume or find_volume(flasher.label))
    if isinstance(flasher, Esptool):
        port = options.port or (None if options.dry_run else choose_port(board))
        return Place(program, elf.parent, port=port)
    try:
        probe = choose_probe(board, options.probe, connected_ports())
    except LinkError:
        if not options.dry_run:
            raise
        probe = None
    return Place(program, elf.parent, probe=probe)


def flasher_remedy(tool: str) -> str:
    """The command that installs a flasher."""
    return _REMEDIES[tool]


def flasher_program(tool: str) -> str | None:
    """A flasher's program on PATH, or where pip puts programs, which need not be on PATH."""
    for name in _PROGRAMS[tool]:
        if path := shutil.which(name) or shutil.which(name, path=sysconfig.get_path("scripts")):
            return path
    return None
