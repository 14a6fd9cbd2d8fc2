"""What an inference executes in QEMU, operator by operator, and the cycles that the core's model makes of it.

QEMU has no cycle counter, but its plugin interface counts basic blocks. The firmware's reads of the counter frame the
inference and its operators, as they do on silicon.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sq_micro.board import Board
from sq_micro.errors import ToolchainError
from sq_micro.measure.link.qemu_link import QemuLink, find_qemu
from sq_micro.measure.session import Session
from sq_micro.simulate.counters import ADDRESS, BYTES, EXECUTIONS, BlockCounts
from sq_micro.simulate.cycles.decode import Decoder
from sq_micro.simulate.cycles.decode_riscv import RiscvDecoder
from sq_micro.simulate.cycles.model import CycleModel, RunningTotals
from sq_micro.simulate.cycles.table import find_cycle_table
from sq_micro.simulate.image import Image, load_image
from sq_micro.simulate.qemu_counts import build_plugin, plugin_argument, read_counts

MARKER = "sqm_cycles_now"


@dataclass(frozen=True, slots=True)
class QemuCounts:
    """Of one inference, and of each operator in one more, which is profiled.

    Cycles are None where there is no model of the core, as of those whose vector unit nobody modelled.
    """

    instructions: int
    cycles: int | None
    operator_instructions: list[int]
    operator_cycles: list[int] | None


def count_in_qemu(elf: Path, board: Board, sample: bytes, timeout_s: float) -> QemuCounts:
    """Instructions and modelled cycles of an inference.

    Raises ToolchainError iff this QEMU takes no plugins, or there is no C compiler for one.
    """
    image = load_image(elf)
    if MARKER not in image.symbols:
        raise ToolchainError(f"{elf} has no function {MARKER}: it is no bench firmware")
    operators, at_reads = _count(elf, board, image, sample, timeout_s)
    # Each run, and each operator in the profile, lies between two reads of the counter; nothing reads it thereafter.
    needed = 2 + 2 * operators
    if len(at_reads) < needed:
        raise ToolchainError(f"QEMU has seen {len(at_reads)} calls of {MARKER} in two inferences; {needed} are needed")
    at_reads = at_reads[-needed:]
    instructions = _between(_instructions(at_reads, image, board))
    cycles = _cycles(at_reads, image, board)
    if cycles is None:
        return QemuCounts(instructions[0], None, instructions[1:], None)
    spent = _between(cycles)
    return QemuCounts(instructions[0], spent[0], instructions[1:], spent[1:])


def _count(
    elf: Path, board: Board, image: Image, sample: bytes, timeout_s: float
) -> tuple[int, tuple[BlockCounts, ...]]:
    """How many operators there are, and what had been executed at each read of the counter: run, then profiled."""
    assert board.qemu is not None
    program = board.qemu.program
    plugin = build_plugin(find_qemu(program))
    with tempfile.TemporaryDirectory(prefix="sqm-counts-") as folder:
        csv = Path(folder) / "counts.csv"
        thumb = board.core.architecture == "arm"
        argument = plugin_argument(plugin, csv, image.symbols[MARKER], thumb=thumb)
        with Session(QemuLink(elf, board.qemu.machine, program, argument), timeout_s=timeout_s) as session:
            session.run(sample)
            per_operator, _ = session.profile(sample)
        return len(per_operator), read_counts(csv)[:-1]


def _between(totals: Sequence[int]) -> list[int]:
    """What was added from the first to the second, from the third to the fourth, and so on."""
    return [after - before for before, after in zip(totals[::2], totals[1::2], strict=True)]


def _cycles(at_reads: Sequence[BlockCounts], image: Image, board: Board) -> list[int] | None:
    if (table := find_cycle_table(board)) is None:
        return None
    totals = RunningTotals(CycleModel(table), image.read)
    return [totals.totals(counts).cycles for counts in at_reads]


def _instructions(at_reads: Sequence[BlockCounts], image: Image, board: Board) -> list[int]:
    decoder = Decoder() if board.core.architecture == "arm" else RiscvDecoder()
    lengths = [
        len(decoder.decode(image.read(int(row[ADDRESS]), int(row[BYTES])), int(row[ADDRESS])))
        for row in at_reads[-1].rows
    ]
    return [
        sum(int(count) * length for count, length in zip(counts.rows[:, EXECUTIONS], lengths, strict=False))
        for counts in at_reads
    ]
