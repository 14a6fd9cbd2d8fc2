"""Mounted volumes of boot loaders and debug probes."""

from __future__ import annotations

import getpass
import os
import re
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from sq_micro.errors import ToolchainError, UsageError

_SETTLE_S = 4.0
_POLL_S = 0.1
_COMPLAINT = "FAIL.TXT"  # what ST-LINK and DAPLink leave on the volume where programming failed


def mount_points() -> tuple[Path, ...]:
    """Folders in which desktops of Linux and macOS mount what is plugged in. Windows has letters: use --volume."""
    if os.name != "posix":
        return ()
    user = getpass.getuser()
    return tuple(map(Path, (f"/run/media/{user}", f"/media/{user}", "/media", "/mnt", "/Volumes")))


def find_volume(label: str, folders: Sequence[Path] | None = None) -> Path | None:
    """The mounted volume of that label, None where there is none.

    Raises UsageError iff there are several: a desktop puts numbers behind the names of further ones.
    """
    name = re.compile(re.escape(label) + r"[ _]?\d*")
    found = [
        volume
        for folder in (mount_points() if folders is None else folders)
        if folder.is_dir()
        for volume in sorted(folder.iterdir())
        if name.fullmatch(volume.name) and volume.is_dir()
    ]
    if len(found) > 1:
        raise UsageError(f"{len(found)} volumes are called {label}: {', '.join(map(str, found))}; choose with --volume")
    return found[0] if found else None


def copy_to_volume(source: Path, volume: Path, settle_s: float = _SETTLE_S) -> None:
    """Copy, push it out of the caches, and wait for a complaint. Raises ToolchainError iff there is one.

    The device takes the volume away when it has programmed what it got: that is success, not a failure.
    """
    if not volume.is_dir():
        raise ToolchainError(f"{volume} is not mounted; plug the board in, or press its boot button while doing so")
    complaint = volume / _COMPLAINT
    complaint.unlink(missing_ok=True)
    target = volume / source.name
    try:
        with source.open("rb") as image, target.open("wb") as stream:
            shutil.copyfileobj(image, stream)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        if volume.is_dir():
            raise ToolchainError(f"{target} cannot be written: {error.strerror}") from error
    deadline = time.monotonic() + settle_s
    while time.monotonic() < deadline and volume.is_dir():
        if complaint.is_file():
            said = " ".join(complaint.read_text(encoding="utf-8", errors="replace").split())
            raise ToolchainError(f"the board refuses the image: {said}")
        time.sleep(_POLL_S)
