"""Which Renode to run."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass

from sq_micro.errors import ToolchainError
from sq_micro.measure.link.run_program import run_program

VARIABLE = "SQ_RENODE"
OLDEST = (1, 16)
_VERSION = re.compile(r"Renode,? v(?:ersion )?(\d+)\.(\d+)(?:\.(\d+))?")
_START_S = 60.0  # Mono compiles the whole program first
_REMEDY = (
    "get renode-latest.linux-portable.tar.gz (or your system's package) from https://github.com/renode/renode/releases,"
    f" then put it on PATH, set {VARIABLE}, or name it with --renode"
)


@dataclass(frozen=True, slots=True)
class RenodeProgram:
    """path of the program; version as (major, minor, patch)."""

    path: str
    version: tuple[int, int, int]

    def __str__(self) -> str:
        return f"Renode {'.'.join(map(str, self.version))} ({self.path})"


def find_renode(named: str | None = None) -> RenodeProgram:
    """The program that is named, else the one in SQ_RENODE, else the one on PATH.

    Raises ToolchainError iff there is none, it does not tell its version, or it is older than OLDEST.
    """
    for where, name in (("--renode", named), (VARIABLE, os.environ.get(VARIABLE))):
        if name:
            path = shutil.which(name)
            if path is None:
                raise ToolchainError(f"{where} names {name}, which is no program; {_REMEDY}")
            return _checked(path)
    path = shutil.which("renode")
    if path is None:
        raise ToolchainError(f"Renode is not on PATH; {_REMEDY}; or use --link simulator")
    return _checked(path)


def _checked(path: str) -> RenodeProgram:
    done = run_program((path, "--version"), _START_S)
    found = _VERSION.search(done.text)
    if found is None:
        raise ToolchainError(f"{path} --version does not tell a version of Renode: {done.last_line}; is it Renode?")
    version = (int(found[1]), int(found[2]), int(found[3] or 0))
    if version[:2] < OLDEST:
        raise ToolchainError(
            f"{path} is Renode {'.'.join(map(str, version))}; {'.'.join(map(str, OLDEST))} is the oldest that works;"
            f" {_REMEDY}"
        )
    return RenodeProgram(path, version)
