"""Each operator's view: the params struct of its nest and the arguments of the call."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import assert_never

from sq_micro.codegen.calls import Call, through_table
from sq_micro.codegen.constants import exact_choice, requantization
from sq_micro.codegen.depthwise_nests import depthwise_nest, depthwise_params
from sq_micro.codegen.head_views import called_as, patch_fields
from sq_micro.codegen.lane_nests import (
    lane_constants,
    lane_microkernels,
    lane_nest,
    lane_params,
    shared_microkernels,
    shared_nest,
)
from sq_micro.codegen.literals import comment
from sq_micro.codegen.nests import Nest
from sq_micro.codegen.piece_views import PIECE_DEPTH, field_views, piece_calls, piece_view
from sq_micro.codegen.views import OperatorView
from sq_micro.codegen.weightless_nests import WeightlessNests
from sq_micro.errors import GraphError
from sq_micro.ir.operators import (
    Add,
    AveragePool2D,
    ChannelAffine,
    Concatenate,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Identity,
    MaxPool2D,
    Mean,
    Operator,
    Pad2D,
    Relu,
    Requantize,
    Reshape,
    Sigmoid,
    Softmax,
    WeightedOperator,
    kind,
    operator_inputs,
)
from sq_micro.kernels.catalogue import PORTABLE, find
from sq_micro.kernels.dsp import DSP
from sq_micro.kernels.packing import PLANES, plane_bytes
from sq_micro.kernels.select import KernelChoice, is_flat
from sq_micro.plan.plan import Plan
from sq_micro.quant.graph import QuantGraph


def operator_view(graph: QuantGraph, plan: Plan, operator: Operator, index: int, prefix: str) -> OperatorView:
    """The view of an operator that is executed (a Reshape is not). `index` counts executed operators."""
    maker = _OperatorMaker(graph, plan, operator, f"{prefix}_op{index:02d}")
    nest = maker.nest()
    symbol = f"op{index:02d}_{kind(operator)}"
    patched = plan.head is not None and operator.name in plan.head.operators
    if patched:
        assert isinstance(operator, Conv2D | DepthwiseConv2D)
        fields, template = patch_fields(graph, operator, nest), "patch"
        params: tuple[str, ...] = ("&params",)
    else:
        fields = field_views(nest.params)
        params = (f"&{symbol}_params",) if nest.params else ()
        template = "concatenate" if isinstance(operator, Concatenate) else "nest"
    calls = tuple(Call(f"sqm_{nest.name}", params + arguments) for arguments in nest.calls)
    places: tuple[str, ...] = ()
    if maker.pieces is not None:
        places, calls = through_table(piece_calls(maker, maker.pieces, nest, symbol))
    elif not patched:
        places, calls = through_table(calls)
    view = OperatorView(
        index=index,
        symbol=symbol,
        called=called_as(plan, operator.name, symbol),
        name=comment(operator.name),
        summary=comment(_summary(graph, plan, operator, index)),
        template=f"operators/{template}.c.j2",
        nest=nest.name,
        params=fields,
        calls=tuple(call.statement(1 if maker.pieces is None else PIECE_DEPTH) for call in calls),
        places=places,
    )
    return view if maker.pieces is None else piece_view(maker, maker.pieces, nest, view)


def _summary(graph: QuantGraph, plan: Plan, operator: Operator, index: int) -> str:
    def shape(tensor: str) -> str:
        return "x".join(map(str, graph.topology.shape(tensor)[1:]))

    text = f"{index}: {kind(operator)} '{operator.name}' "
    text += " + ".join(shape(tensor) for tensor in operator_inputs(operator)) + f" -> {shape(operator.output)}"
    if isinstance(operator, Conv2D | DepthwiseConv2D):
        _, height, width, _ = graph.topology.shape(operator.weights)
        text += f", window {height}x{width}, stride {operator.stride[0]}x{operator.stride[1]}"
    choice = plan.choices[operator.name]
    if isinstance(operator, Conv2D | DepthwiseConv2D | Dense):
        choice = exact_choice(graph, choice, operator)
    variant = choice.variant
    if variant is not None:
        text += f", s8*{variant.wgt}, {variant.name}"
    return text + ("" if choice.kernels == "fast" else f", {choice.kernels}")


@dataclass(frozen=True, slots=True)
class _OperatorMaker(WeightlessNests):
    """The operators with weights; the others come from the class above."""

    def nest(self) -> Nest:
        match self.operator:
            case Conv2D():
                return self._conv2d(self.operator)
            case DepthwiseConv2D():
                return self._depthwise(self.operator)
            case Dense():
                return self._dense(self.operator)
            case Add():
                return self._add(self.operator)
            case Concatenate():
                return self._concatenate(self.operator)
            case Pad2D():
                return self._pad(self.operator)
            case MaxPool2D() | AveragePool2D():
                return self._pool(self.operator)
            case Mean():
                return self._mean(self.operator)
            case Relu() | Requantize():
                return self._rescale(self.operator)
            case Softmax():
                return self._softmax(self.operator)
            case Sigmoid():
                return self._sigmoid(self.operator)
            case ChannelAffine() | Identity() | Reshape():
                raise GraphError(self.operator.name, "is gone before code is generated")
            case _:
                assert_never(self.operator)

    def _constants(self, operator: WeightedOperator) -> tuple[str, ...]:
        steps = "NULL" if self.graph.bitwidths.weights[operator.name] == 8 else f"{self.symbol}_steps"
        return (
            f"{self.symbol}_weights",
            steps,
            *(f"{self.symbol}_{table}" for table in ("bias", "multiplier", "shift")),
        )

    @property
    def _downwards(self) -> bool:
        """Whether the nest goes downwards; where there are pieces it is they that do."""
        return self.pieces is None and self.operator.name in self.plan.downwards

    # ---- operators with weights -------------------------------------------------------------------------------

    def _window(self, op: Conv2D | DepthwiseConv2D) -> dict[str, int]:
        _, height, width, _ = self.graph.topology.shape(op.weights)
        found = requantization(self.graph, op)
        return {
            **self._image(op.input, "input"),
            **self._image(op.output, "output"),
            "window_height": height,
            "window_width": width,
            "stride_height": op.stride[0],
            "stride_width": op.stride[1],
            "dilation_height": op.dilation[0],
            "dilation_width": op.dilation[1],
            "pad_top": op.padding.top,
            "pad_left": op.padding.left,
            "input_offset": -self._zero(op.input),
            "output_offset": self._zero(op.output),
            "output_minimum": found.minimum,
            "output_maximum": found.maximum,
        }

    def _conv2d(self, op: Conv2D) -> Nest:
        bits = self.graph.bitwidths.weights[op.name]
        row = prod(self.graph.topology.shape(op.weights)[1:])
        choice = exact_choice(self.graph, self.plan.choices[op.name], op)
        variant, tiling = choice.variant, choice.tiling
        assert variant is not None
        assert tiling is not None
        if variant.isa == DSP:
            return self._lanes(op, choice)
        params = self._window(op) | {
            "row_bytes": plane_bytes(row, bits),
            "tile_height": tiling.height,
            "tile_width": tiling.width,
            "downwards": int(self._downwards),
        }
        if is_flat(op, self.graph.topology):
            for side, tensor in (("input", op.input), ("output", op.output)):
                height, width, _ = self.graph.topology.image_shape(tensor)
                params |= {f"{side}_height": 1, f"{side}_width": height * width}
        unpack = "NULL" if bits == 8 else find("unpack", bits, "1x1").name
        pairs = variant.name if variant.microkernel == "pairs" else "NULL"
        arguments = (self._at(op.input), *self._constants(op), self._scratch(), self._at(op.output))
        if choice.kernels == "small":
            return Nest("conv2d__small", params, ((*self._planes(op), *arguments),))
        return Nest("conv2d", params, ((unpack, pairs, *arguments),))

    def _planes(self, op: Conv2D | DepthwiseConv2D) -> tuple[str, str]:
        """Bits of the high plane and of the low one."""
        high, low = (*PLANES[self.graph.bitwidths.weights[op.name]], 0)[:2]
        return str(high), str(low)

    def _lanes(self, op: Conv2D | Dense, choice: KernelChoice) -> Nest:
        constants = lane_constants(self.graph, op, choice, self.symbol)
        places = (self._scratch(), self._at(op.output))
        params = lane_params(self.graph, op, choice, self._downwards)
        arguments = (self._at(op.input), *constants, *places)
        if choice.kernels == "shared":
            return Nest(shared_nest(self.graph, op), params, ((*shared_microkernels(self.graph, op), *arguments),))
        return Nest(lane_nest(op), params, ((*lane_microkernels(self.graph, op), *arguments),))

    def _depthwise(self, op: DepthwiseConv2D) -> Nest:
        choice = self.plan.choices[op.name]
        if choice.nest_isa != PORTABLE:
            return self._dsp_depthwise(op, choice)
        params = self._window(op) | {"depth_multiplier": op.depth_multiplier, "plane": int(choice.plane)}
        variant = choice.variant
        assert variant is not None
        arguments = (self._at(op.input), *self._constants(op), self._scratch(), self._at(op.output))
        if choice.kernels == "small":
            return Nest("depthwise_conv2d__small", params, ((*self._planes(op), *arguments),))
        return Nest("depthwise_conv2d", params, ((variant.name, *arguments),))

    def _dsp_depthwise(self, op: DepthwiseConv2D, choice: KernelChoice) -> Nest:
        assert choice.variant is not None
        name, at_once = choice.variant.name, choice.variant.isa == DSP
        pick = "NULL" if at_once or self.graph.bitwidths.weights[op.name] == 8 else name
        weights, steps, *_ = self._constants(op)
        arguments = (pick, name if at_once else "NULL", self._at(op.input), weights, steps, f"{self.symbol}_table")
        places = (self._scratch(), self._at(op.output))
        return Nest(depthwise_nest(self.graph, op), depthwise_params(self.graph, op), ((*arguments, *places),))

    def _dense(self, op: Dense) -> Nest:
        choice = exact_choice(self.graph, self.plan.choices[op.name], op)
        variant = choice.variant
        assert variant is not None
        if variant.isa == DSP:
            return self._lanes(op, choice)
        units, inputs = self.graph.topology.shape(op.weights)
        found = requantization(self.graph, op)
        params = {
            "inputs": inputs,
            "outputs": units,
            "row_bytes": plane_bytes(inputs, self.graph.bitwidths.weights[op.name]),
            "input_offset": -self._zero(op.input),
            "output_offset": self._zero(op.output),
            "output_minimum": found.minimum,
            "output_maximum": found.maximum,
        }
        arguments = (self._at(op.input), *self._constants(op), self._at(op.output))
        if choice.kernels == "small":
            return Nest(f"dense__small_{variant.wgt}", params, (arguments,))
        return Nest("dense", params, ((variant.name, *arguments),))
