"""How many bytes an inference loads from and stores to each buffer: what is hot, counted from the kernels' walks.

P output pixels, C output channels, T taps of a window over all of its channels, M = P·C·T multiply-accumulates; a
window that reaches into the padding counts whole. Every operator stores its output once. It loads

  conv2d            portable: its input P·T·⌈C/4⌉, since four channels share the loads of a window, and M bytes of
                    decoded weights if it has scratch. On DSP cores: its input P·T, which become columns of 16 bits in
                    scratch, 2·P·T bytes stored once and loaded ⌈C/4⌉ times
  depthwise_conv2d  portable: its input once into scratch, and M bytes of that and M of taps there; its input M where
                    windows are clipped. On DSP cores: its input once into rows of 16 bits in scratch, and 2·M bytes
                    of those
  dense             as a conv2d of one pixel
  pooling           each window's bytes
  all others        each input once

Operators on activations of 4 bits load their input once; all else is in their scratch. What patches compute anew is
counted as often as it is computed. These are bytes, not times: they say what comes first where memories differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import ceil, prod

from sq_micro.ir.operators import (
    AveragePool2D,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    MaxPool2D,
    Operator,
    Reshape,
    operator_inputs,
)
from sq_micro.ir.topology import Topology, macs
from sq_micro.kernels.dsp import DSP
from sq_micro.kernels.select import CONV_BLOCK, KernelChoice
from sq_micro.plan.lifetimes import Buffer, scratch_name
from sq_micro.plan.patching import Head


def accessed_bytes(
    topology: Topology, choices: Mapping[str, KernelChoice], buffers: tuple[Buffer, ...], head: Head | None = None
) -> tuple[int, ...]:
    """Of each buffer."""
    again = {} if head is None else dict(zip(head.operators, head.computed, strict=True))
    counts: Counter[str] = Counter()
    for operator in topology.operators:
        if not isinstance(operator, Reshape):
            for name, count in _of_operator(operator, topology, choices[operator.name]).items():
                counts[name] += ceil(count * again.get(operator.name, 1.0))
    return tuple(sum(counts[name] for name in buffer.tensors or (buffer.name,)) for buffer in buffers)


def _of_operator(operator: Operator, topology: Topology, choice: KernelChoice) -> Counter[str]:
    inputs, scratch = operator_inputs(operator), scratch_name(operator.name)
    loaded, own = _loads(operator, topology, choice)
    found: Counter[str] = Counter({operator.output: topology.elements(operator.output), scratch: own})
    if choice.pieces is not None:
        found[scratch] += loaded + topology.elements(operator.output)
        loaded = 0
    for tensor in inputs:
        found[tensor] += loaded or topology.elements(tensor)
    return found


def _loads(operator: Operator, topology: Topology, choice: KernelChoice) -> tuple[int, int]:
    """Of the input, 0 standing for each of its bytes once, and of scratch with what is stored there."""
    work = macs(operator, topology)
    match operator:
        case Conv2D() | Dense():
            channels = topology.shape(operator.weights)[0]
            windows, blocks = work // channels, -(-channels // CONV_BLOCK)
            if choice.in_lanes:
                return windows, 2 * windows * (1 + blocks)
            return windows * blocks, work if choice.scratch_bytes else 0
        case DepthwiseConv2D():
            if choice.nest_isa == DSP:
                return 0, 2 * (topology.elements(operator.input) + work)
            copied = topology.elements(operator.input) * operator.depth_multiplier
            return (copied, copied + 2 * work) if choice.plane else (work, work)
        case MaxPool2D() | AveragePool2D():
            return prod(operator.window) * topology.elements(operator.output), 0
        case _:
            return 0, 0
