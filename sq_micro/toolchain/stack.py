"""Worst-case stack depth, from the machine code itself.

Each function's own frame is read off its prologue instructions, calls and tail calls make a graph, and the
deepest path from the entry point is summed. Works for any compiler, since it looks at the ELF alone. What a function
calls through a pointer may be any function whose address other code has; the path takes the deepest.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from sq_micro.errors import ToolchainError
from sq_micro.toolchain.frames import frame_reader

EXCEPTION_FRAME_BYTES = 104  # ARMv7-M with an FPU: 8 core words, 18 FP words; other cores push less, or nothing


@dataclass(frozen=True, slots=True)
class _Function:
    name: str
    size_bytes: int
    frame_bytes: int
    callees: frozenset[int]
    pointers: frozenset[int]  # what constants of its code would be as addresses of functions
    through_pointers: bool


@dataclass(frozen=True, slots=True)
class StackDepth:
    """bytes of the deepest path, without an exception frame; `path` are the functions on it, outermost first."""

    bytes: int
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """What some function has below and above it.

    calls        bytes of all functions that it calls, directly or not, by name, but those that the image has anyway
    stack_bytes  of the deepest path through it, from the entry point, without an exception frame
    """

    calls: dict[str, int]
    stack_bytes: int


def worst_case_stack(elf: Path, entry: str = "sqm_reset") -> StackDepth:
    """Raises ToolchainError iff the image has recursion or no such entry."""
    return _CallGraph.of(elf, entry).deepest(frozenset())


def reaches(elf: Path, names: Iterable[str], entry: str = "sqm_reset") -> tuple[dict[str, Reach], int]:
    """(of each of the functions by name; the deepest path from the entry point that leads through none of them).

    Names are without what a compiler appends to its clones. Functions that the image does not have are left out.
    """
    graph = _CallGraph.of(elf, entry)
    addresses = {name: graph.by_name[name] for name in names if name in graph.by_name}
    apart = frozenset(addresses.values())
    anyway = graph.below(graph.by_name[entry], apart)
    found = {}
    for name, address in addresses.items():
        below = {callee: graph.functions[callee] for callee in sorted(graph.below(address, frozenset()) - anyway)}
        calls = {function.name.split(".")[0]: function.size_bytes for function in below.values()}
        others = apart - {address}
        found[name] = Reach(calls, graph.above(address) + graph.deepest(others, address).bytes)
    return found, graph.deepest(apart).bytes


@dataclass(frozen=True, slots=True)
class _CallGraph:
    """Functions by address."""

    elf: str
    entry: int
    functions: dict[int, _Function]
    by_name: dict[str, int]

    @classmethod
    def of(cls, elf: Path, entry: str) -> _CallGraph:
        functions, by_name = _functions(elf)
        if entry not in by_name:
            raise ToolchainError(f"{elf.name} has no function '{entry}'")
        return cls(elf.name, by_name[entry], functions, by_name)

    def deepest(self, left_out: frozenset[int], start: int | None = None) -> StackDepth:
        """The deepest path downwards, by default from the entry point; none leads through what is left out."""
        memo: dict[int, StackDepth] = {}

        def depth(address: int, above: tuple[int, ...]) -> StackDepth:
            if address in above:
                raise ToolchainError(f"'{self.functions[address].name}' is recursive; its stack has no bound")
            if address not in memo:
                function = self.functions[address]
                deepest = StackDepth(0, ())
                for callee in self.callees(address) - left_out:
                    candidate = depth(callee, (*above, address))
                    deepest = max(deepest, candidate, key=lambda found: found.bytes)
                memo[address] = StackDepth(function.frame_bytes + deepest.bytes, (function.name, *deepest.path))
            return memo[address]

        return depth(self.entry if start is None else start, ())

    def above(self, address: int) -> int:
        """Bytes of the deepest path from the entry point that leads to a function, its own frame left out."""
        if address == self.entry:
            return 0
        reached = self.below(self.entry, frozenset()) | {self.entry}
        callers = [caller for caller in reached if address in self.callees(caller)]
        return max((self.above(caller) + self.functions[caller].frame_bytes for caller in callers), default=0)

    def below(self, address: int, left_out: frozenset[int]) -> set[int]:
        """All functions that one calls, directly or not, through none that is left out."""
        seen: set[int] = set()
        waiting = {address}
        while waiting:
            seen |= waiting
            known = [self.functions[one] for one in seen]
            callees = {callee for one in known for callee in one.callees}
            if any(one.through_pointers for one in known):
                callees |= {pointer for one in known for pointer in one.pointers}
            waiting = (callees & self.functions.keys()) - seen - left_out
        return seen - {address}

    def callees(self, address: int) -> set[int]:
        """All that a function may call itself; through a pointer any whose address the image's code has."""
        function = self.functions[address]
        found = set(function.callees)
        if function.through_pointers:
            found |= {pointer for other in self.functions.values() for pointer in other.pointers}
        return found & self.functions.keys()


def _functions(elf: Path) -> tuple[dict[int, _Function], dict[str, int]]:
    functions: dict[int, _Function] = {}
    with elf.open("rb") as stream:
        file = ELFFile(stream)
        table = file.get_section_by_name(".symtab")
        if table is None:
            raise ToolchainError(f"{elf.name} has no symbols")
        reader = frame_reader(file["e_machine"])
        thumb_bit = 1 if file["e_machine"] == "EM_ARM" else 0
        pools = _data_in_code(table)
        for symbol in table.iter_symbols():
            size, index = symbol["st_size"], symbol["st_shndx"]
            if symbol["st_info"]["type"] != "STT_FUNC" or size == 0 or isinstance(index, str):
                continue
            address = symbol["st_value"] & ~thumb_bit
            section = file.get_section(index)
            start = address - section["sh_addr"]
            code = bytearray(section.data()[start : start + size])
            literals: set[int] = set()
            for first, end in pools.get(index, ()):
                overlap = slice(max(first - address, 0), max(min(end - address, size), 0))
                literals |= {
                    int.from_bytes(code[at : at + 4], "little") for at in range(overlap.start, overlap.stop, 4)
                }
                code[overlap] = bytes(len(code[overlap]))
            try:
                frame = reader.read(bytes(code), address)
            except ToolchainError as error:
                raise ToolchainError(f"'{symbol.name}': {error.problem}") from error
            callees = frozenset(target for target in frame.targets if not address <= target < address + size)
            # The address of a Thumb function is odd: an even number that equals a place of code is another number.
            pointers = frozenset(
                constant - thumb_bit for constant in frame.constants | literals if constant & thumb_bit == thumb_bit
            )
            functions[address] = _Function(*(symbol.name, size, frame.bytes, callees, pointers, frame.through_pointers))
    return functions, {function.name: address for address, function in functions.items()}


def _data_in_code(table: SymbolTableSection) -> dict[int, list[tuple[int, int]]]:
    """Where the literals are, (first, end) by section: an address among them may look like a branch.

    The mapping symbols `$d` begin data, `$t`, `$a` and `$x` code (Arm AAELF32, RISC-V ELF psABI).
    """
    marks: dict[int, list[tuple[int, bool]]] = {}
    for symbol in table.iter_symbols():
        if symbol.name.startswith(("$d", "$t", "$a", "$x")) and not isinstance(symbol["st_shndx"], str):
            marks.setdefault(symbol["st_shndx"], []).append((symbol["st_value"] & ~1, symbol.name.startswith("$d")))
    found: dict[int, list[tuple[int, int]]] = {}
    for section, places in marks.items():
        places.sort()
        ends = [*(address for address, _ in places[1:]), 1 << 32]
        found[section] = [(place[0], end) for place, end in zip(places, ends, strict=True) if place[1]]
    return found
