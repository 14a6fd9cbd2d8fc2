"""Modelled cycles beside a link that has none: of the same image, on the simulated core or by QEMU's block counts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sq_micro.board import Board
from sq_micro.errors import LinkError, ToolchainError
from sq_micro.measure.harness import Int8Array
from sq_micro.measure.harness import measure as measure_session
from sq_micro.measure.link.simulator_link import SimulatorLink
from sq_micro.measure.qemu_counting import count_in_qemu
from sq_micro.measure.session import Session
from sq_micro.report.result import ModelledRecord


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside the figures of the link; where that could not be had, why.

    instructions  that the link itself executes, where they were counted apart; likewise those of each operator
    """

    record: ModelledRecord | None = None
    note: str | None = None
    instructions: int | None = None
    operator_instructions: list[int] | None = None


def modelled_beside(link: str, elf: Path, board: Board, inputs: Int8Array, model_hash: str, timeout_s: float) -> Beside:
    """For the links `renode` and `qemu`; nothing for others, which count cycles themselves or have no core.

    inputs  (n, input_bytes); the first one is run
    """
    try:
        if link == "qemu":
            return _by_qemu(elf, board, inputs, timeout_s)
        if link == "renode":
            return Beside(_by_simulator(elf, board, inputs, model_hash, timeout_s))
    except (ToolchainError, LinkError) as error:
        return Beside(note=f"no modelled cycles: {error}")
    return Beside()


def _by_qemu(elf: Path, board: Board, inputs: Int8Array, timeout_s: float) -> Beside:
    counts = count_in_qemu(elf, board, inputs[0].tobytes(), timeout_s)
    if counts.cycles is None:
        note = f"no modelled cycles: there is no model of {board.core.name}"
        return Beside(None, note, counts.instructions, counts.operator_instructions)
    record = ModelledRecord(
        by="qemu",
        cycles=counts.cycles,
        instructions=counts.instructions,
        latency_s=_latency_s(counts.cycles, board),
        operators=counts.operator_cycles,
    )
    return Beside(record, None, counts.instructions, counts.operator_instructions)


def _by_simulator(
    elf: Path, board: Board, inputs: Int8Array, model_hash: str, timeout_s: float
) -> ModelledRecord | None:
    if board.simulator is None:
        raise ToolchainError(f"board '{board.id}' has no [simulator] table")
    with Session(SimulatorLink(elf, board.source_file), model_hash=model_hash, timeout_s=timeout_s) as session:
        measured = measure_session(session, inputs[:1], runs=1)
    if not measured.cycles or not measured.instructions:
        raise ToolchainError("the counter of the simulated core stands still")
    return ModelledRecord(
        by="simulator",
        cycles=measured.cycles[0],
        instructions=measured.instructions[0],
        latency_s=_latency_s(measured.cycles[0], board),
        operators=measured.operator_cycles,
    )


def _latency_s(cycles: int, board: Board) -> float | None:
    return cycles / board.core.clock_hz if board.core.clock_hz else None
