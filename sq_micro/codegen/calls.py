"""The calls of a generated operator, and the addresses that they take from a table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sq_micro.codegen.literals import call_statement

_ADDRESS = re.compile(r"ARENA\w*\(.*\)")
_PER_LINE = 4


@dataclass(frozen=True, slots=True)
class Call:
    """A function and its arguments, finished C text."""

    function: str
    arguments: tuple[str, ...]

    def statement(self, depth: int = 1) -> str:
        """Complete, in a block `depth` deep."""
        return call_statement(self.function, self.arguments, depth)


def through_table(calls: Sequence[Call]) -> tuple[tuple[str, ...], tuple[Call, ...]]:
    """(lines of a table `at` of addresses in the arena; the same calls, which read it).

    Each argument has a place of its own: the code must not show whether two of them are one.

    >>> lines, (call,) = through_table([Call("f", ("&p", "ARENA(4)", "NULL", "ARENA(4)"))])
    >>> lines, call.arguments
    (('ARENA(4), ARENA(4),',), ('&p', 'at[0]', 'NULL', 'at[1]'))
    """
    places: list[str] = []

    def read(argument: str) -> str:
        if not _ADDRESS.fullmatch(argument):
            return argument
        places.append(argument)
        return f"at[{len(places) - 1}]"

    through = tuple(replace(call, arguments=tuple(map(read, call.arguments))) for call in calls)
    lines = (places[start : start + _PER_LINE] for start in range(0, len(places), _PER_LINE))
    return tuple(", ".join(line) + "," for line in lines), through
