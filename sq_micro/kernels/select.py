"""Which kernels can serve an operator at a bitwidth: scratch, overlap and relative time. No weights are looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType

from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.kernel_set import KernelSet
from sq_micro.ir.operators import (
    Add,
    AveragePool2D,
    Concatenate,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    MaxPool2D,
    Mean,
    Operator,
    Pad2D,
    Relu,
    Requantize,
    Sigmoid,
    Softmax,
    operator_inputs,
)
from sq_micro.ir.patches import places_seen
from sq_micro.ir.topology import Topology
from sq_micro.kernels import walks
from sq_micro.kernels.band import band_scratch_bytes, band_serves, band_unpacking
from sq_micro.kernels.catalogue import PORTABLE, KernelVariant, find
from sq_micro.kernels.dsp import (
    DSP,
    conv2d_kernels,
    conv2d_scratch_bytes,
    conv2d_taps,
    conv2d_tile_pixels,
    decoded_bits,
    dense_kernel,
    dense_scratch_bytes,
    dense_taps,
)
from sq_micro.kernels.overlap import Overlap
from sq_micro.kernels.pieces import Pieces
from sq_micro.kernels.strips import strips_of, strips_scratch_bytes, strips_unpacking
from sq_micro.kernels.tiling import DSP_COSTS, LOSSES, PORTABLE_COSTS, Tiling, tiling_loss, tilings

_WORD_BYTES = 4  # of the weights of two channels, see portable_c/pairs.h
CONV_BLOCK = 4  # output channels that share the loads of one window, see operators/conv2d.h
_PORTABLE_DENSE_LOSS = 3.0  # where the kernel of DSP cores would serve; it wants the input a second time, widened
_PORTABLE_STRIPS_LOSS = 4.0  # where the kernel of DSP cores for any window would serve: 0.4 to 5.9, by the window
_CLIPPED_LOSS = 0.5  # of a portable depthwise convolution that clips windows in place of padding a copy; modelled


@dataclass(frozen=True, slots=True)
class KernelChoice:
    """One way to compute an operator.

    variant   None for operators that have no weights
    overlaps  by input tensor, what its walk allows; an input that is not named shares no byte with the output
    loss      share of the operator's time that it costs beyond the fastest way; modelled
    tiling    of a convolution; it goes through its tiles upwards or downwards, as the arena wants it
    taps      of a channel's weights, filled up to what the kernel takes at a time; 0 where they are not filled up
    nest_isa  the ISA whose loop nest computes an operator that has no lanes
    plane     whether a depthwise_conv2d copies each channel, padded, to scratch before it writes
    pieces   how activations of 4 bits are gone through; `tiling` is then that of the kernel within a piece
    kernels   the set that it is of
    """

    operator: str
    variant: KernelVariant | None
    scratch_bytes: int
    overlaps: Mapping[str, Overlap] = field(default_factory=dict)
    loss: float = 0.0
    tiling: Tiling | None = None
    taps: int = 0
    nest_isa: str = PORTABLE
    plane: bool = False
    pieces: Pieces | None = None
    kernels: KernelSet = "fast"

    def __post_init__(self) -> None:
        object.__setattr__(self, "overlaps", MappingProxyType(dict(self.overlaps)))

    @property
    def layout(self) -> str | None:
        """How the weights are packed; None where there are none."""
        return None if self.variant is None else self.variant.layout

    @property
    def both_ways(self) -> bool:
        """Whether it goes upwards or downwards, as the arena wants it; all others go upwards."""
        if self.pieces is not None:
            return len(self.pieces.inputs) == 1
        return self.tiling is not None

    @property
    def in_lanes(self) -> bool:
        """Whether the weights are in one of the layouts of `kernels.lanes`."""
        return self.layout is not None and self.layout.startswith("lanes")


def kernel_choices(
    topology: Topology, bitwidths: Bitwidths, isa: str = PORTABLE, sets: Mapping[str, KernelSet] | None = None
) -> dict[str, tuple[KernelChoice, ...]]:
    """For each operator all ways worth taking, from the fastest to the one that needs least memory.

    isa   as boards name it; what an ISA has no kernel for is portable
    sets  by operator; those that are not named take fast kernels

    conv2d            weights below 8 bits are unpacked four channels at a time, once per tile, two channels to a word,
                      so that one multiplication serves both
    depthwise_conv2d  each channel's taps are picked into scratch, outside the pixel loop
    dense             one pixel only, so codes are decoded inside the dot product
    """
    return {
        operator.name: kernel_choices_of(
            operator,
            topology,
            bitwidths.weights.get(operator.name, 0),
            isa,
            (sets or {}).get(operator.name, "fast"),
        )
        for operator in topology.operators
    }


def select_kernels(
    topology: Topology, bitwidths: Bitwidths, isa: str = PORTABLE, sets: Mapping[str, KernelSet] | None = None
) -> dict[str, KernelChoice]:
    """The choice for each operator, by name, where nothing presses."""
    every = kernel_choices(topology, bitwidths, isa, sets)
    return {name: within_loss(choices, LOSSES[0]) for name, choices in every.items()}


def within_loss(choices: Sequence[KernelChoice], loss: float) -> KernelChoice:
    """The choice that needs least memory among those that cost no more time."""
    return [choice for choice in choices if choice.loss <= loss][-1]


def is_flat(operator: Conv2D, topology: Topology) -> bool:
    """Whether rows do not matter, so that the image may be taken for one row."""
    _, height, width, _ = topology.shape(operator.weights)
    return (height, width, *operator.stride) == (1, 1, 1, 1) and not operator.padding


def tiled_image(operator: Conv2D, topology: Topology) -> tuple[int, int]:
    """Height and width of the output as the kernel goes through it."""
    height, width, _ = topology.image_shape(operator.output)
    return (1, height * width) if is_flat(operator, topology) else (height, width)


@lru_cache(maxsize=4096)
def kernel_choices_of(
    operator: Operator, topology: Topology, bits: int, isa: str = PORTABLE, kernels: KernelSet = "fast"
) -> tuple[KernelChoice, ...]:
    """Those of one operator; `bits` is not looked at where there are no weights. Searches ask again and again."""
    if kernels in ("portable", "small"):
        return tuple(replace(choice, kernels=kernels) for choice in _plain(operator, topology, bits))
    if kernels == "shared":
        return tuple(replace(c, kernels=kernels) for c in kernel_choices_of(operator, topology, bits, isa))
    match operator:
        case Conv2D():
            return (_dsp_conv2d if isa == DSP else _portable_conv2d)(operator, topology, bits)
        case DepthwiseConv2D():
            return _depthwise(operator, topology, bits, isa)
        case Dense():
            portable = portable_dense(operator, topology, bits)
            if isa != DSP:
                return (portable,)
            return (_dsp_dense(operator, topology, bits), replace(portable, loss=_PORTABLE_DENSE_LOSS))
        case _:
            return (KernelChoice(operator.name, None, 0, _plain_overlaps(operator, topology), nest_isa=isa),)


def _plain(operator: Operator, topology: Topology, bits: int) -> tuple[KernelChoice, ...]:
    """The portable ways in little code: the inner part of a convolution is that of 8 bits at every width."""
    if isinstance(operator, Conv2D):
        return _portable_conv2d(operator, topology, bits, paired=False)
    return kernel_choices_of(operator, topology, bits)


def _portable_conv2d(operator: Conv2D, topology: Topology, bits: int, paired: bool = True) -> tuple[KernelChoice, ...]:
    channels, height, width, depth = topology.shape(operator.weights)
    rows, columns = image = tiled_image(operator, topology)

    def priced(tiling: Tiling) -> tuple[float, Tiling]:
        blocks = -(-channels // _block(channels))
        geometry = (tiling.tiles(image), 1, rows * columns, channels, blocks, height * width * depth)
        return tiling_loss(PORTABLE_COSTS, bits, *geometry), tiling

    kept = _worth_taking([priced(tiling) for tiling in tilings(image)])
    return tuple(portable_conv2d(operator, topology, bits, tiling, loss, paired) for loss, tiling in kept)


def portable_conv2d(
    operator: Conv2D, topology: Topology, bits: int, tiling: Tiling, loss: float = 0.0, paired: bool = True
) -> KernelChoice:
    """The specification: what every other choice must equal, and what serves where another does not.

    paired  whether the weights of two channels may share a word, which takes more scratch
    """
    channels, height, width, depth = topology.shape(operator.weights)
    row = height * width * depth
    if bits == 8:
        variant, scratch = find("dot", 8, "1x4"), 0
    elif paired and channels >= CONV_BLOCK:
        variant, scratch = find("pairs", bits, "1x4"), (2 * _WORD_BYTES + 1) * row
    else:
        variant, scratch = find("unpack", bits, "1x1"), min(channels, CONV_BLOCK) * row
    starts = tiling.starts(tiled_image(operator, topology))
    overlap = walks.tiled_convolution(walks.pixel_reads(operator, topology), starts, channels, _block(channels))
    return KernelChoice(operator.name, variant, scratch, {operator.input: overlap}, loss, tiling)


def portable_dense(operator: Dense, topology: Topology, bits: int) -> KernelChoice:
    """As portable_conv2d."""
    units, inputs = topology.shape(operator.weights)
    return KernelChoice(operator.name, find("dot", bits, "1x1"), 0, {operator.input: walks.matrix(inputs, units)})


def _dsp_dense(operator: Dense, topology: Topology, bits: int) -> KernelChoice:
    """The input is copied to a column of its own, but the portable kernel may take the place of this one."""
    taps = dense_taps(operator, topology, bits)
    overlaps = portable_dense(operator, topology, bits).overlaps
    return KernelChoice(operator.name, dense_kernel(bits), dense_scratch_bytes(taps), overlaps, taps=taps)


def _block(channels: int) -> int:
    return CONV_BLOCK if channels >= CONV_BLOCK else 1


def _dsp_conv2d(operator: Conv2D, topology: Topology, bits: int) -> tuple[KernelChoice, ...]:
    """Tiles are runs of pixels. The overlap is also that of the portable kernel with single pixels, which takes the
    place of this one where weights do not fit its sums: a plan is made before weights are looked at.
    """
    channels = topology.shape(operator.weights)[0]
    height, width, _ = topology.image_shape(operator.output)
    pixels, taps = height * width, conv2d_taps(operator, topology, bits)
    sizes = conv2d_tile_pixels(operator, topology, bits)
    decoded = decoded_bits(operator, topology, bits)
    reads = walks.pixel_reads(operator, topology)
    instead = portable_conv2d(operator, topology, bits, Tiling(1, 1)).overlaps[operator.input]

    def priced(size: int) -> tuple[float, Tiling]:
        geometry = (-(-pixels // size), -(-pixels // sizes[0]), pixels, channels, -(-channels // CONV_BLOCK), taps)
        return tiling_loss(DSP_COSTS, decoded, *geometry), Tiling(1, size)

    found = []
    for loss, tiling in _worth_taking([priced(size) for size in sizes]):
        overlap = walks.gathered_convolution(reads, tiling.starts((1, pixels)), channels).both(instead)
        scratch = conv2d_scratch_bytes(operator, topology, bits, tiling.pixels)
        variant = conv2d_kernels(operator, topology, bits).packed
        found.append(KernelChoice(operator.name, variant, scratch, {operator.input: overlap}, loss, tiling, taps))
    return tuple(found)


def _worth_taking(priced: Sequence[tuple[float, Tiling]]) -> list[tuple[float, Tiling]]:
    """For each loss worth considering the smallest tiles that cost no more; from the fastest on."""
    kept = [max((pair for pair in priced if pair[0] <= limit), key=lambda pair: pair[0]) for limit in (0.0, *LOSSES)]
    return list(dict.fromkeys(kept))


def _depthwise(operator: DepthwiseConv2D, topology: Topology, bits: int, isa: str) -> tuple[KernelChoice, ...]:
    """The kernels of DSP cores work in place as they are, and the portable one takes least scratch on small images."""
    variant = find("pick", bits, "1x1")
    sizes = topology.elements(operator.input), topology.elements(operator.output)
    if isa == DSP and band_serves(operator, topology):
        columns = topology.image_shape(operator.input)[1], topology.image_shape(operator.output)[1]
        overlap = walks.by_channel(*sizes, same_start=columns[1] <= columns[0])
        scratch = band_scratch_bytes(operator, topology)
        variant = band_unpacking(bits, topology.shape(operator.output)[-1]) or variant
        return (KernelChoice(operator.name, variant, scratch, {operator.input: overlap}, nest_isa=DSP),)
    portable = _portable_depthwise(operator, topology, bits)
    strips = strips_of(operator, topology) if isa == DSP else None
    if strips is None:
        return portable
    overlap = walks.by_channel(*sizes, same_start=strips.works_in_place(operator))
    scratch = strips_scratch_bytes(operator, strips)
    variant = strips_unpacking(operator, bits, topology.shape(operator.output)[-1]) or variant
    fast = KernelChoice(operator.name, variant, scratch, {operator.input: overlap}, nest_isa=DSP)
    small = replace(portable[-1], loss=_PORTABLE_STRIPS_LOSS)
    return (fast, small) if small.scratch_bytes < scratch else (fast,)


def _portable_depthwise(operator: DepthwiseConv2D, topology: Topology, bits: int) -> tuple[KernelChoice, ...]:
    """A channel with its padding is copied first, unless that takes more memory: then windows are clipped."""
    clipped = clipped_depthwise(operator, topology, bits)
    sizes = topology.elements(operator.input), topology.elements(operator.output)
    seen = _plane_codes(operator, topology)
    planed = replace(clipped, scratch_bytes=clipped.scratch_bytes + seen, loss=0.0, plane=True)
    if operator.depth_multiplier != 1:
        return planed, clipped
    planed = replace(planed, overlaps={operator.input: walks.by_channel(*sizes, same_start=True)})
    in_place = len(topology.consumers(operator.input)) == 1
    return (planed,) if in_place and seen <= min(sizes) else (planed, clipped)


def clipped_depthwise(operator: DepthwiseConv2D, topology: Topology, bits: int) -> KernelChoice:
    """The way that takes least scratch: a channel's taps, nothing of the image."""
    _, height, width, _ = topology.shape(operator.weights)
    return KernelChoice(operator.name, find("pick", bits, "1x1"), height * width, loss=_CLIPPED_LOSS)


def _plane_codes(operator: DepthwiseConv2D, topology: Topology) -> int:
    """Of a channel all that windows see, padding included."""
    _, height, width, _ = topology.shape(operator.weights)
    rows, columns, _ = topology.image_shape(operator.output)
    tall = places_seen(rows, height, operator.stride[0], operator.dilation[0])
    return tall * places_seen(columns, width, operator.stride[1], operator.dilation[1])


def _plain_overlaps(operator: Operator, topology: Topology) -> dict[str, Overlap]:
    match operator:
        case MaxPool2D() | AveragePool2D():
            channels = topology.image_shape(operator.output)[2]
            return {operator.input: walks.pooling(walks.pixel_reads(operator, topology), channels)}
        case Pad2D():
            return {operator.input: walks.padding(operator, topology)}
        case Concatenate():
            return walks.concatenation(operator, topology)
        case Add() | Relu() | Requantize() | Softmax() | Sigmoid() | Mean():
            inputs = operator_inputs(operator)
            return {tensor: walks.elementwise(topology.elements(tensor)) for tensor in inputs}
        case _:
            return {}
