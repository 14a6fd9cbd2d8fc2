"""Worst-case stack depth, from the machine code itself.

Each function's own frame is read off its prologue instructions, calls and tail calls make a graph, and the
deepest path from the entry point is summed. Works for any compiler, since it looks at the ELF alone. Functions
called through a pointer cannot be seen; the firmware has none on its main path.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile

from sq_micro.errors import ToolchainError
from sq_micro.toolchain.frames import frame_reader

EXCEPTION_FRAME_BYTES = 104  # ARMv7-M with an FPU: 8 core words, 18 FP words; other cores push less, or nothing


@dataclass(frozen=True, slots=True)
class _Function:
    name: str
    size_bytes: int
    frame_bytes: int
    callees: frozenset[int]


@dataclass(frozen=True, slots=True)
class StackDepth:
    """bytes of the deepest path, without an exception frame; `path` are the functions on it, outermost first."""

    bytes: int
    path: tuple[str, ...]


def worst_case_stack(elf: Path, entry: str = "sqm_reset") -> StackDepth:
    """Raises ToolchainError iff the image has recursion or no such entry."""
    functions, by_name = _functions(elf)
    if entry not in by_name:
        raise ToolchainError(f"{elf.name} has no function '{entry}'")
    memo: dict[int, StackDepth] = {}

    def depth(address: int, above: tuple[int, ...]) -> StackDepth:
        if address in above:
            raise ToolchainError(f"'{functions[address].name}' is recursive; its stack has no bound")
        if address not in memo:
            function = functions[address]
            deepest = StackDepth(0, ())
            for callee in function.callees:
                if callee in functions:
                    candidate = depth(callee, (*above, address))
                    deepest = max(deepest, candidate, key=lambda found: found.bytes)
            memo[address] = StackDepth(function.frame_bytes + deepest.bytes, (function.name, *deepest.path))
        return memo[address]

    return depth(by_name[entry], ())


def called_functions(elf: Path, callers: Iterable[str]) -> dict[str, dict[str, int]]:
    """For each caller by name the bytes of all functions that it calls, directly or not, by name.

    Names are without what a compiler appends to its clones. Callers that the image does not have are left out.
    """
    functions, by_name = _functions(elf)

    def reached(address: int, seen: set[int]) -> set[int]:
        for callee in functions[address].callees & functions.keys() - seen:
            seen.add(callee)
            reached(callee, seen)
        return seen

    return {
        caller: {
            functions[address].name.split(".")[0]: functions[address].size_bytes
            for address in sorted(reached(by_name[caller], set()))
        }
        for caller in callers
        if caller in by_name
    }


def _functions(elf: Path) -> tuple[dict[int, _Function], dict[str, int]]:
    functions: dict[int, _Function] = {}
    with elf.open("rb") as stream:
        file = ELFFile(stream)
        table = file.get_section_by_name(".symtab")
        if table is None:
            raise ToolchainError(f"{elf.name} has no symbols")
        reader = frame_reader(file["e_machine"])
        thumb_bit = 1 if file["e_machine"] == "EM_ARM" else 0
        for symbol in table.iter_symbols():
            size, index = symbol["st_size"], symbol["st_shndx"]
            if symbol["st_info"]["type"] != "STT_FUNC" or size == 0 or isinstance(index, str):
                continue
            address = symbol["st_value"] & ~thumb_bit
            section = file.get_section(index)
            start = address - section["sh_addr"]
            try:
                frame = reader.read(section.data()[start : start + size], address)
            except ToolchainError as error:
                raise ToolchainError(f"'{symbol.name}': {error.problem}") from error
            callees = frozenset(target for target in frame.targets if not address <= target < address + size)
            functions[address] = _Function(symbol.name, size, frame.bytes, callees)
    return functions, {function.name: address for address, function in functions.items()}
