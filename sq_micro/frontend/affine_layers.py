"""Layers that scale and shift each channel: BatchNormalization, Rescaling, Normalization.

All become ChannelAffine; the sums are taken in float64 and rounded to float32 once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sq_micro.frontend.graph_builder import GraphBuilder, Value
from sq_micro.frontend.layer_call import LayerCall
from sq_micro.ir.operators import ChannelAffine
from sq_micro.ir.topology import Role

Float64Array = NDArray[np.float64]

_KERAS_EPSILON = 1e-7  # keras.config.epsilon(), the least deviation that Normalization divides by


def handle_batch_normalization(call: LayerCall, builder: GraphBuilder) -> Value:
    """BatchNormalization, with the statistics that training left behind."""
    layer, rank = call.layer, len(call.input.shape)
    axis = layer.axis[0] if isinstance(layer.axis, list | tuple) else layer.axis
    call.require(axis in (-1, rank), f"axis={axis}", "the last axis")
    with np.errstate(invalid="ignore"):  # a negative variance is reported with the other NaNs, by name
        scale = 1.0 / np.sqrt(call.weight("moving_variance") + layer.epsilon)
    if layer.scale:
        scale = scale * call.weight("gamma")
    offset = -call.weight("moving_mean") * scale
    if layer.center:
        offset = offset + call.weight("beta")
    return _affine(call, builder, scale, offset)


def handle_rescaling(call: LayerCall, builder: GraphBuilder) -> Value:
    """Rescaling by numbers, or by one number per channel."""
    scale, offset = (_per_channel(call, getattr(call.layer, word), word) for word in ("scale", "offset"))
    return _affine(call, builder, scale, offset)


def handle_normalization(call: LayerCall, builder: GraphBuilder) -> Value:
    """Normalization, adapted or told its mean and variance."""
    call.require(not call.layer.invert, "invert=True", "invert=False")
    mean, variance = (_per_channel(call, getattr(call.layer, word), word) for word in ("mean", "variance"))
    with np.errstate(invalid="ignore"):
        scale = 1.0 / np.maximum(np.sqrt(variance), _KERAS_EPSILON)
    return _affine(call, builder, scale, -mean * scale)


def _per_channel(call: LayerCall, setting: Any, word: str) -> Float64Array:
    """A setting as (channels,). Raises UnsupportedLayerError iff it differs within a channel."""
    values, channels = np.asarray(setting, np.float64), call.input.channels
    fits = values.size == 1 or (values.size == channels and values.shape[-1] == channels)
    call.require(fits, f"{word} of shape {values.shape}", f"one {word} in all, or one for each of {channels} channels")
    return np.array(np.broadcast_to(values.reshape(-1), (channels,)))


def _affine(call: LayerCall, builder: GraphBuilder, scale: Float64Array, offset: Float64Array) -> Value:
    scale_name = builder.constant(f"{call.owner}/scale", scale, Role.CONSTANT)
    offset_name = builder.constant(f"{call.owner}/offset", offset, Role.CONSTANT)
    operator = ChannelAffine(call.name, call.input.tensor, scale_name, offset_name, call.name)
    return builder.add(operator, call.input.shape)
