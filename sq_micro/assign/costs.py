"""What a plan with its kernels costs, exactly: options added up, and the arena from the real plan of the memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from math import fsum

from sq_micro.assign.options import OperatorOptions, WidthOption
from sq_micro.assign.problem import Problem
from sq_micro.cost.budget import UNIT, Resource
from sq_micro.cost.cost import Cost
from sq_micro.cost.figure import Figure
from sq_micro.cost.profile import called_bytes
from sq_micro.errors import UsageError
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.kernel_set import KernelSet
from sq_micro.plan.plan import Plan, make_plan, slowdowns

Amount = Callable[[WidthOption], float | None]

TIMES: tuple[Resource, Resource] = ("latency", "energy")

# What an option adds to each budget. SRAM does not add up: buffers share the arena.
AMOUNTS: dict[Resource, Amount] = {
    "weights": lambda option: option.weight_bytes,
    "flash": lambda option: option.flash_bytes,
    "latency": lambda option: option.latency_s,
    "energy": lambda option: option.energy_j,
}


def cost_at(
    problem: Problem, bitwidths: Bitwidths, sets: Mapping[str, KernelSet], asked: Collection[Resource] = tuple(UNIT)
) -> Cost:
    """The cost of a plan with given kernels. Latency and energy are None where any operator's is unknown.

    asked  of SRAM, latency and energy the others are None; without any of them no memory is planned
    """
    chosen = [option.at(bitwidths.weights[option.operator], sets[option.operator]) for option in problem.options]
    chosen += [option.at(0, sets[option.operator]) for option in problem.others]
    flash = problem.fixed.flash_bytes + sum(option.flash_bytes for option in chosen)
    flash += called_bytes([problem.fixed.calls, *(option.calls for option in chosen)])
    cost = Cost(
        flash=Figure(flash, "bytes", "modelled"),
        sram=None,
        latency=None,
        energy=None,
        weights=Figure(sum(option.weight_bytes for option in chosen), "bytes", "exact"),
    )
    if not {"sram", *TIMES}.intersection(asked):
        return cost
    plan = memory_plan(problem, bitwidths, sets)
    stack = problem.fixed.sram_bytes
    latency, energy = (
        time_at(problem, bitwidths, sets, plan, resource) if resource in asked else None for resource in TIMES
    )
    return replace(
        cost,
        sram=None if stack is None or "sram" not in asked else Figure(stack + plan.arena_bytes, "bytes", "exact"),
        latency=None if latency is None else Figure(latency, "s", "modelled"),
        energy=None if energy is None else Figure(energy, "J", "modelled"),
    )


def budgeted_at(problem: Problem, bitwidths: Bitwidths, sets: Mapping[str, KernelSet]) -> Cost:
    """What budgets are held against, alone: most plans that a search looks at are asked for nothing else."""
    asked = [resource for resource in UNIT if getattr(problem.budget, resource) is not None]
    return cost_at(problem, bitwidths, sets, asked)


def memory_plan(problem: Problem, bitwidths: Bitwidths, sets: Mapping[str, KernelSet]) -> Plan:
    """Tensors and scratch as they will be placed: with faster kernels where the budget allows, in patches where it
    asks for them.
    """
    return planned(problem, problem.at_rest(bitwidths), every_set(problem, sets))


def time_at(
    problem: Problem, bitwidths: Bitwidths, sets: Mapping[str, KernelSet], plan: Plan, resource: Resource
) -> float | None:
    """Seconds, or joules: what the options say, and what the memory's plan costs. None where some are unknown."""
    slower = slowdowns(problem.topology, problem.at_rest(bitwidths), plan)
    amount, total = AMOUNTS[resource], [fixed_amount(problem, resource)]
    for option in (*problem.options, *problem.others):
        own = amount(timed(option, bitwidths.weights.get(option.operator, 0), sets[option.operator], plan))
        if own is None:
            return None
        total.append(own * slower.get(option.operator, 1.0))
    return fsum(total)


def timed(option: OperatorOptions, bits: int, kernels: KernelSet, plan: Plan) -> WidthOption:
    """The option whose time counts: in patches the fastest kernels compute, whatever the set."""
    in_patches = plan.head is not None and option.operator in plan.head.operators
    return option.at(bits) if in_patches else option.at(bits, kernels)


def leanest(problem: Problem) -> tuple[Bitwidths, dict[str, KernelSet]]:
    """The widths, and kernels of all operators, that want least scratch, pins kept."""
    found = {o.operator: min(o.widths, key=lambda width: width.scratch_bytes) for o in problem.items}
    bits = Bitwidths({option.operator: found[option.operator].bits for option in problem.allowed})
    return problem.at_rest(bits), every_set(problem, {name: width.kernels for name, width in found.items()})


def leanest_plan(problem: Problem, activation_bits: Mapping[str, int] | None = None) -> Plan:
    """The memory of the widths and kernels that want least scratch, with other bits of activations where given."""
    bits, sets = leanest(problem)
    if activation_bits is not None:
        bits = replace(bits, activations=activation_bits)
    return planned(problem, bits, sets)


def planned(problem: Problem, bits: Bitwidths, sets: Mapping[str, KernelSet]) -> Plan:
    """The plan of the memory for widths, activations included, and kernels of all operators."""
    return make_plan(problem.topology, bits, problem.isa, problem.arena_limit_bytes, sets, problem.room)


def every_set(problem: Problem, sets: Mapping[str, KernelSet]) -> dict[str, KernelSet]:
    """The kernels of all operators, those without options too."""
    return {operator.name: sets.get(operator.name, problem.kernels) for operator in problem.topology.operators}


def fastest(problem: Problem, bitwidths: Bitwidths) -> dict[str, KernelSet]:
    """The fastest kernels that the operators with options may take."""
    found = {option.operator: option.at(bitwidths.weights[option.operator]).kernels for option in problem.options}
    return found | {option.operator: option.at(0).kernels for option in problem.others}


def stated(problem: Problem) -> tuple[Resource, ...]:
    """The resources that have a budget.

    Raises UsageError iff one is bounded whose amounts are not known for every operator and width.
    """
    found = tuple(resource for resource in UNIT if getattr(problem.budget, resource) is not None)
    for resource in found:
        if resource == "sram":
            unknown = problem.fixed.sram_bytes is None
        else:
            unknown = any(AMOUNTS[resource](width) is None for width in _widths((*problem.options, *problem.others)))
        if unknown:
            raise UsageError(f"a budget for {resource} needs a board with a known {resource} of every operator")
    return found


def always_called(problem: Problem) -> dict[str, int]:
    """The functions that every plan has, by name: the other operators call them, or one does at each of its widths."""
    found = dict(problem.fixed.calls)
    for option in problem.items:
        first, *others = option.widths
        found |= {name: size for name, size in first.calls.items() if all(name in width.calls for width in others)}
    return found


def sometimes_called(problem: Problem) -> dict[str, int]:
    """The functions that some plans have and others have not, by name."""
    always = always_called(problem)
    calls = (width.calls for width in _widths(problem.items))
    return {name: size for called in calls for name, size in called.items() if name not in always}


def fixed_amount(problem: Problem, resource: Resource) -> float:
    """What a resource is taken for, whatever the widths."""
    fixed = problem.fixed
    amounts = {
        "weights": 0,
        "flash": fixed.flash_bytes + called_bytes([always_called(problem)]),
        "sram": fixed.sram_bytes,
        "latency": fixed.latency_s,
        "energy": fixed.energy_j,
    }
    return float(amounts[resource] or 0)


def load(problem: Problem, cost: Cost) -> float:
    """The largest share of any budget that a cost takes; 1 just fits, 0 without budgets."""
    shares = [0.0]
    for resource in UNIT:
        bound, taken = getattr(problem.budget, resource), getattr(cost, resource)
        if bound is not None and taken is not None:
            shares.append(taken.value / bound)
    return max(shares)


def _widths(options: Iterable[OperatorOptions]) -> Iterable[WidthOption]:
    return (width for option in options for width in option.widths)
