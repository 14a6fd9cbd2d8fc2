"""What one inference executes in QEMU, and the cycles that the core's model makes of it.

QEMU has no cycle counter, but its plugin interface counts basic blocks. The firmware's reads of the counter frame the
inference, as they do on silicon; a second start without an inference tells what else they frame.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from sq_micro.board import Board
from sq_micro.errors import ToolchainError
from sq_micro.measure.link.qemu_link import QemuLink, find_qemu
from sq_micro.measure.session import Session
from sq_micro.simulate.counters import ADDRESS, BYTES, EXECUTIONS, BlockCounts
from sq_micro.simulate.cycles.decode import Decoder
from sq_micro.simulate.cycles.decode_riscv import RiscvDecoder
from sq_micro.simulate.cycles.model import CycleModel
from sq_micro.simulate.cycles.table import load_cycle_table
from sq_micro.simulate.image import Image, load_image
from sq_micro.simulate.qemu_counts import build_plugin, plugin_argument, read_counts

MARKER = "sqm_cycles_now"


@dataclass(frozen=True, slots=True)
class QemuCounts:
    """Of one inference. cycles None: there is no model of the core, as of those whose vector unit nobody modelled."""

    instructions: int
    cycles: int | None


def count_in_qemu(elf: Path, board: Board, sample: bytes, timeout_s: float) -> QemuCounts:
    """Instructions and modelled cycles of one inference.

    Raises ToolchainError iff this QEMU takes no plugins, or there is no C compiler for one.
    """
    image = load_image(elf)
    if MARKER not in image.symbols:
        raise ToolchainError(f"{elf} has no function {MARKER}: it is no bench firmware")
    start = _blocks(elf, board, image, (), timeout_s)
    all_in_all = _blocks(elf, board, image, (sample,), timeout_s)
    model = _model(board)
    if model is None:
        return QemuCounts(_instructions(all_in_all, image, board) - _instructions(start, image, board), None)
    before, after = model.totals(start, image.read), model.totals(all_in_all, image.read)
    return QemuCounts(after.instructions - before.instructions, after.cycles - before.cycles)


def _blocks(elf: Path, board: Board, image: Image, samples: tuple[bytes, ...], timeout_s: float) -> BlockCounts:
    """What is executed between the reads of the counter, from the start of QEMU to its end."""
    assert board.qemu is not None
    program = board.qemu.program
    plugin = build_plugin(find_qemu(program))
    with tempfile.TemporaryDirectory(prefix="sqm-counts-") as folder:
        csv = Path(folder) / "counts.csv"
        thumb = board.core.architecture == "arm"
        argument = plugin_argument(plugin, csv, image.symbols[MARKER], thumb=thumb)
        with Session(QemuLink(elf, board.qemu.machine, program, argument), timeout_s=timeout_s) as session:
            for data in samples:
                session.run(data)
        return read_counts(csv)


def _model(board: Board) -> CycleModel | None:
    try:
        return CycleModel(load_cycle_table(board.simulator.cpu if board.simulator else board.core.name))
    except ToolchainError:
        return None


def _instructions(counts: BlockCounts, image: Image, board: Board) -> int:
    decoder = Decoder() if board.core.architecture == "arm" else RiscvDecoder()
    return sum(
        int(row[EXECUTIONS]) * len(decoder.decode(image.read(int(row[ADDRESS]), int(row[BYTES])), int(row[ADDRESS])))
        for row in counts.rows
    )
