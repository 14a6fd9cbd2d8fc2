"""Compiles the C files of `native/` for this computer, once, into the user's cache folder.

The name of a library holds the hash of its sources and options, so a new version of sq-micro never loads an old one.
Any C compiler does: the one on PATH, or zig from its wheel.
"""

from __future__ import annotations

import hashlib
import importlib.util
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from sq_micro.errors import ToolchainError
from sq_micro.store import cache_folder

_SOURCES = Path(__file__).with_name("native")
_OPTIONS = ("-std=c11", "-D_POSIX_C_SOURCE=200809L", "-O2", "-shared")


def native_library(name: str, defines: tuple[str, ...] = ()) -> Path:
    """The shared library of `native/<name>.c`, compiled now iff it never was.

    defines  such as `SQM_QEMU_PLUGIN_VERSION=2`
    Raises ToolchainError iff no compiler is there, or none of them succeeds.
    """
    source = _SOURCES / f"{name}.c"
    digest = hashlib.sha256("\0".join((*_OPTIONS, *defines, sys.platform, platform.machine())).encode())
    for file in (source, _SOURCES / "block_table.h"):
        digest.update(file.read_bytes())
    target = cache_folder() / f"{name}-{digest.hexdigest()[:16]}{_suffix()}"
    if not target.is_file():
        _compile(source, target, defines)
    return target


def compilers() -> tuple[tuple[str, ...], ...]:
    """Commands that compile C for this computer, the one to try first in front."""
    found: list[tuple[str, ...]] = [(path,) for name in ("cc", "gcc", "clang") if (path := shutil.which(name))]
    if importlib.util.find_spec("ziglang") is not None:
        found.append((sys.executable, "-m", "ziglang", "cc"))
    return tuple(found)


def _compile(source: Path, target: Path, defines: tuple[str, ...]) -> None:
    options = [*_OPTIONS, *(f"-D{define}" for define in defines)]
    if sys.platform != "win32":
        options.append("-fPIC")
    said = []
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            for compiler in compilers():
                output = Path(folder) / target.name
                command = [*compiler, *options, str(source), "-o", str(output)]
                done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
                if done.returncode == 0 and output.is_file():
                    # Renaming is atomic: a second process sees the whole library or none.
                    output.replace(target)
                    return
                said.append(f"{compiler[0]}: {done.stderr.strip()[-400:]}")
    except (OSError, subprocess.SubprocessError) as error:
        said.append(str(error))
    problem = "; ".join(said) or "no C compiler is on PATH, and ziglang is not installed (pip install ziglang)"
    raise ToolchainError(f"{source.name} cannot be compiled: {problem}")


def _suffix() -> str:
    return {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
