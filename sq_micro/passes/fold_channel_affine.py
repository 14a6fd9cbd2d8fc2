"""Batch normalisation and rescaling into the weights beside them.

A ChannelAffine is folded backward into the convolution or dense layer that it follows, else forward into the one
that reads it. Between the two may stand operators that it commutes with. Sums are taken in float64.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sq_micro.ir.float_graph import FloatGraph
from sq_micro.ir.operators import (
    AveragePool2D,
    ChannelAffine,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    MaxPool2D,
    Mean,
    Operator,
    Pad2D,
    Reshape,
    WeightedOperator,
)
from sq_micro.ir.topology import Shape
from sq_micro.passes.draft import Draft

Float64Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Affine:
    """scale · x + offset along the last axis of a tensor, each (channels,)."""

    scale: Float64Array
    offset: Float64Array

    def then(self, other: Affine) -> Affine:
        """Both in one, `other` second."""
        return Affine(other.scale * self.scale, other.scale * self.offset + other.offset)

    def reshaped(self, old: Shape, new: Shape) -> Affine | None:
        """The same on the same elements under another shape; None iff that is not one value per last index."""
        rows = [np.broadcast_to(values, old).reshape(-1, new[-1]) for values in (self.scale, self.offset)]
        if any((values != values[0]).any() for values in rows):
            return None
        return Affine(rows[0][0], rows[1][0])


def fold_channel_affine(graph: FloatGraph) -> FloatGraph:
    """Fold every ChannelAffine that has exact weights to go to; the others stay for `replace_channel_affine`."""
    draft = Draft(graph)
    for operator in graph.topology.operators:
        affine = draft.producer(operator.output)
        if isinstance(affine, ChannelAffine):
            any(fold(draft, affine) for fold in (_merge, _fold_backward, _fold_forward))  # the first that can
    return draft.finish()


def _merge(draft: Draft, first: ChannelAffine) -> bool:
    """Two in a row become the second, which gets its own turn."""
    second = draft.sole_reader(first.output)
    if not isinstance(second, ChannelAffine):
        return False
    both = _affine(draft, first).then(_affine(draft, second))
    scale = draft.replacement(second.scale, both.scale, second.name)
    offset = draft.replacement(second.offset, both.offset, second.name)
    draft.replace(second, replace(second, scale=scale, offset=offset))
    draft.bypass(first, first.input)
    return True


def _fold_backward(draft: Draft, operator: ChannelAffine) -> bool:
    tensor, affine = operator.input, _affine(draft, operator)
    while draft.sole_reader(tensor) is not None:
        match draft.producer(tensor):
            case Conv2D() | DepthwiseConv2D() | Dense() as before if not before.activation:
                _fold_into_outputs(draft, before, affine)
                draft.bypass(operator, operator.input)
                return True
            case Reshape() | Pad2D() | MaxPool2D() | AveragePool2D() | Mean() as between:
                shapes = draft.shape(between.output), draft.shape(between.input)
                if (moved := _moved_past(between, affine, *shapes)) is None:
                    return False
                tensor, affine = between.input, moved
            case _:
                return False
    return False


def _fold_forward(draft: Draft, operator: ChannelAffine) -> bool:
    tensor, affine = operator.output, _affine(draft, operator)
    while True:
        match draft.sole_reader(tensor):
            case Conv2D() | DepthwiseConv2D() as after if after.padding and affine.offset.any():
                return False  # the convolution pads with zeros, which the offset must not reach
            case Conv2D() | DepthwiseConv2D() | Dense() as after:
                _fold_into_inputs(draft, after, affine)
                draft.bypass(operator, operator.input)
                return True
            case Reshape() | Pad2D() | MaxPool2D() | AveragePool2D() | Mean() as between:
                shapes = draft.shape(between.input), draft.shape(between.output)
                if (moved := _moved_past(between, affine, *shapes)) is None:
                    return False
                tensor, affine = between.output, moved
            case _:
                return False


def _moved_past(between: Operator, affine: Affine, old: Shape, new: Shape) -> Affine | None:
    """What does on the far side of an operator, on shape `new`, as `affine` on this side; None iff nothing does."""
    match between:
        case Reshape():
            return affine.reshaped(old, new)
        case MaxPool2D() if (affine.scale < 0).any():  # the maximum would become the minimum
            return None
        case Pad2D() if affine.offset.any():
            return None
        case _:
            return affine


def _affine(draft: Draft, operator: ChannelAffine) -> Affine:
    return Affine(draft.constant(operator.scale), draft.constant(operator.offset))


def _fold_into_outputs(draft: Draft, operator: WeightedOperator, affine: Affine) -> None:
    weights, bias = draft.constant(operator.weights), draft.constant(operator.bias)
    match operator:
        case Conv2D():
            weights = weights * affine.scale[:, None, None, None]
        case DepthwiseConv2D():
            weights = weights * affine.scale
        case Dense():
            weights = weights * affine.scale[:, None]
    _reweight(draft, operator, weights, bias * affine.scale + affine.offset)


def _fold_into_inputs(draft: Draft, operator: WeightedOperator, affine: Affine) -> None:
    weights, bias = draft.constant(operator.weights), draft.constant(operator.bias)
    scale, offset = affine.scale, affine.offset
    match operator:
        case Conv2D():
            bias = bias + (weights * offset).sum(axis=(1, 2, 3))
        case DepthwiseConv2D(depth_multiplier=multiplier):
            scale, offset = np.repeat(scale, multiplier), np.repeat(offset, multiplier)
            bias = bias + (weights * offset).sum(axis=(0, 1, 2))
        case Dense():
            bias = bias + weights @ offset
    _reweight(draft, operator, weights * scale, bias)


def _reweight(draft: Draft, operator: WeightedOperator, weights: Float64Array, bias: Float64Array) -> None:
    weights_name = draft.replacement(operator.weights, weights, operator.name)
    bias_name = draft.replacement(operator.bias, bias, operator.name)
    draft.replace(operator, replace(operator, weights=weights_name, bias=bias_name))
