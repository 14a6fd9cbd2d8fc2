"""Where things lie in the arena, as C has it: one array, or one for each region that has a share."""

from __future__ import annotations

from sq_micro.codegen.views import PlaceView, ShareView
from sq_micro.plan.plan import Plan


def share_views(plan: Plan) -> tuple[ShareView, ...]:
    """The arrays of an arena that is divided; none of one that is not."""
    return tuple(
        ShareView(f"_{index}", share.region, share.offset_bytes, share.size_bytes)
        for index, share in enumerate(plan.shares)
    )


def place_view(plan: Plan, offset_bytes: int, more: str = "") -> PlaceView:
    """An offset of the whole arena, and a C expression to be added to it."""
    for share, view in zip(plan.shares, share_views(plan), strict=True):
        if share.holds(offset_bytes):
            offset = offset_bytes - share.offset_bytes
            return PlaceView(f"ARENA{view.suffix}({offset}{more})", view.suffix, offset)
    return PlaceView(f"ARENA({offset_bytes}{more})", "", offset_bytes)
