"""A plan of bits is completed by kernels: the fastest with which it keeps the budgets."""

from __future__ import annotations

from math import fsum

from sq_micro.assign.allocators.exact_program import (
    fastest_s,
    kernels_program,
    least_flash_bytes,
    sets_of,
    solve_lazily,
    time_price,
)
from sq_micro.assign.costs import AMOUNTS, budgeted_at, cost_at, fastest, fixed_amount, leanest_plan
from sq_micro.assign.integer_program import least_excess
from sq_micro.assign.problem import Problem
from sq_micro.cost.budget import Resource, Violation
from sq_micro.cost.cost import Cost
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.kernel_set import KernelSet


def kernels_of(problem: Problem, bitwidths: Bitwidths) -> dict[str, KernelSet]:
    """For the operators with options the kernels that cost least time within the budgets; where none keep them, those
    that exceed them least.
    """
    fast = fastest(problem, bitwidths)
    if not problem.kernels_are_open or not problem.budget.violations(budgeted_at(problem, bitwidths, fast)):
        return fast
    pinned, program = kernels_program(problem, bitwidths)
    found, _ = solve_lazily(pinned, program)
    return sets_of(pinned, found.choices if found is not None else least_excess(program))


def cost_of(problem: Problem, bitwidths: Bitwidths) -> Cost:
    """The cost of a plan with its kernels."""
    return cost_at(problem, bitwidths, kernels_of(problem, bitwidths))


def budgeted_of(problem: Problem, bitwidths: Bitwidths) -> Cost:
    """The same of what has a budget, alone."""
    return budgeted_at(problem, bitwidths, kernels_of(problem, bitwidths))


def violations(problem: Problem, bitwidths: Bitwidths) -> tuple[Violation, ...]:
    """The budgets that a plan exceeds."""
    return problem.budget.violations(budgeted_of(problem, bitwidths))


def price_of_time(problem: Problem, bitwidths: Bitwidths) -> float:
    """Nats that a plan's divergence must be better by than another's, for the time that its kernels cost."""
    sets = kernels_of(problem, bitwidths)
    every = {**bitwidths.weights, **{option.operator: 0 for option in problem.others}}
    whole_s = fastest_s(problem)
    return fsum(
        time_price(option, option.at(every[option.operator], sets[option.operator]), whole_s)
        for option in (*problem.options, *problem.others)
    )


def least(problem: Problem, resource: Resource) -> float:
    """What no plan takes less of, pins kept. Of SRAM: with the least scratch everywhere."""
    if resource == "flash":
        return least_flash_bytes(problem)
    if resource == "sram":
        return fixed_amount(problem, "sram") + leanest_plan(problem).arena_bytes
    amount = AMOUNTS[resource]
    lowest = fsum(min(amount(width) or 0 for width in option.widths) for option in problem.items)
    return fixed_amount(problem, resource) + lowest
