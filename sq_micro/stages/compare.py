"""Allocators side by side at equal bytes of packed weights: the comparison of `sq-micro compare-allocators`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from sq_micro.assign.assign import assign
from sq_micro.assign.evaluator import make_evaluator
from sq_micro.assign.identity import network_key
from sq_micro.assign.problem import ALLOCATORS, Allocator, Problem
from sq_micro.cost.budget import Budget
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.float_graph import FloatGraph
from sq_micro.mapper import Mapper
from sq_micro.paths import write_atomically
from sq_micro.quant.calibrate import Ranges, observe
from sq_micro.quant.samples import Samples
from sq_micro.report.bits_plot import PlannedBits, plot_bits
from sq_micro.report.comparison import ComparedRow, comparison_csv, plot_comparison
from sq_micro.rounding import RoundingMethod, round_network
from sq_micro.stages.accuracy import accuracy_metric
from sq_micro.stages.analyze import read_model
from sq_micro.stages.assign import AssignRequest, make_problem, with_pairs, worker_pool
from sq_micro.stages.progress import Notify, silent
from sq_micro.stages.quantize import QuantizeOptions, float_accuracy, quantized_accuracy, read_samples
from sq_micro.store import Store, content_key
from sq_micro.workspace import Workspace

INT8_BITS = 8


class ComparedPlan(BaseModel):
    """One allocator at one budget. accuracy is of the evaluation set, which no allocator saw; None without one."""

    model_config = ConfigDict(frozen=True)

    allocator: Allocator
    share: float
    weight_bytes: int
    feasible: bool
    bits: dict[str, int]
    calibration_divergence: float
    accuracy: float | None


class Comparison(BaseModel):
    """All plans; int8_weight_bytes is what a share of 1 means."""

    model_config = ConfigDict(frozen=True)

    model: str
    int8_weight_bytes: int
    float_accuracy: float | None
    plans: list[ComparedPlan]

    @property
    def title(self) -> str:
        """Of table and plot."""
        return f"{self.model}: allocators at equal weight bytes (int8: {self.int8_weight_bytes:,} B)"


@dataclass(frozen=True, slots=True)
class CompareRequest:
    """shares are fractions of the packed bytes of 8-bit weights."""

    shares: tuple[float, ...] = (0.28, 0.375, 0.5, 0.625)
    allocators: tuple[Allocator, ...] = ALLOCATORS


def compare_allocators(
    graph: FloatGraph,
    calibration: Samples,
    evaluation: Samples | None,
    request: AssignRequest,
    wanted: CompareRequest,
    mapper: Mapper,
    notify: Notify = silent,
) -> Comparison:
    """Run every allocator at every share, with the same rounding, and count accuracy at the end.

    request  its budget and allocator are not looked at. SigmaQuant stops where its own accuracy target is met, which
             may be below a share
    """
    store = Store.of_user() if request.keep else Store(None)
    ranges = observe(graph, calibration, request.observer, lambda done, total: notify("calibrate", done, total))
    table = make_problem(
        graph, ranges, calibration, replace(request, budget=Budget(weights=1.0), allocator="ilp"), store, mapper, notify
    )
    evaluate = make_evaluator(graph, ranges, calibration, calibration.y, request.rounding, mapper, store)
    int8_bytes = sum(option.at(INT8_BITS).weight_bytes for option in table.options)
    plans: list[ComparedPlan] = []
    total = len(wanted.shares) * len(wanted.allocators)
    float_accuracy = None
    for share in wanted.shares:
        problem = replace(table, budget=Budget(weights=_bytes_of_share(table, share, int8_bytes)))
        for allocator in wanted.allocators:
            asked = with_pairs(problem, request, evaluate) if allocator == "ilp" else problem
            chosen = assign(asked, allocator, evaluate, request.settings)
            tried = chosen.evaluation or evaluate([chosen.bitwidths])[0]
            accuracy = None
            if evaluation is not None and evaluation.y is not None and accuracy_metric(graph.topology):
                accuracy, float_accuracy = evaluated(
                    graph, ranges, chosen.bitwidths, calibration, evaluation, request.rounding, store
                )
            plans.append(
                ComparedPlan(
                    allocator=allocator,
                    share=share,
                    weight_bytes=int(chosen.cost.weights.value),
                    feasible=chosen.status == "feasible",
                    bits=dict(chosen.bitwidths.weights),
                    calibration_divergence=tried.divergence,
                    accuracy=accuracy,
                )
            )
            notify("compare", len(plans), total)
    return Comparison(
        model=graph.topology.name, int8_weight_bytes=int8_bytes, float_accuracy=float_accuracy, plans=plans
    )


def compare_model(
    workspace: Workspace,
    model: Path,
    evaluate: Path | None,
    request: AssignRequest,
    wanted: CompareRequest,
    notify: Notify = silent,
) -> Comparison:
    """Read a model and compare; the folder then has `allocators.json`, `.csv` and `.svg`, and `bits.svg`.

    Raises ToolchainError iff matplotlib is missing.
    """
    workspace.open()
    _, graph, _ = read_model(model)
    samples = read_samples(graph, QuantizeOptions(request.calibrate, evaluate, "8"))
    assert samples.calibration is not None
    with worker_pool(request) as mapper:
        found = compare_allocators(graph, samples.calibration, samples.evaluation, request, wanted, mapper, notify)
    rows = compared_rows(found)
    write_atomically(workspace / "allocators.json", found.model_dump_json(indent=1) + "\n")
    write_atomically(workspace / "allocators.csv", comparison_csv(rows))
    plot_comparison(found.title, rows, found.float_accuracy, workspace / "allocators.svg")
    planned = [PlannedBits(f"{row.share:.1%} {row.allocator}", row.bits) for row in rows]
    plot_bits(f"{found.model}: bits by operator", list(found.plans[0].bits), planned, workspace / "bits.svg")
    return found


def compared_rows(found: Comparison) -> list[ComparedRow]:
    """The plans as tables and plots take them."""
    return [
        ComparedRow(
            plan.allocator,
            plan.share,
            plan.weight_bytes,
            plan.feasible,
            tuple(plan.bits.values()),
            plan.calibration_divergence,
            plan.accuracy,
        )
        for plan in found.plans
    ]


def _bytes_of_share(problem: Problem, share: float, int8_bytes: int) -> float:
    """A share of the 8-bit bytes, and not less than the uniform plan of that many bits: rows end at whole bytes."""
    uniform = [
        float(sum(option.at(bits).weight_bytes for option in problem.options))
        for bits in problem.options[0].bits
        if bits <= INT8_BITS * share
    ]
    return max([share * int8_bytes, *uniform])


def evaluated(
    graph: FloatGraph,
    ranges: Ranges,
    bitwidths: Bitwidths,
    calibration: Samples,
    evaluation: Samples,
    rounding: RoundingMethod,
    store: Store,
) -> tuple[float, float]:
    """(quantized, float) accuracy of a plan on the evaluation set, from the store where it was counted before."""
    metric = accuracy_metric(graph.topology)
    assert metric is not None
    quantized = round_network(graph, ranges, bitwidths, calibration, rounding)
    labelled = (evaluation.x, evaluation.y, evaluation.scale)
    network = network_key(graph, ranges, calibration.real(0, 1))
    return (
        _kept(
            store,
            content_key("quantized accuracy", quantized.digest(), *labelled),
            partial(quantized_accuracy, quantized, evaluation, metric),
        ),
        _kept(
            store, content_key("float accuracy", network, *labelled), partial(float_accuracy, graph, evaluation, metric)
        ),
    )


def _kept(store: Store, key: str, count: Callable[[], float]) -> float:
    """A number from the store, else counted and kept."""
    if (kept := store.get(key)) is not None:
        return float.fromhex(kept.decode())
    found = count()
    store.put(key, found.hex().encode())
    return found
