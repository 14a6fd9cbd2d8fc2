"""What of an ELF gets onto a chip, as a hash: debug information is left out, since it may name a person's folders."""

from __future__ import annotations

import hashlib
from pathlib import Path

from elftools.elf.elffile import ELFFile


def loaded_sha256(elf: Path) -> str:
    """SHA-256 over addresses and bytes of all segments that are loaded."""
    state = hashlib.sha256()
    with elf.open("rb") as stream:
        for segment in ELFFile(stream).iter_segments("PT_LOAD"):
            state.update(f"{segment['p_paddr']:x} {segment['p_filesz']:x};".encode())
            state.update(segment.data())
    return state.hexdigest()
