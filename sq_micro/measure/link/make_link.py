"""From a link's name to a link."""

from __future__ import annotations

from pathlib import Path

from sq_micro.board import Board
from sq_micro.errors import UsageError
from sq_micro.measure.link.base import Link
from sq_micro.measure.link.host_link import HostLink
from sq_micro.measure.link.qemu_link import QemuLink
from sq_micro.measure.link.simulator_link import SimulatorLink


def make_link(name: str, elf: Path, board: Board) -> Link:
    """A link, not opened yet, to `elf` running on `board`. Raises UsageError iff the board has no such link."""
    if name not in board.links:
        raise UsageError(f"board '{board.id}' has no link '{name}'; it has: {', '.join(board.links) or 'none'}")
    if name == "host":
        return HostLink(elf)
    if name == "qemu":
        assert board.qemu_machine is not None
        return QemuLink(elf, board.qemu_machine)
    return SimulatorLink(elf, board.source_file)
