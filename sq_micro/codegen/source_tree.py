"""A tree of source files in memory, and how it gets onto the disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from sq_micro.paths import write_atomically

MARKER = ".sq-micro-generated"
_MARKER_TITLE = "Written by `sq-micro generate`, which replaces them:\n"


@dataclass(frozen=True, slots=True)
class SourceTree:
    """Text by path; the same inputs give the same bytes."""

    files: Mapping[PurePosixPath, str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "files", MappingProxyType(dict(sorted(self.files.items()))))

    @staticmethod
    def read(directory: Path) -> SourceTree:
        """What an earlier `write` left in a folder; files of other origin are left out."""
        return SourceTree({path: (directory / path).read_text(encoding="utf-8") for path in written_before(directory)})

    def write(self, directory: Path) -> None:
        """Write the files, and remove those that an earlier run wrote and this one does not; no others, ever.

        A file whose content stays keeps its time stamp, so that a build has nothing to do.
        """
        for stale in written_before(directory) - self.files.keys():
            _remove(directory, stale)
        for relative, text in self.files.items():
            path = directory / relative
            if not path.is_file() or path.read_bytes() != text.encode():
                write_atomically(path, text)
        write_atomically(directory / MARKER, _MARKER_TITLE + "".join(f"{path}\n" for path in self.files))


def written_before(directory: Path) -> set[PurePosixPath]:
    """The files that the marker lists: it is what tells ours from those of other origin."""
    marker = directory / MARKER
    if not marker.is_file():
        return set()
    listed = {PurePosixPath(line) for line in marker.read_text(encoding="utf-8").splitlines()[1:]}
    return {path for path in listed if not path.is_absolute() and ".." not in path.parts}


def _remove(directory: Path, relative: PurePosixPath) -> None:
    """Remove a file, and the folders that are empty without it."""
    (directory / relative).unlink(missing_ok=True)
    for folder in list(relative.parents)[:-1]:
        if (directory / folder).is_dir() and not any((directory / folder).iterdir()):
            (directory / folder).rmdir()
