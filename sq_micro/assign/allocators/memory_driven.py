"""The memory-driven rule of Rusci, Capotondi and Benini (MLSys 2020, arXiv 1905.13082): bytes alone decide, no data.

ROM rule. While the constants do not fit: of the operators whose share of the weight bytes is within a margin of the
largest share, the one nearest the input goes to its next narrower width.

RAM rule. Theirs narrows activations. Here activations are 8 bits and what widths change is scratch: while the arena
does not fit, the operator at which it is fullest goes to its next width with less scratch, perhaps a wider one, and
stays.
"""

from __future__ import annotations

from sq_micro.assign.completion import kernels_of, violations
from sq_micro.assign.costs import memory_plan
from sq_micro.assign.options import OperatorOptions
from sq_micro.assign.problem import Problem, Proposal
from sq_micro.ir.bitwidths import Bitwidths

MARGIN = 0.05  # of all weight bytes: how much smaller than the largest a share may be
PAPER_BITS = (2, 4, 8)


def memory_driven(problem: Problem, margin: float = MARGIN, bits: tuple[int, ...] = PAPER_BITS) -> Proposal:
    """From the widest widths downwards until everything fits, or nothing is left to narrow.

    bits  the widths that the rule may use, of those that operators have; the paper's are 2, 4 and 8
    """
    options = {option.operator: _restricted(option, bits) for option in problem.allowed}
    widths = {name: max(option.bits) for name, option in options.items()}
    log: list[str] = []
    settled: set[str] = set()
    while missed := violations(problem, Bitwidths(widths)):
        name = None
        if {violation.resource for violation in missed} == {"sram"}:
            name = _fullest(problem, widths, options)
            if name is not None:
                widths[name] = _leaner(options[name], widths[name])
                settled.add(name)
                log.append(f"RAM rule: {name} to {widths[name]} bits")
        else:
            name = _largest_share(widths, options, settled, margin)
            if name is not None:
                widths[name] = max(width for width in options[name].bits if width < widths[name])
                log.append(f"ROM rule: {name} to {widths[name]} bits")
        if name is None:
            break
    return Proposal(Bitwidths(widths), log=tuple(log))


def _restricted(option: OperatorOptions, bits: tuple[int, ...]) -> OperatorOptions:
    found = option.only(bits)
    return found if found.widths else option


def _largest_share(
    widths: dict[str, int], options: dict[str, OperatorOptions], settled: set[str], margin: float
) -> str | None:
    """The operator to narrow next; None iff all are at their narrowest."""
    sizes = {name: option.at(widths[name]).weight_bytes for name, option in options.items()}
    total = sum(sizes.values()) or 1
    open_ = [name for name, option in options.items() if name not in settled and widths[name] > min(option.bits)]
    if not open_:
        return None
    largest = max(sizes[name] for name in open_)
    return next(name for name in open_ if sizes[name] / total >= largest / total - margin)


def _fullest(problem: Problem, widths: dict[str, int], options: dict[str, OperatorOptions]) -> str | None:
    """The operator at which the arena is fullest, if another width of it takes less scratch."""
    bits = Bitwidths(widths)
    peak = memory_plan(problem, bits, kernels_of(problem, bits)).peak_operator
    if peak not in options or _leaner(options[peak], widths[peak]) == widths[peak]:
        return None
    return peak


def _leaner(option: OperatorOptions, bits: int) -> int:
    """The widest width with less scratch; the same where there is none."""
    scratch = option.at(bits).scratch_bytes
    return max((width.bits for width in option.widths if width.scratch_bytes < scratch), default=bits)
