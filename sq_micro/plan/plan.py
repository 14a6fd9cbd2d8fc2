"""The plan of one network on one board: kernels, scratch, arena."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.operators import operator_inputs
from sq_micro.ir.topology import Topology
from sq_micro.kernels.catalogue import PORTABLE
from sq_micro.kernels.overlap import Overlap
from sq_micro.kernels.select import KernelChoice, kernel_choices, within_loss
from sq_micro.kernels.tiling import LOSSES
from sq_micro.plan.arena import Layout, Span
from sq_micro.plan.lifetimes import Buffer, live_buffers, scratch_name
from sq_micro.plan.search import Placement, place


@dataclass(frozen=True, slots=True)
class Plan:
    """choices by operator; a span in the arena for every tensor and every operator's scratch.

    lower_bound_bytes  no arena for these choices is smaller
    downwards          the operators that go through their tiles from the last to the first
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

    def __post_init__(self) -> None:
        for field in ("choices", "tensors", "scratch"):
            object.__setattr__(self, field, MappingProxyType(dict(getattr(self, field))))

    @property
    def optimal(self) -> bool:
        """Whether no smaller arena exists for these choices."""
        return self.arena_bytes == self.lower_bound_bytes

    @property
    def loss(self) -> float:
        """The largest share of its time that any operator gives up for memory; modelled."""
        return max((choice.loss for choice in self.choices.values()), default=0.0)

    def __str__(self) -> str:
        """The arena drawn: a row per buffer, a column per operator, `#` where it is in use."""
        last = max(buffer.last for buffer in self.buffers)
        width = max(len(buffer.name) for buffer in self.buffers)
        lines = [f"arena {self.arena_bytes:,} B, {self._proof}, fullest at '{self.peak_operator}'"]
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
    topology: Topology, bitwidths: Bitwidths, isa: str = PORTABLE, arena_limit_bytes: int | None = None
) -> Plan:
    """Select kernels for an ISA, then place tensors and scratch together.

    Time is given up for memory only where the arena would exceed the limit: then as little as it takes, by the model
    of `kernels.tiling`. A plan that exceeds the limit is the smallest there is.
    """
    choices = kernel_choices(topology, bitwidths, isa)
    plans = [_placed(topology, _within(choices, LOSSES[0]), isa)]
    for loss in LOSSES[1:]:
        if arena_limit_bytes is None or plans[-1].arena_bytes <= arena_limit_bytes:
            break
        plans.append(_placed(topology, _within(choices, loss), isa))
    if arena_limit_bytes is not None and plans[-1].arena_bytes > arena_limit_bytes:
        return min(plans, key=lambda plan: plan.arena_bytes)
    if len(plans) == 1 or arena_limit_bytes is None:
        return plans[0]
    return _sped_up(topology, choices, plans[-1], arena_limit_bytes)


def _within(choices: Mapping[str, tuple[KernelChoice, ...]], loss: float) -> dict[str, KernelChoice]:
    return {name: within_loss(found, loss) for name, found in choices.items()}


def _sped_up(topology: Topology, choices: Mapping[str, tuple[KernelChoice, ...]], plan: Plan, limit_bytes: int) -> Plan:
    """Each operator, the one that lost most first, gets its fastest kernel with which the arena still fits."""
    for name in sorted(plan.choices, key=lambda name: (-plan.choices[name].loss, name)):
        for choice in choices[name]:
            if choice.loss >= plan.choices[name].loss:
                break
            faster = _placed(topology, {**plan.choices, name: choice}, plan.isa)
            if faster.arena_bytes <= limit_bytes:
                plan = faster
                break
    return plan


def _placed(topology: Topology, choices: Mapping[str, KernelChoice], isa: str) -> Plan:
    buffers = live_buffers(topology, {name: choice.scratch_bytes for name, choice in choices.items()})
    layout = Layout(buffers, allowed_overlaps(topology, choices, buffers))
    placement: Placement = place(layout)
    spans = {
        buffer.name: Span(offset, buffer.size_bytes) for buffer, offset in zip(buffers, placement.offsets, strict=True)
    }
    tensors = {tensor: spans[buffer.name] for buffer in buffers for tensor in buffer.tensors}
    scratch = {op.name: spans[scratch_name(op.name)] for op in topology.operators if scratch_name(op.name) in spans}
    live = layout.live_bytes()
    return Plan(
        choices=choices,
        tensors=tensors,
        scratch=scratch,
        buffers=buffers,
        arena_bytes=placement.arena_bytes,
        lower_bound_bytes=placement.lower_bound_bytes,
        peak_operator=topology.operators[live.index(max(live))].name,
        downwards=frozenset(
            op.name for op in topology.operators if _is_downwards(choices[op.name], op.output, tensors)
        ),
        isa=isa,
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
    if choice.tiling is None:
        return False
    (tensor,) = choice.overlaps
    distance = tensors[output].offset_bytes - tensors[tensor].offset_bytes
    apart = not -tensors[output].size_bytes < distance < tensors[tensor].size_bytes
    return not apart and distance > choice.overlaps[tensor].below_bytes
