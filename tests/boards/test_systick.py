"""24 bits of SysTick, extended by a timer, count on beyond 2^24."""

from __future__ import annotations

import pytest

from sq_micro.board import load_board
from sq_micro.measure.link.simulator_link import SimulatorLink
from sq_micro.measure.session import Session
from tests.boards.images import image, skip_without, small_model

RUNS = 120


@pytest.mark.simulator
def test_runs_take_the_same_cycles_whatever_systick_wraps_in_between() -> None:
    skip_without("simulator", load_board("rpi_pico"))
    data = small_model()[1].inputs[0].tobytes()
    link = SimulatorLink(image("rpi_pico", "auto").elf, "rpi_pico")
    with Session(link) as session:
        assert session.hello.cycle_counter == "systick"
        counted = []
        for _ in range(RUNS):
            session.write_input(data)
            counted.append(session.invoke().cycles)
        counters = link.counters()
    assert counters.cycles > 1 << 24, "SysTick must have wrapped"
    assert max(counted) - min(counted) <= 8, "which way the nearest number lies may take a branch more"
    # What the firmware sees is what the simulator knows: both from one read to the next.
    known = [after[1] - before[1] for before, after in zip(counters.reads[::2], counters.reads[1::2], strict=True)]
    assert counted[-len(known) :] == pytest.approx(known, abs=8)
