"""Operators that run patch by patch: geometry that is known only when they run, and the loop over the patches."""

from __future__ import annotations

from sq_micro.codegen.nests import Nest
from sq_micro.codegen.views import FieldView, HeadView, OperatorView, PartView
from sq_micro.ir.operators import Conv2D, DepthwiseConv2D
from sq_micro.kernels.select import is_flat
from sq_micro.plan.plan import Plan
from sq_micro.quant.graph import QuantGraph

_SYMBOL = "patches"


def patch_fields(graph: QuantGraph, operator: Conv2D | DepthwiseConv2D, nest: Nest) -> tuple[FieldView, ...]:
    """The params of a nest, those of the images being expressions of the parts `in` and `out`."""
    geometry = {
        "input_height": "sqm_patch_height(in)",
        "input_width": "sqm_patch_width(in)",
        "output_height": "sqm_patch_height(out)",
        "output_width": "sqm_patch_width(out)",
        "pixels": "sqm_patch_pixels(out)",
        "pad_top": f"sqm_patch_pad_top(in, out, {operator.stride[0]}, {operator.padding.top})",
        "pad_left": f"sqm_patch_pad_left(in, out, {operator.stride[1]}, {operator.padding.left})",
    }
    of_whole = operator.input == graph.topology.input  # whose parts are no run of bytes
    if isinstance(operator, Conv2D) and nest.name == "conv2d" and is_flat(operator, graph.topology) and not of_whole:
        flat = ("1", "sqm_patch_pixels(in)"), ("1", "sqm_patch_pixels(out)")
        for side, (height, width) in zip(("input", "output"), flat, strict=True):
            geometry |= {f"{side}_height": height, f"{side}_width": width}
    return tuple(
        FieldView(name, geometry.get(name.removeprefix("columns."), str(value))) for name, value in nest.params.items()
    )


def head_view(graph: QuantGraph, plan: Plan, operators: tuple[OperatorView, ...]) -> HeadView | None:
    """The loop over the patches; None where no operator runs so."""
    head, topology = plan.head, graph.topology
    if head is None:
        return None
    count = len(head.operators)
    parts = []
    for index, operator in enumerate(topology.operators[:count]):
        assert isinstance(operator, Conv2D | DepthwiseConv2D)
        height, width, _ = topology.image_shape(operator.input)
        output_height, output_width, _ = topology.image_shape(operator.output)
        window, pad = topology.shape(operator.weights)[1:3], operator.padding
        rows = (height, output_height, window[0], operator.stride[0], operator.dilation[0], pad.top)
        columns = (width, output_width, window[1], operator.stride[1], operator.dilation[1], pad.left)
        axes = (", ".join(map(str, axis)) for axis in (rows, columns))
        parts.append(PartView(index, f"op{index:02d}", operators[index].symbol, *axes))
    input_height, input_width, _ = topology.image_shape(topology.input)
    output_height, output_width, _ = topology.image_shape(topology.operators[count - 1].output)
    patch = f"row, {head.height}, {output_height}, column, {head.width}, {output_width}"
    return HeadView(
        symbol=_SYMBOL,
        summary=f"0 ... {count - 1}: {head.patches} patches of {head.height}x{head.width} pixels of the last output",
        parts=tuple(parts),
        input_height=input_height,
        input_width=input_width,
        output_height=output_height,
        output_width=output_width,
        height=head.height,
        width=head.width,
        patch=patch,
    )


def called_as(plan: Plan, name: str, symbol: str) -> str | None:
    """The function that computes an operator's output; None where the last operator of the head does."""
    if plan.in_parts(name):
        return None
    return _SYMBOL if plan.head is not None and name == plan.head.operators[-1] else symbol
