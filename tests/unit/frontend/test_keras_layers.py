"""Every supported layer computes what Keras computes, and the others are refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sq_micro.errors import UnsupportedLayerError
from sq_micro.frontend.keras_layers import LAYERS, OPERATIONS
from sq_micro.frontend.keras_model import import_model
from sq_micro.ir.operators import DepthwiseConv2D, operator_constants
from tests.unit.frontend.keras_models import assert_imported, functional, keras

L = keras.layers
IMAGE, SEQUENCE, VECTOR = (7, 6, 4), (9, 4), (5,)

SUPPORTED: dict[str, tuple[tuple[int, ...], Callable[[], Any]]] = {
    "conv2d": (IMAGE, lambda: L.Conv2D(5, 3)),
    "conv2d_same": (IMAGE, lambda: L.Conv2D(5, (3, 2), padding="same", use_bias=False)),
    "conv2d_same_strided": (IMAGE, lambda: L.Conv2D(5, (2, 3), strides=(2, 3), padding="same", activation="relu")),
    "conv2d_strided": (IMAGE, lambda: L.Conv2D(5, 2, strides=2, activation="relu6")),
    "conv2d_dilated": (IMAGE, lambda: L.Conv2D(5, 3, dilation_rate=(2, 1))),
    "conv2d_dilated_same": (IMAGE, lambda: L.Conv2D(5, 3, dilation_rate=(1, 2), padding="same")),
    "conv2d_wide": (IMAGE, lambda: L.Conv2D(5, 9, padding="same")),
    "conv2d_grouped": (IMAGE, lambda: L.Conv2D(8, 3, groups=4, padding="same")),
    "conv1d": (SEQUENCE, lambda: L.Conv1D(5, 3, activation="sigmoid")),
    "conv1d_same": (SEQUENCE, lambda: L.Conv1D(5, 4, strides=2, padding="same", activation="softmax")),
    "conv1d_causal": (SEQUENCE, lambda: L.Conv1D(5, 3, dilation_rate=2, padding="causal")),
    "conv1d_causal_strided": (SEQUENCE, lambda: L.Conv1D(5, 3, strides=2, padding="causal")),
    "conv1d_grouped": (SEQUENCE, lambda: L.Conv1D(4, 3, groups=4)),
    "depthwise2d": (IMAGE, lambda: L.DepthwiseConv2D(3, padding="same", activation="relu")),
    "depthwise2d_multiplied": (IMAGE, lambda: L.DepthwiseConv2D((2, 3), depth_multiplier=3, use_bias=False)),
    "depthwise2d_strided": (IMAGE, lambda: L.DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=2)),
    "depthwise2d_dilated": (IMAGE, lambda: L.DepthwiseConv2D(2, dilation_rate=2, padding="same")),
    "depthwise1d": (SEQUENCE, lambda: L.DepthwiseConv1D(3, strides=2, padding="same", depth_multiplier=2)),
    "separable2d": (IMAGE, lambda: L.SeparableConv2D(6, 3, strides=2, depth_multiplier=2, activation="relu")),
    "separable2d_dilated": (IMAGE, lambda: L.SeparableConv2D(6, 3, padding="same", dilation_rate=2, use_bias=False)),
    "separable1d": (SEQUENCE, lambda: L.SeparableConv1D(6, 3, strides=2, padding="same")),
    "dense": (VECTOR, lambda: L.Dense(3, activation="softmax")),
    "dense_of_pixels": (IMAGE, lambda: L.Dense(3, activation="relu")),
    "dense_of_steps": (SEQUENCE, lambda: L.Dense(3, use_bias=False)),
    "dense_with_layer": (VECTOR, lambda: L.Dense(3, activation=L.ReLU(max_value=0.5))),
    "batch_norm": (IMAGE, lambda: L.BatchNormalization(epsilon=0.01)),
    "batch_norm_plain": (SEQUENCE, lambda: L.BatchNormalization(center=False, scale=False)),
    "batch_norm_of_vector": (VECTOR, lambda: L.BatchNormalization(axis=1)),
    "rescaling": (IMAGE, lambda: L.Rescaling(1 / 127.5, offset=-1.0)),
    "rescaling_of_channels": (IMAGE, lambda: L.Rescaling([0.5, 1.0, 2.0, -3.0], offset=[0.0, 1.0, -1.0, 0.5])),
    "normalization": (IMAGE, lambda: L.Normalization(mean=[0.5, 1.0, 0.0, -1.0], variance=[0.1, 1.0, 4.0, 0.0])),
    "normalization_in_all": (SEQUENCE, lambda: L.Normalization(axis=None, mean=0.3, variance=2.0)),
    "relu": (IMAGE, lambda: L.ReLU()),
    "relu6_layer": (VECTOR, lambda: L.ReLU(6.0)),
    "relu_half": (VECTOR, lambda: L.ReLU(max_value=0.5)),
    "activation_relu6": (IMAGE, lambda: L.Activation("relu6")),
    "activation_function": (IMAGE, lambda: L.Activation(keras.ops.relu6)),
    "activation_sigmoid": (SEQUENCE, lambda: L.Activation("sigmoid")),
    "activation_softmax": (IMAGE, lambda: L.Activation("softmax")),
    "softmax": (VECTOR, lambda: L.Softmax()),
    "softmax_last_axis": (IMAGE, lambda: L.Softmax(axis=3)),
    "max_pooling2d": (IMAGE, lambda: L.MaxPooling2D()),
    "max_pooling2d_same": (IMAGE, lambda: L.MaxPooling2D((3, 2), strides=(2, 1), padding="same")),
    "average_pooling2d": (IMAGE, lambda: L.AveragePooling2D((2, 3))),
    "average_pooling2d_same": (IMAGE, lambda: L.AveragePooling2D(3, strides=2, padding="same")),
    "max_pooling1d": (SEQUENCE, lambda: L.MaxPooling1D(2, strides=3, padding="same")),
    "average_pooling1d": (SEQUENCE, lambda: L.AveragePooling1D(2, padding="same")),
    "global_average2d": (IMAGE, lambda: L.GlobalAveragePooling2D()),
    "global_average2d_keepdims": (IMAGE, lambda: L.GlobalAveragePooling2D(keepdims=True)),
    "global_average1d": (SEQUENCE, lambda: L.GlobalAveragePooling1D()),
    "global_average1d_keepdims": (SEQUENCE, lambda: L.GlobalAveragePooling1D(keepdims=True)),
    "global_max2d": (IMAGE, lambda: L.GlobalMaxPooling2D()),
    "global_max2d_keepdims": (IMAGE, lambda: L.GlobalMaxPooling2D(keepdims=True)),
    "global_max1d": (SEQUENCE, lambda: L.GlobalMaxPooling1D()),
    "zero_padding2d": (IMAGE, lambda: L.ZeroPadding2D(((1, 2), (0, 3)))),
    "zero_padding1d": (SEQUENCE, lambda: L.ZeroPadding1D((1, 2))),
    "flatten_image": (IMAGE, lambda: L.Flatten()),
    "flatten_sequence": (SEQUENCE, lambda: L.Flatten()),
    "reshape_to_sequence": (IMAGE, lambda: L.Reshape((14, -1))),
    "reshape_to_image": (VECTOR, lambda: L.Reshape((1, 5, 1))),
}

INFERENCE_IDENTITIES: dict[str, Callable[[], Any]] = {
    "ActivityRegularization": lambda: L.ActivityRegularization(0.1),
    "AlphaDropout": lambda: L.AlphaDropout(0.5),
    "Dropout": lambda: L.Dropout(0.5),
    "GaussianDropout": lambda: L.GaussianDropout(0.5),
    "GaussianNoise": lambda: L.GaussianNoise(0.5),
    "Identity": lambda: L.Identity(),
    "RandomBrightness": lambda: L.RandomBrightness(0.5),
    "RandomContrast": lambda: L.RandomContrast(0.5),
    "RandomFlip": lambda: L.RandomFlip(),
    "RandomRotation": lambda: L.RandomRotation(0.5),
    "RandomTranslation": lambda: L.RandomTranslation(0.5, 0.5),
    "RandomZoom": lambda: L.RandomZoom(0.5),
    "SpatialDropout2D": lambda: L.SpatialDropout2D(0.5),
}

UNSUPPORTED: dict[str, tuple[tuple[int, ...], Callable[[], Any], str]] = {
    "lstm": (SEQUENCE, lambda: L.LSTM(3, name="x"), "layer 'x': LSTM is not supported; supported: the layers Act"),
    "permute": (IMAGE, lambda: L.Permute((2, 1, 3), name="x"), "layer 'x': Permute is not supported"),
    "leaky": (IMAGE, lambda: L.LeakyReLU(name="x"), "layer 'x': LeakyReLU is not supported"),
    "groups": (
        IMAGE,
        lambda: L.Conv2D(4, 3, groups=2, name="x"),
        "layer 'x': Conv2D with groups=2 is not supported; supported: groups=1 and groups=4, one per input channel",
    ),
    "stride_and_dilation": (
        IMAGE,
        lambda: L.DepthwiseConv2D(2, strides=2, dilation_rate=2, name="x"),
        "layer 'x': DepthwiseConv2D with strides and dilation_rate both above 1 is not supported",
    ),
    "channels_first": (
        IMAGE,
        lambda: L.MaxPooling2D(data_format="channels_first", name="x"),
        "layer 'x': MaxPooling2D with data_format='channels_first' is not supported; "
        "supported: data_format='channels_last'",
    ),
    "slope": (
        IMAGE,
        lambda: L.ReLU(negative_slope=0.25, name="x"),
        "layer 'x': ReLU with negative_slope=0.25 is not supported; supported: negative_slope=0",
    ),
    "threshold": (IMAGE, lambda: L.ReLU(threshold=1.0, name="x"), "layer 'x': ReLU with threshold=1 is not supported"),
    "activation": (
        IMAGE,
        lambda: L.Conv2D(3, 3, activation="tanh", name="x"),
        "layer 'x': Conv2D with activation 'tanh' is not supported; "
        "supported: activations linear, relu, relu6, softmax and sigmoid",
    ),
    "own_activation": (
        IMAGE,
        lambda: L.Activation(np.tanh, name="x"),
        "layer 'x': Activation with activation 'tanh' is not supported",
    ),
    "softmax_axis": (
        IMAGE,
        lambda: L.Softmax(axis=1, name="x"),
        "layer 'x': Softmax with axis=1 is not supported; supported: the last axis",
    ),
    "batch_norm_axis": (
        IMAGE,
        lambda: L.BatchNormalization(axis=1, name="x"),
        "layer 'x': BatchNormalization with axis=1 is not supported; supported: the last axis",
    ),
    "normalization_axis": (
        IMAGE,
        lambda: L.Normalization(axis=(1, 2, 3), mean=np.zeros(IMAGE), variance=np.ones(IMAGE), name="x"),
        "layer 'x': Normalization with mean of shape (1, 7, 6, 4) is not supported; "
        "supported: one mean in all, or one for each of 4 channels",
    ),
    "inverse": (
        IMAGE,
        lambda: L.Normalization(mean=0.0, variance=1.0, axis=None, invert=True, name="x"),
        "layer 'x': Normalization with invert=True is not supported; supported: invert=False",
    ),
    "rank": (
        IMAGE,
        lambda: L.Reshape((7, 3, 2, 4), name="x"),
        "layer 'x': Reshape with output shape (7, 3, 2, 4) is not supported; supported: 1 to 3 axes besides the batch",
    ),
}


@pytest.mark.parametrize("case", SUPPORTED)
def test_layer_computes_what_keras_does(case: str) -> None:
    shape, make = SUPPORTED[case]
    assert_imported(functional(shape, make()))


@pytest.mark.parametrize("layer", INFERENCE_IDENTITIES)
def test_training_layers_pass_their_input_on(layer: str) -> None:
    assert_imported(functional(IMAGE, INFERENCE_IDENTITIES[layer]()))


def test_spatial_dropout_of_sequences_passes_its_input_on() -> None:
    assert_imported(functional(SEQUENCE, L.SpatialDropout1D(0.5)))


@pytest.mark.parametrize("case", UNSUPPORTED)
def test_unsupported_configuration_is_named(case: str) -> None:
    shape, make, text = UNSUPPORTED[case]
    with pytest.raises(UnsupportedLayerError) as caught:
        import_model(functional(shape, make()))
    assert str(caught.value).startswith(text)


def test_every_handled_layer_is_tried_above() -> None:
    tried = {type(make()).__name__ for _, make in SUPPORTED.values()}
    merges = {"Add", "Concatenate"}  # in test_keras_model.py
    assert set(LAYERS) <= tried | set(INFERENCE_IDENTITIES) | merges | {"SpatialDropout1D"}


def test_every_handled_name_is_a_layer_or_operation_of_keras() -> None:
    assert all(hasattr(L, name) for name in LAYERS)
    assert all(hasattr(keras.ops, name.lower()) for name in OPERATIONS)


def test_normalization_learns_its_statistics_from_data() -> None:
    layer = L.Normalization()
    layer.adapt(np.random.default_rng(2).normal(3.0, 2.0, (50, *IMAGE)))
    source = keras.Input(IMAGE)
    assert_imported(keras.Model(source, layer(source)))


def test_an_activation_is_an_operator_named_after_its_layer() -> None:
    graph = import_model(functional(IMAGE, L.Conv2D(2, 3, activation="relu", name="stem"), L.ReLU(name="clip")))
    assert [operator.name for operator in graph.topology.operators] == ["stem", "stem_relu", "clip"]


def test_separable_convolution_is_two_operators() -> None:
    graph = import_model(functional(IMAGE, L.SeparableConv2D(2, 3, name="sep")))
    depthwise, pointwise = graph.topology.operators
    assert (depthwise.name, pointwise.name) == ("sep_depthwise", "sep_pointwise")
    assert operator_constants(depthwise) == ("sep/depthwise_kernel", "sep_depthwise/bias")


def test_a_group_per_channel_is_depthwise() -> None:
    (operator,) = import_model(functional(IMAGE, L.Conv2D(8, 3, groups=4))).topology.operators
    assert isinstance(operator, DepthwiseConv2D)
    assert operator.depth_multiplier == 2


def test_a_missing_bias_is_zeros() -> None:
    graph = import_model(functional(IMAGE, L.Conv2D(2, 3, use_bias=False, name="stem")))
    assert not graph.constants["stem/bias"].any()


@pytest.mark.parametrize("layer", [L.GlobalMaxPooling2D, L.GlobalAveragePooling2D])
@pytest.mark.parametrize("keepdims", [False, True])
def test_global_pooling_reshapes_only_where_the_shape_differs(layer: Any, keepdims: bool) -> None:
    graph = import_model(functional(IMAGE, layer(keepdims=keepdims)))
    assert len(graph.topology.operators) == (2 if keepdims == (layer is L.GlobalAveragePooling2D) else 1)
