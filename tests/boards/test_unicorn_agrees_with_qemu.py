"""Unicorn and QEMU execute the same instructions of the same image between two reads of the cycle counter."""

from __future__ import annotations

from pathlib import Path

import pytest

from sq_micro.board import load_board
from sq_micro.measure.link.qemu_link import QemuLink
from sq_micro.measure.link.simulator_link import SimulatorLink
from sq_micro.measure.session import Session
from sq_micro.simulate.cycles.model import CycleModel, Totals
from sq_micro.simulate.cycles.table import load_cycle_table
from sq_micro.simulate.image import load_image
from sq_micro.simulate.qemu_counts import build_plugin, plugin_argument, read_counts
from tests.boards.images import image, skip_without, small_model

# They share images, which are built once in each process.
pytestmark = pytest.mark.xdist_group("boards")


def _invoke(session: Session) -> None:
    _, golden = small_model()
    session.write_input(golden.inputs[0].tobytes())
    session.invoke()


def in_unicorn(elf: Path, board: str) -> Totals:
    """What was executed between the last two reads: those of the run."""
    link = SimulatorLink(elf, board)
    with Session(link) as session:
        _invoke(session)
        before, after = link.counters().reads[-2:]
    return Totals(after[0] - before[0], after[1] - before[1])


@pytest.mark.simulator
@pytest.mark.qemu
@pytest.mark.parametrize("name", ["mps2_an385", "mps2_an386", "mps2_an500", "mps2_an505", "hifive1_revb"])
def test_they_count_the_same(name: str, tmp_path: Path) -> None:
    board = load_board(name)
    skip_without("simulator", board)
    skip_without("qemu", board)
    assert board.qemu is not None
    assert board.simulator is not None
    elf = image(name, "auto").elf
    loaded = load_image(elf)
    csv = tmp_path / "counts.csv"
    plugin = plugin_argument(
        build_plugin(Path(board.qemu.program)),
        csv,
        loaded.symbols["sqm_cycles_now"],
        thumb=board.core.architecture == "arm",
    )
    with Session(QemuLink(elf, board.qemu.machine, board.qemu.program, plugin)) as session:
        _invoke(session)
    model = CycleModel(load_cycle_table(board.simulator.cpu))
    before, after = (model.totals(counts, loaded.read) for counts in read_counts(csv)[-3:-1])
    here = in_unicorn(elf, name)
    assert here.instructions > 30_000
    assert here.instructions == after.instructions - before.instructions
    assert here.cycles == pytest.approx(after.cycles - before.cycles, rel=2e-3)
