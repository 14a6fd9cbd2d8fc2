"""The first operators of a network in patches, so that the tensors between them are never whole.

The output of the last of them is divided into patches. For each patch the operators run one after the other, every one
on what the patch needs of its input. Neighbouring patches need some pixels in common, which are computed anew for
each: that is what it costs. The network's input stays, and the output grows into it behind what is still to be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from math import prod

import numpy as np

from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.operators import Conv2D, Dense, DepthwiseConv2D, Operator
from sq_micro.ir.topology import Role, Shape, TensorSpec, Topology
from sq_micro.kernels import walks
from sq_micro.kernels.band import band_serves
from sq_micro.kernels.catalogue import PORTABLE
from sq_micro.kernels.dsp import DSP, decoded_bits
from sq_micro.kernels.overlap import Overlap
from sq_micro.kernels.select import CONV_BLOCK, KernelChoice, kernel_choices_of
from sq_micro.kernels.tiling import DSP_COSTS, PORTABLE_COSTS

_LONGEST = 8  # operators: what is needed of the first tensors grows with each
_DEAREST = 1.0  # of the network's own cycles

Windowed = Conv2D | DepthwiseConv2D


@dataclass(frozen=True, slots=True)
class Head:
    """The first operators, and how the output of the last one is divided.

    height, width  of a patch in pixels: whole rows, or a part of a single one, so that it is one run of bytes
    largest        height and width of the largest part of each operator's output
    computed       pixels of each operator's output that are computed, over those that there are
    narrowing      whether no part of an operator's output has more columns than that of its input
    overlap        of the last output with the network's input
    """

    operators: tuple[str, ...]
    height: int
    width: int
    patches: int
    largest: tuple[tuple[int, int], ...]
    computed: tuple[float, ...]
    narrowing: tuple[bool, ...]
    overlap: Overlap

    @property
    def loss(self) -> float:
        """The largest share of its own work that an operator does anew."""
        return max(self.computed) - 1.0

    def __str__(self) -> str:
        first, last = self.operators[0], self.operators[-1]
        return f"'{first}' to '{last}' in {self.patches} patches of {self.height}x{self.width}"


def heads(topology: Topology) -> Iterator[Head]:
    """All that are worth a thought, in no order that matters."""
    chain = _chain(topology)
    for count in range(2, len(chain) + 1):
        rows, columns, _ = topology.image_shape(chain[count - 1].output)
        sizes = [(1, width) for width in _splits(columns)] + [(height, columns) for height in _splits(rows)]
        for height, width in dict.fromkeys(sizes):
            if (height, width) != (rows, columns):
                yield from _divided(topology, chain[:count], height, width)


def with_parts(topology: Topology, head: Head, last: bool) -> Topology:
    """The topology with tensors as large as what is there of them at a time.

    last  whether that holds for the last output, too: for its kernel, not for its place in the arena
    """
    tensors = dict(topology.tensors)
    chain = topology.operators[: len(head.operators)]
    for operator, image in list(zip(chain, head.largest, strict=True))[: None if last else -1]:
        spec = tensors[operator.output]
        tensors[operator.output] = replace(spec, shape=(1, *image, spec.shape[-1]))
    return replace(topology, tensors=tensors)


def head_choices(
    topology: Topology, bitwidths: Bitwidths, isa: str, head: Head
) -> Mapping[str, tuple[KernelChoice, ...]]:
    """Kernels for the parts. Depthwise ones may work in place. Other walks would have to be looked at for every part,
    since those at the image's edges are smaller and have padding.
    """
    parts = with_parts(topology, head, last=True)
    found = {}
    for operator, narrowing in zip(topology.operators, head.narrowing, strict=False):
        assert isinstance(operator, Windowed)
        shapes = (parts.shape(operator.input), parts.shape(operator.weights), parts.shape(operator.output))
        choices = _choices_of_part(operator, shapes, bitwidths.weights[operator.name], isa)
        if not narrowing or not isinstance(operator, DepthwiseConv2D):
            choices = tuple(replace(choice, overlaps={}) for choice in choices)
        found[operator.name] = choices
    return found


def recomputation(topology: Topology, bitwidths: Bitwidths, isa: str, head: Head) -> float:
    """Cycles that the patches cost over those of the whole network; modelled."""
    costs = DSP_COSTS if isa == DSP else PORTABLE_COSTS
    cycles = {
        operator.name: topology.elements(operator.output) * (_taps(operator, topology) * costs.mac + costs.output)
        for operator in topology.weighted()
    }
    more = 0.0
    for operator, computed in zip(topology.operators, head.computed, strict=False):
        assert isinstance(operator, Windowed)
        blocks = -(-topology.shape(operator.output)[-1] // CONV_BLOCK)
        bits = bitwidths.weights[operator.name]
        if isa == DSP and isinstance(operator, Conv2D):
            bits = decoded_bits(operator, topology, bits)
        decoding = topology.elements(operator.weights) * costs.decoded_weight[bits]
        more += (computed - 1.0) * cycles[operator.name]
        more += (head.patches - 1) * (blocks * costs.tile_and_block + decoding)
    return more / sum(cycles.values())


def affordable(topology: Topology, bitwidths: Bitwidths, isa: str) -> list[Head]:
    """Heads from the one that costs least time on; none where activations of 4 bits would be taken apart twice."""
    narrow = {op.name for op in topology.operators if bitwidths.activation(op.output) != 8}
    whole = (head for head in heads(topology) if narrow.isdisjoint(head.operators))
    priced = [(recomputation(topology, bitwidths, isa, head), head) for head in whole]
    return [head for share, head in sorted(priced, key=lambda pair: pair[0]) if share <= _DEAREST]


def _chain(topology: Topology) -> tuple[Windowed, ...]:
    """Convolutions from the network's input on, each the only reader of the one before. The first reads parts of a
    whole image, which depthwise kernels do not.
    """
    chain: list[Windowed] = []
    tensor = topology.input
    for operator in topology.operators[:_LONGEST]:
        alone = len(topology.consumers(tensor)) == 1 and tensor != topology.output
        if not isinstance(operator, Windowed if chain else Conv2D) or operator.input != tensor or not alone:
            break
        chain.append(operator)
        tensor = operator.output
    return tuple(chain)


def _splits(size: int) -> list[int]:
    """The sizes of equal parts, up to the last."""
    return list(dict.fromkeys(-(-size // parts) for parts in range(1, size + 1)))


@dataclass(frozen=True, slots=True)
class _Axis:
    size: int
    window: int
    stride: int
    dilation: int
    pad: int

    def needed(self, outputs: range) -> range:
        """The inputs inside the image that these outputs see."""
        first = outputs.start * self.stride - self.pad
        end = (outputs.stop - 1) * self.stride - self.pad + (self.window - 1) * self.dilation + 1
        return range(max(0, first), min(self.size, end))


def _axes(operator: Windowed, topology: Topology) -> tuple[_Axis, _Axis]:
    height, width, _ = topology.image_shape(operator.input)
    window, pad = topology.shape(operator.weights)[1:3], operator.padding
    vertical = _Axis(height, window[0], operator.stride[0], operator.dilation[0], pad.top)
    return vertical, _Axis(width, window[1], operator.stride[1], operator.dilation[1], pad.left)


def _divided(topology: Topology, chain: tuple[Windowed, ...], height: int, width: int) -> Iterator[Head]:
    """One head, or none where some part would lie wholly in the padding."""
    output = chain[-1].output
    rows, columns, channels = topology.image_shape(output)
    down = _parts([_axes(operator, topology)[0] for operator in chain], rows, height)
    across = _parts([_axes(operator, topology)[1] for operator in chain], columns, width)
    if not all(part for parts in (*down, *across) for part in parts):
        return
    largest = [(max(map(len, y)), max(map(len, x))) for y, x in zip(down[1:], across[1:], strict=True)]
    sizes = [prod(topology.image_shape(operator.output)[:2]) for operator in chain]
    computed = [
        sum(map(len, y)) * sum(map(len, x)) / size for y, x, size in zip(down[1:], across[1:], sizes, strict=True)
    ]
    narrowing = [all(len(out) <= len(of) for of, out in zip(*pair, strict=True)) for pair in pairwise(across)]
    _, input_width, input_channels = topology.image_shape(topology.input)
    first = [(y.start * input_width + x.start) * input_channels for y in down[0] for x in across[0]]
    end = [((y.stop - 1) * columns + x.stop) * channels for y in down[-1] for x in across[-1]]
    overlap = walks.patched(np.array(first, np.int64), np.array(end, np.int64), topology.elements(topology.input))
    names = tuple(operator.name for operator in chain)
    yield Head(names, height, width, len(end), tuple(largest), tuple(computed), tuple(narrowing), overlap)


def _parts(axes: list[_Axis], size: int, step: int) -> list[list[range]]:
    """Of each tensor along one axis, from the network's input to the last output, what each patch needs."""
    found = [[range(start, min(start + step, size)) for start in range(0, size, step)]]
    for axis in reversed(axes):
        found.insert(0, [axis.needed(outputs) for outputs in found[0]])
    return found


@lru_cache(maxsize=4096)  # a search over bitwidths asks for the same few again and again
def _choices_of_part(
    operator: Windowed, shapes: tuple[Shape, Shape, Shape], bits: int, isa: str
) -> tuple[KernelChoice, ...]:
    image, weights, output = shapes
    tensors = {
        operator.input: TensorSpec(operator.input, image, Role.ACTIVATION),
        operator.weights: TensorSpec(operator.weights, weights, Role.WEIGHTS),
        operator.output: TensorSpec(operator.output, output, Role.ACTIVATION),
    }
    alone = Topology("part", tensors, (operator,), operator.input, operator.output)
    if isinstance(operator, DepthwiseConv2D) and not band_serves(operator, alone):
        isa = PORTABLE  # strips are laid out for one size of image, and parts have several
    return kernel_choices_of(operator, alone, bits, isa)


def _taps(operator: Operator, topology: Topology) -> int:
    assert isinstance(operator, Conv2D | DepthwiseConv2D | Dense)
    shape = topology.shape(operator.weights)
    return prod(shape[1:3]) if isinstance(operator, DepthwiseConv2D) else prod(shape[1:])
