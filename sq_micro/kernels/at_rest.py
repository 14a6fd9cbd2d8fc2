"""Which kernels can serve an operator when the bits of its activations are known as well.

Where one of them has 4 bits, the choices of `kernels.select` work on pieces. Which sizes of pieces are worth taking
is decided by a rough price of what they add; the kernel's own time is that of `kernels.tiling`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import assert_never

from sq_micro.ir.bitwidths import Bitwidths, stored_bytes
from sq_micro.ir.kernel_set import KernelSet
from sq_micro.ir.operators import (
    Add,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    MaxPool2D,
    Mean,
    Operator,
    Relu,
    operator_inputs,
)
from sq_micro.ir.topology import Topology
from sq_micro.kernels import walks
from sq_micro.kernels.band import band_serves
from sq_micro.kernels.catalogue import PORTABLE
from sq_micro.kernels.dsp import DSP, conv2d_scratch_bytes, conv2d_taps, conv2d_tile_pixels, decoded_bits
from sq_micro.kernels.lanes import padded
from sq_micro.kernels.overlap import Overlap
from sq_micro.kernels.pieces import InPieces, PieceGeometry, Pieces, piece_geometry, piece_overlap, pieces_of
from sq_micro.kernels.select import CONV_BLOCK, KernelChoice, clipped_depthwise, kernel_choices_of, portable_conv2d
from sq_micro.kernels.tiling import DSP_COSTS, LOSSES, PORTABLE_COSTS, Tiling, TilingCosts, tilings

# Cycles of a Cortex-M4, from counted instructions: they rank sizes of pieces, nothing else follows from them.
_PIECE_CYCLES = 250
_TAKEN_CYCLES = 2.5  # of a code
_PUT_CYCLES = 4.5
_DEPTHWISE_CYCLES = {DSP: 21.0, PORTABLE: 60.0}  # of an output
_DEPTHWISE_CHANNEL_CYCLES = {DSP: 110, PORTABLE: 150}  # of a channel, anew for each piece
_POOLED_TAP_CYCLES = 3.0
_ELEMENTS = 64  # of a piece where there is no window


def all_choices(
    topology: Topology, bitwidths: Bitwidths, isa: str = PORTABLE, sets: Mapping[str, KernelSet] | None = None
) -> dict[str, tuple[KernelChoice, ...]]:
    """As `select.kernel_choices`, with the bits of activations."""
    named = sets or {}
    return {
        operator.name: choices_at_rest(operator, topology, bitwidths, isa, named.get(operator.name, "fast"))
        for operator in topology.operators
    }


def choices_at_rest(
    operator: Operator,
    topology: Topology,
    bitwidths: Bitwidths,
    isa: str = PORTABLE,
    kernels: KernelSet = "fast",
) -> tuple[KernelChoice, ...]:
    """For one operator all ways worth taking, from the fastest to the one that needs least memory.

    kernels  not looked at beside activations of 4 bits: pieces are gone through by the fastest
    """
    bits = bitwidths.weights.get(operator.name, 0)
    tensors = (*operator_inputs(operator), operator.output)
    if all(bitwidths.activation(tensor) == 8 for tensor in tensors):
        return kernel_choices_of(operator, topology, bits, isa, kernels)
    plain = kernel_choices_of(operator, topology, bits, isa)
    match operator:
        case Mean():
            channels, elements = topology.elements(operator.output), topology.elements(operator.input)
            return (replace(plain[0], overlaps={operator.input: walks.mean_packed(channels, elements)}),)
        case Conv2D() | DepthwiseConv2D() | Dense() | Add() | Relu() | MaxPool2D():
            if isinstance(operator, DepthwiseConv2D) and (isa != DSP or not band_serves(operator, topology)):
                plain = (clipped_depthwise(operator, topology, bits),)  # others are laid out for one size of image
            return _worth_taking(operator, topology, bitwidths, _candidates(operator, topology, bits, isa, plain[0]))
        case _:
            return plain  # a Reshape moves nothing, others have 8 bits on both sides


def _candidates(
    operator: InPieces, topology: Topology, bits: int, isa: str, plain: KernelChoice
) -> Iterator[tuple[float, KernelChoice]]:
    """Cycles, and a choice whose overlaps are still to be found."""
    geometry = piece_geometry(operator, topology)
    match operator:
        case Conv2D():
            yield from _convolutions(operator, topology, bits, isa, plain, geometry)
        case DepthwiseConv2D():
            outputs = topology.elements(operator.output)
            own = plain.nest_isa
            for piece in _whole_rows(geometry):
                again = piece.tiles(geometry.pixels) * geometry.output[2] * _DEPTHWISE_CHANNEL_CYCLES[own]
                yield outputs * _DEPTHWISE_CYCLES[own] + again, _in_pieces(operator, plain, geometry, piece)
        case MaxPool2D():
            taps = operator.window[0] * operator.window[1] * topology.elements(operator.output)
            for piece in _whole_rows(geometry):
                yield taps * _POOLED_TAP_CYCLES, _in_pieces(operator, plain, geometry, piece)
        case Dense():
            yield 0.0, _in_pieces(operator, plain, geometry, Tiling(1, 1))
        case Add() | Relu():
            yield 0.0, _in_pieces(operator, plain, geometry, Tiling(1, min(_ELEMENTS, geometry.output[1])))
        case _:
            assert_never(operator)


def _convolutions(
    operator: Conv2D, topology: Topology, bits: int, isa: str, plain: KernelChoice, geometry: PieceGeometry
) -> Iterator[tuple[float, KernelChoice]]:
    outputs = topology.elements(operator.output)
    channels = geometry.output[2]
    taps = conv2d_taps(operator, topology, bits) if isa == DSP else topology.elements(operator.weights) // channels
    costs: TilingCosts = DSP_COSTS if isa == DSP else PORTABLE_COSTS
    decoded = decoded_bits(operator, topology, bits) if isa == DSP else bits
    per_tile = -(-channels // CONV_BLOCK) * costs.tile_and_block + channels * taps * costs.decoded_weight[decoded]
    for piece in tilings(geometry.pixels):
        if isa == DSP:
            fitting = [size for size in conv2d_tile_pixels(operator, topology, bits) if size <= padded(piece.pixels, 2)]
            tile = Tiling(1, max(fitting))
            instead = portable_conv2d(operator, topology, bits, piece, paired=False).scratch_bytes
            kernel_bytes = max(conv2d_scratch_bytes(operator, topology, bits, tile.pixels), instead)
        else:
            tile, kernel_bytes = piece, portable_conv2d(operator, topology, bits, piece).scratch_bytes
        tiles = piece.tiles(geometry.pixels) * -(-piece.pixels // tile.pixels)
        cycles = outputs * (taps * costs.mac + costs.output) + tiles * per_tile
        yield cycles, _in_pieces(operator, replace(plain, tiling=tile, scratch_bytes=kernel_bytes), geometry, piece)


def _whole_rows(geometry: PieceGeometry) -> list[Tiling]:
    """Bands of rows, each kind of split once."""
    return [piece for piece in tilings(geometry.pixels) if piece.width == geometry.output[1]]


def _in_pieces(operator: InPieces, kernel: KernelChoice, geometry: PieceGeometry, piece: Tiling) -> KernelChoice:
    pieces = pieces_of(operator, geometry, piece, kernel.scratch_bytes)
    return replace(kernel, pieces=pieces, scratch_bytes=pieces.scratch_bytes, overlaps={})


def _worth_taking(
    operator: InPieces,
    topology: Topology,
    bitwidths: Bitwidths,
    candidates: Iterator[tuple[float, KernelChoice]],
) -> tuple[KernelChoice, ...]:
    """For each loss worth considering the pieces that need least memory, scratch and output beside the input."""
    output_bits = bitwidths.activation(operator.output)
    output_bytes = stored_bytes(topology.elements(operator.output), output_bits)
    priced = []
    for cycles, choice in candidates:
        assert choice.pieces is not None
        priced.append((cycles + _copying_cycles(choice.pieces), _with_overlaps(operator, topology, bitwidths, choice)))
    fastest = min(cycles for cycles, _ in priced)

    def needed(choice: KernelChoice) -> int:
        sizes = {name: stored_bytes(topology.elements(name), bitwidths.activation(name)) for name in choice.overlaps}
        shared = [overlap.shared_bytes(sizes[name], output_bytes) for name, overlap in choice.overlaps.items()]
        return choice.scratch_bytes + output_bytes - max(shared)

    choices = [replace(choice, loss=cycles / fastest - 1.0) for cycles, choice in priced]
    kept = [min((c for c in choices if c.loss <= limit), key=lambda c: (needed(c), c.loss)) for limit in (0.0, *LOSSES)]
    return tuple({id(choice): choice for choice in kept}.values())


def _copying_cycles(pieces: Pieces) -> float:
    geometry, piece = pieces.geometry, pieces.piece
    taken = geometry.input_codes(piece) * len(pieces.inputs) * _TAKEN_CYCLES
    return pieces.count * (_PIECE_CYCLES + taken + geometry.output_codes(piece) * _PUT_CYCLES)


def _with_overlaps(operator: InPieces, topology: Topology, bitwidths: Bitwidths, choice: KernelChoice) -> KernelChoice:
    assert choice.pieces is not None
    found: Mapping[str, Overlap] = {
        tensor: piece_overlap(
            operator, topology, choice.pieces, bitwidths.activation(tensor), bitwidths.activation(operator.output)
        )
        for tensor in choice.pieces.inputs
    }
    if not choice.both_ways:
        found = {
            tensor: replace(overlap, above_bytes=stored_bytes(topology.elements(tensor), bitwidths.activation(tensor)))
            for tensor, overlap in found.items()
        }
    return replace(choice, overlaps=found)
