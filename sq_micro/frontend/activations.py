"""Activation functions, in every spelling that Keras has for them."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from sq_micro.frontend.graph_builder import GraphBuilder, Value
from sq_micro.frontend.layer_call import LayerCall
from sq_micro.ir.operators import NONE, RELU, RELU6, ActivationFunction, Relu, Sigmoid, Softmax

Function: TypeAlias = ActivationFunction | Literal["softmax", "sigmoid"]

_BY_NAME: dict[str, Function] = {
    "linear": NONE,
    "relu": RELU,
    "relu6": RELU6,
    "softmax": "softmax",
    "sigmoid": "sigmoid",
}
_SUPPORTED = "activations linear, relu, relu6, softmax and sigmoid"


def handle_activation(call: LayerCall, builder: GraphBuilder) -> Value:
    """Activation, ReLU, Softmax and the operations of keras.ops: the layer is the operator."""
    return _add_function(_function_of(call, call.layer), call.name, call.input, builder)


def apply_activation(call: LayerCall, builder: GraphBuilder, value: Value) -> Value:
    """The layer's `activation=`, as an operator `<layer>_<function>` behind the layer's own."""
    function = _function_of(call, call.layer.activation)
    if function == NONE:
        return value
    word = function if isinstance(function, str) else "relu"
    return _add_function(function, builder.unique_name(f"{call.name}_{word}"), value, builder)


def _add_function(function: Function, name: str, source: Value, builder: GraphBuilder) -> Value:
    match function:
        case "softmax":
            return builder.add(Softmax(name, source.tensor, name), source.shape)
        case "sigmoid":
            return builder.add(Sigmoid(name, source.tensor, name), source.shape)
        case ActivationFunction():
            return builder.add(Relu(name, source.tensor, name, function), source.shape) if function else source


def _function_of(call: LayerCall, activation: Any) -> Function:
    """What an activation computes, be it a function, its name, a layer or an operation."""
    match type(activation).__name__:
        case "ReLU":
            return _clamp_of(call, activation)
        case "Softmax":
            return _softmax_of(call, activation.axis)
        case "Activation":
            return _function_of(call, activation.activation)
        case "Relu" | "Relu6" | "Sigmoid" as operation:
            return _BY_NAME[operation.lower()]
        case _ if activation is None:
            return NONE
        case _:
            return _named_function(call, activation)


def _named_function(call: LayerCall, function: Any) -> Function:
    name = getattr(function, "__name__", type(function).__name__)
    ours = getattr(function, "__module__", "").split(".")[0] == "keras"
    call.require(ours and name in _BY_NAME, f"activation '{name}'", _SUPPORTED)
    return _BY_NAME[name]


def _clamp_of(call: LayerCall, layer: Any) -> ActivationFunction:
    for parameter in ("negative_slope", "threshold"):
        value = float(getattr(layer, parameter))
        call.require(value == 0, f"{parameter}={value:g}", f"{parameter}=0")
    return RELU if layer.max_value is None else ActivationFunction(0.0, float(layer.max_value))


def _softmax_of(call: LayerCall, axis: Any) -> Function:
    axes = tuple(axis) if isinstance(axis, list | tuple) else (axis,)
    last = len(call.input.shape)
    call.require(axes in ((-1,), (last,)), f"axis={axis}", "the last axis")
    return "softmax"
