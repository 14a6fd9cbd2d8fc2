"""What an image takes of flash and SRAM, by purpose, section and function, read from its ELF."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

_ARENA = re.compile(r"sqm_\w+_arena(_\d+)?")
_TABLES = ("_bias", "_multiplier", "_shift", "_steps", "_table", "_meaning")


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes of an image.

    flash  weights (packed), tables (biases, multipliers, shifts, meaning of codes), code (instructions, literals, other
           constants, initial values); their sum is the total
           inputs that the image carries for the bench are in neither
    ram    address and bytes of each section that is in RAM while the image runs
    sram   arena, stack (set aside by the linker script), static (everything else)
    functions, objects  bytes by symbol
    """

    weights_bytes: int
    tables_bytes: int
    code_bytes: int
    arena_bytes: int
    stack_bytes: int
    static_bytes: int
    sections: Mapping[str, int]
    ram: tuple[tuple[int, int], ...]
    functions: Mapping[str, int]
    objects: Mapping[str, int]

    @property
    def flash_bytes(self) -> int:
        """All that the image keeps in flash."""
        return self.weights_bytes + self.tables_bytes + self.code_bytes

    @property
    def sram_bytes(self) -> int:
        """All that the image reserves in SRAM."""
        return self.arena_bytes + self.stack_bytes + self.static_bytes

    def csv(self) -> str:
        """Sections in the image's order, then functions from the largest down."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("kind", "name", "bytes"))
        writer.writerows(("section", name, size) for name, size in self.sections.items())
        writer.writerows(("function", name, size) for name, size in sorted(self.functions.items(), key=lambda f: -f[1]))
        return text.getvalue()


def read_footprint(elf: Path) -> Footprint:
    """Sum the sections that are loaded or reserved; split constants by the generated symbols' names."""
    with elf.open("rb") as stream:
        file = ELFFile(stream)
        sections = {
            section.name: int(section["sh_size"])
            for section in file.iter_sections()
            if section["sh_flags"] & SH_FLAGS.SHF_ALLOC and section["sh_size"]
        }
        writable = {
            section.name
            for section in file.iter_sections()
            if section["sh_flags"] & SH_FLAGS.SHF_ALLOC and section["sh_flags"] & SH_FLAGS.SHF_WRITE
        }
        in_file = {section.name for section in file.iter_sections() if section["sh_type"] != "SHT_NOBITS"}
        ram = tuple(
            (int(section["sh_addr"]), sections[section.name])
            for section in file.iter_sections()
            if section.name in sections and (section.name in writable or section.name == ".stack")
        )
        objects, functions = _symbols(file)
    weights = sum(size for name, size in objects.items() if name.startswith("sqm_") and name.endswith("_weights"))
    tables = sum(size for name, size in objects.items() if name.startswith("sqm_") and name.endswith(_TABLES))
    arena = sum(size for name, size in objects.items() if _ARENA.fullmatch(name))
    carried = objects.get("sqm_carried_inputs", 0)
    flash = -carried + sum(size for name, size in sections.items() if name in in_file and name != ".stack")
    stack = sections.get(".stack", 0)
    return Footprint(
        weights_bytes=weights,
        tables_bytes=tables,
        code_bytes=flash - weights - tables,
        arena_bytes=arena,
        stack_bytes=stack,
        static_bytes=sum(size for _, size in ram) - stack - arena,
        sections=sections,
        ram=ram,
        functions=functions,
        objects=objects,
    )


def _symbols(file: ELFFile) -> tuple[dict[str, int], dict[str, int]]:
    objects: dict[str, int] = {}
    functions: dict[str, int] = {}
    table = file.get_section_by_name(".symtab")
    for symbol in table.iter_symbols() if table is not None else ():
        size = int(symbol["st_size"])
        if size and symbol["st_info"]["type"] == "STT_OBJECT":
            objects[symbol.name] = size
        elif size and symbol["st_info"]["type"] == "STT_FUNC":
            functions[symbol.name] = size
    return objects, functions
