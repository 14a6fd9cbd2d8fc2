"""Which kernel serves an operator, and the scratch that it needs."""

from __future__ import annotations

from typing import Any

import pytest

from sq_micro.ir.bitwidths import WEIGHT_BITS
from sq_micro.ir.operators import RELU, DepthwiseConv2D, Pad
from sq_micro.kernels.select import KernelChoice, kernel_choices, select_kernels
from sq_micro.kernels.strips import strips_of
from sq_micro.quant.graph import QuantGraph
from tests.models.random_quant_graph import RandomQuantGraph


def choices(builder: RandomQuantGraph, output: str) -> dict[str, KernelChoice]:
    graph: QuantGraph = builder.build(output)
    return select_kernels(graph.topology, graph.bitwidths)


@pytest.mark.parametrize("bits", [bits for bits in WEIGHT_BITS if bits < 8])
@pytest.mark.parametrize("channels", [1, 3])
def test_conv2d_of_few_channels_unpacks_them(bits: int, channels: int) -> None:
    builder = RandomQuantGraph(0, (6, 6, 5))
    (choice,) = choices(builder, builder.conv2d(builder.input, channels, (3, 2), bits=bits)).values()
    assert choice.variant is not None
    assert choice.variant.name == f"sqm_unpack_s8_w{bits}_1x1__c"
    assert choice.scratch_bytes == channels * 3 * 2 * 5


@pytest.mark.parametrize("bits", [bits for bits in WEIGHT_BITS if bits < 8])
@pytest.mark.parametrize("channels", [4, 9])
def test_conv2d_below_8_bits_multiplies_two_channels_at_once(bits: int, channels: int) -> None:
    builder = RandomQuantGraph(0, (6, 6, 5))
    (choice,) = choices(builder, builder.conv2d(builder.input, channels, (3, 2), bits=bits)).values()
    assert choice.variant is not None
    assert choice.variant.name == f"sqm_pairs_s8_w{bits}_1x4__c"
    assert choice.scratch_bytes == 9 * 3 * 2 * 5  # two words a tap, and a row of bytes


def test_conv2d_of_8_bits_reads_weights_where_they_are() -> None:
    builder = RandomQuantGraph(0, (6, 6, 5))
    (choice,) = choices(builder, builder.conv2d(builder.input, 9)).values()
    assert choice.variant is not None
    assert (choice.variant.name, choice.scratch_bytes) == ("sqm_dot_s8_w8_1x4__c", 0)


@pytest.mark.parametrize("bits", WEIGHT_BITS)
def test_depthwise_conv2d_picks_the_taps_of_one_channel(bits: int) -> None:
    builder = RandomQuantGraph(0, (6, 6, 5))
    output = builder.depthwise_conv2d(builder.input, (3, 2), depth_multiplier=2, bits=bits)
    (choice,) = choices(builder, output).values()
    assert choice.variant is not None
    assert (choice.variant.name, choice.scratch_bytes) == (f"sqm_pick_s8_w{bits}_1x1__c", 6 + 8 * 7)


@pytest.mark.parametrize(
    ("channels", "multiplier", "read_again", "planes"),
    [(4, 1, False, [True]), (1, 1, False, [True, False]), (4, 2, False, [True, False]), (4, 1, True, [True, False])],
    ids=["in place", "a plane is more than the image", "outputs are more", "the input is kept"],
)
def test_depthwise_windows_are_clipped_where_that_may_save_memory(
    channels: int, multiplier: int, read_again: bool, planes: list[bool]
) -> None:
    builder = RandomQuantGraph(0, (6, 6, channels))
    output = builder.depthwise_conv2d(builder.input, depth_multiplier=multiplier)
    graph = builder.build(builder.add(output, builder.input) if read_again else output)
    found = kernel_choices(graph.topology, graph.bitwidths)["depthwise_conv2d_0"]
    assert [choice.plane for choice in found] == planes
    assert [choice.scratch_bytes for choice in found] == [9 + 8 * 8, 9][: len(planes)]
    assert [choice.loss == 0 for choice in found] == planes


@pytest.mark.parametrize("bits", WEIGHT_BITS)
def test_dense_decodes_in_the_dot_product(bits: int) -> None:
    builder = RandomQuantGraph(0, (17,))
    (choice,) = choices(builder, builder.dense(builder.input, 3, bits=bits)).values()
    assert choice.variant is not None
    assert (choice.variant.name, choice.scratch_bytes) == (f"sqm_dot_s8_w{bits}_1x1__c", 0)


def test_an_operator_without_weights_has_no_kernel() -> None:
    builder = RandomQuantGraph(0, (6, 6, 5))
    found = choices(builder, builder.relu(builder.max_pool2d(builder.input), RELU))
    assert set(found) == {"pool2d_0", "relu_1"}
    assert all(choice.variant is None and choice.scratch_bytes == 0 for choice in found.values())


@pytest.mark.parametrize(("bits", "channels", "name"), [(8, 8, "pick"), (4, 8, "taps"), (4, 6, "pick"), (2, 4, "taps")])
def test_dsp_cores_take_bands_of_rows_for_depthwise_windows_of_3x3(bits: int, channels: int, name: str) -> None:
    builder = RandomQuantGraph(0, (7, 5, channels))
    graph = builder.build(builder.depthwise_conv2d(builder.input, bits=bits))
    (choice,) = select_kernels(graph.topology, graph.bitwidths, "armv7em_dsp").values()
    assert choice.variant is not None
    assert (choice.nest_isa, choice.variant.microkernel) == ("armv7em_dsp", name)
    assert choice.scratch_bytes == (5 + 2) * 32 + 144 + 8 * 5


@pytest.mark.parametrize(
    ("geometry", "along_rows"),
    [
        ({"window": (3, 5)}, True),
        ({"window": (5, 3)}, False),
        ({"window": (9, 1)}, False),
        ({"window": (1, 9)}, True),
        ({"stride": (1, 2)}, False),
        ({"dilation": (2, 1)}, True),
        ({"depth_multiplier": 2}, True),
        ({"padding": Pad(3, 0, 0, 0)}, False),
    ],
)
def test_dsp_cores_take_strips_for_other_depthwise_windows(geometry: dict[str, Any], along_rows: bool) -> None:
    """Along rows of seven columns or columns of nine rows: where outputs fill fours, and the window is longer."""
    builder = RandomQuantGraph(0, (9, 7, 4))
    graph = builder.build(builder.depthwise_conv2d(builder.input, **geometry))
    (operator,) = graph.topology.operators
    assert isinstance(operator, DepthwiseConv2D)
    (choice,) = select_kernels(graph.topology, graph.bitwidths, "armv7em_dsp").values()
    strips = strips_of(operator, graph.topology)
    assert choice.nest_isa == "armv7em_dsp"
    assert strips is not None
    assert (strips.across.input_pixels == 1) is along_rows


@pytest.mark.parametrize("geometry", [{"window": (9, 8)}, {"stride": (3, 3)}, {"stride": (2, 2), "dilation": (2, 2)}])
def test_dsp_cores_leave_the_rest_to_portable_c(geometry: dict[str, Any]) -> None:
    builder = RandomQuantGraph(0, (11, 11, 4))
    graph = builder.build(builder.depthwise_conv2d(builder.input, **geometry))
    (choice,) = select_kernels(graph.topology, graph.bitwidths, "armv7em_dsp").values()
    assert choice.nest_isa == "c"


def test_small_images_have_a_portable_choice_where_scratch_is_dear() -> None:
    """It takes one channel's codes with their padding, against the rows of four channels and two copies of weights."""
    builder = RandomQuantGraph(0, (7, 5, 4))
    graph = builder.build(builder.depthwise_conv2d(builder.input, (5, 5)))
    (choices,) = kernel_choices(graph.topology, graph.bitwidths, "armv7em_dsp").values()
    fast, small = choices
    assert (fast.nest_isa, small.nest_isa) == ("armv7em_dsp", "c")
    assert small.scratch_bytes == 25 + 11 * 9 < fast.scratch_bytes
    assert all(choice.overlaps["input"].same_start for choice in choices)
    assert fast.loss < small.loss


def test_a_window_of_one_row_is_lines_that_share_a_tap() -> None:
    """Nine taps: two lines of five, of 48 cycles, rather than four of three or two of seven."""
    builder = RandomQuantGraph(0, (1, 36, 16))
    graph = builder.build(builder.depthwise_conv2d(builder.input, (1, 9)))
    (operator,) = graph.topology.operators
    assert isinstance(operator, DepthwiseConv2D)
    strips = strips_of(operator, graph.topology)
    assert strips is not None
    assert (strips.line, strips.lines) == (5, 2)
