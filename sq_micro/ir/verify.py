"""What must hold of a FloatGraph between any two passes."""

from __future__ import annotations

from typing import NoReturn, assert_never

from sq_micro.errors import GraphError
from sq_micro.ir.float_graph import FloatGraph
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
    Pad,
    Pad2D,
    Relu,
    Requantize,
    Reshape,
    Sigmoid,
    Size,
    Softmax,
    operator_constants,
    operator_inputs,
)
from sq_micro.ir.topology import Shape, Topology


def verify_float_graph(graph: FloatGraph, after: str) -> None:
    """Names unique, each tensor written once and before it is read, shapes as the operators say.

    after  the stage to name: a GraphError here is that stage's defect.
    """
    topology = graph.topology
    names = [operator.name for operator in topology.operators]
    if duplicates := {name for name in names if names.count(name) > 1}:
        _broken(sorted(duplicates)[0], "operator names are unique", after)
    written = {topology.input}
    for operator in topology.operators:
        for tensor in operator_inputs(operator):
            if tensor not in written:
                _broken(operator.name, f"reads '{tensor}', which an earlier operator writes", after)
        if operator.output in written:
            _broken(operator.name, f"'{operator.output}' is written once", after)
        for constant in operator_constants(operator):
            if constant not in graph.constants:
                _broken(operator.name, f"constant '{constant}' exists", after)
            if graph.constants[constant].shape != topology.shape(constant):
                _broken(operator.name, f"constant '{constant}' has the shape of its tensor", after)
        expected = expected_output(operator, topology)
        if topology.shape(operator.output) != expected:
            rule = f"output shape {topology.shape(operator.output)} is {expected}"
            _broken(operator.name, rule, after)
        if topology.elements(operator.output) < 1:
            _broken(operator.name, "its output holds at least one element", after)
        written.add(operator.output)
    if topology.output not in written:
        _broken(topology.name, f"the output '{topology.output}' is written", after)


def expected_output(operator: Operator, topology: Topology) -> Shape:
    """The output shape that an operator's inputs and geometry give; () iff they contradict each other."""
    first = topology.shape(operator_inputs(operator)[0])
    match operator:
        case Conv2D():
            channels, height, width, depth = topology.shape(operator.weights)
            if len(first) != 4 or depth != first[3]:
                return ()
            window = (height, width)
            return _slid(first, window, operator.stride, operator.dilation, operator.padding, channels)
        case DepthwiseConv2D():
            _, height, width, channels = topology.shape(operator.weights)
            if len(first) != 4 or channels != first[3] * operator.depth_multiplier:
                return ()
            window = (height, width)
            return _slid(first, window, operator.stride, operator.dilation, operator.padding, channels)
        case Dense():
            units, features = topology.shape(operator.weights)
            return (1, units) if first == (1, features) else ()
        case Add():
            return first if topology.shape(operator.right) == first else ()
        case Concatenate():
            shapes = [topology.shape(tensor) for tensor in operator.inputs]
            axis = operator.axis
            if any(shape[:axis] + shape[axis + 1 :] != first[:axis] + first[axis + 1 :] for shape in shapes):
                return ()
            return (*first[:axis], sum(shape[axis] for shape in shapes), *first[axis + 1 :])
        case Pad2D():
            pad = operator.padding
            return (1, first[1] + pad.top + pad.bottom, first[2] + pad.left + pad.right, first[3])
        case MaxPool2D() | AveragePool2D():
            return _slid(first, operator.window, operator.stride, (1, 1), operator.padding, first[3])
        case Mean():
            return (1, first[3])
        case Reshape():
            output = topology.shape(operator.output)
            return output if topology.elements(operator.input) == topology.elements(operator.output) else ()
        case Relu() | Softmax() | Sigmoid() | ChannelAffine() | Identity() | Requantize():
            return first
        case _:
            assert_never(operator)


def _slid(image: Shape, window: Size, stride: Size, dilation: Size, padding: Pad, channels: int) -> Shape:
    height = image[1] + padding.top + padding.bottom - (window[0] - 1) * dilation[0] - 1
    width = image[2] + padding.left + padding.right - (window[1] - 1) * dilation[1] - 1
    return (1, height // stride[0] + 1, width // stride[1] + 1, channels)


def _broken(operator: str, rule: str, after: str) -> NoReturn:
    raise GraphError(operator, f"{rule}, after {after}")
