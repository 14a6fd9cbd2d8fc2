"""CMake and Ninja: configure, build, and turn what a linker says into what a person can act on."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sq_micro.board import Board
from sq_micro.errors import DoesNotFitError, ToolchainError
from sq_micro.paths import project_files, write_atomically
from sq_micro.toolchain.compiler import Compiler, toolchain_file

_OVERFLOW = re.compile(
    r"region [`']?(\w+)'?:?,? overflowed by (\d+) bytes|will not fit in region '(\w+)': overflowed by (\d+) bytes"
)
_ERROR = re.compile(r"^.*(?<!-W)\berror:.*$|^CMake Error.*$|^.*undefined reference.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """model_dir and board_dir as `generate` wrote them; arena_bytes is only for the message of an overflow."""

    model_dir: Path
    board_dir: Path
    build_dir: Path
    board: Board
    compiler: Compiler
    arena_bytes: int


def find_program(name: str) -> str:
    """A build tool on PATH, else inside its wheel. Raises ToolchainError iff it is in neither."""
    if path := shutil.which(name):
        return path
    spec = importlib.util.find_spec(name)
    if spec is not None and spec.origin is not None:
        root = Path(spec.origin).parent
        for candidate in (root / "data" / "bin" / name, root / "bin" / name, root / "data" / "bin" / f"{name}.exe"):
            if candidate.is_file():
                return str(candidate)
    raise ToolchainError(f"{name} is missing: pip install {name}")


def build_firmware(request: BuildRequest) -> Path:
    """Configure and build; the ELF's path. The log of both is `build.log` in the build folder.

    Raises DoesNotFitError where a memory region overflows, ToolchainError otherwise.
    """
    build = request.build_dir
    # CMake keeps a compiler for the life of a build folder, so a changed one needs a fresh folder.
    stamp = toolchain_file(request.compiler, request.board)
    toolchain = build / "toolchain.cmake"
    if build.is_dir() and (not toolchain.is_file() or toolchain.read_text() != stamp):
        shutil.rmtree(build)
    write_atomically(toolchain, stamp)
    elf = build / ("firmware" if request.board.sram is None else "firmware.elf")
    elf.unlink(missing_ok=True)
    configure = [
        find_program("cmake"),
        *("-S", str(project_files()), "-B", str(build), "-G", "Ninja"),
        f"-DCMAKE_MAKE_PROGRAM={find_program('ninja')}",
        f"-DCMAKE_TOOLCHAIN_FILE={toolchain}",
        f"-DSQM_MODEL_DIR={request.model_dir}",
        f"-DSQM_BOARD_DIR={request.board_dir}",
        f"-DSQM_COMPILER={request.compiler.kind}",
        "-DSQM_APP=bench",
        "-DCMAKE_BUILD_TYPE=",
    ]
    log = build / "build.log"
    text = _run(configure, "")
    text = _run([find_program("cmake"), "--build", str(build)], text, request, log)
    write_atomically(log, text)
    if not elf.is_file():
        raise ToolchainError("the build ended without an image", log)
    return elf


def _run(command: list[str], before: str, request: BuildRequest | None = None, log: Path | None = None) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise ToolchainError(f"{command[0]} does not run: {error}") from error
    text = f"{before}$ {' '.join(command)}\n{done.stdout}{done.stderr}"
    if done.returncode == 0:
        return text
    if log is not None:
        write_atomically(log, text)
    if request is not None and (overflow := _OVERFLOW.search(text)):
        raise _overflow_error(request, overflow)
    said = _ERROR.search(text)
    reason = said[0].strip() if said else "it did not say why"
    raise ToolchainError(f"{Path(command[0]).name} ended with {done.returncode}: {reason}", log)


def _overflow_error(request: BuildRequest, overflow: re.Match[str]) -> DoesNotFitError:
    region, short = overflow[1] or overflow[3], int(overflow[2] or overflow[4])
    board = request.board
    if region == "SRAM":
        size = board.sram.size_bytes if board.sram else 0
        detail = f"arena {request.arena_bytes:,} B, stack {board.stack_bytes:,} B, {board.id} has {size:,} B"
    else:
        size = board.flash.size_bytes if board.flash else 0
        detail = f"{board.id} has {size:,} B; lower --weight-bits, or choose a larger board"
    return DoesNotFitError("SRAM" if region == "SRAM" else "flash", short, detail)
