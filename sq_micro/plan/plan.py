"""The plan of one network on one board: kernels, scratch, arena."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.topology import Topology
from sq_micro.kernels.catalogue import PORTABLE
from sq_micro.kernels.select import KernelChoice, select_kernels
from sq_micro.plan.arena import ALIGNMENT, Span, place
from sq_micro.plan.lifetimes import Buffer, live_buffers, live_bytes


@dataclass(frozen=True, slots=True)
class Plan:
    """choices by operator; a span in the arena for every tensor and every operator's scratch."""

    choices: Mapping[str, KernelChoice]
    tensors: Mapping[str, Span]
    scratch: Mapping[str, Span]
    buffers: tuple[Buffer, ...]
    arena_bytes: int
    peak_operator: str
    isa: str = PORTABLE

    def __post_init__(self) -> None:
        for field in ("choices", "tensors", "scratch"):
            object.__setattr__(self, field, MappingProxyType(dict(getattr(self, field))))

    def __str__(self) -> str:
        """The arena drawn: a row per buffer, a column per operator, `#` where it is in use."""
        last = max(buffer.last for buffer in self.buffers)
        width = max(len(buffer.name) for buffer in self.buffers)
        lines = [f"arena {self.arena_bytes:,} B, fullest at '{self.peak_operator}'"]
        lines.append(f"{'buffer':<{width}} {'offset':>8} {'bytes':>8}  operators 0..{last}")
        for buffer in self.buffers:
            span = self._span(buffer)
            drawn = "".join("#" if buffer.first <= index <= buffer.last else "." for index in range(last + 1))
            lines.append(f"{buffer.name:<{width}} {span.offset_bytes:>8} {span.size_bytes:>8}  {drawn}")
        return "\n".join(lines) + "\n"

    def _span(self, buffer: Buffer) -> Span:
        return (
            self.tensors[buffer.tensors[0]] if buffer.tensors else self.scratch[buffer.name.removesuffix(" (scratch)")]
        )


def make_plan(topology: Topology, bitwidths: Bitwidths, isa: str = PORTABLE) -> Plan:
    """Select kernels for an ISA, then place tensors and scratch together."""
    choices = select_kernels(topology, bitwidths, isa)
    buffers = live_buffers(topology, {name: choice.scratch_bytes for name, choice in choices.items()})
    spans = place(buffers)
    tensors = {tensor: spans[buffer.name] for buffer in buffers for tensor in buffer.tensors}
    scratch = {
        operator.name: spans[buffer.name]
        for buffer in buffers
        for operator in topology.operators
        if not buffer.tensors and buffer.name == f"{operator.name} (scratch)"
    }
    used = max(span.end_bytes for span in spans.values())
    peak = max(range(len(topology.operators)), key=lambda index: live_bytes(buffers, index))
    return Plan(
        choices, tensors, scratch, buffers, -(-used // ALIGNMENT) * ALIGNMENT, topology.operators[peak].name, isa
    )
