"""Boards × budgets: which board does a network fit, and how well? A sheet for the one who chooses the board."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from sq_micro.assign.assign import assign
from sq_micro.assign.evaluator import make_evaluator
from sq_micro.board import load_board
from sq_micro.cost.budget import Budget
from sq_micro.cost.shift_add import SHIFT_ADD
from sq_micro.ir.float_graph import FloatGraph
from sq_micro.mapper import Mapper
from sq_micro.paths import write_atomically
from sq_micro.quant.calibrate import observe
from sq_micro.quant.samples import Samples, load_samples
from sq_micro.stages.analyze import read_model
from sq_micro.stages.assign import AssignRequest, fitted, make_problem, narrow_outputs, worker_pool
from sq_micro.stages.progress import Notify, silent
from sq_micro.store import Store
from sq_micro.workspace import Workspace


class SweepPoint(BaseModel):
    """One board under one budget: what the best plan takes, and what it is expected to lose (points).

    activations  bits of the outputs that have not 8, by operator
    """

    model_config = ConfigDict(frozen=True)

    board: str
    budget: str
    fits: bool
    reason: str
    bits: dict[str, int]
    activations: dict[str, int]
    flash_bytes: float
    sram_bytes: float | None
    latency_s: float | None
    energy_j: float | None
    divergence: float | None
    expected_drop_points: float | None


class Sweep(BaseModel):
    """All points, in the order of boards and budgets."""

    model_config = ConfigDict(frozen=True)

    model: str
    points: list[SweepPoint]


def sweep(
    graph: FloatGraph,
    calibration: Samples,
    boards: Sequence[str],
    budgets: Sequence[Budget],
    request: AssignRequest,
    mapper: Mapper,
    notify: Notify = silent,
) -> Sweep:
    """Assign bits for every board under every budget. The board's own memories bound each budget as well."""
    store = Store.of_user() if request.keep else Store(None)
    ranges = observe(graph, calibration, request.observer, lambda done, total: notify("calibrate", done, total))
    evaluate = make_evaluator(graph, ranges, calibration, calibration.y, request.rounding, mapper, store)
    points: list[SweepPoint] = []
    for name in boards:
        flash, sram = _memories(name)
        own = replace(request, board=name, budget=Budget(flash=1.0))
        problem = make_problem(graph, ranges, calibration, own, store, mapper, notify)
        for budget in budgets:
            bounded = replace(
                budget,
                flash=_least(budget.flash, flash),
                sram=_least(budget.sram, sram),
            )
            asked = replace(own, budget=bounded)
            narrowed, fitting = fitted(
                replace(problem, budget=bounded), graph, ranges, calibration, asked, store, mapper, notify
            )
            tries = evaluate
            if narrowed is not ranges:
                tries = make_evaluator(graph, narrowed, calibration, calibration.y, request.rounding, mapper, store)
            found = assign(fitting, request.allocator, tries, request.settings)
            cost, tried = found.cost, found.evaluation
            points.append(
                SweepPoint(
                    board=Path(name).stem,
                    budget=str(budget),
                    fits=found.status == "feasible",
                    reason=found.reason,
                    bits=dict(found.bitwidths.weights),
                    activations=narrow_outputs(graph, narrowed),
                    flash_bytes=cost.flash.value,
                    sram_bytes=cost.sram.value if cost.sram else None,
                    latency_s=cost.latency.value if cost.latency else None,
                    energy_j=cost.energy.value if cost.energy else None,
                    divergence=tried.divergence if tried else None,
                    expected_drop_points=tried.expected_drop if tried else None,
                )
            )
            notify("sweep", len(points), len(boards) * len(budgets))
    return Sweep(model=graph.topology.name, points=points)


def sweep_model(
    workspace: Workspace,
    model: Path,
    boards: Sequence[str],
    budgets: Sequence[Budget],
    request: AssignRequest,
    notify: Notify = silent,
) -> Sweep:
    """Read a model and sweep it; `sweep.json` and `sweep.csv` in the folder hold the sheet.

    request  its board and budget are not looked at
    """
    for name in boards:
        if name != SHIFT_ADD.id:
            load_board(name)
    workspace.open()
    _, graph, _ = read_model(model)
    samples = load_samples(request.calibrate, graph.input_shape, graph.topology.shape(graph.topology.output)[-1])
    with worker_pool(request) as mapper:
        found = sweep(graph, samples, boards, budgets, request, mapper, notify)
    write_atomically(workspace / "sweep.json", found.model_dump_json(indent=1) + "\n")
    write_atomically(workspace / "sweep.csv", sweep_csv(found))
    return found


def sweep_csv(found: Sweep) -> str:
    """One line a board and budget."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    head = ("board", "budget", "fits", "flash_bytes", "sram_bytes", "latency_s", "energy_j")
    writer.writerow((*head, "divergence", "expected_drop_points", "bits", "narrow_outputs", "reason"))
    for point in found.points:
        figures = (point.flash_bytes, point.sram_bytes, point.latency_s, point.energy_j)
        quality = (point.divergence, point.expected_drop_points)
        shown = ["" if value is None else value for value in (*figures, *quality)]
        bits = " ".join(map(str, point.bits.values()))
        narrow = " ".join(point.activations)
        writer.writerow((point.board, point.budget, int(point.fits), *shown, bits, narrow, point.reason))
    return text.getvalue()


def _memories(name: str) -> tuple[int | None, int | None]:
    """(flash, SRAM) of a board in bytes; None where it has no such limit, as the model of an accelerator has none."""
    if name == SHIFT_ADD.id:
        return None, None
    board = load_board(name)
    sram = sum(region.memory.size_bytes for region in board.rams)
    return board.flash.size_bytes if board.flash else None, sram or None


def _least(one: float | None, other: float | None) -> float | None:
    known = [value for value in (one, other) if value is not None]
    return min(known) if known else None
