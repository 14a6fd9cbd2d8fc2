"""The constant arrays of an operator with weights, in the layout of its kernel."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sq_micro.codegen.literals import comment, integer_lines
from sq_micro.codegen.views import ArrayView
from sq_micro.ir.operators import Conv2D, Dense, DepthwiseConv2D, WeightedOperator
from sq_micro.kernels.band import BandRequantization, band_table
from sq_micro.kernels.catalogue import PORTABLE
from sq_micro.kernels.lane_codes import lane_codes
from sq_micro.kernels.lanes import (
    folded_bias,
    lane_format,
    meaning_words,
    pack_lanes,
    sum_magnitudes,
    sums_fit,
    table_words,
)
from sq_micro.kernels.packing import pack_rows, pack_taps
from sq_micro.kernels.select import KernelChoice, portable_conv2d, portable_dense
from sq_micro.kernels.tiling import Tiling
from sq_micro.quant.arithmetic import ChannelRequantization
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.params import ACTIVATION_MAXIMUM, ACTIVATION_MINIMUM, Int8Array

_BYTES = {"uint8_t": 1, "int8_t": 1, "int32_t": 4, "uint32_t": 4}


def array_bytes(array: ArrayView) -> int:
    """What an array takes in flash."""
    return array.length * _BYTES[array.type]


def exact_choice(graph: QuantGraph, choice: KernelChoice, operator: WeightedOperator) -> KernelChoice:
    """The choice, or the portable one where these weights could leave what the kernel's sums hold.

    Takes hundreds of weights near the ends of their range in one channel, which no trained network has; the scratch
    of the choice is enough for either.
    """
    bits = graph.bitwidths.weights[operator.name]
    if not choice.in_lanes:
        return choice
    rows = _rows(graph, operator)
    form = lane_format(bits, choice.layout)
    if sums_fit(rows, graph.levels[operator.weights], bits, _folded_bias(graph, operator, rows), form):
        return choice
    if isinstance(operator, Conv2D):
        portable = portable_conv2d(operator, graph.topology, bits, Tiling(1, 1), paired=False)
        return replace(portable, pieces=choice.pieces)
    assert isinstance(operator, Dense)
    return replace(portable_dense(operator, graph.topology, bits), pieces=choice.pieces)


def requantization(graph: QuantGraph, operator: WeightedOperator) -> ChannelRequantization:
    """The fixed-point constants of an operator with weights.

    Ends that only four bits have are left out, since packing clamps to them: kernels are fastest with int8's.
    """
    found, output = graph.arithmetic[operator.name], graph.activations[operator.output]
    assert isinstance(found, ChannelRequantization)
    if output.bits == 4 and (found.minimum, found.maximum) == output.limits:
        return replace(found, minimum=ACTIVATION_MINIMUM, maximum=ACTIVATION_MAXIMUM)
    return found


def constant_arrays(
    graph: QuantGraph, choice: KernelChoice, operator: WeightedOperator, symbol: str
) -> tuple[ArrayView, ...]:
    """Weights first; the names end in what the nest calls them."""
    if exact_choice(graph, choice, operator).in_lanes:
        return _lanes_arrays(graph, choice, operator, symbol)
    if isinstance(operator, DepthwiseConv2D) and choice.nest_isa != PORTABLE:
        return _band_arrays(graph, operator, symbol)
    return _linear_arrays(graph, operator, symbol)


def _lanes_arrays(
    graph: QuantGraph, choice: KernelChoice, operator: WeightedOperator, symbol: str
) -> tuple[ArrayView, ...]:
    bits, levels = graph.bitwidths.weights[operator.name], graph.levels[operator.weights]
    rows, found = _rows(graph, operator), requantization(graph, operator)
    form = lane_format(bits, choice.layout)
    name = comment(f"'{operator.name}'")
    bias = _folded_bias(graph, operator, rows)
    zero_point = graph.activations[operator.output].zero_point if isinstance(operator, Conv2D) else None
    table = table_words(bias, sum_magnitudes(bias, rows), lane_codes(rows, levels, bits), form, found, zero_point)
    packed = pack_lanes(rows, levels, bits, choice.taps, form)
    arrays = [
        _array("uint32_t", f"{symbol}_weights", packed, f"{name}: {rows.size:,} weights of {bits} bits, packed"),
        _array("int32_t", f"{symbol}_table", table, f"{name}: bias and requantization, a block of channels a time"),
    ]
    if form.meaning_words:
        meaning = f"{name}: what a code of 0 means in the channels of each block"
        arrays.append(_array("uint32_t", f"{symbol}_meaning", meaning_words(levels, bits), meaning))
    return tuple(arrays)


def band_requantization(graph: QuantGraph, operator: DepthwiseConv2D) -> BandRequantization:
    """How the kernel for DSP cores makes codes of sums."""
    zero_point = graph.activations[operator.output].zero_point
    return BandRequantization.of(requantization(graph, operator), zero_point, _taps(graph, operator).shape[0])


def _band_arrays(graph: QuantGraph, operator: DepthwiseConv2D, symbol: str) -> tuple[ArrayView, ...]:
    weights, *_ = arrays = _linear_arrays(graph, operator, symbol)
    taps = _taps(graph, operator)
    bias = _folded_bias(graph, operator, taps.T)
    table = band_table(bias, requantization(graph, operator), band_requantization(graph, operator), taps.shape[0])
    what = comment(f"'{operator.name}': bias and requantization, channel by channel")
    steps = (array for array in arrays if array.symbol.endswith("_steps"))
    return (weights, _array("int32_t", f"{symbol}_table", table, what), *steps)


def _linear_arrays(graph: QuantGraph, operator: WeightedOperator, symbol: str) -> tuple[ArrayView, ...]:
    bits = graph.bitwidths.weights[operator.name]
    codes, levels = graph.codes[operator.weights], graph.levels[operator.weights]
    if isinstance(operator, DepthwiseConv2D):
        packed = pack_taps(_taps(graph, operator), levels, bits)
    else:
        packed = pack_rows(_rows(graph, operator), levels, bits)
    found = requantization(graph, operator)
    name = comment(f"'{operator.name}'")
    arrays = [
        _array("uint8_t", f"{symbol}_weights", packed, f"{name}: {codes.size:,} weights of {bits} bits, packed"),
        _array("int32_t", f"{symbol}_bias", graph.biases[operator.bias], f"{name}: bias, in units of the accumulator"),
        _array(
            *("int32_t", f"{symbol}_multiplier", found.multiplier),
            f"{name}: accumulator * multiplier * 2^(shift - 31) is the output, less its zero point",
        ),
        _array("int8_t", f"{symbol}_shift", found.shift.astype(np.int8), ""),
    ]
    if bits < 8:  # also where all are 1: code and bytes must not follow from how the weights were rounded
        meaning = f"{name}: what a stored code v means by channel, 1: v, -1: -v, 2: 2v + 1"
        arrays.append(_array("int8_t", f"{symbol}_steps", levels.astype(np.int8), meaning))
    return tuple(arrays)


def _folded_bias(graph: QuantGraph, operator: WeightedOperator, rows: Int8Array) -> NDArray[np.int64]:
    return folded_bias(graph.biases[operator.bias], rows, graph.activations[operator.input].zero_point)


def _taps(graph: QuantGraph, operator: DepthwiseConv2D) -> Int8Array:
    codes = graph.codes[operator.weights]
    return codes.reshape(-1, codes.shape[-1])


def _rows(graph: QuantGraph, operator: WeightedOperator) -> Int8Array:
    codes = graph.codes[operator.weights]
    return codes.reshape(codes.shape[0], -1)


def _array(type_: str, symbol: str, values: NDArray[np.integer[Any]], what: str) -> ArrayView:
    return ArrayView(type_, symbol, values.size, integer_lines(values), what)
