"""What the firmware reads from its cycle counter is what the simulator knows, for every kind of counter."""

from __future__ import annotations

import pytest

from sq_micro.board import load_board
from sq_micro.measure.link.simulator_link import SimulatorLink
from sq_micro.measure.session import Session
from tests.boards.images import image, skip_without, small_model

# They share images, which are built once in each process.
pytestmark = [pytest.mark.xdist_group("boards"), pytest.mark.simulator]


def counted_and_known(name: str, runs: int) -> tuple[list[int], list[int], int]:
    """Cycles of runs as the firmware tells them and as the simulator's reads do, and all cycles since reset."""
    board = load_board(name)
    skip_without("simulator", board)
    data = small_model()[1].inputs[0].tobytes()
    link = SimulatorLink(image(name, "auto").elf, name)
    with Session(link) as session:
        assert session.hello.cycle_counter == board.core.cycle_counter
        counted = []
        for _ in range(runs):
            session.write_input(data)
            counted.append(session.invoke().cycles)
        counters = link.counters()
    known = [after[1] - before[1] for before, after in zip(counters.reads[::2], counters.reads[1::2], strict=True)]
    return counted, known, counters.cycles


@pytest.mark.parametrize("name", ["mps2_an385", "mps2_an386", "rpi_pico2_riscv", "esp32c3_devkit"])
def test_the_firmware_reads_the_models_cycles(name: str) -> None:
    counted, known, _ = counted_and_known(name, runs=3)
    assert counted[1] == counted[2], "the same run takes the same time, once branches are foreseen"
    assert counted == known[-3:]


def test_systick_counts_on_beyond_its_24_bits() -> None:
    counted, known, total = counted_and_known("rpi_pico", runs=200)
    assert total > 1 << 24, "SysTick must have wrapped"
    assert max(counted) - min(counted) <= 8, "which way the nearest number lies may take a branch more"
    assert counted == pytest.approx(known[-len(counted) :], abs=8)
