"""Results that are expensive and follow from their inputs alone, kept by the hash of those inputs.

A search that was interrupted, or is run again with another budget, finds here what it has computed before. Deleting the
folder loses time and nothing else.
"""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sq_micro.paths import write_atomically

_SCHEME = "1"  # changes with the meaning of anything that is stored


def cache_folder() -> Path:
    """The user's cache folder, as each operating system wants it."""
    if configured := os.environ.get("XDG_CACHE_HOME"):
        folder = Path(configured)
    elif sys.platform == "win32":
        folder = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local")
    elif sys.platform == "darwin":
        folder = Path.home() / "Library/Caches"
    else:
        folder = Path.home() / ".cache"
    return folder / "sq-micro"


def content_key(*parts: str | bytes | int | float | NDArray[Any] | None) -> str:
    """SHA-256 over parts in order, each with its type and length, so that no two lists of parts run together.

    >>> content_key("ab", "c") == content_key("a", "bc")
    False
    """
    state = hashlib.sha256(_SCHEME.encode())
    for part in parts:
        if isinstance(part, np.ndarray):
            content = np.ascontiguousarray(part)
            head = f"array {content.dtype.str} {content.shape}"
            body = content.tobytes()
        elif isinstance(part, bytes):
            head, body = f"bytes {len(part)}", part
        else:
            body = (part.hex() if isinstance(part, float) else str(part)).encode()
            head = f"{type(part).__name__} {len(body)}"
        state.update(head.encode() + b"\0" + body)
    return state.hexdigest()


@dataclass(frozen=True, slots=True)
class Store:
    """Bytes by key, one file each. `folder` None keeps nothing."""

    folder: Path | None

    @classmethod
    def of_user(cls) -> Store:
        """The store that all runs of this user share."""
        return cls(cache_folder() / "results")

    def get(self, key: str) -> bytes | None:
        """What was put under a key; None iff nothing was."""
        if self.folder is None:
            return None
        try:
            return self._file(key).read_bytes()
        except OSError:
            return None

    def put(self, key: str, value: bytes) -> None:
        """Keep bytes. A store that cannot be written is no error: the result is there, only not kept."""
        if self.folder is None:
            return
        try:
            write_atomically(self._file(key), value)
        except OSError:
            return

    def _file(self, key: str) -> Path:
        assert self.folder is not None
        return self.folder / key[:2] / key[2:]
