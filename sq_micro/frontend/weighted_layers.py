"""Convolutions and dense layers: Keras' kernels turned to TFLite's order, sequences taken as images of one row.

Kernels travel here as Keras has them, (height, width, inputs, outputs or multiplier); the operator that is added
last takes the layer's bias, or zeros.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sq_micro.frontend.activations import apply_activation
from sq_micro.frontend.graph_builder import GraphBuilder, Value
from sq_micro.frontend.layer_call import LayerCall
from sq_micro.frontend.padding import image_pair, resolve_padding
from sq_micro.ir.operators import Conv2D, Dense, DepthwiseConv2D, Pad, Size
from sq_micro.ir.topology import Role, Shape

Kernel = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Steps:
    """How a window moves over the image."""

    stride: Size
    dilation: Size
    padding: Pad


_EVERY_PIXEL = _Steps((1, 1), (1, 1), Pad())


def handle_conv(call: LayerCall, builder: GraphBuilder) -> Value:
    """Conv1D and Conv2D; with one group per input channel they are depthwise."""
    call.require_channels_last()
    kernel, inputs, groups = _image_kernel(call, "kernel"), call.input.channels, call.layer.groups
    steps = _steps(call, kernel)
    if groups == 1:
        value = _conv(call, builder, call.name, call.input, "kernel", kernel, steps)
    else:
        call.require(groups == inputs, f"groups={groups}", f"groups=1 and groups={inputs}, one per input channel")
        multiplied = kernel.reshape(*kernel.shape[:2], inputs, -1)  # outputs are grouped by their input already
        value = _depthwise(call, builder, call.name, "kernel", multiplied, steps, _bias(call, kernel.shape[3]))
    return apply_activation(call, builder, value)


def handle_depthwise_conv(call: LayerCall, builder: GraphBuilder) -> Value:
    """DepthwiseConv1D and DepthwiseConv2D."""
    call.require_channels_last()
    kernel = _image_kernel(call, "kernel")
    bias = _bias(call, kernel.shape[2] * kernel.shape[3])
    value = _depthwise(call, builder, call.name, "kernel", kernel, _steps(call, kernel), bias)
    return apply_activation(call, builder, value)


def handle_separable_conv(call: LayerCall, builder: GraphBuilder) -> Value:
    """SeparableConv1D and SeparableConv2D, as the two operators that they are."""
    call.require_channels_last()
    kernel = _image_kernel(call, "depthwise_kernel")
    name = builder.unique_name(f"{call.name}_depthwise")
    no_bias = np.zeros(kernel.shape[2] * kernel.shape[3])
    value = _depthwise(call, builder, name, "depthwise_kernel", kernel, _steps(call, kernel), no_bias)
    pointwise = _image_kernel(call, "pointwise_kernel")
    name = builder.unique_name(f"{call.name}_pointwise")
    value = _conv(call, builder, name, value, "pointwise_kernel", pointwise, _EVERY_PIXEL)
    return apply_activation(call, builder, value)


def handle_dense(call: LayerCall, builder: GraphBuilder) -> Value:
    """Dense; on images and sequences it works on each pixel, as a convolution by 1×1 does."""
    call.require(getattr(call.layer, "quantization_mode", None) is None, "quantized weights", "float weights")
    kernel = call.weight("kernel")
    if len(call.input.shape) > 1:
        value = _conv(call, builder, call.name, call.input, "pointwise_kernel", kernel[None, None], _EVERY_PIXEL)
    else:
        weights = builder.constant(f"{call.owner}/kernel", kernel.T, Role.WEIGHTS)
        bias = builder.constant(f"{call.name}/bias", _bias(call, kernel.shape[1]), Role.BIAS)
        value = builder.add(Dense(call.name, call.input.tensor, weights, bias, call.name), call.output_shape())
    return apply_activation(call, builder, value)


def _conv(
    call: LayerCall, builder: GraphBuilder, name: str, source: Value, what: str, kernel: Kernel, steps: _Steps
) -> Value:
    weights = builder.constant(f"{call.owner}/{what}", kernel.transpose(3, 0, 1, 2), Role.WEIGHTS)
    # Not shared between calls, unlike the weights: integer biases carry the scale of the call's own input.
    bias = builder.constant(f"{name}/bias", _bias(call, kernel.shape[3]), Role.BIAS)
    operator = Conv2D(name, source.tensor, weights, bias, name, steps.stride, steps.dilation, steps.padding)
    return builder.add(operator, call.output_shape())


def _depthwise(
    call: LayerCall,
    builder: GraphBuilder,
    name: str,
    what: str,
    kernel: Kernel,
    steps: _Steps,
    bias_values: NDArray[np.float64],
) -> Value:
    height, width, inputs, multiplier = kernel.shape
    flat = kernel.reshape(1, height, width, inputs * multiplier)
    weights = builder.constant(f"{call.owner}/{what}", flat, Role.WEIGHTS)
    bias = builder.constant(f"{name}/bias", bias_values, Role.BIAS)
    operator = DepthwiseConv2D(
        name, call.input.tensor, weights, bias, name, steps.stride, steps.dilation, steps.padding, multiplier
    )
    shape: Shape = (*call.output_shape()[:-1], inputs * multiplier)
    return builder.add(operator, shape)


def _bias(call: LayerCall, channels: int) -> NDArray[np.float64]:
    return call.weight("bias") if call.layer.use_bias else np.zeros(channels)


def _image_kernel(call: LayerCall, attribute: str) -> Kernel:
    """A 2D kernel as it is; a 1D kernel as one row."""
    kernel = call.weight(attribute)
    return kernel if kernel.ndim == 4 else kernel[None]


def _steps(call: LayerCall, kernel: Kernel) -> _Steps:
    stride, dilation = image_pair(call.layer.strides), image_pair(call.layer.dilation_rate)
    # Keras' backends disagree on what both together compute, where they compute it at all.
    both = max(stride) > 1 and max(dilation) > 1
    call.require(not both, "strides and dilation_rate both above 1", "one of the two above 1")
    _, height, width, _ = call.input.nhwc
    window = (kernel.shape[0], kernel.shape[1])
    return _Steps(stride, dilation, resolve_padding(call.layer.padding, (height, width), window, stride, dilation))
