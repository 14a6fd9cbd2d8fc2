"""CMake and Ninja: configure, build, and turn what a linker says into what a person can act on."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sq_micro.board import MAIN_REGION, Board
from sq_micro.errors import DoesNotFitError, ToolchainError, UsageError
from sq_micro.paths import project_files, write_atomically
from sq_micro.toolchain.compiler import Compiler, toolchain_file
from sq_micro.toolchain.variant import BENCH, Variant

_OVERFLOW = re.compile(
    r"region [`']?(\w+)'?:?,? overflowed by (\d+) bytes|will not fit in region '(\w+)': overflowed by (\d+) bytes"
)
_ERROR = re.compile(r"^.*(?<!-W)\berror:.*$|^CMake Error.*$|^.*undefined reference.*$", re.MULTILINE)

_TRIAL_STACK_BYTES = 8


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """model_dir and board_dir as `generate` wrote them.

    arena_bytes  only for the message of an overflow; share_bytes, too: by region, of an arena that is divided
    stack_bytes  to set aside; None is next to nothing, for a first image that tells how much is needed
    """

    model_dir: Path
    board_dir: Path
    build_dir: Path
    board: Board
    compiler: Compiler
    arena_bytes: int
    share_bytes: Mapping[str, int] = field(default_factory=dict)
    variant: Variant = BENCH
    stack_bytes: int | None = None


def find_program(name: str) -> str:
    """A build tool on PATH, else where its wheel put it. Raises ToolchainError iff it is in neither.

    Some wheels keep the program in their package, others install it beside python, which need not be on PATH.
    """
    if path := shutil.which(name):
        return path
    folders = [Path(sysconfig.get_path("scripts"))]
    spec = importlib.util.find_spec(name)
    if spec is not None and spec.origin is not None:
        root = Path(spec.origin).parent
        folders += [root / "data" / "bin", root / "bin"]
    for candidate in (folder / program for folder in folders for program in (name, f"{name}.exe")):
        if candidate.is_file():
            return str(candidate)
    raise ToolchainError(f"{name} is missing: pip install {name}")


def build_firmware(request: BuildRequest) -> Path:
    """Configure and build; the ELF's path. The log of both is `build.log` in the build folder.

    Raises DoesNotFitError where a memory region overflows, ToolchainError otherwise.
    """
    build = request.build_dir
    toolchain = _prepare(build, toolchain_file(request.compiler, request.board))
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
        f"-DSQM_STACK_BYTES={request.stack_bytes or _TRIAL_STACK_BYTES}",
        *request.variant.definitions(),
        "-DCMAKE_BUILD_TYPE=",
    ]
    log = build / "build.log"
    text = _run(configure, "", request, log)
    text = _run([find_program("cmake"), "--build", str(build)], text, request, log)
    write_atomically(log, text)
    if not elf.is_file():
        raise ToolchainError("the build ended without an image", log)
    return elf


def _prepare(build: Path, toolchain_text: str) -> Path:
    """An empty build folder, or one that the same compiler has built in; the path of its toolchain file.

    CMake keeps a compiler and the folders of sources and build for the life of a build folder, so that another
    compiler, another installation of sq-micro or a folder that was moved needs a fresh one.
    """
    toolchain = build / "toolchain.cmake"
    if toolchain.is_file():
        if toolchain.read_text(encoding="utf-8") != toolchain_text or _moved(build):
            shutil.rmtree(build)
    elif build.is_dir() and any(build.iterdir()):
        raise UsageError(f"{build} holds files that sq-micro did not put there; choose another folder")
    write_atomically(toolchain, toolchain_text)
    return toolchain


def _moved(build: Path) -> bool:
    """Whether CMake configured the folder from other sources, or in another place."""
    cache = build / "CMakeCache.txt"
    if not cache.is_file():
        return False
    kept = dict(re.findall(r"^(\w+):INTERNAL=(.*)$", cache.read_text(encoding="utf-8", errors="replace"), re.MULTILINE))
    places = {"CMAKE_HOME_DIRECTORY": project_files(), "CMAKE_CACHEFILE_DIR": build}
    return any(Path(kept.get(name, "")).resolve() != place.resolve() for name, place in places.items())


def _run(command: list[str], before: str, request: BuildRequest, log: Path) -> str:
    """What the command said, after what was said `before`. Where it fails, that is in the log."""
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    except OSError as error:
        raise ToolchainError(f"{command[0]} does not run: {error}") from error
    text = f"{before}$ {' '.join(command)}\n{done.stdout}{done.stderr}"
    if done.returncode == 0:
        return text
    write_atomically(log, text)
    if overflows := _overflows(text):
        raise _overflow_error(request, *overflows[0])
    said = _ERROR.search(text)
    reason = said[0].strip() if said else "it did not say why"
    raise ToolchainError(f"{Path(command[0]).name} ended with {done.returncode}: {reason}", log)


def _overflows(text: str) -> list[tuple[str, int]]:
    """(region, bytes) for each memory region that the linker says is too small.

    GNU ld names a region once, lld once for each section that no longer fits: then the last says how much in all.
    """
    found: dict[str, int] = {}
    for match in _OVERFLOW.finditer(text):
        region, short = match[1] or match[3], int(match[2] or match[4])
        found[region] = max(short, found.get(region, 0))
    return list(found.items())


def _overflow_error(request: BuildRequest, region: str, short: int) -> DoesNotFitError:
    board = request.board
    if request.share_bytes and region != "FLASH":
        return _share_overflow_error(request, region.lower(), short)
    if region == "SRAM":
        size = board.sram.size_bytes if board.sram else 0
        hot = board.hot_region(request.arena_bytes)
        if hot is not None and hot.name != MAIN_REGION:  # where arena and stack fit, or they would not be there
            return DoesNotFitError("SRAM", short, f"variables {size + short:,} B, {board.id} has {size:,} B")
        other = size + short - request.arena_bytes - (request.stack_bytes or _TRIAL_STACK_BYTES)
        stack = "a stack beside it" if request.stack_bytes is None else f"stack {request.stack_bytes:,} B"
        detail = f"arena {request.arena_bytes:,} B, {stack}, other variables {other:,} B"
        return DoesNotFitError("SRAM", short, f"{detail}, {board.id} has {size:,} B; choose a larger board")
    size = board.flash.size_bytes if board.flash else 0
    detail = f"the image takes {size + short:,} B, {board.id} has {size:,} B"
    return DoesNotFitError("flash", short, f"{detail}; lower --weight-bits, or choose a larger board")


def _share_overflow_error(request: BuildRequest, region: str, short: int) -> DoesNotFitError:
    """Of an arena that is divided: which region is short, and what it was to hold."""
    board = request.board
    size = next(ram.memory.size_bytes for ram in board.rams if ram.name == region)
    share = request.share_bytes.get(region, 0)
    detail = f"{share:,} of {request.arena_bytes:,} B of arena there, stack and variables {size + short - share:,} B"
    return DoesNotFitError(f"SRAM in {region}", short, f"{detail}, {board.id} has {size:,} B; choose a larger board")
