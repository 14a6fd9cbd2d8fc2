"""A Problem as an integer program, and its solution with the real arena.

Rows come from the budgets. SRAM is no sum: a lower bound per operator (tensors alive while it runs, plus its scratch)
is a row, and a plan whose real arena is still too large is cut off with all plans of the same scratch, lazily.

Neither is time where memory presses. What patches cost is added to the operators that the leanest plan runs so; a plan
that is within the memory but, by its own patches or small kernels, not within the time, is judged with all plans of
the same scratch by a row of their own.

Flash is no sum either: operators of one width share what they call. Each such function is an item of its own behind
the operators, absent or there, and a cut keeps every operator from a width whose function is absent.

Where kernels are to be chosen, too, an operator's choices are pairs of a width and a set of kernels, and operators
without weights are items. The time that smaller kernels cost has a price: they are not taken for next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import combinations
from math import fsum

from sq_micro.assign.costs import (
    AMOUNTS,
    TIMES,
    fixed_amount,
    leanest_plan,
    memory_plan,
    sometimes_called,
    stated,
    timed,
)
from sq_micro.assign.integer_program import Solution, solve
from sq_micro.assign.options import OperatorOptions, WidthOption
from sq_micro.assign.problem import Problem
from sq_micro.assign.program import Choices, Cut, Pair, Program, Row
from sq_micro.assign.sensitivity import Sensitivity
from sq_micro.cost.budget import Resource
from sq_micro.errors import UsageError
from sq_micro.ir.bitwidths import WEIGHT_BITS, Bitwidths
from sq_micro.ir.kernel_set import KernelSet
from sq_micro.plan.floor import floor_bytes
from sq_micro.plan.patch_price import head_slowdowns
from sq_micro.plan.patching import Head
from sq_micro.plan.plan import Plan, slowdowns

_ABSENT = 0  # the choice of a function that is not in the image
_TIME_TIE_BREAK = 1e-7  # nats for the whole time: of equal damage the faster plan
_TIE_BREAK = 1e-9  # nats for the whole flash: then the smaller one
TIME_PRICE = 0.01  # nats of divergence that smaller kernels must gain where they double the time of an inference


def bitwidths_of(problem: Problem, choices: Choices) -> Bitwidths:
    """The plan that the choices mean."""
    pairs = zip(problem.allowed, choices, strict=False)  # shared functions come behind the operators
    return Bitwidths({option.operator: option.widths[choice].bits for option, choice in pairs})


def sets_of(problem: Problem, choices: Choices) -> dict[str, KernelSet]:
    """The kernels that the choices mean, of the operators that have options."""
    pairs = zip(problem.items, choices, strict=False)
    return {option.operator: option.widths[choice].kernels for option, choice in pairs}


def program_of(problem: Problem) -> Program:
    """Divergence to be minimised, one row per budget. Raises UsageError without a sensitivity table."""
    if problem.sensitivity is None:
        raise UsageError("the integer program needs a sensitivity table; measure it, or take another allocator")
    program = _program(problem, problem.sensitivity.of)
    return replace(program, pairs=_pairs(problem, problem.sensitivity))


def kernels_program(problem: Problem, bitwidths: Bitwidths) -> tuple[Problem, Program]:
    """The problem with bits pinned, and its program: the price of time is to be minimised."""
    pinned = replace(problem, pins=bitwidths.weights)
    return pinned, _program(pinned, lambda operator, bits: 0.0)


def _program(problem: Problem, damage: Callable[[str, int], float]) -> Program:
    flash = sum(max(width.flash_bytes for width in option.widths) for option in problem.items) or 1
    whole_s = fastest_s(problem)
    costs = tuple(
        tuple(
            (damage(option.operator, width.bits) if width.bits else 0.0)
            + time_price(option, width, whole_s)
            + (_TIME_TIE_BREAK * (width.latency_s or 0.0) / whole_s if whole_s else 0.0)
            + _TIE_BREAK * width.flash_bytes / flash
            for width in option.widths
        )
        for option in problem.items
    )
    rows: list[Row] = []
    asked = stated(problem)
    head = leanest_plan(problem).head if {"sram", *TIMES}.intersection(asked) else None
    slower = {} if head is None else _in_patches(problem, head)
    for resource in asked:
        if resource == "sram":
            rows += _sram_rows(problem, head)
        else:
            rows.append(_row(problem, resource, slower if resource in TIMES else {}))
    program = Program(costs, tuple(rows))
    return _with_functions(problem, program, _TIE_BREAK / flash) if "flash" in asked else program


def fastest_s(problem: Problem) -> float:
    """Seconds of an inference at the fastest widths and kernels; 0 where they are not known."""
    operators = fsum(min(width.latency_s or 0.0 for width in option.widths) for option in problem.items)
    return operators + (problem.fixed.latency_s or 0.0)


def time_price(option: OperatorOptions, width: WidthOption, whole_s: float) -> float:
    """Nats for the time that an operator's kernels take beyond the fastest ones of the same width."""
    fast = option.at(width.bits)
    if width.latency_s is None or fast.latency_s is None or not whole_s:
        return 0.0
    return TIME_PRICE * max(width.latency_s - fast.latency_s, 0.0) / whole_s


def least_flash_bytes(problem: Problem) -> float:
    """What no plan takes less of, pins kept; functions are counted that the operators share."""
    costs = tuple(tuple(float(width.flash_bytes) for width in option.widths) for option in problem.items)
    found = solve(_with_functions(problem, Program(costs), 1.0))
    assert found is not None  # nothing is bounded
    return fixed_amount(problem, "flash") + found.objective


def apart(problem: Problem, choices: Choices, distance: int) -> Cut:
    """Forbids all plans whose bits differ in fewer than `distance` operators; kernels and functions do not count."""
    alike = tuple(
        frozenset(index for index, width in enumerate(option.widths) if width.bits == option.widths[choice].bits)
        for option, choice in zip(problem.allowed, choices, strict=False)
    )
    return _over_items(alike, len(choices), len(alike) - min(distance, len(alike)))


def _with_functions(problem: Problem, program: Program, cost_per_byte: float) -> Program:
    """One more item for each function that some plans have, and what ties it to the operators."""
    functions = sometimes_called(problem)
    count = len(problem.items) + len(functions)
    rows = tuple(
        replace(
            row,
            coefficients=(
                *row.coefficients,
                *((0.0, float(size) if row.name == "flash" else 0.0) for size in functions.values()),
            ),
        )
        for row in program.rows
    )
    cuts = []
    for item, name in enumerate(functions, start=len(problem.items)):
        for index, option in enumerate(problem.items):
            callers = frozenset(choice for choice, width in enumerate(option.widths) if name in width.calls)
            if callers:
                tied = {index: callers, item: frozenset({_ABSENT})}
                cuts.append(_over_items(tuple(tied.get(i, frozenset()) for i in range(count)), count, 1))
    costs = (*program.costs, *((0.0, cost_per_byte * size) for size in functions.values()))
    return replace(program, costs=costs, rows=rows, cuts=(*program.cuts, *cuts))


def _over_items(choices: tuple[frozenset[int], ...], count: int, most: int) -> Cut:
    """A cut over all items, of which the first are given."""
    return Cut((*choices, *(frozenset[int]() for _ in range(count - len(choices)))), most)


def _pairs(problem: Problem, sensitivity: Sensitivity) -> tuple[Pair, ...]:
    if sensitivity.pairwise is None:
        return ()
    found = []
    for (i, one), (j, other) in combinations(enumerate(problem.allowed), 2):
        table = tuple(
            tuple(sensitivity.together(one.operator, a.bits, other.operator, b.bits) for b in other.widths)
            for a in one.widths
        )
        if any(value for row in table for value in row):
            found.append(Pair(i, j, table))
    return tuple(found)


def _row(problem: Problem, resource: Resource, slower: Mapping[tuple[str, int], float]) -> Row:
    amount = AMOUNTS[resource]
    table = tuple(
        tuple((amount(width) or 0) * slower.get((option.operator, width.bits), 1.0) for width in option.widths)
        for option in problem.items
    )
    return Row(resource, table, getattr(problem.budget, resource) - fixed_amount(problem, resource))


def _in_patches(problem: Problem, head: Head) -> dict[tuple[str, int], float]:
    """By operator and width the time over that of the whole."""
    topology, found = problem.topology, {}
    for bits in WEIGHT_BITS:
        widths = problem.at_rest(Bitwidths({operator.name: bits for operator in topology.weighted()}))
        for name, slower in head_slowdowns(topology, widths, problem.isa, head).items():
            found[name, bits] = slower
    return found


def _sram_rows(problem: Problem, head: Head | None) -> list[Row]:
    """For each operator: what is alive while it runs, and the least scratch, are within the budget.

    head  where even the leanest widths fit in patches alone: none of that holds for the operators that run so
    """
    assert problem.budget.sram is not None
    floors = floor_bytes(problem.topology, problem.isa, problem.frame.activation_bits)
    free = problem.budget.sram - fixed_amount(problem, "sram")
    position = {option.operator: index for index, option in enumerate(problem.items)}
    rows = []
    for index, operator in enumerate(problem.topology.operators):
        if head is not None and operator.name in head.operators:
            continue
        table = [[0.0] * len(option.widths) for option in problem.items]
        if operator.name in position:
            option = problem.items[position[operator.name]]
            table[position[operator.name]] = [float(width.scratch_bytes) for width in option.widths]
        bound = free - floors[index]
        if max(map(max, table)) > bound:
            rows.append(Row("sram", tuple(map(tuple, table)), bound))
    return rows


def solve_lazily(problem: Problem, program: Program) -> tuple[Solution | None, Program]:
    """The best plan whose real arena fits, in time, and the program with the cuts and rows that this took."""
    budget = problem.budget.sram
    times = [resource for resource in TIMES if getattr(problem.budget, resource) is not None]
    while True:
        found = solve(program)
        if found is None or budget is None:
            return found, program
        bits, sets = bitwidths_of(problem, found.choices), sets_of(problem, found.choices)
        plan = memory_plan(problem, bits, sets)
        alike = _as_lean(problem, found.choices)
        if fixed_amount(problem, "sram") + plan.arena_bytes > budget:
            program = program.with_cuts(_over_items(alike.choices, len(found.choices), alike.most))
            continue
        slower = slowdowns(problem.topology, problem.at_rest(bits), plan)
        rows = [_row_of_alike(problem, name, alike, plan, slower, len(found.choices)) for name in times]
        broken = [row for row in rows if not row.holds(found.choices)]
        if not broken:
            return found, program
        program = program.with_rows(*broken)


def _row_of_alike(
    problem: Problem, resource: Resource, alike: Cut, plan: Plan, slower: Mapping[str, float], count: int
) -> Row:
    """The budget for the plans of one cut alone: any choice outside of it frees as much as all operators can take."""
    amount = AMOUNTS[resource]
    table = [
        [
            (amount(timed(option, width.bits, width.kernels, plan)) or 0) * slower.get(option.operator, 1.0)
            for width in option.widths
        ]
        for option in problem.items
    ]
    most = fsum(map(max, table))
    items = len(table)
    for row, listed in zip(table, alike.choices, strict=True):
        for choice in listed:
            row[choice] += most
    absent = ((0.0, 0.0),) * (count - items)  # functions that operators share
    bound = getattr(problem.budget, resource) - fixed_amount(problem, resource)
    return Row(resource, (*map(tuple, table), *absent), bound + items * most)


def _as_lean(problem: Problem, choices: Choices) -> Cut:
    """Forbids all plans whose leanest kernels want the same scratch and overlap: their least arena is the same."""
    alike = []
    for option, choice in zip(problem.items, choices, strict=False):
        wanted = option.widths[choice]
        alike.append(
            frozenset(
                index
                for index, width in enumerate(option.widths)
                if (width.scratch_bytes, width.overlaps) == (wanted.scratch_bytes, wanted.overlaps)
            )
        )
    return Cut(tuple(alike), len(alike) - 1)


def has_plan(problem: Problem, bitwidths: Bitwidths) -> bool:
    """Whether each width is one of the operator's."""
    return all(bitwidths.weights[option.operator] in option.bits for option in problem.allowed)
