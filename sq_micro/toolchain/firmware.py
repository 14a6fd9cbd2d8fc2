"""A built image with what is known of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from sq_micro.board import Board
from sq_micro.errors import DoesNotFitError
from sq_micro.toolchain.cmake import BuildRequest, build_firmware
from sq_micro.toolchain.sections import Footprint, read_footprint
from sq_micro.toolchain.stack import EXCEPTION_FRAME_BYTES, worst_case_stack

STACK_MARGIN_BYTES = 64  # beyond the worst case that is computed


@dataclass(frozen=True, slots=True)
class Firmware:
    """worst_stack_bytes includes one exception frame; None on the host, whose stack is the system's."""

    elf: Path
    compiler: str
    footprint: Footprint
    worst_stack_bytes: int | None
    worst_stack_path: tuple[str, ...]


def build(request: BuildRequest) -> Firmware:
    """Build and measure an image whose stack is what its code needs at most, and STACK_MARGIN_BYTES.

    An image with the least stack is linked first: it tells what that is. Raises DoesNotFitError also where the board
    allows less.
    """

    def built(stack_bytes: int | None) -> Firmware:
        elf = build_firmware(replace(request, stack_bytes=stack_bytes))
        return inspect_firmware(elf, request.board, str(request.compiler))

    trial = built(None)
    if trial.worst_stack_bytes is None:
        return trial
    return built(_aligned(trial.worst_stack_bytes + STACK_MARGIN_BYTES))


def set_aside_bytes(depth_bytes: int) -> int:
    """The stack of an image whose deepest path takes so much, without an exception frame."""
    return _aligned(depth_bytes + EXCEPTION_FRAME_BYTES + STACK_MARGIN_BYTES)


def inspect_firmware(elf: Path, board: Board, compiler: str) -> Firmware:
    """What an image that is already built takes."""
    footprint = read_footprint(elf)
    if board.sram is None:
        return Firmware(elf, compiler, footprint, None, ())
    depth = worst_case_stack(elf)
    worst = depth.bytes + EXCEPTION_FRAME_BYTES
    wanted = set_aside_bytes(depth.bytes)
    if wanted > board.stack_bytes:
        path = " > ".join(depth.path)
        detail = f"the deepest path needs {worst:,} B ({path}), with a margin of {STACK_MARGIN_BYTES} B;"
        raise DoesNotFitError(
            "stack", wanted - board.stack_bytes, f"{detail} {board.id} allows {board.stack_bytes:,} B"
        )
    return Firmware(elf, compiler, footprint, worst, depth.path)


def _aligned(stack_bytes: int) -> int:
    """AAPCS: the stack is aligned to 8 at every call."""
    return -(-stack_bytes // 8) * 8
