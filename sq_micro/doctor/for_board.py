"""What one board needs: a compiler, what runs its images here, what programs it, a port that may be opened."""

from __future__ import annotations

from sq_micro.board import Board, MassStorage, Uf2
from sq_micro.doctor.findings import Finding, Findings
from sq_micro.doctor.machine import build_tools, first_version_line, packages, program_version, zig_finding
from sq_micro.errors import ToolchainError
from sq_micro.measure.flash.flash import flasher_program, flasher_remedy
from sq_micro.measure.flash.volume import find_volume
from sq_micro.measure.link.qemu_link import qemu_package
from sq_micro.measure.link.serial_port import connected_ports, permission_remedy
from sq_micro.measure.renode.find import find_renode
from sq_micro.toolchain.compiler import gnu_compilers


def examine_board(board: Board) -> Findings:
    """Required is what `deploy` over the board's first link cannot do without; the rest is for its other links."""
    return Findings.of(
        [
            *packages(simulated=board.links[0] == "simulator"),
            *build_tools(),
            *_compilers(board),
            *_emulators(board),
            *_flashers(board),
            *_serial_port(board),
        ],
        board.id,
    )


def _compilers(board: Board) -> list[Finding]:
    """One of both is enough; zig is the one to install, since it needs no package manager of the system."""
    gnu = gnu_compilers(board)
    name, version = next(((name, found) for name in gnu.programs if (found := program_version(name))), (None, None))
    return [
        Finding(
            name=name or gnu.programs[0],
            purpose=f"builds for {board.core.name} in zig's place",
            version=version,
            required=False,
            remedy=f"Debian: apt-get install {gnu.package}",
        ),
        zig_finding(f"builds for {board.core.name}", required=version is None),
    ]


def _emulators(board: Board) -> list[Finding]:
    found = []
    if board.qemu is not None:
        found.append(
            Finding(
                name=board.qemu.program,
                purpose=f"runs images on its machine {board.qemu.machine.partition(',')[0]} (--link qemu)",
                version=program_version(board.qemu.program),
                required=board.links[0] == "qemu",
                remedy=f"Debian: apt-get install {qemu_package(board.qemu.program)}",
            )
        )
    if board.renode is not None:
        version, remedy = None, ""
        try:
            version = ".".join(map(str, find_renode().version))
        except ToolchainError as error:
            remedy = str(error)
        found.append(
            Finding(
                name="renode", purpose="runs images (--link renode)", version=version, required=False, remedy=remedy
            )
        )
    return found


def _flashers(board: Board) -> list[Finding]:
    """The first that is there is taken."""
    found = []
    for flasher in board.flashers:
        if isinstance(flasher, Uf2 | MassStorage):
            volume = find_volume(flasher.label)
            seen = None if volume is None else str(volume)
            name = f"volume {flasher.label}"
            remedy = "plug the board in, if need be with its boot button held, and let the desktop mount it"
        else:
            program = flasher_program(flasher.tool)
            seen = None if program is None else first_version_line(program) or "there"
            name, remedy = flasher.tool, flasher_remedy(flasher.tool)
        found.append(Finding(name=name, purpose=f"programs a {board.id}", version=seen, required=False, remedy=remedy))
    return found


def _serial_port(board: Board) -> list[Finding]:
    if board.serial is None:
        return []
    fitting = [port for port in connected_ports() if port.usb_id in board.serial.usb_ids]
    ids = ", ".join(board.serial.usb_ids) or "the board file names no USB id"
    if not fitting:
        found = Finding(
            name="serial port",
            purpose=f"talks to a {board.id} (--link serial)",
            version=None,
            required=False,
            remedy=f"plug the board in ({ids}), or name its port with --port",
        )
        return [found]
    denied = {port: permission_remedy(port.name) for port in fitting}
    return [
        Finding(
            name=f"serial port {port.name}",
            purpose=f"talks to a {board.id} (--link serial)",
            version=port.usb_id if remedy is None else None,
            required=False,
            remedy=remedy or "",
        )
        for port, remedy in denied.items()
    ]
