"""The table of contents of a run: what happens to a model, in order.

`deploy` is the whole loop; each stage is a function of its own in `sq_micro.stages`, and a command of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel

from sq_micro.board import Board, arena_room, load_board
from sq_micro.cost.budget import Budget
from sq_micro.cost.shift_add import SHIFT_ADD
from sq_micro.errors import BudgetError, UsageError
from sq_micro.ir.kernel_set import KernelsChoice
from sq_micro.plan.plan import make_plan
from sq_micro.quant.plan_file import bitwidths_from, kernels_from
from sq_micro.report.result import AssignmentRecord, Result
from sq_micro.stages.analyze import analyze, read_model
from sq_micro.stages.assign import PLAN_FILE, AssignRequest, assign_bits
from sq_micro.stages.assignment_record import budget_record
from sq_micro.stages.attempts import Attempt, first_within
from sq_micro.stages.budget_check import accuracy_missed, cost_of_result
from sq_micro.stages.build import build
from sq_micro.stages.generate import generate, require_sram
from sq_micro.stages.lock import write_lock
from sq_micro.stages.measure import MeasureOptions, measure
from sq_micro.stages.preview import Preview, make_preview
from sq_micro.stages.progress import Notify, silent
from sq_micro.stages.quantize import QuantizeOptions, quantize, read_samples, require_labels, require_own_activations
from sq_micro.toolchain.compiler import CompilerChoice, find_compiler
from sq_micro.workspace import Workspace

StageDone = Callable[[str, BaseModel], None]


def unseen(stage: str, record: BaseModel) -> None:
    """A `StageDone` that looks at nothing."""


@dataclass(frozen=True, slots=True)
class DeployRequest:
    """Everything that a person asks of `sq-micro deploy`.

    assign  budgets to choose bits under; None takes those of `quantization`
    kernels of all operators; auto: chosen with the bits, those of a plan file, or else the fastest
    link    None takes the board's first one
    equalise  balance channels of neighbouring layers by the calibration samples first
    """

    model: Path
    board: str
    quantization: QuantizeOptions
    out: Path
    compiler: CompilerChoice = "auto"
    link: str | None = None
    runs: int = 100
    assign: AssignRequest | None = None
    equalise: bool = False
    kernels: KernelsChoice = "auto"

    @property
    def equalise_by(self) -> Path | None:
        """The samples to equalise by, if that is asked for. Raises UsageError iff there are none."""
        if not self.equalise:
            return None
        if self.quantization.calibrate is None:
            raise UsageError("--equalise needs --calibrate")
        return self.quantization.calibrate


def deploy(request: DeployRequest, notify: Notify = silent, done: StageDone = unseen) -> Result:
    """From a trained model to a measured image. `done` sees each stage's record as it ends.

    Raises BudgetError iff budgets were stated and no plan, or no built image, meets them.
    """
    workspace = Workspace(request.out)
    board = _board(request)
    find_compiler(board, request.compiler)  # a wrong board or a missing tool shows at once
    if request.link is not None and request.link not in board.links:
        raise UsageError(f"board '{board.id}' has no link '{request.link}'; it has: {', '.join(board.links)}")
    workspace.open()
    done("analyze", analyze(workspace, request.model, request.equalise_by))
    if request.assign is None:
        return _realise(workspace, request, request.quantization, None, notify, done)
    return _deploy_within(workspace, request, request.assign, notify, done)


def _deploy_within(
    workspace: Workspace, request: DeployRequest, wanted: AssignRequest, notify: Notify, done: StageDone
) -> Result:
    """Assign, build, measure; where the image exceeds a budget, search again with room for what was mispredicted."""
    if wanted.max_drop is not None:
        require_labels(workspace, request.quantization)

    def attempt(budget: Budget) -> Attempt[Result]:
        record = assign_bits(workspace, replace(wanted, budget=budget), notify)
        done("assign", record)
        options = replace(request.quantization, weight_bits=str(workspace / PLAN_FILE))
        stated = record.assignment.model_copy(update={"budget": budget_record(wanted.budget, wanted.max_drop)})
        result = _realise(workspace, request, options, stated, notify, done)
        return Attempt(result, record.cost, cost_of_result(result), record.least)

    result = first_within(wanted.budget, attempt)
    if lost := accuracy_missed(result, wanted.max_drop):
        raise BudgetError(("max-drop",), f"{lost}; the measured result is in {workspace / 'result.json'}")
    return result


def _realise(
    workspace: Workspace,
    request: DeployRequest,
    options: QuantizeOptions,
    assignment: AssignmentRecord | None,
    notify: Notify,
    done: StageDone,
) -> Result:
    """Quantize at given bits, generate, build, measure."""
    done("quantize", quantize(workspace, options, notify, assignment))
    done("generate", generate(workspace, request.board, request.kernels))
    done("build", build(workspace, request.compiler))
    write_lock(workspace, request.model, request.board, options, request.compiler)
    return measure(workspace, MeasureOptions(request.link, request.runs), notify)


def _board(request: DeployRequest) -> Board:
    """Raises UsageError iff no firmware runs on what was named."""
    if request.board == SHIFT_ADD.id:
        raise UsageError(f"{SHIFT_ADD.id} is an analytic model that runs no firmware; it is for assign and sweep")
    return load_board(request.board)


def preview(request: DeployRequest) -> Preview:
    """What `deploy` would do, after checking everything that can be checked without computing; writes nothing."""
    board = _board(request)
    compiler = find_compiler(board, request.compiler)
    _, graph, record = read_model(request.model)
    bitwidths = bitwidths_from(request.quantization.weight_bits, graph.topology, request.quantization.activation_bits)
    require_own_activations(graph, bitwidths)
    inputs = read_samples(graph, request.quantization)
    sets = kernels_from(request.quantization.weight_bits, graph.topology)
    if request.kernels != "auto":
        sets = {operator.name: request.kernels for operator in graph.topology.operators}
    plan = make_plan(graph.topology, bitwidths, board.core.isa, sets=sets, room=arena_room(board))
    require_sram(plan, board)
    budget = str(request.assign.budget) if request.assign is not None else None
    return make_preview(record, board, str(compiler), bitwidths, plan, graph.topology, inputs, budget)
