"""Which tensors must have the same scale and zero point, and the scales that follow from the ranges.

TFLite moves codes unchanged through pooling, reshaping, padding and concatenation, so the tensors on
both sides share their params. Softmax and Sigmoid have a fixed output scale of 1/256; where such a tensor
would have to share with others, a Requantize stands between.
"""

from __future__ import annotations

from dataclasses import replace
from math import copysign, floor

from sq_micro.errors import QuantizationError
from sq_micro.ir.float_graph import FloatGraph
from sq_micro.ir.operators import (
    AveragePool2D,
    Concatenate,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    MaxPool2D,
    Operator,
    Pad2D,
    Requantize,
    Reshape,
    Sigmoid,
    Softmax,
    operator_inputs,
)
from sq_micro.ir.topology import Role, TensorSpec, Topology
from sq_micro.quant.calibrate import Range, Ranges
from sq_micro.quant.params import ActivationParams

PROBABILITIES = ActivationParams(scale=1.0 / 256.0, zero_point=-128)
_SMALLEST_RANGE = 2.0**-52  # below, TFLite's converter takes a tensor to be always zero, and so do we


def insert_requantization(topology: Topology) -> Topology:
    """Put a Requantize before each Concatenate input whose scale is fixed by a Softmax or a Sigmoid."""
    tensors = dict(topology.tensors)
    operators: list[Operator] = []
    for operator in topology.operators:
        if isinstance(operator, Concatenate):
            inputs = []
            for position, tensor in enumerate(operator.inputs):
                if _fixed_at_source(topology, tensor):
                    fresh = f"{operator.name}_requantized_{position}"
                    tensors[fresh] = TensorSpec(fresh, topology.shape(tensor), Role.ACTIVATION)
                    operators.append(Requantize(fresh, tensor, fresh))
                    tensor = fresh
                inputs.append(tensor)
            operator = replace(operator, inputs=tuple(inputs))
        operators.append(operator)
    return replace(topology, tensors=tensors, operators=tuple(operators))


def own_constants(graph: FloatGraph) -> FloatGraph:
    """Give each operator weights and a bias of its own.

    A layer that is called twice has one set of trained values, but its calls read inputs of different scales, so
    that its biases, and perhaps its bitwidths, differ.
    """
    topology, constants = graph.topology, dict(graph.constants)
    tensors = dict(topology.tensors)
    operators: list[Operator] = []
    taken: set[str] = set()
    for operator in topology.operators:
        if isinstance(operator, Conv2D | DepthwiseConv2D | Dense):
            weights = operator.weights if operator.weights not in taken else f"{operator.name}/weights"
            bias = operator.bias if operator.bias not in taken else f"{operator.name}/bias"
            for shared, own in ((operator.weights, weights), (operator.bias, bias)):
                tensors[own] = replace(tensors[shared], name=own)
                constants[own] = constants[shared]
            taken |= {weights, bias}
            operator = replace(operator, weights=weights, bias=bias)
        operators.append(operator)
    return replace(graph, topology=replace(topology, tensors=tensors, operators=tuple(operators)), constants=constants)


def _fixed_at_source(topology: Topology, tensor: str) -> bool:
    producer = topology.producer(tensor)
    while isinstance(producer, Reshape | MaxPool2D | AveragePool2D | Pad2D):
        producer = topology.producer(producer.input)
    return isinstance(producer, Softmax | Sigmoid)


def shared_groups(topology: Topology) -> dict[str, str]:
    """Each activation's group, named after the group's first tensor in execution order."""
    group = {topology.input: topology.input}

    def merge(first: str, second: str) -> None:
        kept, dropped = group[first], group[second]
        for tensor, name in group.items():
            if name == dropped:
                group[tensor] = kept

    for operator in topology.operators:
        group[operator.output] = operator.output
        match operator:
            case Reshape() | Pad2D() | MaxPool2D() | AveragePool2D() | Concatenate():
                for tensor in operator_inputs(operator):
                    merge(tensor, operator.output)
            case _:
                pass
    return group


def activation_params(topology: Topology, ranges: Ranges) -> dict[str, ActivationParams]:
    """Scale and zero point of every activation; shared tensors cover the union of their ranges."""
    group = shared_groups(topology)
    spans: dict[str, Range] = {}
    fixed: set[str] = set()
    for tensor, name in group.items():
        producer = topology.producer(tensor)
        if isinstance(producer, Softmax | Sigmoid):
            fixed.add(name)
        if isinstance(producer, Requantize):
            span = ranges.tensors[producer.input]
        elif tensor in ranges.tensors:
            span = ranges.tensors[tensor]
        else:
            raise QuantizationError(tensor, "no range was observed; calibrate this model again")
        known = spans.get(name, span)
        spans[name] = Range(min(known.minimum, span.minimum), max(known.maximum, span.maximum))
    bits = {group[tensor]: width for tensor, width in ranges.bits.items() if tensor in group}
    chosen = {
        name: PROBABILITIES if name in fixed else params_of_range(span, bits.get(name, 8))
        for name, span in spans.items()
    }
    return {tensor: chosen[name] for tensor, name in group.items()}


def params_of_range(span: Range, bits: int = 8) -> ActivationParams:
    """Cover [minimum, maximum] and zero with all codes, zero exactly on one (TFLite `ChooseQuantizationParams`).

    >>> params_of_range(Range(-1.0, 1.0)).zero_point   # −0.5 is rounded away from zero
    -1
    """
    low, high = min(span.minimum, 0.0), max(span.maximum, 0.0)
    least, most = ActivationParams(1.0, 0, bits).limits
    if high - low < _SMALLEST_RANGE:
        return ActivationParams(1.0, least, bits)
    scale = (high - low) / (most - least)
    # Of the two ends TFLite starts from the one whose sum loses less; both give the same real number.
    end, bound = (least, low) if abs(least) + abs(low / scale) < most + abs(high / scale) else (most, high)
    zero_point = end - bound / scale
    rounded = int(copysign(floor(abs(zero_point) + 0.5), zero_point))
    return ActivationParams(scale, max(least, min(most, rounded)), bits)
