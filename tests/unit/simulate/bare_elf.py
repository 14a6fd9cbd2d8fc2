"""ELF files for a board made from machine code alone, so that tests need no compiler."""

from __future__ import annotations

import struct
from pathlib import Path

FLASH = 0x0800_0000  # of nucleo_l4r5zi
STACK_TOP = 0x2000_1000
VECTORS_BYTES = 8

_HEADER_BYTES, _SEGMENT_BYTES, _SECTION_BYTES = 52, 32, 40


def write_elf(path: Path, code: bytes, origin: int = FLASH, symbols: dict[str, int] | None = None) -> Path:
    """A vector table at `origin`, then `code`, which is entered at its start. symbols: name → offset in `code`."""
    start = origin + VECTORS_BYTES
    vectors = struct.pack("<II", STACK_TOP, start | 1)
    named = {name: start + offset for name, offset in (symbols or {}).items()}
    path.write_bytes(elf_bytes(vectors + code, origin, named))
    return path


def elf_bytes(content: bytes, address: int, symbols: dict[str, int]) -> bytes:
    """One segment, which is the section .text, and a symbol table of functions."""
    names = b"\0" + b"".join(name.encode() + b"\0" for name in symbols)
    table = bytes(16)
    for name, value in symbols.items():
        table += struct.pack("<IIIBBH", names.index(b"\0" + name.encode() + b"\0") + 1, value | 1, 0, 0x12, 0, 1)
    section_names = b"\0.text\0.symtab\0.strtab\0"
    offset = _HEADER_BYTES + _SEGMENT_BYTES
    parts = [content, table, names, section_names]
    offsets = [offset + sum(len(part) for part in parts[:i]) for i in range(len(parts) + 1)]

    def section(name: bytes, kind: int, index: int, link: int = 0, info: int = 0, entry: int = 0) -> bytes:
        where = address if kind == 1 else 0
        flags = 6 if kind == 1 else 0
        at = section_names.index(name)
        return struct.pack("<10I", at, kind, flags, where, offsets[index], len(parts[index]), link, info, 4, entry)

    sections = [
        bytes(_SECTION_BYTES),
        section(b".text", 1, 0),
        section(b".symtab", 2, 1, link=3, info=1, entry=16),
        section(b".strtab", 3, 2),
        section(b".strtab", 3, 3),
    ]
    header = b"\x7fELF\x01\x01\x01" + bytes(9)
    header += struct.pack("<HHIIIIIHHHHHH", 2, 40, 1, address, _HEADER_BYTES, offsets[4], 0x0500_0000, _HEADER_BYTES,
                          _SEGMENT_BYTES, 1, _SECTION_BYTES, len(sections), 4)  # fmt: skip
    segment = struct.pack("<8I", 1, offset, address, address, len(content), len(content), 5, 4)
    return header + segment + b"".join(parts) + b"".join(sections)
