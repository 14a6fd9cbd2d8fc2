"""What one inference executes in QEMU, and the cycles that the core's model makes of it.

QEMU has no cycle counter, but its plugin interface counts basic blocks. The firmware's reads of the counter frame the
inference, as they do on silicon; a second start without an inference tells what else they frame.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from sq_micro.board import Board
from sq_micro.errors import ToolchainError
from sq_micro.measure.link.qemu_link import QemuLink, find_qemu
from sq_micro.measure.session import Session
from sq_micro.simulate.cycles.model import CycleModel, Totals
from sq_micro.simulate.cycles.table import load_cycle_table
from sq_micro.simulate.image import load_image
from sq_micro.simulate.qemu_counts import build_plugin, plugin_argument, read_counts

MARKER = "sqm_cycles_now"


def count_in_qemu(elf: Path, board: Board, sample: bytes, timeout_s: float) -> Totals:
    """Instructions and modelled cycles of one inference.

    Raises ToolchainError iff this QEMU takes no plugins, there is no C compiler for one, or no model of the core.
    """
    model = CycleModel(load_cycle_table(board.simulator.cpu if board.simulator else board.core.name))
    image = load_image(elf)
    if MARKER not in image.symbols:
        raise ToolchainError(f"{elf} has no function {MARKER}: it is no bench firmware")
    assert board.qemu is not None
    program, machine = board.qemu.program, board.qemu.machine
    plugin = build_plugin(find_qemu(program))

    def totals(samples: tuple[bytes, ...]) -> Totals:
        with tempfile.TemporaryDirectory(prefix="sqm-counts-") as folder:
            csv = Path(folder) / "counts.csv"
            thumb = board.core.architecture == "arm"
            argument = plugin_argument(plugin, csv, image.symbols[MARKER], thumb=thumb)
            link = QemuLink(elf, machine, program, argument)
            with Session(link, timeout_s=timeout_s) as session:
                for data in samples:
                    session.run(data)
            return model.totals(read_counts(csv), image.read)

    start, all_in_all = totals(()), totals((sample,))
    return Totals(all_in_all.instructions - start.instructions, all_in_all.cycles - start.cycles)
