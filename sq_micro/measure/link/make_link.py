"""From a link's name to a link."""

from __future__ import annotations

from pathlib import Path

from sq_micro.board import Board
from sq_micro.errors import UsageError
from sq_micro.measure.link.base import Link
from sq_micro.measure.link.host_link import HostLink
from sq_micro.measure.link.qemu_link import QemuLink
from sq_micro.measure.link.renode_link import RenodeLink
from sq_micro.measure.link.serial_link import SerialLink
from sq_micro.measure.link.simulator_link import SimulatorLink
from sq_micro.measure.ports import choose_port


def make_link(
    name: str,
    elf: Path,
    board: Board,
    *,
    port: str | None = None,
    renode: str | None = None,
    folder: Path | None = None,
) -> Link:
    """A link, not opened yet, to `elf` running on `board`.

    port    of the serial link, as pyserial takes it; by default the one that has the board's USB id
    renode  the program; by default the one in SQ_RENODE, else on PATH
    folder  for Renode's files and its log; by default `renode` beside the ELF

    Raises UsageError iff the board has no such link, or several ports could be the board; LinkError iff none is.
    """
    if name not in board.links and not (name == "serial" and port is not None):
        raise UsageError(f"board '{board.id}' has no link '{name}'; it has: {', '.join(board.links) or 'none'}")
    if port is not None and name != "serial":
        raise UsageError(f"--port {port} is for --link serial; the link here is '{name}'")
    match name:
        case "host":
            return HostLink(elf)
        case "qemu":
            assert board.qemu is not None
            return QemuLink(elf, board.qemu.machine, board.qemu.program)
        case "renode":
            return RenodeLink(elf, board, folder or elf.parent / "renode", renode=renode)
        case "serial":
            return SerialLink(port or choose_port(board), board.uart.baud, board.serial)
        case _:
            return SimulatorLink(elf, board.source_file)
