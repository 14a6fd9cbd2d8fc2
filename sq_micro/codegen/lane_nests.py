"""The params structs of the nests for cores with DSP instructions, and which kernels they are given."""

from __future__ import annotations

from sq_micro.codegen.constants import requantization
from sq_micro.ir.operators import Conv2D, Dense, kind
from sq_micro.kernels.dsp import DSP, conv2d_columns, conv2d_kernels, dense_kernel, unpacked_words
from sq_micro.kernels.lanes import block_words, lane_format
from sq_micro.kernels.select import KernelChoice, is_flat
from sq_micro.quant.graph import QuantGraph


def shared_nest(graph: QuantGraph, op: Conv2D | Dense) -> str:
    """The name of the one that operators share: unpacked weights of 4 bits have one of their own."""
    bits = graph.bitwidths.weights[op.name]
    unpacks = bits == 4 and isinstance(op, Conv2D) and conv2d_kernels(op, graph.topology, bits).unpack is not None
    return f"{kind(op)}_w{bits}{'_unpacked' if unpacks else ''}__{DSP}"


def lane_nest(op: Conv2D | Dense) -> str:
    """The nest's name, without `sqm_`."""
    return "conv2d__armv7em_dsp" if isinstance(op, Conv2D) else "dense__armv7em_dsp"


def lane_microkernels(graph: QuantGraph, op: Conv2D | Dense) -> tuple[str, ...]:
    """What the nest takes as arguments: for a convolution what makes columns, the inner loops, and for a convolution
    what unpacks weights for them.
    """
    bits = graph.bitwidths.weights[op.name]
    if isinstance(op, Dense):
        return (dense_kernel(bits).name,)
    kernels = conv2d_kernels(op, graph.topology, bits)
    unpack = "NULL" if kernels.unpack is None else kernels.unpack.name
    return *shared_microkernels(graph, op), kernels.inner.name, unpack


def shared_microkernels(graph: QuantGraph, op: Conv2D | Dense) -> tuple[str, ...]:
    """Those of them that a shared nest takes, since they follow from the geometry."""
    bits = graph.bitwidths.weights[op.name]
    return (conv2d_columns(op, graph.topology, bits),) if isinstance(op, Conv2D) else ()


def lane_params(graph: QuantGraph, op: Conv2D | Dense, choice: KernelChoice, downwards: bool = False) -> dict[str, int]:
    """The fields of the nest's params, in the struct's order; `columns.taps` is a member of a member.

    downwards  whether a convolution goes through its tiles from the last to the first
    """
    bits, found = graph.bitwidths.weights[op.name], requantization(graph, op)
    form = lane_format(bits, choice.layout)
    block = {"block": form.block, "block_words": block_words(bits, choice.taps)}
    table = {"table_words": form.table_words, "head_words": form.head_words}
    if isinstance(op, Conv2D):
        kernels = conv2d_kernels(op, graph.topology, bits)
        unpacked = {"unpacked_words": unpacked_words(choice.taps, kernels)}
        sums = {"taps_sums": 2 if kernels.taps_sums else 0}
        own = {**_conv2d_geometry(graph, op, choice, downwards), **block, **unpacked, **table, **sums}
    else:
        own = {**_dense_geometry(graph, op, choice), **block, **table}
    return {
        **own,
        "output_offset": graph.activations[op.output].zero_point,
        "output_minimum": found.minimum,
        "output_maximum": found.maximum,
    }


def lane_constants(graph: QuantGraph, op: Conv2D | Dense, choice: KernelChoice, symbol: str) -> tuple[str, str, str]:
    """Weights, meaning and table as the nest takes them."""
    planes = lane_format(graph.bitwidths.weights[op.name], choice.layout).meaning_words
    return f"{symbol}_weights", f"{symbol}_meaning" if planes else "NULL", f"{symbol}_table"


def _conv2d_geometry(graph: QuantGraph, op: Conv2D, choice: KernelChoice, downwards: bool) -> dict[str, int]:
    assert choice.tiling is not None
    _, window_height, window_width, _ = graph.topology.shape(op.weights)
    height, width, channels = graph.topology.image_shape(op.input)
    output_height, output_width, output_channels = graph.topology.image_shape(op.output)
    if is_flat(op, graph.topology):
        height, width, output_height, output_width = 1, height * width, 1, output_height * output_width
    return {
        "columns.input_height": height,
        "columns.input_width": width,
        "columns.input_channels": channels,
        "columns.output_width": output_width,
        "columns.window_height": window_height,
        "columns.window_width": window_width,
        "columns.stride_height": op.stride[0],
        "columns.stride_width": op.stride[1],
        "columns.dilation_height": op.dilation[0],
        "columns.dilation_width": op.dilation[1],
        "columns.pad_top": op.padding.top,
        "columns.pad_left": op.padding.left,
        "columns.zero_point": graph.activations[op.input].zero_point,
        "columns.taps": choice.taps,
        "pixels": output_height * output_width,
        "output_channels": output_channels,
        "tile": choice.tiling.pixels,
        "downwards": int(downwards),
    }


def _dense_geometry(graph: QuantGraph, op: Dense, choice: KernelChoice) -> dict[str, int]:
    units, inputs = graph.topology.shape(op.weights)
    return {"inputs": inputs, "taps": choice.taps, "outputs": units}
