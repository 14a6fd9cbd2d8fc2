"""Pooling layers, over windows and over everything.

Keras leaves padding out of an average's count, as TFLite does (tried on its numpy and jax backends).
"""

from __future__ import annotations

from sq_micro.frontend.graph_builder import GraphBuilder, Value, nhwc_shape
from sq_micro.frontend.layer_call import LayerCall
from sq_micro.frontend.padding import image_pair, resolve_padding
from sq_micro.ir.operators import AveragePool2D, MaxPool2D, Mean, Pad, Reshape, Size


def handle_max_pooling(call: LayerCall, builder: GraphBuilder) -> Value:
    """MaxPooling1D and MaxPooling2D."""
    window, stride, padding = _window(call)
    operator = MaxPool2D(call.name, call.input.tensor, call.name, window, stride, padding)
    return builder.add(operator, call.output_shape())


def handle_average_pooling(call: LayerCall, builder: GraphBuilder) -> Value:
    """AveragePooling1D and AveragePooling2D."""
    window, stride, padding = _window(call)
    operator = AveragePool2D(call.name, call.input.tensor, call.name, window, stride, padding)
    return builder.add(operator, call.output_shape())


def handle_global_average_pooling(call: LayerCall, builder: GraphBuilder) -> Value:
    """GlobalAveragePooling1D and GlobalAveragePooling2D: a Mean, reshaped where Keras keeps the axes."""
    call.require_channels_last()
    mean = builder.add(Mean(call.name, call.input.tensor, call.name), (call.input.channels,))
    return _reshaped(call, builder, mean)


def handle_global_max_pooling(call: LayerCall, builder: GraphBuilder) -> Value:
    """GlobalMaxPooling1D and GlobalMaxPooling2D: one window over the whole image."""
    call.require_channels_last()
    _, height, width, channels = call.input.nhwc
    whole = (height, width)
    pooled = builder.add(
        MaxPool2D(call.name, call.input.tensor, call.name, window=whole, stride=whole), (1, 1, channels)
    )
    return _reshaped(call, builder, pooled)


def _reshaped(call: LayerCall, builder: GraphBuilder, value: Value) -> Value:
    shape = call.output_shape()
    if nhwc_shape(shape) == value.nhwc:
        return Value(value.tensor, shape)
    name = builder.unique_name(f"{call.name}_reshape")
    return builder.add(Reshape(name, value.tensor, name), shape)


def _window(call: LayerCall) -> tuple[Size, Size, Pad]:
    """Window, stride and padding; on a sequence, the height is 1."""
    call.require_channels_last()
    window, stride = image_pair(call.layer.pool_size), image_pair(call.layer.strides)
    _, height, width, _ = call.input.nhwc
    return window, stride, resolve_padding(call.layer.padding, (height, width), window, stride, (1, 1))
