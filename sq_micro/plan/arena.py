"""Offsets in the arena: greedy by size, each buffer in the lowest gap that holds it for its whole lifetime."""

from __future__ import annotations

from dataclasses import dataclass

from sq_micro.plan.lifetimes import Buffer

ALIGNMENT = 4  # word loads and stores; the arena itself is aligned to 16


@dataclass(frozen=True, slots=True)
class Span:
    """A place in the arena."""

    offset_bytes: int
    size_bytes: int

    @property
    def end_bytes(self) -> int:
        """The first offset behind it."""
        return self.offset_bytes + self.size_bytes


def place(buffers: tuple[Buffer, ...]) -> dict[str, Span]:
    """A span for each buffer by name; spans of buffers in use at the same time are disjoint."""
    spans: dict[str, Span] = {}
    placed: list[Buffer] = []
    for buffer in sorted(buffers, key=lambda b: (-b.size_bytes, b.first, b.name)):
        neighbours = sorted(
            (spans[other.name] for other in placed if other.overlaps(buffer)), key=lambda s: s.offset_bytes
        )
        offset = 0
        for span in neighbours:
            if offset + buffer.size_bytes <= span.offset_bytes:
                break
            offset = max(offset, _align(span.end_bytes))
        spans[buffer.name] = Span(offset, buffer.size_bytes)
        placed.append(buffer)
    return spans


def _align(offset: int) -> int:
    return -(-offset // ALIGNMENT) * ALIGNMENT
