"""A firmware image: what an ELF file puts where, and which function an address belongs to."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from sq_micro.errors import ToolchainError

_ARCHITECTURES: dict[str, Literal["arm", "riscv"]] = {"EM_ARM": "arm", "EM_RISCV": "riscv"}


@dataclass(frozen=True, slots=True)
class Segment:
    """Bytes at the physical address where a flasher would write them."""

    address: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Image:
    """segments in address order; symbols: functions and labels, name → address without the Thumb bit.

    functions  (address, bytes) of each function's code
    """

    path: Path
    architecture: Literal["arm", "riscv"]
    segments: tuple[Segment, ...]
    symbols: dict[str, int]
    functions: tuple[tuple[int, int], ...]
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
    """Read an ELF file for 32-bit Arm or RISC-V. Raises ToolchainError iff it is none, or loads nothing."""
    try:
        with path.open("rb") as stream:
            elf = ELFFile(stream)
            if elf["e_machine"] not in _ARCHITECTURES or elf.elfclass != 32:
                raise ToolchainError(f"{path}: is for {elf['e_machine']}, not for a 32-bit Arm or RISC-V core")
            architecture = _ARCHITECTURES[elf["e_machine"]]
            segments = [
                Segment(entry["p_paddr"], entry.data())
                for entry in elf.iter_segments("PT_LOAD")
                if entry["p_filesz"] > 0
            ]
            places = _places(elf)
    except OSError as error:
        raise ToolchainError(f"{path}: cannot be read ({error.strerror})") from error
    except (ELFError, KeyError, ValueError) as error:
        raise ToolchainError(f"{path}: is not an ELF file ({error})") from error
    if not segments:
        raise ToolchainError(f"{path}: loads nothing; link it with the board's linker script")
    symbols = {place.name: place.address for place in places}
    return Image(
        path,
        architecture,
        tuple(sorted(segments, key=lambda segment: segment.address)),
        symbols,
        tuple(sorted({(place.address, place.size_bytes) for place in places if place.size_bytes})),
        tuple(sorted((address, name) for name, address in symbols.items())),
    )


@dataclass(frozen=True, slots=True)
class _Place:
    name: str
    address: int
    size_bytes: int


def _places(elf: ELFFile) -> list[_Place]:
    found: list[_Place] = []
    for table in elf.iter_sections():
        if not isinstance(table, SymbolTableSection):
            continue
        for symbol in table.iter_symbols():
            kind = symbol["st_info"]["type"]
            is_defined = symbol["st_shndx"] not in ("SHN_UNDEF", "SHN_ABS")
            # `$t` and `$d` mark code and data for disassemblers; they are not names.
            if kind in ("STT_FUNC", "STT_NOTYPE") and is_defined and symbol.name and not symbol.name.startswith("$"):
                size_bytes = symbol["st_size"] if kind == "STT_FUNC" else 0
                found.append(_Place(symbol.name, symbol["st_value"] & ~1, size_bytes))
    return found
