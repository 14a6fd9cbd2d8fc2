"""The stage between analyze and quantize: what each width costs on the board, what it damages, and which to take."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from sq_micro.assign.assign import AssignOptions, assign
from sq_micro.assign.baselines import Baseline, baselines
from sq_micro.assign.completion import least
from sq_micro.assign.costs import leanest_plan
from sq_micro.assign.evaluator import make_evaluator
from sq_micro.assign.explain import Explanation, explain
from sq_micro.assign.explain_text import explanation_csv, explanation_document, explanation_text, frontier_csv
from sq_micro.assign.interactions import with_interactions
from sq_micro.assign.narrowing import Fits, measure_groups, narrow_as_needed
from sq_micro.assign.options import (
    FixedCosts,
    OperatorOptions,
    fixed_costs,
    operator_options,
    shift_add_options,
    weightless_options,
)
from sq_micro.assign.problem import Allocator, Assignment, Evaluate, Goal, Problem
from sq_micro.assign.rounded_widths import RoundedWidths
from sq_micro.assign.sensitivity import measure_sensitivity
from sq_micro.board import arena_room, load_board
from sq_micro.cost.budget import Budget
from sq_micro.cost.shift_add import SHIFT_ADD
from sq_micro.errors import BudgetError, UsageError
from sq_micro.ir.float_graph import FloatGraph
from sq_micro.ir.kernel_set import KernelsChoice, KernelSet
from sq_micro.ir.operators import Conv2D, Dense
from sq_micro.ir.topology import Topology
from sq_micro.kernels.catalogue import PORTABLE
from sq_micro.kernels.dsp import DSP
from sq_micro.mapper import DaskMapper, Mapper, ProcessMapper
from sq_micro.paths import write_atomically
from sq_micro.quant.calibrate import Ranges, observe
from sq_micro.quant.observers import ObserverName
from sq_micro.quant.samples import Samples, load_samples
from sq_micro.report.bits_plot import PlannedBits, plot_bits
from sq_micro.rounding import RoundingMethod
from sq_micro.stages.analyze import analyzed_graph
from sq_micro.stages.assignment_record import assignment_record
from sq_micro.stages.characterise import characterise
from sq_micro.stages.progress import Notify, silent
from sq_micro.stages.records import AssignRecord, save_record
from sq_micro.store import Store
from sq_micro.toolchain.compiler import CompilerChoice
from sq_micro.workspace import Stage, Workspace

PLAN_FILE = "bits.json"
_SHARING_PAYS = 4  # operators; with two, 180 bytes are lost, with five and nine 1.2 and 1.6 KB saved
_FITTINGS = 3  # code for 4-bit activations takes stack of its own, which is known once it was built


@dataclass(frozen=True, slots=True)
class AssignRequest:
    """What a person allows, and how to search.

    max_drop   percentage points of accuracy; None: as few as the budgets allow
    pins       operator → bits that the person decided
    settings   of the allocators that have some
    kernels    of all operators, or which are to be chosen as well: the fastest, unless flash is bounded
    pairwise   measure how damages of two operators combine, for the integer program
    workers    processes; None is one per core. dask names a scheduler instead
    keep       whether results are kept for the next search
    """

    calibrate: Path
    board: str
    budget: Budget
    max_drop: float | None = None
    allocator: Allocator = "ilp"
    pins: Mapping[str, int] = field(default_factory=dict)
    observer: ObserverName = "mse"
    rounding: RoundingMethod = "feedback"
    compiler: CompilerChoice = "auto"
    kernels: KernelsChoice = "auto"
    settings: AssignOptions = field(default_factory=AssignOptions)
    pairwise: bool = False
    workers: int | None = None
    dask: str | None = None
    keep: bool = True

    @property
    def goal(self) -> Goal:
        """Without a budget, what is asked for is the smallest image that loses no more than max_drop."""
        return "flash" if self.max_drop is not None and not self.budget else "divergence"


@dataclass(frozen=True, slots=True)
class Found:
    """A plan with its reasons, and what rules would have chosen.

    activations  bits of the outputs that have not 8, by operator
    """

    explanation: Explanation
    baselines: tuple[Baseline, ...]
    activations: Mapping[str, int] = field(default_factory=dict)

    @property
    def plan_text(self) -> str:
        """A plan file, as `--weight-bits` takes it; kernels are those that are not the fastest."""
        assignment = self.explanation.assignment
        kernels = {name: kernels for name, kernels in assignment.kernels.items() if kernels != "fast"}
        plan: dict[str, Mapping[str, int | str]] = {
            "operators": dict(assignment.bitwidths.weights),
            "activations": dict(self.activations),
            "kernels": kernels,
        }
        return json.dumps({key: value for key, value in plan.items() if value}, indent=1) + "\n"


def assign_bits(
    workspace: Workspace, request: AssignRequest, notify: Notify = silent, plot: bool = False
) -> AssignRecord:
    """Choose bits for the analyzed network and write them as a plan file, with all reasons; `plot` draws the plans too.

    Raises BudgetError iff no plan meets the budgets; the nearest one is then in `nearest_bits.json`.
    """
    graph = analyzed_graph(workspace)
    calibration = load_samples(request.calibrate, graph.input_shape, graph.topology.shape(graph.topology.output)[-1])
    workspace.begin(Stage.ASSIGN)
    with worker_pool(request) as mapper:
        found = search(graph, calibration, request, mapper, notify)
    explanation, assignment = found.explanation, found.explanation.assignment
    write_atomically(workspace / "04_sensitivity.csv", explanation_csv(explanation))
    write_atomically(workspace / "05_assignment.txt", explanation_text(explanation))
    write_atomically(workspace / "05_assignment.json", json.dumps(explanation_document(explanation), indent=1) + "\n")
    write_atomically(workspace / "05_frontier.csv", frontier_csv(assignment))
    if plot:
        plot_plans(graph.topology.name, assignment, workspace / "05_bits.svg")
    if assignment.status == "infeasible":
        write_atomically(workspace / "nearest_bits.json", found.plan_text)
        raise BudgetError(assignment.binding, assignment.reason, workspace / "nearest_bits.json")
    write_atomically(workspace / PLAN_FILE, found.plan_text)
    record = AssignRecord(
        bits=dict(assignment.bitwidths.weights),
        activations=dict(found.activations),
        cost=assignment.cost,
        least=dict(assignment.minimum),
        assignment=assignment_record(explanation, found.baselines, request.budget, request.max_drop),
        warnings=list(explanation.warnings),
    )
    save_record(workspace, record)
    return record


def search(
    graph: FloatGraph, calibration: Samples, request: AssignRequest, mapper: Mapper, notify: Notify = silent
) -> Found:
    """The search itself, with nothing written but what the store keeps."""
    store = Store.of_user() if request.keep else Store(None)
    observed = observe(graph, calibration, request.observer, lambda done, total: notify("calibrate", done, total))
    rounded = _to_be_rounded(graph, observed, calibration, request, mapper)
    costed = _costed(rounded, request, store, mapper, notify)
    ranges, problem = fitted(costed, graph, observed, calibration, request, store, mapper, notify)
    if problem.sensitivity is None:
        problem = _with_sensitivity(problem, rounded, request, store, notify)
    evaluate = make_evaluator(
        graph,
        ranges,
        calibration,
        calibration.y,
        request.rounding,
        mapper,
        store,
        lambda done, total: notify("try plans", done, total),
    )
    assignment = assign(with_pairs(problem, request, evaluate), request.allocator, evaluate, request.settings)
    narrow = narrow_outputs(graph, ranges)
    if narrow:
        note = f"8-bit activations do not fit into SRAM: 4 bits for the outputs of {', '.join(narrow)}"
        assignment = replace(assignment, log=(note, *assignment.log))
    return Found(explain(problem, assignment, ranges), baselines(problem, evaluate), narrow)


def narrow_outputs(graph: FloatGraph, ranges: Ranges) -> dict[str, int]:
    """Bits of the outputs that have not 8, by operator."""
    return {op.name: ranges.bits[op.output] for op in graph.topology.operators if op.output in ranges.bits}


def fitted(
    eight: Problem,
    graph: FloatGraph,
    observed: Ranges,
    calibration: Samples,
    request: AssignRequest,
    store: Store,
    mapper: Mapper,
    notify: Notify,
) -> tuple[Ranges, Problem]:
    """Ranges and the problem with as many activations of 4 bits as the SRAM budget takes: mostly none.

    eight  the problem with 8 bits; what is returned for others has sensitivities of its own
    """
    bound = eight.budget.sram
    if bound is None or eight.fixed.sram_bytes is None or graph.given is not None or least(eight, "sram") <= bound:
        return observed, eight
    groups = measure_groups(graph, observed, calibration, lambda done, total: notify("4-bit activations", done, total))
    ranges, costed = observed, eight
    for _ in range(_FITTINGS):
        ranges = observed.with_bits(narrow_as_needed(groups, _fits(costed)))
        rounded = _to_be_rounded(graph, ranges, calibration, request, mapper)
        costed = _costed(rounded, request, store, mapper, notify)
        if least(costed, "sram") <= bound:
            break
    if least(costed, "sram") > bound and least(eight, "sram") <= least(costed, "sram"):
        return observed, eight  # patches, which work on 8 bits, come closer
    return ranges, _with_sensitivity(costed, rounded, request, store, notify)


def _to_be_rounded(
    graph: FloatGraph, ranges: Ranges, calibration: Samples, request: AssignRequest, mapper: Mapper
) -> RoundedWidths:
    return RoundedWidths.of(graph, ranges, calibration, method=request.rounding, mapper=mapper)


def _fits(problem: Problem) -> Fits:
    """Whether some plan's arena stays within the limit, with other bits of activations."""
    limit = problem.arena_limit_bytes
    assert limit is not None
    return lambda bits: leanest_plan(problem, bits).arena_bytes <= limit


def make_problem(
    graph: FloatGraph,
    ranges: Ranges,
    calibration: Samples,
    request: AssignRequest,
    store: Store,
    mapper: Mapper,
    notify: Notify = silent,
) -> Problem:
    """Costs of the board and, for the integer program, sensitivities."""
    rounded = _to_be_rounded(graph, ranges, calibration, request, mapper)
    return _with_sensitivity(_costed(rounded, request, store, mapper, notify), rounded, request, store, notify)


def _with_sensitivity(
    costed: Problem, rounded: RoundedWidths, request: AssignRequest, store: Store, notify: Notify
) -> Problem:
    if request.allocator != "ilp":
        return costed
    told = measure_sensitivity(rounded, store, lambda done, total: notify("sensitivity", done, total))
    return replace(costed, sensitivity=told)


def _costed(rounded: RoundedWidths, request: AssignRequest, store: Store, mapper: Mapper, notify: Notify) -> Problem:
    frame = rounded.frame
    costs = _costs(rounded, request, store, mapper, notify)
    board = None if request.board == SHIFT_ADD.id else load_board(request.board)
    return Problem(
        frame=frame,
        options=costs.options,
        budget=request.budget,
        fixed=costs.fixed,
        others=costs.others,
        kernels=_sets_of(request, frame.topology)[0],
        pins=request.pins,
        max_drop=request.max_drop,
        goal=request.goal,
        isa=PORTABLE if board is None else board.core.isa,
        room=None if board is None or len(board.rams) < 2 else arena_room(board),
    )


def with_pairs(problem: Problem, request: AssignRequest, evaluate: Evaluate) -> Problem:
    """The problem with pairwise terms, where they are asked for. Raises UsageError iff nothing would look at them."""
    if not request.pairwise:
        return problem
    if problem.sensitivity is None:
        raise UsageError(f"--pairwise is for --allocator ilp; {request.allocator} adds up no damages")
    return replace(problem, sensitivity=with_interactions(problem.sensitivity, evaluate))


def _costs(rounded: RoundedWidths, request: AssignRequest, store: Store, mapper: Mapper, notify: Notify) -> _Costs:
    """What widths and kernels cost: on a board read off images of the network, on an accelerator by its model."""
    frame, topology = rounded.frame, rounded.frame.topology
    if request.board == SHIFT_ADD.id:
        fixed = FixedCosts(sram_bytes=None, latency_s=0.0, energy_j=0.0)
        return _Costs(shift_add_options(topology, SHIFT_ADD), (), fixed)
    board, sets = load_board(request.board), _sets_of(request, topology)
    if request.budget and request.budget == Budget(weights=request.budget.weights):
        options = operator_options(topology, board=board, activation_bits=frame.activation_bits, sets=sets)
        return _Costs(options, (), FixedCosts())
    images = tuple(dict.fromkeys(("fast", *sets)))
    profile = characterise(rounded, request.board, request.compiler, store, mapper, notify, images)
    if profile.overhead_cycles is None:
        sets = sets[:1]  # time that nobody knows is not traded
    others = weightless_options(topology, profile, board, sets)
    decided = [option.operator for option in others]
    return _Costs(
        operator_options(topology, profile=profile, board=board, activation_bits=frame.activation_bits, sets=sets),
        others,
        fixed_costs(topology, profile, board, sets[0], decided),
    )


@dataclass(frozen=True, slots=True)
class _Costs:
    """Of operators with weights, of those without whose kernels are a choice, and of all the rest."""

    options: tuple[OperatorOptions, ...]
    others: tuple[OperatorOptions, ...]
    fixed: FixedCosts


def _sets_of(request: AssignRequest, topology: Topology) -> tuple[KernelSet, ...]:
    """The sets of kernels that an operator may take, the fastest first.

    A set takes an image for each width. Of the two in the middle the one is built that can save code: sharing pays from
    some operators of a kind on, where portable nests for each of them would take more than assembly that they share.
    """
    if request.kernels != "auto":
        return (request.kernels,)
    if request.budget.flash is None or request.board == SHIFT_ADD.id:
        return ("fast",)
    if load_board(request.board).core.isa != DSP:
        return ("fast", "small")
    weighted = list(topology.weighted())
    alike = max(sum(isinstance(operator, kind) for operator in weighted) for kind in (Conv2D, Dense))
    return ("fast", "shared" if alike >= _SHARING_PAYS else "portable", "small")


@contextmanager
def worker_pool(request: AssignRequest) -> Iterator[Mapper]:
    """The workers that a request asks for; they are let go of at the end."""
    mapper: Mapper = DaskMapper(request.dask) if request.dask else ProcessMapper(request.workers)
    try:
        yield mapper
    finally:
        mapper.close()


def plot_plans(model: str, assignment: Assignment, file: Path) -> None:
    """Bits by operator of the chosen plan, and of the frontier from few bytes to many."""
    chosen = assignment.bitwidths
    rows = [PlannedBits(f"chosen, {assignment.cost.weights.value:,.0f} B", tuple(chosen.weights.values()))]
    rows += [
        PlannedBits(f"{point.cost.weights.value:,.0f} B", tuple(point.bitwidths.weights.values()))
        for point in assignment.frontier
    ]
    plot_bits(f"{model}: bits by operator and bytes of weights", list(chosen.weights), rows, file)
