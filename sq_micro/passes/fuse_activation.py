"""Activation functions into the operators that compute what they clamp."""

from __future__ import annotations

from dataclasses import replace
from math import inf

from sq_micro.ir.float_graph import FloatGraph
from sq_micro.ir.operators import (
    NONE,
    ActivationFunction,
    Add,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    MaxPool2D,
    Operator,
    Pad2D,
    Relu,
    Reshape,
)
from sq_micro.passes.draft import Draft


def fuse_activation(graph: FloatGraph) -> FloatGraph:
    """Fuse each Relu into the operator before it, or remove it where that clamps as tightly already.

    A Relu whose operator has other readers stays. Between the two may stand what a clamp commutes with:
    Reshape, MaxPool2D, and Pad2D if the clamp keeps its zeros.
    """
    draft = Draft(graph)
    for operator in graph.topology.operators:
        relu = draft.producer(operator.output)
        if not isinstance(relu, Relu):
            continue
        before = draft.producer(relu.input)
        if before is not None and compose(activation_of(before), relu.activation) == activation_of(before):
            draft.bypass(relu, relu.input)
            continue
        if (target := _target(draft, relu)) is not None:
            draft.replace(target, replace(target, activation=compose(target.activation, relu.activation)))
            draft.bypass(relu, relu.input)
    return draft.finish()


def activation_of(operator: Operator) -> ActivationFunction:
    """The clamp that an operator's output has been through."""
    match operator:
        case Conv2D() | DepthwiseConv2D() | Dense() | Add() | Relu():
            return operator.activation
        case _:
            return NONE


def compose(first: ActivationFunction, second: ActivationFunction) -> ActivationFunction:
    """One clamp that does what `first`, then `second` do.

    >>> from sq_micro.ir.operators import RELU, RELU6
    >>> compose(RELU, RELU6) == compose(RELU6, RELU) == RELU6
    True
    """
    low, high = (
        (-inf if second.minimum is None else second.minimum),
        (inf if second.maximum is None else second.maximum),
    )
    minimum = min(max(-inf if first.minimum is None else first.minimum, low), high)
    maximum = min(max(inf if first.maximum is None else first.maximum, low), high)
    return ActivationFunction(None if minimum == -inf else minimum, None if maximum == inf else maximum)


def _target(draft: Draft, relu: Relu) -> Conv2D | DepthwiseConv2D | Dense | Add | Relu | None:
    """The operator that can take the clamp over without anyone else seeing it."""
    tensor = relu.input
    while draft.sole_reader(tensor) is not None:
        match draft.producer(tensor):
            case Conv2D() | DepthwiseConv2D() | Dense() | Add() | Relu() as target:
                return target
            case Reshape() | MaxPool2D() as between:
                tensor = between.input
            case Pad2D() as between if _keeps_zero(relu.activation):
                tensor = between.input
            case _:
                return None
    return None


def _keeps_zero(activation: ActivationFunction) -> bool:
    return (activation.minimum or 0.0) <= 0.0 <= (activation.maximum or 0.0)
