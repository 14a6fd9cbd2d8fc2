"""A tree of source files in memory, and how it gets onto the disk."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from sq_micro.paths import write_atomically

MARKER = ".sq-micro-generated"


@dataclass(frozen=True, slots=True)
class SourceTree:
    """Text by path; the same inputs give the same bytes."""

    files: Mapping[PurePosixPath, str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "files", MappingProxyType(dict(sorted(self.files.items()))))

    def write(self, directory: Path) -> None:
        """Replace a folder that an earlier run wrote; a folder of other origin is added to, never emptied.

        A file whose content stays keeps its time stamp, so that a build has nothing to do.
        """
        if (directory / MARKER).is_file():
            wanted = {directory / path for path in self.files} | {directory / MARKER}
            for path in sorted(directory.rglob("*"), reverse=True):
                if path.is_file() and path not in wanted:
                    path.unlink()
                elif path.is_dir() and not any(path.iterdir()):
                    shutil.rmtree(path)
        for relative, text in self.files.items():
            path = directory / relative
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                write_atomically(path, text)
        write_atomically(directory / MARKER, "This folder is rewritten by `sq-micro generate`.\n")
