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
    """What was executed in all windows between two reads: that of the start, and the one of the run."""
    link = SimulatorLink(elf, board)
    with Session(link) as session:
        _invoke(session)
        reads = link.counters().reads
    pairs = list(zip(reads[::2], reads[1::2], strict=True))
    return Totals(*(sum(after[i] - before[i] for before, after in pairs) for i in (0, 1)))


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
    there, here = model.totals(read_counts(csv), loaded.read), in_unicorn(elf, name)
    assert here.instructions > 30_000
    assert here.instructions == pytest.approx(there.instructions, rel=1e-3)
    assert here.cycles == pytest.approx(there.cycles, rel=2e-3)
