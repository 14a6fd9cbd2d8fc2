"""Boards × budgets: which board does a network fit, and how well? A sheet for the one who chooses the board."""

from __future__ import annotations

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
from sq_micro.quant.calibrate import observe
from sq_micro.quant.samples import Samples
from sq_micro.stages.assign import AssignRequest, make_problem
from sq_micro.stages.progress import Notify, silent
from sq_micro.store import Store


class SweepPoint(BaseModel):
    """One board under one budget: what the best plan takes, and what it is expected to lose (points)."""

    model_config = ConfigDict(frozen=True)

    board: str
    budget: str
    fits: bool
    reason: str
    bits: dict[str, int]
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
            found = assign(replace(problem, budget=bounded), request.allocator, evaluate, request.settings)
            cost, tried = found.cost, found.evaluation
            points.append(
                SweepPoint(
                    board=Path(name).stem,
                    budget=str(budget),
                    fits=found.status == "feasible",
                    reason=found.reason,
                    bits=dict(found.bitwidths.weights),
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


def _memories(name: str) -> tuple[int | None, int | None]:
    """(flash, SRAM) of a board in bytes; None where it has no such limit, as the model of an accelerator has none."""
    if name == SHIFT_ADD.id:
        return None, None
    board = load_board(name)
    return board.flash.size_bytes if board.flash else None, board.sram.size_bytes if board.sram else None


def _least(one: float | None, other: float | None) -> float | None:
    known = [value for value in (one, other) if value is not None]
    return min(known) if known else None
