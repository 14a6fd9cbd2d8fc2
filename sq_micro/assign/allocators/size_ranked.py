"""The size-ranked bisection of STMicroelectronics' model zoo services (W4/W8 quantization, `full_auto`).

Weight tensors are ranked by their number of weights, the largest first; of equal ones the one with fewer weights per
output channel, then the later one. The first n of the ranking are narrowed, the others stay wide, and bisection finds n
with about log2(N) trials. Their tool narrows 8 bits to 4 until accuracy falls below a tolerance. To reach smaller
budgets the same ranking goes on from 4 to 2 bits once all are at 4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sq_micro.assign.allocators.uniform import uniform_plan
from sq_micro.assign.completion import violations
from sq_micro.assign.problem import Evaluate, Evaluation, Problem, Proposal
from sq_micro.ir.bitwidths import Bitwidths

LEVELS = (8, 4, 2)


def ranking(problem: Problem) -> tuple[str, ...]:
    """The operators that are not pinned, in the order in which they are narrowed."""
    topology = problem.topology
    keys = {}
    free = {option.operator for option in problem.unpinned}
    for index, operator in enumerate(topology.weighted()):
        if operator.name in free:
            weights = topology.elements(operator.weights)
            keys[operator.name] = (-weights, weights // topology.elements(operator.bias), -index)
    return tuple(sorted(keys, key=keys.__getitem__))


def sequence(problem: Problem, levels: Sequence[int] = LEVELS) -> tuple[Bitwidths, ...]:
    """All plans from the widest to the narrowest, each narrowing one operator more than the one before."""
    plans = [uniform_plan(problem, levels[0])]
    for bits in levels[1:]:
        narrow = uniform_plan(problem, bits).weights
        for name in ranking(problem):
            if narrow[name] != plans[-1].weights[name]:
                plans.append(Bitwidths({**plans[-1].weights, name: narrow[name]}))
    return tuple(plans)


def size_ranked(problem: Problem, evaluate: Evaluate | None = None, levels: Sequence[int] = LEVELS) -> Proposal:
    """The first plan of the sequence that meets the budgets; without budgets, the last within `max_drop`.

    The last plan where none fits. Flash and weights fall along the sequence; latency and SRAM may not, so a fit that
    bisection finds is checked, and the sequence walked from there.
    """
    plans = sequence(problem, levels)
    log: list[str] = []
    if problem.budget or problem.max_drop is None or evaluate is None:
        chosen = _first(len(plans), lambda n: not _bytes_missed(problem, plans[n]))
        while chosen < len(plans) - 1 and violations(problem, plans[chosen]):
            chosen += 1
        log.append(f"{chosen} of {len(plans) - 1} steps down the ranking meet the budgets")
        return Proposal(plans[chosen], log=tuple(log))
    evaluations: dict[int, Evaluation] = {}
    tolerance = problem.max_drop

    def too_far(n: int) -> bool:
        evaluations[n] = evaluate([plans[n]])[0]
        log.append(f"{n} steps: drop {evaluations[n].expected_drop:.2f} points")
        return evaluations[n].expected_drop > tolerance

    chosen = max(_first(len(plans), too_far, default=len(plans)) - 1, 0)
    return Proposal(plans[chosen], evaluations.get(chosen), log=tuple(log))


def _bytes_missed(problem: Problem, plan: Bitwidths) -> bool:
    return any(violation.resource in ("flash", "weights") for violation in violations(problem, plan))


def _first(count: int, holds: Callable[[int], bool], default: int | None = None) -> int:
    """The first n < count from which `holds` is true, by bisection; the last, or `default`, where it never is."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    if low < count:
        return low
    return count - 1 if default is None else default
