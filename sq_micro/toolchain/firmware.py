"""A built image with what is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sq_micro.board import Board
from sq_micro.errors import DoesNotFitError
from sq_micro.toolchain.cmake import BuildRequest, build_firmware
from sq_micro.toolchain.sections import Footprint, read_footprint
from sq_micro.toolchain.stack import EXCEPTION_FRAME_BYTES, worst_case_stack


@dataclass(frozen=True, slots=True)
class Firmware:
    """worst_stack_bytes includes one exception frame; None on the host, whose stack is the system's."""

    elf: Path
    compiler: str
    footprint: Footprint
    worst_stack_bytes: int | None
    worst_stack_path: tuple[str, ...]


def build(request: BuildRequest) -> Firmware:
    """Build and measure an image. Raises DoesNotFitError also where the stack set aside is too small."""
    return inspect_firmware(build_firmware(request), request.board, str(request.compiler))


def inspect_firmware(elf: Path, board: Board, compiler: str) -> Firmware:
    """What an image that is already built takes."""
    footprint = read_footprint(elf)
    if board.sram is None:
        return Firmware(elf, compiler, footprint, None, ())
    depth = worst_case_stack(elf)
    worst = depth.bytes + EXCEPTION_FRAME_BYTES
    if worst > board.stack_bytes:
        path = " > ".join(depth.path)
        detail = f"the deepest path needs {worst:,} B ({path}), {board.id} sets aside {board.stack_bytes:,} B"
        raise DoesNotFitError("stack", worst - board.stack_bytes, detail)
    return Firmware(elf, compiler, footprint, worst, depth.path)
