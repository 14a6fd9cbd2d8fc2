"""What an arena may take: of one region, or of several together."""

from __future__ import annotations

from dataclasses import dataclass

from sq_micro.board import ArenaRoom, Space


@dataclass(frozen=True, slots=True)
class Limits:
    """whole_bytes  that an arena in one region may take; None: no bound
    spaces       over which one that exceeds it may be divided, the fastest first; empty: it may not be divided
    total_bytes  that all its shares may take then; None: no bound but the spaces
    """

    whole_bytes: int | None
    spaces: tuple[Space, ...] = ()
    total_bytes: int | None = None

    @classmethod
    def of(cls, limit_bytes: int | None, room: ArenaRoom | None) -> Limits:
        """A limit of what an arena takes in all, and what a board has room for; None of either: no bound.

        No division takes less than an arena in one region, so only a board's regions are a reason to divide.
        """
        if room is None or (limit_bytes is not None and limit_bytes <= room.whole_bytes):
            return cls(limit_bytes)
        return cls(room.whole_bytes, room.spaces if len(room.spaces) > 1 else (), limit_bytes)


UNLIMITED = Limits(None)
