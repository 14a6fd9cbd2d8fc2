"""Operators on single elements: sums, clamps, Softmax, LOGISTIC, and changes of scale."""

from __future__ import annotations

import numpy as np

from sq_micro.frontend.graph_builder import Value
from sq_micro.ir.operators import (
    RELU,
    RELU6,
    ActivationFunction,
    Add,
    ChannelAffine,
    Relu,
    Requantize,
    Sigmoid,
    Softmax,
)
from sq_micro.ir.topology import Role
from sq_micro.tflite.importing.call import Call
from sq_micro.tflite.model import Constant

_PROBABILITIES = (1.0 / 256.0, -128)  # scale and zero point of TFLite's SOFTMAX and LOGISTIC
_CLAMPS = {
    "RELU": RELU,
    "RELU6": RELU6,
    "RELU_N1_TO_1": ActivationFunction(-1.0, 1.0),
    "RELU_0_TO_1": ActivationFunction(0.0, 1.0),
}
_MICRO_CLAMPS = ("RELU", "RELU6")  # those of which TFLite Micro has int8 kernels


def handle_add(call: Call) -> None:
    """ADD of two activations of one shape; in float models also of a constant per channel."""
    for position in (0, 1):
        if call.needed(position).constant is not None:
            _affine(call, call.value(1 - position), np.float32(1), _per_channel(call, position))
            return
    left, right = call.value(0), call.value(1)
    call.require(left.shape == right.shape, f"{left.shape} + {right.shape}", "two tensors of one shape")
    name = call.name()
    call.finish(call.add(Add(name, left.tensor, right.tensor, name, call.fused()), left.shape))


def handle_subtraction(call: Call) -> None:
    """SUB of a constant per channel, in float models."""
    _affine(call, call.value(0), np.float32(1), -_per_channel(call, 1))


def handle_product(call: Call) -> None:
    """MUL by a constant per channel, in float models."""
    position = 0 if call.needed(0).constant is not None else 1
    _affine(call, call.value(1 - position), _per_channel(call, position), np.float32(0))


def handle_clamp(call: Call) -> None:
    """RELU, RELU6, RELU_N1_TO_1, RELU_0_TO_1."""
    source, code = call.value(), call.operation.code
    if call.state.integers:
        call.require(code in _MICRO_CLAMPS, "on int8", "RELU and RELU6, which TFLite Micro has")
        if code == "RELU6":
            call.require_same_params(source)
    _clamp(call, source, _CLAMPS[code])


def handle_bound(call: Call) -> None:
    """MINIMUM and MAXIMUM with one constant."""
    position = 0 if call.needed(0).constant is not None else 1
    source = call.value(1 - position)
    bound = call.constant(position, "INT8" if call.state.integers else "FLOAT32").ravel()
    call.require(bound.size == 1, f"a bound of {bound.size} values", "one value for all elements")
    real = float(bound[0])
    if call.state.integers:
        call.require_same_params(source)
        scale, zero_point = call.params(call.needed(position))
        call.require((scale, zero_point) == call.params(), "a bound of another scale", "the scale of the input")
        real = float(np.float32(scale) * np.float32(int(bound[0]) - zero_point))
    is_lower = call.operation.code == "MAXIMUM"
    _clamp(call, source, ActivationFunction(minimum=real) if is_lower else ActivationFunction(maximum=real))


def handle_softmax(call: Call) -> None:
    """SOFTMAX over the last axis."""
    source, beta = call.value(), call.option("Beta", 1)
    call.require(beta == 1.0, f"beta={beta:g}", "beta=1")
    _require_probabilities(call)
    name = call.name()
    call.finish(call.add(Softmax(name, source.tensor, name), source.shape))


def handle_logistic(call: Call) -> None:
    """LOGISTIC, which Keras calls sigmoid."""
    source = call.value()
    _require_probabilities(call)
    name = call.name()
    call.finish(call.add(Sigmoid(name, source.tensor, name), source.shape))


def handle_requantize(call: Call) -> None:
    """QUANTIZE from int8 to int8."""
    source = call.value()
    if call.state.params[source.tensor] == call.params():
        call.finish(source)
        return
    name = call.name()
    call.finish(call.add(Requantize(name, source.tensor, name), source.shape))


def _clamp(call: Call, source: Value, activation: ActivationFunction) -> None:
    name = call.name()
    call.finish(call.add(Relu(name, source.tensor, name, activation), source.shape))


def _require_probabilities(call: Call) -> None:
    if call.state.integers:
        scale, zero_point = call.params()
        call.require(
            (scale, zero_point) == _PROBABILITIES, f"scale {scale:g}, zero point {zero_point}", "1/256 and -128"
        )


def _per_channel(call: Call, position: int) -> Constant:
    """A constant of one value, or one per channel, in a float model."""
    call.require(not call.state.integers, f"a constant as input {position}, on int8", "constants in float models")
    values = call.constant(position, "FLOAT32")
    channels = call.value(1 - position).channels
    fits = values.size in (1, channels) and values.size == (values.shape[-1] if values.ndim else 1)
    call.require(fits, f"a constant of shape {values.shape}", f"one value, or one for each of {channels} channels")
    return values.ravel()


def _affine(call: Call, source: Value, scale: Constant | np.float32, offset: Constant | np.float32) -> None:
    name, channels = call.name(), source.channels
    factors = call.builder.constant(f"{name}/scale", np.broadcast_to(scale, channels), Role.CONSTANT)
    summands = call.builder.constant(f"{name}/offset", np.broadcast_to(offset, channels), Role.CONSTANT)
    value = call.add(ChannelAffine(name, source.tensor, factors, summands, name), source.shape)
    call.finish(call.clamped(value, call.fused()))
