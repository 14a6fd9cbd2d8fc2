"""Stage 3: plan the arena, print the C."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sq_micro.board import Board, arena_room, load_board
from sq_micro.codegen.model_view import make_model_view
from sq_micro.codegen.render import render_board, render_project
from sq_micro.errors import DoesNotFitError
from sq_micro.ir.kernel_set import KernelsChoice, KernelSet
from sq_micro.paths import write_atomically
from sq_micro.plan.plan import Plan, make_plan
from sq_micro.quant.graph import QuantGraph
from sq_micro.report.plan_picture import plan_picture
from sq_micro.stages.analyze import analyzed_graph
from sq_micro.stages.arena_table import arena_table_record
from sq_micro.stages.operator_records import arena_plan_record, weighted_operator_records
from sq_micro.stages.quantize import executed_graph
from sq_micro.stages.records import GenerateRecord, QuantizeRecord, load_record, save_record
from sq_micro.workspace import Stage, Workspace


@dataclass(frozen=True, slots=True)
class Generated:
    """What later stages need to know of the generated sources."""

    board: Board
    record: GenerateRecord


def board_reference(name: str) -> str:
    """How another command finds the same board: a path made absolute, an id as it is."""
    path = Path(name)
    return str(path.resolve()) if path.suffix == ".toml" else name


def generate(
    workspace: Workspace, board_name: str, kernels: KernelsChoice = "auto", arena_limit_bytes: int | None = None
) -> GenerateRecord:
    """Write the model as a CMake project, and what binds it to the bench firmware of a board.

    kernels            of all operators; auto: those that the plan file named
    arena_limit_bytes  None: what the SRAM budget of the search left, if there was one
    Raises DoesNotFitError before any compiler runs iff the arena alone exceeds the board's SRAM.
    """
    board = load_board(board_name)
    graph = executed_graph(workspace)
    quantized = load_record(workspace, QuantizeRecord)
    named, limit_bytes = quantized.kernels, arena_limit_bytes
    if limit_bytes is None and quantized.assignment is not None:
        limit_bytes = quantized.assignment.arena_limit_bytes
    if kernels != "auto":
        named = {operator.name: kernels for operator in graph.topology.operators}
    plan = _plan(graph, board, named, limit_bytes)
    require_sram(plan, board)
    workspace.begin(Stage.GENERATE)
    render_project(graph, plan).write(workspace / "model")
    render_board(graph, plan, board).write(workspace / "board")
    drawn = arena_plan_record(graph.topology, graph.bitwidths, plan)
    write_atomically(workspace / "08_plan.txt", str(plan))
    write_atomically(workspace / "08_plan.svg", plan_picture(drawn, plan.arena_bytes, graph.topology.name))
    view = make_model_view(graph, plan)
    record = GenerateRecord(
        board=board_reference(board_name),
        arena_bytes=view.arena_bytes,
        arena_lower_bound_bytes=plan.lower_bound_bytes,
        arena_limit_bytes=limit_bytes,
        weights_bytes=view.weight_bytes,
        tables_bytes=view.table_bytes,
        kernels={name: chosen for name, chosen in plan.sets.items() if chosen != "fast"},
        operators=weighted_operator_records(analyzed_graph(workspace), graph, board, plan.sets),
        plan=drawn,
        arena_by_width=None
        if plan.head
        else arena_table_record(
            graph.topology, graph.bitwidths, board, plan.sets, arena_room(board) if plan.shares else None
        ),
    )
    save_record(workspace, record)
    return record


def planned_of(workspace: Workspace) -> Plan:
    """The plan that the generated C was printed from, made again: planning is deterministic."""
    found = generated(workspace)
    return _plan(executed_graph(workspace), found.board, found.record.kernels, found.record.arena_limit_bytes)


def _plan(graph: QuantGraph, board: Board, kernels: Mapping[str, KernelSet], limit_bytes: int | None) -> Plan:
    return make_plan(graph.topology, graph.bitwidths, board.core.isa, limit_bytes, kernels, arena_room(board))


def require_sram(plan: Plan, board: Board) -> None:
    """Raises DoesNotFitError saying by how much, and which operator needs most. The linker says it of all the rest."""
    largest = board.largest_ram_bytes
    if largest is None or plan.shares or plan.arena_bytes <= largest:
        return
    resource, short, why = "SRAM", plan.arena_bytes - largest, f"{board.id} has {largest:,} B"
    if len(board.rams) > 1:
        resource, short, why = _over_regions(plan, board)
    raise DoesNotFitError(
        resource,
        short,
        f"arena {plan.arena_bytes:,} B (fullest at '{plan.peak_operator}'), stack and static data beside it,"
        f" {why}; choose a larger board, or a smaller input",
    )


def _over_regions(plan: Plan, board: Board) -> tuple[str, int, str]:
    """What is short of what where an arena cannot be divided over a board's regions, and what they have."""
    room = arena_room(board)
    assert room is not None
    owned = " and ".join(f"{space.size_bytes:,} B for it in {space.region}" for space in room.spaces)
    all_bytes = sum(space.size_bytes for space in room.spaces)
    largest = max(room.spaces, key=lambda space: space.size_bytes)
    buffer = max(plan.buffers, key=lambda buffer: buffer.size_bytes)
    if plan.lower_bound_bytes > all_bytes:
        return "SRAM", plan.lower_bound_bytes - all_bytes, f"{board.id} has {owned}"
    if buffer.size_bytes > largest.size_bytes:
        short = buffer.size_bytes - largest.size_bytes
        return f"SRAM in {largest.region}", short, f"{board.id} has {owned}, and '{buffer.name}' alone takes more"
    short = plan.arena_bytes - largest.size_bytes
    return f"SRAM in {largest.region}", short, f"{board.id} has {owned}, over which no division was found"


def generated(workspace: Workspace) -> Generated:
    """What `generate` left. Raises UsageError iff it did not run."""
    record = load_record(workspace, GenerateRecord)
    return Generated(load_board(record.board), record)
