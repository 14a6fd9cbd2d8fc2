"""The params structs of the depthwise nests for cores with DSP instructions."""

from __future__ import annotations

from dataclasses import asdict

from sq_micro.codegen.constants import band_requantization, requantization
from sq_micro.ir.operators import DepthwiseConv2D
from sq_micro.kernels.band import BandRequantization, band_serves
from sq_micro.kernels.strips import strips_of
from sq_micro.quant.graph import QuantGraph


def depthwise_nest(graph: QuantGraph, op: DepthwiseConv2D) -> str:
    """The nest's name, without `sqm_`."""
    return f"depthwise{'3x3' if band_serves(op, graph.topology) else '_strips'}__armv7em_dsp"


def depthwise_params(graph: QuantGraph, op: DepthwiseConv2D) -> dict[str, int]:
    """The fields of the nest's params, in the struct's order; names with a dot are members of a member."""
    found, how = requantization(graph, op), band_requantization(graph, op)
    zero_point = graph.activations[op.input].zero_point
    codes = {
        "output_offset": graph.activations[op.output].zero_point,
        "output_minimum": found.minimum,
        "output_maximum": found.maximum,
    }
    if band_serves(op, graph.topology):
        geometry = {**_band_geometry(graph, op), "zero_point": zero_point}
        return {**geometry, **codes, "requantize": int(how)}
    sums = {"sums": int(how is BandRequantization.SUMS)}
    return {**_strips_geometry(graph, op), "zero_point": zero_point, **codes, **sums}


def _band_geometry(graph: QuantGraph, op: DepthwiseConv2D) -> dict[str, int]:
    height, width, channels = graph.topology.image_shape(op.input)
    output_height, output_width, _ = graph.topology.image_shape(op.output)
    return {
        "input_height": height,
        "input_width": width,
        "channels": channels,
        "output_height": output_height,
        "output_width": output_width,
        "stride": op.stride[0],
        "pad_top": op.padding.top,
        "pad_left": op.padding.left,
    }


def _strips_geometry(graph: QuantGraph, op: DepthwiseConv2D) -> dict[str, int]:
    strips = strips_of(op, graph.topology)
    assert strips is not None
    return {
        **{f"across.{name}": value for name, value in asdict(strips.across).items()},
        **{f"down.{name}": value for name, value in asdict(strips.down).items()},
        "channels": graph.topology.image_shape(op.input)[2],
        "depth_multiplier": op.depth_multiplier,
        "line": strips.line,
        "lines": strips.lines,
    }
