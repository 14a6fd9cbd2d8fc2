"""What each operator may be, a width and kernels, and what it then takes. What the network takes in any case."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from types import MappingProxyType

from sq_micro.board import Board
from sq_micro.cost.profile import NetworkProfile, OperatorFigures
from sq_micro.cost.shift_add import ShiftAddAccelerator
from sq_micro.ir.bitwidths import WEIGHT_BITS, Bitwidths
from sq_micro.ir.kernel_set import KERNEL_SETS, KernelSet
from sq_micro.ir.topology import Topology
from sq_micro.kernels.at_rest import choices_at_rest
from sq_micro.kernels.catalogue import PORTABLE
from sq_micro.kernels.overlap import Overlap
from sq_micro.kernels.select import within_loss
from sq_micro.kernels.sizes import padding_bytes, table_bytes, weight_bytes
from sq_micro.kernels.tiling import LOSSES


@dataclass(frozen=True, slots=True)
class WidthOption:
    """One operator at one width: bytes, seconds, joules; latency and energy are None where nobody knows them.

    bits     0 for an operator without weights
    scratch_bytes, overlaps  of the kernel that needs least memory
    calls, stack_bytes  see `cost.profile.OperatorFigures`; calls are no part of flash_bytes, since operators share them
    """

    bits: int
    weight_bytes: int
    table_bytes: int = 0
    code_bytes: int = 0
    calls: Mapping[str, int] = field(default_factory=dict)
    stack_bytes: int = 0
    padding_bytes: int = 0
    scratch_bytes: int = 0
    overlaps: tuple[tuple[str, Overlap], ...] = ()
    cycles: int | None = None
    latency_s: float | None = None
    energy_j: float | None = None
    kernels: KernelSet = "fast"

    @property
    def flash_bytes(self) -> int:
        """Weights, tables and code, and what lies unused between them."""
        return self.weight_bytes + self.table_bytes + self.code_bytes + self.padding_bytes


@dataclass(frozen=True, slots=True)
class OperatorOptions:
    """The widths that an operator may take, narrowest first, each with the fastest kernels first."""

    operator: str
    widths: tuple[WidthOption, ...]

    def __post_init__(self) -> None:
        ordered = sorted(self.widths, key=lambda option: (option.bits, KERNEL_SETS.index(option.kernels)))
        object.__setattr__(self, "widths", tuple(ordered))

    @property
    def bits(self) -> tuple[int, ...]:
        """The widths alone, each once."""
        return tuple(dict.fromkeys(option.bits for option in self.widths))

    def at(self, bits: int, kernels: KernelSet | None = None) -> WidthOption:
        """The option of a width, by default with the fastest kernels. KeyError iff there is none."""
        for option in self.widths:
            if option.bits == bits and kernels in (None, option.kernels):
                return option
        raise KeyError(f"operator '{self.operator}' has no option of {bits} bits with {kernels or 'any'} kernels")

    def with_kernels(self, kernels: KernelSet) -> OperatorOptions:
        """The same with one set of kernels."""
        return OperatorOptions(self.operator, tuple(option for option in self.widths if option.kernels == kernels))

    def only(self, allowed: Sequence[int]) -> OperatorOptions:
        """The same with some of the widths."""
        return OperatorOptions(self.operator, tuple(option for option in self.widths if option.bits in allowed))


@dataclass(frozen=True, slots=True)
class FixedCosts:
    """Beside the operators with weights: shared code, stack and static data, the other operators' time.

    sram_bytes   None where nothing is known of SRAM, the arena included; the stack is the most of any plan
    calls        the functions that the other operators call, by name; no part of flash_bytes
    stack_bytes  the least of any plan: what all but the operators with weights ask for
    """

    flash_bytes: int = 0
    sram_bytes: int | None = 0
    latency_s: float | None = None
    energy_j: float | None = None
    calls: Mapping[str, int] = field(default_factory=dict)
    stack_bytes: int = 0


def operator_options(
    topology: Topology,
    widths: Sequence[int] = WEIGHT_BITS,
    profile: NetworkProfile | None = None,
    board: Board | None = None,
    activation_bits: Mapping[str, int] = MappingProxyType({}),
    sets: Sequence[KernelSet] = ("fast",),
) -> tuple[OperatorOptions, ...]:
    """The options of every weighted operator, in execution order.

    topology  as it is planned: of `quant.quantize.Frame` or a QuantGraph
    activation_bits  by tensor, 8 where nothing is said
    profile, board  give code bytes, latency and energy; without them there are bytes of constants alone
    sets      of kernels to choose from, which the profile has
    """
    isa = PORTABLE if board is None else board.core.isa
    found = []
    for operator in topology.weighted():
        options = []
        for bits, kernels in product(widths, sets):
            at_rest = Bitwidths({operator.name: bits}, activation_bits)
            choices = choices_at_rest(operator, topology, at_rest, isa, kernels)
            usual, leanest = within_loss(choices, LOSSES[0]), choices[-1]
            option = WidthOption(
                bits=bits,
                kernels=kernels,
                weight_bytes=weight_bytes(usual, operator, bits, topology),
                table_bytes=table_bytes(usual, operator, bits, topology),
                padding_bytes=padding_bytes(usual, operator, bits, topology),
                scratch_bytes=leanest.scratch_bytes,
                overlaps=tuple(leanest.overlaps.items()),
            )
            if profile is not None:
                option = _with_figures(option, profile.figures(operator.name, bits, kernels), board)
            options.append(option)
        found.append(OperatorOptions(operator.name, tuple(options)))
    return tuple(found)


def weightless_options(
    topology: Topology, profile: NetworkProfile, board: Board, sets: Sequence[KernelSet]
) -> tuple[OperatorOptions, ...]:
    """The options of the operators without weights for which kernels make a difference."""
    found = []
    for operator in topology.operators:
        if operator.name not in profile.operators or 0 not in profile.operators[operator.name]:
            continue
        figures = {kernels: profile.figures(operator.name, 0, kernels) for kernels in sets}
        different = {(one.code_bytes, one.cycles): kernels for kernels, one in reversed(figures.items())}
        options = [
            _with_figures(WidthOption(bits=0, weight_bytes=0, kernels=kernels), figures[kernels], board)
            for kernels in different.values()
        ]
        if len(options) > 1:
            found.append(OperatorOptions(operator.name, tuple(options)))
    return tuple(found)


def _with_figures(option: WidthOption, figures: OperatorFigures, board: Board | None) -> WidthOption:
    latency, power = _seconds(figures.cycles, board), board.active_power_w if board is not None else None
    return replace(
        option,
        code_bytes=figures.code_bytes,
        calls=figures.calls,
        stack_bytes=figures.stack_bytes,
        cycles=figures.cycles,
        latency_s=latency,
        energy_j=latency * power if latency is not None and power is not None else None,
    )


def shift_add_options(
    topology: Topology, accelerator: ShiftAddAccelerator, widths: Sequence[int] = WEIGHT_BITS
) -> tuple[OperatorOptions, ...]:
    """The options of every weighted operator on an analytic accelerator: no code and no scratch."""
    return tuple(
        OperatorOptions(
            option.operator,
            tuple(
                replace(
                    width,
                    scratch_bytes=0,
                    overlaps=(),
                    latency_s=accelerator.latency_s(operator, topology, width.bits),
                    energy_j=accelerator.energy_j(operator, topology, width.bits),
                )
                for width in option.widths
            ),
        )
        for option, operator in zip(operator_options(topology, widths), topology.weighted(), strict=True)
    )


def fixed_costs(
    topology: Topology,
    profile: NetworkProfile,
    board: Board,
    kernels: KernelSet = "fast",
    decided: Collection[str] = (),
) -> FixedCosts:
    """What a network takes on a board whatever is chosen.

    kernels  of the operators for which they are not chosen
    decided  the operators without weights for which they are: those of `weightless_options`
    """
    left_out = {operator.name for operator in topology.weighted()} | set(decided)
    others = [
        profile.figures(operator.name, 0, kernels)
        for operator in topology.operators
        if operator.name not in left_out and operator.name in profile.operators
    ]
    cycles = [profile.overhead_cycles, *(figures.cycles for figures in others)]
    known = [count for count in cycles if count is not None]
    latency = _seconds(sum(known) if len(known) == len(cycles) else None, board)
    power = board.active_power_w
    return FixedCosts(
        flash_bytes=profile.shared_code_bytes + sum(figures.code_bytes for figures in others),
        sram_bytes=profile.stack_bytes + profile.static_bytes,
        latency_s=latency,
        energy_j=latency * power if latency is not None and power is not None else None,
        calls={name: size for figures in others for name, size in figures.calls.items()},
        stack_bytes=max([profile.rest_stack_bytes, *(figures.stack_bytes for figures in others)]),
    )


def _seconds(cycles: int | None, board: Board | None) -> float | None:
    if cycles is None or board is None or not board.core.clock_hz:
        return None
    return cycles / board.core.clock_hz
