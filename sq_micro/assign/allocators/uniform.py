"""One width for all operators: the widest that meets every budget."""

from __future__ import annotations

from sq_micro.assign.completion import violations
from sq_micro.assign.problem import Problem, Proposal
from sq_micro.ir.bitwidths import Bitwidths


def uniform_plan(problem: Problem, bits: int) -> Bitwidths:
    """`bits` everywhere, or an operator's next narrower width where it has no such one, its narrowest at last; pins."""
    widths = {}
    for option in problem.allowed:
        fitting = [width for width in option.bits if width <= bits]
        widths[option.operator] = max(fitting) if fitting else min(option.bits)
    return Bitwidths(widths)


def uniform(problem: Problem) -> Proposal:
    """The widest uniform plan that meets the budgets; the narrowest where none does."""
    every = sorted({bits for option in problem.options for bits in option.bits}, reverse=True)
    log = []
    plan = uniform_plan(problem, every[0])
    for bits in every:
        plan = uniform_plan(problem, bits)
        missed = violations(problem, plan)
        log.append(f"{bits} bits: " + ("; ".join(map(str, missed)) or "fits"))
        if not missed:
            break
    return Proposal(plan, log=tuple(log))
