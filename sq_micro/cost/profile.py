"""What each operator of a network takes at each width on one board: the table that a search adds up.

Constants follow from shapes and bits. Cycles and code bytes are read off images of the network itself, one of uniform
width each (`stages.characterise`), so that what the compiler folds and unrolls is in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sq_micro.board import Board
from sq_micro.cost.cost import Cost
from sq_micro.cost.figure import Figure
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.kernel_set import KernelSet
from sq_micro.ir.topology import Topology
from sq_micro.kernels.sizes import padding_bytes, table_bytes, weight_bytes
from sq_micro.plan.plan import make_plan


@dataclass(frozen=True, slots=True)
class OperatorFigures:
    """One operator at one width; cycles are None where the board has no counter.

    code_bytes   of its own function, its parameters and its addresses, each to the next whole word
    calls        bytes of the functions that it calls, directly or not, by name; other operators may call them, too
    stack_bytes  that an image sets aside which has no deeper path than those through this operator
    """

    cycles: int | None
    code_bytes: int
    calls: Mapping[str, int] = field(default_factory=dict)
    stack_bytes: int = 0


@dataclass(frozen=True, slots=True)
class NetworkProfile:
    """The images of one network on one board, taken apart.

    operators    by name, then by width; an operator without weights has the one width 0
    sets         the same for other sets of kernels than `fast`
    shared_code_bytes    code and padding that no operator owns or calls: the most of any image
    overhead_cycles      of an inference beyond its operators
    static_bytes         SRAM beside arena and stack
    stack_bytes          that the image sets aside: the most of any
    rest_stack_bytes     the same of an image without operators
    """

    operators: Mapping[str, Mapping[int, OperatorFigures]]
    shared_code_bytes: int
    overhead_cycles: int | None
    static_bytes: int
    stack_bytes: int
    rest_stack_bytes: int = 0
    sets: Mapping[KernelSet, Mapping[str, Mapping[int, OperatorFigures]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "operators", _frozen(self.operators))
        object.__setattr__(self, "sets", MappingProxyType({name: _frozen(found) for name, found in self.sets.items()}))

    def figures(self, operator: str, bits: int, kernels: KernelSet = "fast") -> OperatorFigures:
        """Of an operator at a width; `bits` is ignored for one without weights."""
        widths = (self.operators if kernels == "fast" else self.sets[kernels])[operator]
        return widths[0] if 0 in widths else widths[bits]


def _frozen(
    operators: Mapping[str, Mapping[int, OperatorFigures]],
) -> Mapping[str, Mapping[int, OperatorFigures]]:
    return MappingProxyType({name: MappingProxyType(dict(widths)) for name, widths in operators.items()})


def called_bytes(calls: Iterable[Mapping[str, int]]) -> int:
    """What the called functions take together: what several operators call is there once.

    >>> called_bytes([{"gemm": 800, "unpack4": 60}, {"gemm": 800, "unpack2": 110}])
    970
    """
    sizes: dict[str, int] = {}
    for called in calls:
        for name, size in called.items():
            sizes[name] = max(size, sizes.get(name, 0))
    return sum(sizes.values())


def candidate_cost(topology: Topology, bitwidths: Bitwidths, profile: NetworkProfile, board: Board) -> Cost:
    """The cost of a network at given bits. Flash is an upper bound, a few bytes above the linked image."""
    plan = make_plan(topology, bitwidths, board.core.isa)
    weights = tables = 0
    for operator in topology.weighted():
        bits = bitwidths.weights[operator.name]
        choice = plan.choices[operator.name]
        weights += weight_bytes(choice, operator, bits, topology)
        tables += table_bytes(choice, operator, bits, topology) + padding_bytes(choice, operator, bits, topology)
    chosen = [
        profile.figures(operator.name, bitwidths.weights.get(operator.name, 0))
        for operator in topology.operators
        if operator.name in profile.operators
    ]
    code = profile.shared_code_bytes + sum(figures.code_bytes for figures in chosen)
    code += called_bytes(figures.calls for figures in chosen)
    latency = energy = None
    cycles = [figures.cycles for figures in chosen]
    if profile.overhead_cycles is not None and board.core.clock_hz and None not in cycles:
        total = profile.overhead_cycles + sum(count for count in cycles if count is not None)
        seconds = total / board.core.clock_hz
        latency = Figure(seconds, "s", "modelled")
        if board.active_power_w is not None:
            energy = Figure(seconds * board.active_power_w, "J", "modelled")
    return Cost(
        flash=Figure(weights + tables + code, "bytes", "modelled"),
        sram=Figure(plan.arena_bytes + profile.stack_bytes + profile.static_bytes, "bytes", "exact"),
        latency=latency,
        energy=energy,
        weights=Figure(weights, "bytes", "exact"),
    )
