"""`assign(problem, allocator, evaluate)`: widths for every operator, with status and reasons. Never a silent miss."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sq_micro.assign.allocators.exact import ExactOptions, ilp
from sq_micro.assign.allocators.memory_driven import memory_driven
from sq_micro.assign.allocators.size_ranked import size_ranked
from sq_micro.assign.allocators.uniform import uniform
from sq_micro.assign.completion import kernels_of, least
from sq_micro.assign.costs import cost_at, every_set, load, stated
from sq_micro.assign.problem import Allocator, Assignment, Evaluate, Evaluation, Problem, Proposal
from sq_micro.assign.sigmaquant.options import SigmaQuantOptions
from sq_micro.assign.sigmaquant.search import sigmaquant
from sq_micro.cost.budget import UNIT, Resource, Violation
from sq_micro.cost.cost import Cost
from sq_micro.cost.figure import amount
from sq_micro.errors import UsageError

_TIGHT = 0.98  # a budget taken to this share decided, as far as an allocator without prices can tell


@dataclass(frozen=True, slots=True)
class AssignOptions:
    """Settings of the allocators that have some."""

    exact: ExactOptions = field(default_factory=ExactOptions)
    sigmaquant: SigmaQuantOptions = field(default_factory=SigmaQuantOptions)


def assign(
    problem: Problem,
    allocator: Allocator = "ilp",
    evaluate: Evaluate | None = None,
    options: AssignOptions | None = None,
) -> Assignment:
    """Choose a width for every operator.

    evaluate  tries plans on calibration data; `sigmaquant` and `max_drop` need it, others are better with it
    Raises UsageError for a request that makes no sense: a budget whose resource is unknown, a missing table.
    """
    settings = options or AssignOptions()
    stated(problem)
    if evaluate is None and (allocator == "sigmaquant" or problem.max_drop is not None):
        wish = "sigmaquant" if allocator == "sigmaquant" else "a bound on the accuracy drop"
        raise UsageError(f"{wish} needs calibration samples to try plans on")
    proposal = _propose(problem, allocator, evaluate, settings)
    evaluation = proposal.evaluation
    if evaluation is None and evaluate is not None:
        evaluation = evaluate([proposal.bitwidths])[0]
    return conclude(problem, allocator, replace(proposal, evaluation=evaluation))


def conclude(problem: Problem, allocator: Allocator, proposal: Proposal) -> Assignment:
    """Kernels, costs, shortfalls, status and reason of a proposed plan."""
    kernels = kernels_of(problem, proposal.bitwidths)
    cost = cost_at(problem, proposal.bitwidths, kernels)
    shortfalls = problem.budget.violations(cost)
    lost = _accuracy_missed(problem, proposal.evaluation)
    minimum = {resource: least(problem, resource) for resource in stated(problem)}
    binding = proposal.binding or _tightest(problem, cost, shortfalls)
    if lost and "max-drop" not in binding:
        binding = (*binding, "max-drop")
    predicted = problem.sensitivity.total(proposal.bitwidths) if problem.sensitivity is not None else None
    return Assignment(
        bitwidths=proposal.bitwidths,
        status="infeasible" if shortfalls or lost else "feasible",
        allocator=allocator,
        cost=cost,
        predicted=predicted,
        evaluation=proposal.evaluation,
        shortfalls=shortfalls,
        binding=binding,
        minimum=minimum,
        reason=_reason(problem, allocator, shortfalls, minimum, proposal.evaluation, lost, binding),
        prices=proposal.prices,
        frontier=proposal.frontier,
        log=proposal.log,
        kernels=every_set(problem, kernels),
    )


def _propose(problem: Problem, allocator: Allocator, evaluate: Evaluate | None, settings: AssignOptions) -> Proposal:
    match allocator:
        case "ilp":
            return ilp(problem, evaluate, settings.exact)
        case "uniform":
            return uniform(problem)
        case "memory-driven":
            return memory_driven(problem)
        case "size-ranked":
            return size_ranked(problem, evaluate)
        case "sigmaquant":
            assert evaluate is not None
            return sigmaquant(problem, evaluate, settings.sigmaquant)


def _accuracy_missed(problem: Problem, evaluation: Evaluation | None) -> bool:
    return problem.max_drop is not None and evaluation is not None and evaluation.expected_drop > problem.max_drop


def _tightest(problem: Problem, cost: Cost, shortfalls: tuple[Violation, ...]) -> tuple[str, ...]:
    """The budgets that are exceeded, else the fullest ones."""
    if shortfalls:
        return tuple(violation.resource for violation in shortfalls)
    fullest = load(problem, cost)
    shares = {r: getattr(cost, r).value / getattr(problem.budget, r) for r in stated(problem)}
    return tuple(r for r, share in shares.items() if share >= max(_TIGHT, fullest * _TIGHT))


def _reason(
    problem: Problem,
    allocator: Allocator,
    shortfalls: tuple[Violation, ...],
    minimum: dict[Resource, float],
    evaluation: Evaluation | None,
    lost: bool,
    binding: tuple[str, ...],
) -> str:
    impossible = [r for r, value in minimum.items() if value > getattr(problem.budget, r)]
    if impossible:
        needs = ", ".join(_least_of(problem, r, minimum[r]) for r in impossible)
        return f"no plan fits: this network takes {needs}{_blame_pins(problem, impossible)}"
    if shortfalls and allocator == "ilp":
        names = " and ".join(map(_short_by, shortfalls))
        joint = f"no plan meets the budgets for {' and '.join(binding)}; the nearest one is short of {names}"
        return joint + _blame_pins(problem, [violation.resource for violation in shortfalls])
    if shortfalls:
        return f"{allocator} found no plan within " + "; ".join(map(str, shortfalls)) + "; the integer program may"
    if lost and evaluation is not None:
        return f"{evaluation.expected_drop:.2f} points are lost by calibration data, {problem.max_drop:g} allowed"
    if not problem.budget and problem.max_drop is None:
        return "no budget: the least divergence"
    return "decided by " + ", ".join(binding) if binding else "within every budget"


def _short_by(violation: Violation) -> str:
    return f"{violation.resource} by {amount(violation.needed - violation.allowed, UNIT[violation.resource])}"


def _least_of(problem: Problem, resource: Resource, least_amount: float) -> str:
    """What is needed of a resource, and by how much that is beyond what is allowed."""
    short = amount(least_amount - getattr(problem.budget, resource), UNIT[resource])
    return f"{resource} at least {amount(least_amount, UNIT[resource])} (short of {short})"


def _blame_pins(problem: Problem, resources: list[Resource]) -> str:
    """Names the pins iff the budgets could be met without them."""
    if not problem.pins:
        return ""
    free = replace(problem, pins={})
    if all(least(free, r) <= getattr(problem.budget, r) for r in resources):
        pinned = ", ".join(f"{name}={bits}" for name, bits in problem.pins.items())
        return f"; without the pins ({pinned}) it could fit"
    return ""
