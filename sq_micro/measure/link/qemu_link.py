"""The firmware in QEMU, its UART on QEMU's standard input and output."""

from __future__ import annotations

import shutil
from pathlib import Path

from sq_micro.errors import ToolchainError
from sq_micro.measure.link.base import CycleKind
from sq_micro.measure.link.child_process import ChildProcess
from sq_micro.measure.link.process_link import ProcessLink

_PACKAGES = {"qemu-system-arm": "qemu-system-arm", "qemu-system-riscv32": "qemu-system-misc"}


class QemuLink(ProcessLink):
    """Runs an ELF on one of QEMU's machines: a second opinion on the outputs. QEMU's cycle counter stands still.

    plugin  what follows QEMU's option `-plugin`
    """

    name = "qemu"
    cycle_kind: CycleKind = "none"
    ends_by_itself = False

    def __init__(self, elf: Path, machine: str, program: str = "qemu-system-arm", plugin: str | None = None) -> None:
        super().__init__()
        self._elf = elf
        self._machine = machine
        self._program = program
        self._plugin = plugin

    def _start(self) -> ChildProcess:
        """Raises ToolchainError iff QEMU is not installed."""
        return ChildProcess(
            (
                *(str(find_qemu(self._program)), "-M", self._machine, "-display", "none", "-monitor", "none"),
                *("-serial", "stdio", "-kernel", str(self._elf.resolve())),
                *(("-plugin", self._plugin) if self._plugin else ()),
            )
        )


def find_qemu(program: str) -> Path:
    """The program. Raises ToolchainError iff it is not installed."""
    if (path := shutil.which(program)) is None:
        raise ToolchainError(
            f"{program} is not on PATH; install it (Debian: apt-get install {qemu_package(program)})"
            " or use --link simulator"
        )
    return Path(path)


def qemu_package(program: str) -> str:
    """The Debian package that a program of QEMU is in."""
    return _PACKAGES[program]
