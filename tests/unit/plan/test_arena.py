"""Placement, on cases small enough to see."""

from __future__ import annotations

from sq_micro.plan.arena import Span, place
from sq_micro.plan.lifetimes import Buffer


def test_a_buffer_takes_the_lowest_gap_that_holds_it() -> None:
    spans = place((Buffer("a", 100, 0, 1), Buffer("b", 50, 1, 2), Buffer("c", 40, 2, 3), Buffer("d", 30, 3, 3)))
    assert spans == {"a": Span(0, 100), "b": Span(100, 50), "c": Span(0, 40), "d": Span(40, 30)}


def test_a_gap_that_is_too_small_is_passed_over() -> None:
    spans = place(
        (Buffer("low", 40, 0, 0), Buffer("long", 60, 0, 2), Buffer("late", 50, 1, 1), Buffer("tiny", 8, 1, 1))
    )
    assert spans["long"] == Span(0, 60)
    assert spans["late"] == Span(60, 50)
    assert spans["tiny"] == Span(112, 8)  # behind 110, at the next multiple of 4


def test_buffers_that_never_meet_share_their_bytes() -> None:
    spans = place(tuple(Buffer(f"b{index}", 64, index, index) for index in range(5)))
    assert set(spans.values()) == {Span(0, 64)}
