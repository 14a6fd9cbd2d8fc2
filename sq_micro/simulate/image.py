"""A firmware image: what an ELF file puts where, and which function an address belongs to."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from sq_micro.errors import ToolchainError


@dataclass(frozen=True, slots=True)
class Segment:
    """Bytes at the physical address where a flasher would write them."""

    address: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Image:
    """segments in address order; symbols: functions and labels, name → address without the Thumb bit."""

    path: Path
    segments: tuple[Segment, ...]
    symbols: dict[str, int]
    _ordered: tuple[tuple[int, str], ...]

    def read(self, address: int, size_bytes: int) -> bytes:
        """Bytes of the image. Raises ToolchainError iff a part of them is outside all segments."""
        for segment in self.segments:
            start = address - segment.address
            if start >= 0 and start + size_bytes <= len(segment.content):
                return segment.content[start : start + size_bytes]
        raise ToolchainError(f"{self.path}: nothing is loaded at {address:#010x}")

    def describe(self, address: int) -> str:
        """The address with the nearest symbol before it: `sqm_dense+0x12 (0x080001a6)`."""
        index = bisect.bisect_right(self._ordered, (address, chr(0x10FFFF))) - 1
        inside = any(s.address <= address < s.address + len(s.content) for s in self.segments)
        if index < 0 or not inside:
            return f"{address:#010x}"
        start, name = self._ordered[index]
        return f"{name}+{address - start:#x} ({address:#010x})"


def load_image(path: Path) -> Image:
    """Read an ELF file for 32-bit Arm. Raises ToolchainError iff it is none, or loads nothing."""
    try:
        with path.open("rb") as stream:
            elf = ELFFile(stream)
            if elf["e_machine"] != "EM_ARM" or elf.elfclass != 32:
                raise ToolchainError(f"{path}: is for {elf['e_machine']}, not for a 32-bit Arm core")
            segments = [
                Segment(entry["p_paddr"], entry.data())
                for entry in elf.iter_segments("PT_LOAD")
                if entry["p_filesz"] > 0
            ]
            symbols = _symbols(elf)
    except OSError as error:
        raise ToolchainError(f"{path}: cannot be read ({error.strerror})") from error
    except (ELFError, KeyError, ValueError) as error:
        raise ToolchainError(f"{path}: is not an ELF file ({error})") from error
    if not segments:
        raise ToolchainError(f"{path}: loads nothing; link it with the board's linker script")
    ordered = tuple(sorted((address, name) for name, address in symbols.items()))
    return Image(path, tuple(sorted(segments, key=lambda segment: segment.address)), symbols, ordered)


def _symbols(elf: ELFFile) -> dict[str, int]:
    found: dict[str, int] = {}
    for table in elf.iter_sections():
        if not isinstance(table, SymbolTableSection):
            continue
        for symbol in table.iter_symbols():
            is_place = symbol["st_info"]["type"] in ("STT_FUNC", "STT_NOTYPE")
            is_defined = symbol["st_shndx"] not in ("SHN_UNDEF", "SHN_ABS")
            # `$t` and `$d` mark code and data for disassemblers; they are not names.
            if is_place and is_defined and symbol.name and not symbol.name.startswith("$"):
                found[symbol.name] = symbol["st_value"] & ~1
    return found
