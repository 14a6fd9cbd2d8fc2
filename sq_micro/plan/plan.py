"""The plan of one network on one board: kernels, scratch, arena."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from types import MappingProxyType

from sq_micro.board import ArenaRoom
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.kernel_set import KernelSet
from sq_micro.ir.operators import operator_inputs
from sq_micro.ir.topology import Topology
from sq_micro.kernels.at_rest import all_choices
from sq_micro.kernels.catalogue import PORTABLE
from sq_micro.kernels.overlap import Overlap
from sq_micro.kernels.select import KernelChoice, within_loss
from sq_micro.kernels.tiling import LOSSES
from sq_micro.plan.accesses import accessed_bytes
from sq_micro.plan.arena import Layout, Span
from sq_micro.plan.division import Division, Share, divide
from sq_micro.plan.lifetimes import Buffer, live_buffers, scratch_name
from sq_micro.plan.limits import UNLIMITED, Limits
from sq_micro.plan.patch_price import affordable, head_cycles, plan_cycles, whole_cycles
from sq_micro.plan.patching import Head, head_choices, with_parts
from sq_micro.plan.search import fits, place


@dataclass(frozen=True, slots=True)
class Plan:
    """choices by operator; a span in the arena for every tensor and every operator's scratch.

    arena_bytes        of all shares, where there are several
    lower_bound_bytes  no arena for these choices is smaller, divided or not
    downwards          the operators that go through their tiles from the last to the first
    head               the operators that run in patches; the spans of the tensors between them hold parts
    shares             of an arena that is divided over regions; each span lies in one. Empty where it is not
    least_slow_accesses  of any division, see `plan.division`; None where there is none
    """

    choices: Mapping[str, KernelChoice]
    tensors: Mapping[str, Span]
    scratch: Mapping[str, Span]
    buffers: tuple[Buffer, ...]
    arena_bytes: int
    lower_bound_bytes: int
    peak_operator: str
    downwards: frozenset[str] = frozenset()
    isa: str = PORTABLE
    head: Head | None = None
    shares: tuple[Share, ...] = ()
    least_slow_accesses: int | None = None

    def __post_init__(self) -> None:
        for field in ("choices", "tensors", "scratch"):
            object.__setattr__(self, field, MappingProxyType(dict(getattr(self, field))))

    @property
    def optimal(self) -> bool:
        """Whether no smaller arena exists for these choices."""
        return self.arena_bytes == self.lower_bound_bytes

    @property
    def share_bytes(self) -> dict[str, int]:
        """By region, of an arena that is divided."""
        return {share.region: share.size_bytes for share in self.shares}

    @property
    def sets(self) -> dict[str, KernelSet]:
        """The set of kernels that each operator takes."""
        return {name: choice.kernels for name, choice in self.choices.items()}

    @property
    def loss(self) -> float:
        """The largest share of its time that any operator gives up for smaller kernels; modelled. What patches cost
        is no part of it, see `slowdowns`.
        """
        return max((choice.loss for choice in self.choices.values()), default=0.0)

    def in_parts(self, operator: str) -> bool:
        """Whether the operator's output never is there as a whole."""
        return self.head is not None and operator in self.head.operators[:-1]

    def __str__(self) -> str:
        """The arena drawn: a row per buffer, a column per operator, `#` where it is in use."""
        last = max(buffer.last for buffer in self.buffers)
        width = max(len(buffer.name) for buffer in self.buffers)
        lines = [f"arena {self.arena_bytes:,} B, {self._proof}, fullest at '{self.peak_operator}'"]
        lines += [f"{share}" for share in self.shares]
        if self.head is not None:
            lines.append(str(self.head))
        lines.append(f"{'buffer':<{width}} {'offset':>8} {'bytes':>8}  operators 0..{last}")
        for buffer in self.buffers:
            span = self.span(buffer)
            drawn = "".join("#" if buffer.first <= index <= buffer.last else "." for index in range(last + 1))
            lines.append(f"{buffer.name:<{width}} {span.offset_bytes:>8} {span.size_bytes:>8}  {drawn}")
        return "\n".join(lines) + "\n"

    @property
    def _proof(self) -> str:
        if self.optimal:
            return "the least possible"
        return f"at least {self.lower_bound_bytes:,} B are needed"

    def span(self, buffer: Buffer) -> Span:
        """Where one of the buffers lies."""
        if buffer.tensors:
            return self.tensors[buffer.tensors[0]]
        return next(span for name, span in self.scratch.items() if scratch_name(name) == buffer.name)


def make_plan(
    topology: Topology,
    bitwidths: Bitwidths,
    isa: str = PORTABLE,
    arena_limit_bytes: int | None = None,
    sets: Mapping[str, KernelSet] | None = None,
    room: ArenaRoom | None = None,
) -> Plan:
    """Select kernels for an ISA, of the sets that operators are given, then place tensors and scratch together.

    Where the arena would exceed the limit, or what a board has room for in one region, it is divided over the board's
    regions. Time is given up for memory only where that is not enough: then as little as it takes, by the model of
    `kernels.tiling`. Where no kernels are small enough, the first operators run in patches. A plan that exceeds the
    limit is the smallest there is.
    """
    choices, limits = all_choices(topology, bitwidths, isa, sets), Limits.of(arena_limit_bytes, room)
    plans: list[Plan] = []
    for loss in LOSSES:
        plans.append(_placed(topology, bitwidths, _within(choices, loss), isa, limits=limits))
        if _kept(plans[-1], limits):
            break
    else:
        least = min(plans, key=lambda plan: plan.arena_bytes)
        return _in_patches(topology, bitwidths, choices, least, limits)
    return plans[0] if len(plans) == 1 else _sped_up(topology, bitwidths, choices, plans[-1], limits)


def _kept(plan: Plan, limits: Limits) -> bool:
    return bool(plan.shares) or limits.whole_bytes is None or plan.arena_bytes <= limits.whole_bytes


def _within(choices: Mapping[str, tuple[KernelChoice, ...]], loss: float) -> dict[str, KernelChoice]:
    return {name: within_loss(found, loss) for name, found in choices.items()}


def _in_patches(
    topology: Topology,
    bitwidths: Bitwidths,
    choices: Mapping[str, tuple[KernelChoice, ...]],
    least: Plan,
    limits: Limits,
) -> Plan:
    """The patches that cost least time of those whose arena is within the limit; else the smallest plan there is.

    least  the smallest without patches
    """
    layout = _layout(topology, bitwidths, least.choices)
    floor = layout.live_bytes()  # of the operators behind the head
    found = []
    best: Plan | None = None
    best_cycles = inf
    for cycles, head in affordable(topology, bitwidths, least.isa, _within(choices, LOSSES[0])):
        if cycles >= best_cycles:
            break
        if max(floor[len(head.operators) :], default=0) >= least.arena_bytes:
            continue
        every = {**choices, **head_choices(topology, bitwidths, least.isa, head)}
        smallest = _within(every, LOSSES[-1])
        if _fits(topology, bitwidths, smallest, limits, head):
            plan = plan_in_patches(head, topology, bitwidths, least.isa, least.sets)
            unpressed = {**_within(every, LOSSES[0]), **{name: plan.choices[name] for name in head.operators}}
            if _fits(topology, bitwidths, unpressed, limits, head):
                plan = replace(plan, choices=unpressed)
            plan = _sped_up(topology, bitwidths, every, plan, limits)
            if (taken := plan_cycles(topology, bitwidths, plan.choices, head)) < best_cycles:
                best, best_cycles = plan, taken
        else:
            found.append((max(_layout(topology, bitwidths, smallest, head).live_bytes()), head))
    if best is not None:
        return best
    for bound, head in sorted(found, key=lambda entry: entry[0]):
        if bound >= least.arena_bytes:
            break
        patched = plan_in_patches(head, topology, bitwidths, least.isa, least.sets)
        least = min(least, patched, key=lambda plan: plan.arena_bytes)
    return least


def plan_in_patches(
    head: Head,
    topology: Topology,
    bitwidths: Bitwidths,
    isa: str,
    sets: Mapping[str, KernelSet] | None = None,
    loss: float = LOSSES[-1],
) -> Plan:
    """The plan that needs least memory with these patches, by default whatever time its kernels lose."""
    every = {**all_choices(topology, bitwidths, isa, sets), **head_choices(topology, bitwidths, isa, head)}
    return _placed(topology, bitwidths, _within(every, loss), isa, head)


def slowdowns(topology: Topology, bitwidths: Bitwidths, plan: Plan) -> dict[str, float]:
    """By operator its time over that in a plan that no memory presses; modelled. Empty where nothing is slower."""
    if plan.head is None and plan.loss <= LOSSES[0]:
        return {}
    unpressed = _within(all_choices(topology, bitwidths, plan.isa, plan.sets), LOSSES[0])
    found = {name: (1.0 + choice.loss) / (1.0 + unpressed[name].loss) for name, choice in plan.choices.items()}
    if plan.head is not None:
        alone = whole_cycles(topology, bitwidths, unpressed)
        in_patches = head_cycles(topology, bitwidths, plan.choices, plan.head)
        found |= {name: cycles / alone[name] for name, cycles in in_patches.items()}
    return found


def _sped_up(
    topology: Topology,
    bitwidths: Bitwidths,
    choices: Mapping[str, tuple[KernelChoice, ...]],
    plan: Plan,
    limits: Limits,
) -> Plan:
    """Each operator, the one that lost most first, gets the fastest kernel with which the arena still fits; none that
    is faster than where nothing presses.
    """
    unpressed = _within(choices, LOSSES[0])
    for name in sorted(plan.choices, key=lambda name: (-plan.choices[name].loss, name)):
        for choice in choices[name][choices[name].index(unpressed[name]) :]:
            if choice.loss >= plan.choices[name].loss:
                break
            faster = {**plan.choices, name: choice}
            if _fits(topology, bitwidths, faster, limits, plan.head):
                plan = replace(plan, choices=faster)
                break
    return _placed(topology, bitwidths, plan.choices, plan.isa, plan.head, limits)


def _fits(
    topology: Topology,
    bitwidths: Bitwidths,
    choices: Mapping[str, KernelChoice],
    limits: Limits,
    head: Head | None = None,
) -> bool:
    """Whether a placement within the limits is found soon, in one region or over several."""
    layout = _layout(topology, bitwidths, choices, head)
    if limits.whole_bytes is None or fits(layout, limits.whole_bytes):
        return True
    return _division(topology, choices, layout, head, limits, soon=True) is not None


def _division(
    topology: Topology,
    choices: Mapping[str, KernelChoice],
    layout: Layout,
    head: Head | None,
    limits: Limits,
    soon: bool = False,
) -> Division | None:
    if not limits.spaces:
        return None
    accesses = accessed_bytes(topology, choices, layout.buffers, head)
    return divide(layout, accesses, limits.spaces, limits.total_bytes, soon)


def _layout(
    topology: Topology, bitwidths: Bitwidths, choices: Mapping[str, KernelChoice], head: Head | None = None
) -> Layout:
    """Buffers, and who may lie on whom. The input and the output of a head are in use while all of it runs."""
    scratch = {name: choice.scratch_bytes for name, choice in choices.items()}
    if head is None:
        buffers = live_buffers(topology, scratch, bitwidths)
        return Layout(buffers, allowed_overlaps(topology, choices, buffers))
    last = len(head.operators) - 1
    output = topology.operators[last].output
    buffers = tuple(
        replace(buffer, first=0, last=max(last, buffer.last)) if buffer.name in (topology.input, output) else buffer
        for buffer in live_buffers(with_parts(topology, head, last=False), scratch, bitwidths)
    )
    position = {buffer.name: index for index, buffer in enumerate(buffers)}
    overlaps = allowed_overlaps(topology, choices, buffers)
    return Layout(buffers, (*overlaps, ((position[topology.input], position[output]), head.overlap)))


def _placed(
    topology: Topology,
    bitwidths: Bitwidths,
    choices: Mapping[str, KernelChoice],
    isa: str,
    head: Head | None = None,
    limits: Limits = UNLIMITED,
) -> Plan:
    """In one region where that is within the limits, else divided where a division is; else as small as can be."""
    layout = _layout(topology, bitwidths, choices, head)
    buffers, placement, division = layout.buffers, place(layout), None
    if limits.whole_bytes is not None and placement.arena_bytes > limits.whole_bytes:
        division = _division(topology, choices, layout, head, limits)
    offsets = placement.offsets if division is None else division.offsets
    spans = {buffer.name: Span(offset, buffer.size_bytes) for buffer, offset in zip(buffers, offsets, strict=True)}
    tensors = {tensor: spans[buffer.name] for buffer in buffers for tensor in buffer.tensors}
    scratch = {op.name: spans[scratch_name(op.name)] for op in topology.operators if scratch_name(op.name) in spans}
    live = layout.live_bytes()
    return Plan(
        choices=choices,
        tensors=tensors,
        scratch=scratch,
        buffers=buffers,
        arena_bytes=placement.arena_bytes if division is None else division.arena_bytes,
        lower_bound_bytes=placement.lower_bound_bytes,
        peak_operator=topology.operators[live.index(max(live))].name,
        downwards=frozenset(
            op.name for op in topology.operators if _is_downwards(choices[op.name], op.output, tensors)
        ),
        isa=isa,
        head=head,
        shares=() if division is None else division.shares,
        least_slow_accesses=None if division is None else division.least_slow_accesses,
    )


def allowed_overlaps(
    topology: Topology, choices: Mapping[str, KernelChoice], buffers: tuple[Buffer, ...]
) -> tuple[tuple[tuple[int, int], Overlap], ...]:
    """What the kernels allow between an output and an input that is read for the last time."""
    position = {tensor: index for index, buffer in enumerate(buffers) for tensor in buffer.tensors}
    found: dict[tuple[int, int], Overlap] = {}
    for index, operator in enumerate(topology.operators):
        for tensor in dict.fromkeys(operator_inputs(operator)):
            pair = position[tensor], position[operator.output]
            overlap = choices[operator.name].overlaps.get(tensor)
            ends = buffers[pair[0]].last == index == buffers[pair[1]].first
            if overlap is not None and ends and pair[0] != pair[1]:
                found[pair] = overlap.both(found[pair]) if pair in found else overlap
    return tuple(found.items())


def _is_downwards(choice: KernelChoice, output: str, tensors: Mapping[str, Span]) -> bool:
    """Where the output lies too high in its input for a walk upwards, the walk goes downwards."""
    if not choice.both_ways or not choice.overlaps:
        return False
    (tensor,) = choice.overlaps
    distance = tensors[output].offset_bytes - tensors[tensor].offset_bytes
    apart = not -tensors[output].size_bytes < distance < tensors[tensor].size_bytes
    return not apart and distance > choice.overlaps[tensor].below_bytes
