"""What is to be decided: widths per operator, budgets, pins; and what a decision looks like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import fsum, inf, sqrt
from statistics import stdev
from types import MappingProxyType
from typing import Literal, Protocol

from sq_micro.assign.options import FixedCosts, OperatorOptions
from sq_micro.assign.sensitivity import Sensitivity
from sq_micro.board import ArenaRoom
from sq_micro.cost.budget import Budget, Resource, Violation
from sq_micro.cost.cost import Cost
from sq_micro.errors import UsageError
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.float_graph import FloatGraph
from sq_micro.ir.kernel_set import KernelSet
from sq_micro.ir.topology import Topology
from sq_micro.kernels.catalogue import PORTABLE
from sq_micro.quant.quantize import Frame

Allocator = Literal["ilp", "uniform", "memory-driven", "size-ranked", "sigmaquant"]
ALLOCATORS: tuple[Allocator, ...] = ("ilp", "uniform", "memory-driven", "size-ranked", "sigmaquant")
Status = Literal["feasible", "infeasible"]
Goal = Literal["divergence", "flash", "weights"]


@dataclass(frozen=True, slots=True)
class Problem:
    """What `assign` is asked.

    frame        the network and its activations, before any weight is rounded
    options      per operator the widths it may take, with what each costs; all weighted operators, in order
    budget       what may be taken; None where there is no bound
    sensitivity  what the integer program adds up; the other allocators do without
    fixed        what is taken whatever the widths
    others       the operators without weights whose kernels are to be chosen
    kernels      of the operators that have no options
    pins         operators whose width the person decided
    max_drop     percentage points of accuracy that may be lost; None: as few as the budgets allow
    isa          of the board: which kernels, and so which scratch
    goal         what is made small within the budgets; with `flash` and `weights` max_drop is needed
    room         of a board whose RAM is in several regions: over them an arena may be divided
    """

    frame: Frame
    options: tuple[OperatorOptions, ...]
    budget: Budget
    sensitivity: Sensitivity | None = None
    fixed: FixedCosts = field(default_factory=FixedCosts)
    pins: Mapping[str, int] = field(default_factory=dict)
    max_drop: float | None = None
    goal: Goal = "divergence"
    isa: str = PORTABLE
    others: tuple[OperatorOptions, ...] = ()
    kernels: KernelSet = "fast"
    room: ArenaRoom | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "pins", MappingProxyType(dict(self.pins)))
        if self.goal != "divergence" and self.max_drop is None:
            raise UsageError(
                f"the least {self.goal} is that of the narrowest widths; say how much accuracy may be lost"
            )
        if not self.options:
            raise UsageError("the network has no operator with weights: there are no bitwidths to choose")
        known = {option.operator: option for option in self.options}
        for name, bits in self.pins.items():
            if name not in known:
                raise UsageError(f"no operator '{name}' can be pinned (known: {', '.join(known)})")
            if bits not in known[name].bits:
                widths = ", ".join(map(str, known[name].bits))
                raise UsageError(f"operator '{name}' cannot be pinned to {bits} bits; it takes {widths}")

    @property
    def arena_limit_bytes(self) -> int | None:
        """What the budget leaves for the arena; None where SRAM has no bound. Below 0 nothing is left."""
        return None if self.budget.sram is None else int(self.budget.sram - (self.fixed.sram_bytes or 0))

    @property
    def topology(self) -> Topology:
        """As it is planned and built."""
        return self.frame.topology

    def at_rest(self, bitwidths: Bitwidths) -> Bitwidths:
        """A plan's widths with those of the activations, which are settled."""
        return replace(bitwidths, activations=self.frame.activation_bits)

    @property
    def graph(self) -> FloatGraph:
        """The float network; each operator has weights of its own."""
        return self.frame.graph

    @property
    def allowed(self) -> tuple[OperatorOptions, ...]:
        """The options that the pins leave."""
        return tuple(
            option.only((self.pins[option.operator],)) if option.operator in self.pins else option
            for option in self.options
        )

    @property
    def items(self) -> tuple[OperatorOptions, ...]:
        """All that is to be decided: the options that the pins leave, then those of operators without weights."""
        return (*self.allowed, *self.others)

    @property
    def kernels_are_open(self) -> bool:
        """Whether bits alone leave a choice of kernels."""
        return any(len(option.widths) > len(option.bits) for option in (*self.options, *self.others))

    def with_kernels(self, sets: Mapping[str, KernelSet]) -> Problem:
        """The same with kernels decided, which are given for all operators that have options."""
        options, others = (
            tuple(option.with_kernels(sets[option.operator]) for option in group)
            for group in (self.options, self.others)
        )
        return replace(self, options=options, others=others)

    @property
    def unpinned(self) -> tuple[OperatorOptions, ...]:
        """The operators that are still to be decided."""
        return tuple(option for option in self.options if option.operator not in self.pins)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A plan tried on calibration samples: rounded, run in the reference's arithmetic, compared with the float network.

    divergences     of each sample, see `output_divergence`
    agreement       share of samples on which both networks decide alike
    expected_drop   loss of accuracy in points by the float network's own probabilities; needs no labels. It pairs the
                    two networks and weighs each change of mind, so some hundred samples tell more than their labels
                    do. Without probabilities: counted where there are labels, else the share of changed decisions
    accuracy, float_accuracy    in 0 … 1, None without labels
    """

    divergences: tuple[float, ...]
    agreement: float
    expected_drop: float
    accuracy: float | None = None
    float_accuracy: float | None = None

    @property
    def divergence(self) -> float:
        """The mean."""
        return fsum(self.divergences) / len(self.divergences)

    def error_beside(self, other: Evaluation) -> float:
        """The standard error of the difference between both divergences: of the mean over pairs, sample by sample.

        What makes a sample hard is in both, so this is far less than the error of either mean. Infinite for one sample.
        """
        count = len(self.divergences)
        if count < 2:
            return inf
        pairs = [mine - its for mine, its in zip(self.divergences, other.divergences, strict=True)]
        return stdev(pairs) / sqrt(count)

    @property
    def counted_drop(self) -> float | None:
        """Points of accuracy lost on the labelled samples; None without labels."""
        if self.accuracy is None or self.float_accuracy is None:
            return None
        return 100.0 * (self.float_accuracy - self.accuracy)


class Evaluate(Protocol):
    """Tries plans; one call with several may run them side by side."""

    def __call__(self, plans: Sequence[Bitwidths]) -> list[Evaluation]:
        """An evaluation for each plan, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Price:
    """What more of a budget would buy: `amount` more lowers the predicted divergence by `gain`.

    marginal    gain per unit, of the linear relaxation (dual variable)
    gain_points the same as points of accuracy, by the chosen plan's expected drop per predicted divergence;
                None if nothing was tried
    """

    resource: Resource
    amount: float
    gain: float
    marginal: float
    gain_points: float | None = None


@dataclass(frozen=True, slots=True)
class FrontierPoint:
    """A plan that was seen; predicted divergence without a sensitivity table, evaluation without a trial, are None."""

    bitwidths: Bitwidths
    cost: Cost
    predicted: float | None
    evaluation: Evaluation | None


@dataclass(frozen=True, slots=True)
class Assignment:
    """A plan, and why it is this one.

    status      infeasible: some budget is not met; `bitwidths` is then the nearest plan
    shortfalls  the budgets that it exceeds; empty iff feasible, unless the accuracy is what is missed
    kernels     the set that each operator takes, those without weights too
    binding     the budgets that decided: with more of one the plan would be better, or exist
    minimum     for each stated budget the least that any plan takes
    reason      one sentence
    """

    bitwidths: Bitwidths
    status: Status
    allocator: Allocator
    cost: Cost
    predicted: float | None
    evaluation: Evaluation | None
    shortfalls: tuple[Violation, ...]
    binding: tuple[str, ...]
    minimum: Mapping[Resource, float]
    reason: str
    prices: tuple[Price, ...] = ()
    frontier: tuple[FrontierPoint, ...] = ()
    log: tuple[str, ...] = ()
    kernels: Mapping[str, KernelSet] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "minimum", MappingProxyType(dict(self.minimum)))
        object.__setattr__(self, "kernels", MappingProxyType(dict(self.kernels)))

    def __str__(self) -> str:
        return f"{self.allocator}: {self.status}, {self.bitwidths} ({self.reason})"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an allocator hands to `assign`, which adds costs, status and reasons."""

    bitwidths: Bitwidths
    evaluation: Evaluation | None = None
    binding: tuple[str, ...] = ()
    prices: tuple[Price, ...] = ()
    frontier: tuple[FrontierPoint, ...] = ()
    log: tuple[str, ...] = ()
