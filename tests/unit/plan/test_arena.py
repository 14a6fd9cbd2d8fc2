"""Placement one by one, on cases small enough to see."""

from __future__ import annotations

from sq_micro.kernels.overlap import Overlap
from sq_micro.plan.arena import Layout
from sq_micro.plan.lifetimes import Buffer


def lowest(layout: Layout, order: str) -> dict[str, int]:
    """Offsets by name, when buffers are placed in an order of their names."""
    offsets = [-1] * len(layout.buffers)
    position = {buffer.name: index for index, buffer in enumerate(layout.buffers)}
    for name in order:
        offsets[position[name]] = layout.lowest(position[name], offsets)
    return {name: offsets[position[name]] for name in order}


def test_a_buffer_takes_the_lowest_gap_that_holds_it() -> None:
    layout = Layout((Buffer("a", 100, 0, 1), Buffer("b", 50, 1, 2), Buffer("c", 40, 2, 3), Buffer("d", 30, 3, 3)))
    assert lowest(layout, "abcd") == {"a": 0, "b": 100, "c": 0, "d": 40}


def test_a_gap_that_is_too_small_is_passed_over() -> None:
    layout = Layout((Buffer("l", 40, 0, 0), Buffer("w", 60, 0, 2), Buffer("t", 50, 1, 1), Buffer("s", 8, 1, 1)))
    # s lies behind 110, at the next multiple of 4
    assert lowest(layout, "wtsl") == {"w": 0, "t": 60, "s": 112, "l": 60}


def test_buffers_that_never_meet_share_their_bytes() -> None:
    layout = Layout(tuple(Buffer("abcde"[index], 64, index, index) for index in range(5)))
    assert set(lowest(layout, "abcde").values()) == {0}


def test_an_output_lies_as_far_in_its_input_as_the_walk_allows() -> None:
    buffers = (Buffer("i", 100, 0, 1), Buffer("o", 80, 1, 2))
    trailing = Layout(buffers, (((0, 1), Overlap(-22, 100)),))
    assert lowest(trailing, "io") == {"i": 0, "o": 100}
    assert lowest(trailing, "oi") == {"o": 0, "i": 24}
    leading = Layout(buffers, (((0, 1), Overlap(-80, 22)),))
    assert lowest(leading, "io") == {"i": 0, "o": 24}
    in_place = Layout(buffers, (((0, 1), Overlap(-80, 100, same_start=True)),))
    assert lowest(in_place, "io") == lowest(in_place, "oi") == {"i": 0, "o": 0}


def test_live_bytes_leave_out_what_may_be_shared() -> None:
    buffers = (Buffer("i", 100, 0, 1), Buffer("o", 80, 1, 2), Buffer("s", 10, 1, 1))
    assert Layout(buffers).live_bytes() == [100, 192, 80]
    assert Layout(buffers, (((0, 1), Overlap(-24, 100)),)).live_bytes() == [100, 192 - 56, 80]
