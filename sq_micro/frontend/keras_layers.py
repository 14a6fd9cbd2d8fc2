"""The layers that sq-micro takes: one handler per class name, and the handlers that only move or join tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from sq_micro.errors import UnsupportedLayerError
from sq_micro.frontend import activations, affine_layers, pooling_layers, weighted_layers
from sq_micro.frontend.graph_builder import GraphBuilder, Value
from sq_micro.frontend.layer_call import LayerCall
from sq_micro.ir.operators import Add, Concatenate, Identity, Pad, Pad2D, Reshape

Handler: TypeAlias = Callable[[LayerCall, GraphBuilder], Value]


def handle_add(call: LayerCall, builder: GraphBuilder) -> Value:
    """Add of tensors of one shape; more than two are added from the left."""
    total, *others = call.inputs
    for value in others:
        same = value.shape == total.shape
        call.require(same, f"inputs of shapes {total.shape} and {value.shape}", "inputs of one shape, no broadcasting")
    if not others:
        return handle_identity(call, builder)
    for position, value in enumerate(others, start=1):
        last = position == len(others)
        name = call.name if last else builder.unique_name(f"{call.name}_part")
        total = builder.add(Add(name, total.tensor, value.tensor, name), total.shape)
    return total


def handle_sum(call: LayerCall, builder: GraphBuilder) -> Value:
    """`a + b`. Raises UnsupportedLayerError iff one of them is a number or an array, which Keras does not show."""
    call.require(len(call.inputs) == 2, "a constant", "the sum of two tensors; Rescaling adds a constant")
    return handle_add(call, builder)


def handle_concatenate(call: LayerCall, builder: GraphBuilder) -> Value:
    """Concatenate along any axis but the batch."""
    if len(call.inputs) == 1:
        return handle_identity(call, builder)
    first = call.inputs[0]
    keras_rank = len(first.shape) + 1
    axis = call.layer.axis % keras_rank
    call.require(axis != 0, f"axis={call.layer.axis}", "any axis but the batch")
    nhwc_axis = axis + len(first.nhwc) - keras_rank
    operator = Concatenate(call.name, tuple(value.tensor for value in call.inputs), call.name, nhwc_axis)
    return builder.add(operator, call.output_shape())


def handle_zero_padding(call: LayerCall, builder: GraphBuilder) -> Value:
    """ZeroPadding1D and ZeroPadding2D."""
    call.require_channels_last()
    match call.layer.padding:
        case ((top, bottom), (left, right)):
            padding = Pad(top, bottom, left, right)
        case (left, right):
            padding = Pad(left=left, right=right)
    return builder.add(Pad2D(call.name, call.input.tensor, call.name, padding), call.output_shape())


def handle_reshape(call: LayerCall, builder: GraphBuilder) -> Value:
    """Reshape and Flatten: the elements keep their order."""
    call.require_channels_last()
    return builder.add(Reshape(call.name, call.input.tensor, call.name), call.output_shape())


def handle_identity(call: LayerCall, builder: GraphBuilder) -> Value:
    """Layers that do nothing outside training."""
    return builder.add(Identity(call.name, call.input.tensor, call.name), call.input.shape)


LAYERS: dict[str, Handler] = {
    "Conv1D": weighted_layers.handle_conv,
    "Conv2D": weighted_layers.handle_conv,
    "DepthwiseConv1D": weighted_layers.handle_depthwise_conv,
    "DepthwiseConv2D": weighted_layers.handle_depthwise_conv,
    "SeparableConv1D": weighted_layers.handle_separable_conv,
    "SeparableConv2D": weighted_layers.handle_separable_conv,
    "Dense": weighted_layers.handle_dense,
    "BatchNormalization": affine_layers.handle_batch_normalization,
    "Rescaling": affine_layers.handle_rescaling,
    "Normalization": affine_layers.handle_normalization,
    "Activation": activations.handle_activation,
    "ReLU": activations.handle_activation,
    "Softmax": activations.handle_activation,
    "Add": handle_add,
    "Concatenate": handle_concatenate,
    "ZeroPadding1D": handle_zero_padding,
    "ZeroPadding2D": handle_zero_padding,
    "Flatten": handle_reshape,
    "Reshape": handle_reshape,
    "MaxPooling1D": pooling_layers.handle_max_pooling,
    "MaxPooling2D": pooling_layers.handle_max_pooling,
    "AveragePooling1D": pooling_layers.handle_average_pooling,
    "AveragePooling2D": pooling_layers.handle_average_pooling,
    "GlobalMaxPooling1D": pooling_layers.handle_global_max_pooling,
    "GlobalMaxPooling2D": pooling_layers.handle_global_max_pooling,
    "GlobalAveragePooling1D": pooling_layers.handle_global_average_pooling,
    "GlobalAveragePooling2D": pooling_layers.handle_global_average_pooling,
    "ActivityRegularization": handle_identity,
    "AlphaDropout": handle_identity,
    "Dropout": handle_identity,
    "GaussianDropout": handle_identity,
    "GaussianNoise": handle_identity,
    "Identity": handle_identity,
    "RandomBrightness": handle_identity,
    "RandomContrast": handle_identity,
    "RandomFlip": handle_identity,
    "RandomRotation": handle_identity,
    "RandomTranslation": handle_identity,
    "RandomZoom": handle_identity,
    "SpatialDropout1D": handle_identity,
    "SpatialDropout2D": handle_identity,
}

# What `a + b` and keras.ops leave in a Functional model instead of layers.
OPERATIONS: dict[str, Handler] = {
    "Add": handle_sum,
    "Relu": activations.handle_activation,
    "Relu6": activations.handle_activation,
    "Sigmoid": activations.handle_activation,
    "Softmax": activations.handle_activation,
}

SUPPORTED = f"the layers {', '.join(sorted(LAYERS))}, nested Sequential and Functional models"


def handle_layer(call: LayerCall, builder: GraphBuilder) -> Value:
    """Add what a layer or a bare operation computes. Raises UnsupportedLayerError iff it is not taken."""
    is_layer = hasattr(call.layer, "trainable_weights")
    handler = (LAYERS if is_layer else OPERATIONS).get(call.kind)
    if handler is None or type(call.layer).__module__.split(".")[0] != "keras":
        raise UnsupportedLayerError(call.layer.name, call.kind, SUPPORTED)
    return handler(call, builder)
