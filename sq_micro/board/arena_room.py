"""What the RAM of a board leaves for an arena: in one region, or divided over several."""

from __future__ import annotations

from dataclasses import dataclass

from sq_micro.board.board import Board, Region

_BESIDE_BYTES = 1600  # stack and static data of the bench firmware, roundly; most with patches
_STATIC_BYTES = 1024  # static data alone, roundly: what the linker finds too much it says of the main region


@dataclass(frozen=True, slots=True)
class Space:
    """What a region leaves for its share of a divided arena. level 0 is the fastest; equal ones are alike."""

    region: str
    size_bytes: int
    level: int


@dataclass(frozen=True, slots=True)
class ArenaRoom:
    """whole_bytes for an arena that lies in one region, stack and static data beside it; `spaces` for one that is
    divided, the fastest first: the stack is then in the first, static data in the main one.
    """

    whole_bytes: int
    spaces: tuple[Space, ...]


def arena_room(board: Board) -> ArenaRoom | None:
    """None on the host, whose memory has no bound."""
    if board.largest_ram_bytes is None:
        return None
    regions = board.rams
    ranks = sorted({region.speed_rank for region in regions})
    spaces = [
        Space(region.name, max(0, _left(board, region) // 4 * 4), ranks.index(region.speed_rank)) for region in regions
    ]
    return ArenaRoom(board.largest_ram_bytes - _BESIDE_BYTES, tuple(spaces))


def _left(board: Board, region: Region) -> int:
    """Of a region that holds a share, and the stack if it is the fastest, and static data if it is the main one."""
    first, main = region == board.rams[0], region.memory == board.sram
    if first and main:
        return region.memory.size_bytes - _BESIDE_BYTES
    taken = board.reserved_bytes if first else _STATIC_BYTES if main else 0
    return region.memory.size_bytes - taken
