"""Does the device's counter count, and at the rate that the firmware was built for? Before any figure is believed."""

from __future__ import annotations

from sq_micro.errors import LinkError
from sq_micro.measure.messages import MOST_ROUNDS
from sq_micro.measure.session import Session

_ROUNDS = 1000
# A round is some five instructions; behind wait states, without a cache, each takes a dozen cycles.
_LEAST_A_ROUND, _MOST_A_ROUND = 1, 100
_LONG_S = 0.25  # USB adapters hold an answer back for up to 16 ms
_TOLERANCE = 1.25  # what a wrong divider, multiplier or crystal makes is more
_ATTEMPTS = 3


def check_counter(session: Session, *, against_clock: bool) -> bool:
    """Whether there is a counter that counts.

    against_clock  compare it with this computer's clock, too: right for silicon, whose time is everybody's
    Raises LinkError iff it counts what cannot be cycles, or at a rate that would make every latency wrong.
    """
    if session.hello.cycle_counter == "none":
        return False
    counted = session.spin(_ROUNDS)
    if counted == 0:
        return False
    if not _LEAST_A_ROUND * _ROUNDS <= counted <= _MOST_A_ROUND * _ROUNDS:
        raise LinkError(
            f"the cycle counter of {session.hello.board} is none: it counted {counted:,} in {_ROUNDS:,} rounds of a"
            " short loop; look at its set-up in firmware/hal"
        )
    if against_clock and session.hello.clock_hz:
        _check_rate(session, counted / _ROUNDS)
    return True


def _check_rate(session: Session, cycles_a_round: float) -> None:
    stated_hz = session.hello.clock_hz
    rounds = min(MOST_ROUNDS, int(_LONG_S * stated_hz / cycles_a_round))
    short_s = min(_timed_spin(session, 1)[1] for _ in range(_ATTEMPTS))
    found_hz = 0.0
    for _ in range(_ATTEMPTS):
        cycles, long_s = _timed_spin(session, rounds)
        # A message that was lost or late makes the core look slow, never fast: the quickest counts.
        found_hz = max(found_hz, cycles / max(long_s - short_s, 1e-9))
        if stated_hz / _TOLERANCE <= found_hz:
            break
    if not stated_hz / _TOLERANCE <= found_hz <= stated_hz * _TOLERANCE:
        raise LinkError(
            f"{session.hello.board} counts about {found_hz / 1e6:.3g} MHz by this computer's clock, its firmware was"
            f" built for {stated_hz / 1e6:g} MHz, so that every latency would be wrong; look at firmware/soc and the"
            " board's crystal"
        )


def _timed_spin(session: Session, rounds: int) -> tuple[int, float]:
    """(cycles, seconds from the request to the answer)."""
    begin = session.clock()
    cycles = session.spin(rounds)
    return cycles, session.clock() - begin
