"""Which compiler builds for a board: the GNU one when it is on PATH, else zig from its wheel."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from sq_micro.board import Board
from sq_micro.errors import ToolchainError

CompilerChoice = Literal["auto", "gcc", "zig"]


@dataclass(frozen=True, slots=True)
class GnuCompilers:
    """Names of GNU compilers of an architecture, the preferred one first, and the Debian package of one of them."""

    programs: tuple[str, ...]
    package: str


_GNU = {
    "host": GnuCompilers(("gcc", "clang", "cc"), "gcc"),
    "arm": GnuCompilers(("arm-none-eabi-gcc",), "gcc-arm-none-eabi"),
    # Any of them compiles for 32 bits, given -march and -mabi.
    "riscv": GnuCompilers(
        ("riscv32-unknown-elf-gcc", "riscv64-unknown-elf-gcc", "riscv-none-elf-gcc"), "gcc-riscv64-unknown-elf"
    ),
}


@dataclass(frozen=True, slots=True)
class Compiler:
    """kind, the command as CMake takes it, and the first line of what it says of its version."""

    kind: Literal["gcc", "zig"]
    command: tuple[str, ...]
    version: str

    def __str__(self) -> str:
        return f"{self.kind} ({self.version})"


def gnu_compilers(board: Board) -> GnuCompilers:
    """Those that can build for a board."""
    return _GNU[board.core.architecture]


def find_compiler(board: Board, choice: CompilerChoice = "auto") -> Compiler:
    """Raises ToolchainError saying what to install iff the wanted compiler is absent."""
    gnu = gnu_compilers(board)
    if choice in ("auto", "gcc"):
        for name in gnu.programs:
            if path := shutil.which(name):
                return Compiler("gcc", (path,), _first_line((path, "--version")))
        if choice == "gcc":
            raise ToolchainError(
                f"{' or '.join(gnu.programs)} is not on PATH; install it (Debian: apt-get install {gnu.package})"
                " or use --compiler zig"
            )
    if (zig := zig_path()) is None:
        raise ToolchainError(f"no compiler: pip install ziglang, or put {gnu.programs[0]} on PATH")
    return Compiler("zig", (str(zig), "cc"), f"zig {_first_line((str(zig), 'version'))}")


def zig_path() -> Path | None:
    """The zig program inside the `ziglang` wheel; None where the wheel is not installed."""
    found = importlib.util.find_spec("ziglang")
    if found is None or found.origin is None:
        return None
    folder = Path(found.origin).parent
    return next((path for name in ("zig", "zig.exe") if (path := folder / name).is_file()), None)


def toolchain_file(compiler: Compiler, board: Board) -> str:
    """CMake toolchain text. Flags of the core come from the board file; zig spells them its own way."""
    command = ";".join(compiler.command)
    lines = []
    if board.sram is not None:
        lines += [
            "set(CMAKE_SYSTEM_NAME Generic)",
            f"set(CMAKE_SYSTEM_PROCESSOR {board.core.architecture})",
            "set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)",
        ]
    lines += [f'set(CMAKE_C_COMPILER "{command}")', "set(CMAKE_C_COMPILER_WORKS TRUE)"]
    if compiler.kind == "zig" and board.sram is not None:
        lines.append(f'set(CMAKE_C_FLAGS_INIT "-target {_zig_target(board)} -mcpu={board.core.zig_cpu}")')
    elif board.sram is not None:
        lines.append(f'set(CMAKE_C_FLAGS_INIT "{" ".join(board.core.flags)}")')
    return "\n".join(lines) + "\n"


def _zig_target(board: Board) -> str:
    if board.core.architecture == "riscv":
        return "riscv32-freestanding-none"
    return f"thumb-freestanding-{'eabihf' if board.core.has_fpu else 'eabi'}"


@cache
def _first_line(command: tuple[str, ...]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise ToolchainError(f"{command[0]} does not run: {error}") from error
    return (done.stdout.splitlines() or [""])[0]
