"""Nests of the operators without weights."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from sq_micro.codegen.nests import Nest, NestMaker
from sq_micro.ir.operators import (
    Add,
    AveragePool2D,
    Concatenate,
    MaxPool2D,
    Mean,
    Pad2D,
    Relu,
    Requantize,
    Sigmoid,
    Softmax,
    kind,
)
from sq_micro.kernels.dsp import DSP
from sq_micro.kernels.weightless import addition_serves, average_serves, rescaling_serves
from sq_micro.quant.arithmetic import Addition, Averaging, Rescaling, SigmoidScaling, SoftmaxScaling


@dataclass(frozen=True, slots=True)
class WeightlessNests(NestMaker):
    """One method an operator."""

    def _own(self, nest: str, serves: bool) -> str:
        """The nest of the ISA that was chosen, where it has one and that serves; else the portable one."""
        return f"{nest}__{DSP}" if self.plan.choices[self.operator.name].nest_isa == DSP and serves else nest

    def _add(self, op: Add) -> Nest:
        found = self._arithmetic(Addition)
        params = {
            "elements": self.graph.topology.elements(op.output),
            "left_offset": -self._zero(op.left),
            "right_offset": -self._zero(op.right),
            "output_offset": self._zero(op.output),
            "left_multiplier": found.left_multiplier,
            "left_shift": found.left_shift,
            "right_multiplier": found.right_multiplier,
            "right_shift": found.right_shift,
            "output_multiplier": found.output_multiplier,
            "output_shift": found.output_shift,
            "output_minimum": found.minimum,
            "output_maximum": found.maximum,
        }
        return Nest(
            self._own("add", addition_serves(found)),
            params,
            ((self._at(op.left), self._at(op.right), self._at(op.output)),),
        )

    def _concatenate(self, op: Concatenate) -> Nest:
        shape = self.graph.topology.shape(op.output)
        outer, whole = prod(shape[1 : op.axis]), prod(shape[op.axis :])
        calls: list[tuple[str, ...]] = []
        offset = 0
        for tensor in op.inputs:
            part = prod(self.graph.topology.shape(tensor)[op.axis :])
            numbers = (str(number) for number in (outer, part, whole, offset))
            calls.append((*numbers, self._at(tensor), self._at(op.output)))
            offset += part
        return Nest("concatenate_part", {}, tuple(calls))

    def _pad(self, op: Pad2D) -> Nest:
        height, width, channels = self.graph.topology.image_shape(op.input)
        params = {
            "input_height": height,
            "input_width": width,
            "channels": channels,
            "top": op.padding.top,
            "bottom": op.padding.bottom,
            "left": op.padding.left,
            "right": op.padding.right,
            "value": self._zero(op.output),
        }
        return Nest("pad2d", params, (self._in_out(op),))

    def _pool(self, op: MaxPool2D | AveragePool2D) -> Nest:
        height, width, channels = self.graph.topology.image_shape(op.input)
        output_height, output_width, _ = self.graph.topology.image_shape(op.output)
        params = {
            "input_height": height,
            "input_width": width,
            "channels": channels,
            "output_height": output_height,
            "output_width": output_width,
            "window_height": op.window[0],
            "window_width": op.window[1],
            "stride_height": op.stride[0],
            "stride_width": op.stride[1],
            "pad_top": op.padding.top,
            "pad_left": op.padding.left,
        }
        serves = isinstance(op, MaxPool2D) or average_serves(prod(op.window))
        return Nest(self._own(kind(op), serves), params, (self._in_out(op),))

    def _mean(self, op: Mean) -> Nest:
        height, width, channels = self.graph.topology.image_shape(op.input)
        found = self._arithmetic(Averaging)
        params = {
            "pixels": height * width,
            "channels": channels,
            "input_offset": -self._zero(op.input),
            "output_offset": self._zero(op.output),
            "multiplier": found.multiplier,
            "shift": found.shift,
        }
        packed = self.graph.activations[op.input].bits == 4
        nest = "mean_packed" if packed else self._own("mean", True)
        return Nest(nest, params, (self._in_out(op),))

    def _rescale(self, op: Relu | Requantize) -> Nest:
        found = self._arithmetic(Rescaling)
        params = {
            "elements": self.graph.topology.elements(op.output),
            "input_offset": -self._zero(op.input),
            "output_offset": self._zero(op.output),
            "multiplier": found.multiplier,
            "shift": found.shift,
            "output_minimum": found.minimum,
            "output_maximum": found.maximum,
        }
        return Nest(self._own("rescale", rescaling_serves(found)), params, (self._in_out(op),))

    def _softmax(self, op: Softmax) -> Nest:
        found = self._arithmetic(SoftmaxScaling)
        depth = self.graph.topology.shape(op.output)[-1]
        params = {
            "rows": self.graph.topology.elements(op.output) // depth,
            "depth": depth,
            "multiplier": found.multiplier,
            "shift": found.shift,
            "diff_min": found.diff_min,
        }
        return Nest("softmax", params, (self._in_out(op),))

    def _sigmoid(self, op: Sigmoid) -> Nest:
        found = self._arithmetic(SigmoidScaling)
        params = {
            "elements": self.graph.topology.elements(op.output),
            "input_offset": -self._zero(op.input),
            "multiplier": found.multiplier,
            "shift": found.shift,
            "radius": found.radius,
        }
        return Nest("sigmoid", params, (self._in_out(op),))

    def _in_out(
        self, op: Pad2D | MaxPool2D | AveragePool2D | Mean | Relu | Requantize | Softmax | Sigmoid
    ) -> tuple[str, ...]:
        return (self._at(op.input), self._at(op.output))
