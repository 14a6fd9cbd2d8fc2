"""Where sq-micro's own files lie, and how it writes files that are never half-written."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def project_files() -> Path:
    """The folder that holds `boards`, `codegen_templates`, `firmware` and `CMakeLists.txt`.

    In an installed wheel it is `sq_micro/project`; in a checkout it is the root of the checkout.
    """
    installed = _PACKAGE / "project"
    return installed if installed.is_dir() else _PACKAGE.parent


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write a file whole or not at all: to a temporary beside it, then rename."""
    data = content.encode() if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
