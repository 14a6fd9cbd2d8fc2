"""CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sq_micro.frontend.graph_builder import Value
from sq_micro.frontend.padding import resolve_padding
from sq_micro.ir.float_graph import Float32Array
from sq_micro.ir.given import GivenWeights
from sq_micro.ir.operators import Conv2D, Dense, DepthwiseConv2D, Pad, Reshape, Size
from sq_micro.ir.topology import Role, Shape
from sq_micro.tflite.importing.call import Call
from sq_micro.tflite.model import Constant

_PADDING = {0: "same", 1: "valid"}  # TFLite's Padding
_SMALLEST_WEIGHT = -127


@dataclass(frozen=True, slots=True)
class _Constants:
    """The names under which the graph has weights and bias, and the operator's own."""

    name: str
    weights: str
    bias: str


def padding_of(call: Call, image: Size, window: Size, stride: Size, dilation: Size) -> Pad:
    """What the option `Padding` means for an image."""
    number = call.option("Padding")
    call.require(number in _PADDING, f"padding {number}", "SAME, VALID")
    return resolve_padding(_PADDING[number], image, window, stride, dilation)


def handle_conv(call: Call) -> None:
    """CONV_2D with one group."""
    source, weights = call.image(), _weights(call, 4)
    units, height, width, depth = weights.shape
    call.require(depth == source.channels, f"{source.channels // max(depth, 1)} groups", "one group")
    found = _constants(call, weights, 0)
    stride, dilation, padding = _steps(call, source, (height, width))
    operator = Conv2D(
        found.name, source.tensor, found.weights, found.bias, found.name, stride, dilation, padding, call.fused()
    )
    call.finish(call.add(operator, _slid(source, (height, width), stride, dilation, padding, units)))


def handle_depthwise_conv(call: Call) -> None:
    """DEPTHWISE_CONV_2D with any multiplier."""
    source, weights = call.image(), _weights(call, 4)
    one, height, width, channels = weights.shape
    multiplier = channels // source.channels
    if one != 1 or multiplier * source.channels != channels:
        call.damaged(f"weights of shape {weights.shape} do not suit {source.channels} channels")
    found = _constants(call, weights, 3)
    stride, dilation, padding = _steps(call, source, (height, width))
    operator = DepthwiseConv2D(
        *(found.name, source.tensor, found.weights, found.bias, found.name),
        *(stride, dilation, padding, multiplier, call.fused()),
    )
    call.finish(call.add(operator, _slid(source, (height, width), stride, dilation, padding, channels)))


def handle_fully_connected(call: Call) -> None:
    """FULLY_CONNECTED on a vector; on images and sequences it works on each pixel, as a convolution by 1×1 does."""
    call.require(call.option("WeightsFormat") == 0, "shuffled weights", "weights in their plain order")
    source, weights = call.value(), _weights(call, 2)
    units, features = weights.shape
    elements = int(np.prod(source.shape))
    if elements == features:
        found = _constants(call, weights, 0)
        vector = _reshaped(call, source, (features,), f"{found.name}_vector")
        dense = Dense(found.name, vector.tensor, found.weights, found.bias, found.name, call.fused())
        call.finish(_reshaped(call, call.add(dense, (units,)), call.out_shape(), f"{found.name}_shape"))
        return
    call.require(
        source.channels == features, f"{features} features of a tensor {source.shape}", "all, or those of a pixel"
    )
    found = _constants(call, weights.reshape(units, 1, 1, features), 0)
    conv = Conv2D(found.name, source.tensor, found.weights, found.bias, found.name, activation=call.fused())
    call.finish(call.add(conv, (*source.shape[:-1], units)))


def _reshaped(call: Call, value: Value, shape: Shape, name: str) -> Value:
    if value.shape == shape:
        return value
    fresh = call.builder.unique_name(name)
    params = call.state.params.get(value.tensor)
    return call.add(Reshape(fresh, value.tensor, fresh), shape, params)


def _weights(call: Call, rank: int) -> Constant:
    tensor = call.needed(1)
    if tensor.constant is not None and not call.state.integers and tensor.type == "INT8":
        call.fail("int8 weights with float activations (dynamic range)", "full int8 with a representative dataset")
    weights = call.constant(1, "INT8" if call.state.integers else "FLOAT32")
    if weights.ndim != rank or weights.size == 0:
        call.damaged(f"weights of shape {weights.shape}")
    return weights


def _constants(call: Call, weights: Constant, axis: int) -> _Constants:
    """Hand weights and bias to the graph: float values, and the integers where the file has them."""
    name = call.name(call.needed(1).name)
    channels = weights.shape[axis]
    real, real_bias = weights, _bias(call, channels)
    if call.state.integers:
        scale = _weight_scale(call, channels, axis)
        along = tuple(-1 if at == axis else 1 for at in range(weights.ndim))
        bias_scale = call.state.params[call.value().tensor][0] * scale.astype(np.float64)
        call.state.weights[name] = GivenWeights(weights.astype(np.int8), scale, real_bias.astype(np.int32))
        real, real_bias = weights * scale.reshape(along), real_bias * bias_scale
    return _Constants(
        name,
        call.builder.constant(f"{name}/weights", real.astype(np.float32), Role.WEIGHTS),
        call.builder.constant(f"{name}/bias", real_bias.astype(np.float32), Role.BIAS),
    )


def _bias(call: Call, channels: int) -> Constant:
    if call.tensor(2) is None:
        return np.zeros(channels, np.int32) if call.state.integers else np.zeros(channels, np.float32)
    bias = call.constant(2, "INT32" if call.state.integers else "FLOAT32")
    if bias.shape != (channels,):
        call.damaged(f"a bias of shape {bias.shape} for {channels} channels")
    return bias


def _weight_scale(call: Call, channels: int, axis: int) -> Float32Array:
    """One scale per output channel. TFLite Micro derives the same multipliers where one stands for all."""
    tensor = call.needed(1)
    found, codes = tensor.quantization, tensor.constant
    assert codes is not None
    if found is None or len(found.scale) not in (1, channels) or (len(found.scale) > 1 and found.axis != axis):
        call.fail(f"weights with {0 if found is None else len(found.scale)} scales", "one, or one per output channel")
    scale: Float32Array = np.array(np.broadcast_to(np.asarray(found.scale, np.float32), channels))
    if not (np.isfinite(scale).all() and (scale > 0).all()):
        call.damaged("a scale of its weights is not positive")
    call.require(not any(found.zero_point), "weights with a zero point", "zero points of 0")
    call.require(int(codes.min()) >= _SMALLEST_WEIGHT, "the weight -128", "-127 to 127, as TFLite specifies")
    return scale


def _steps(call: Call, source: Value, window: Size) -> tuple[Size, Size, Pad]:
    stride_h, stride_w, dilation_h, dilation_w = call.positive(
        "StrideH", "StrideW", "DilationHFactor", "DilationWFactor"
    )
    stride, dilation = (stride_h, stride_w), (dilation_h, dilation_w)
    return stride, dilation, padding_of(call, source.shape[:2], window, stride, dilation)  # type: ignore[arg-type]


def _slid(source: Value, window: Size, stride: Size, dilation: Size, padding: Pad, channels: int) -> Shape:
    height = source.shape[0] + padding.top + padding.bottom - (window[0] - 1) * dilation[0] - 1
    width = source.shape[1] + padding.left + padding.right - (window[1] - 1) * dilation[1] - 1
    return (height // stride[0] + 1, width // stride[1] + 1, channels)
