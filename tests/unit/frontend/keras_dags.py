"""Random Keras models with branches, drawn by Hypothesis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.unit.frontend.keras_models import keras, randomise

L = keras.layers
Draw = Callable[[st.SearchStrategy[Any]], Any]

_IMAGE_LAYERS = (
    lambda: L.Conv2D(3, 3, padding="same", activation="relu"),
    lambda: L.Conv2D(4, 2, strides=2, padding="same", use_bias=False),
    lambda: L.DepthwiseConv2D(3, padding="same", depth_multiplier=2),
    lambda: L.SeparableConv2D(3, 2, padding="same"),
    lambda: L.BatchNormalization(),
    lambda: L.Rescaling(0.5, offset=0.25),
    lambda: L.Rescaling(-2.0),
    lambda: L.ReLU(),
    lambda: L.ReLU(1.0),
    lambda: L.Activation("sigmoid"),
    lambda: L.MaxPooling2D(2, padding="same"),
    lambda: L.AveragePooling2D(2, strides=1, padding="same"),
    lambda: L.ZeroPadding2D(1),
    lambda: keras.Sequential([L.Dropout(0.5), L.ReLU(0.75)]),  # alone, a Dropout might be the whole model
    lambda: L.Dense(3),
    lambda: L.Reshape((-1, 2)),
)
_SEQUENCE_LAYERS = (
    lambda: L.Conv1D(4, 3, padding="causal", activation="relu"),
    lambda: L.SeparableConv1D(3, 2, padding="same"),
    lambda: L.BatchNormalization(),
    lambda: L.ReLU(6.0),
    lambda: L.MaxPooling1D(2, padding="same"),
    lambda: L.ZeroPadding1D(1),
    lambda: L.Dense(4),
    lambda: L.Softmax(),
)
_VECTOR_LAYERS = (
    lambda: L.Dense(5, activation="relu"),
    lambda: L.Dense(4),
    lambda: L.BatchNormalization(),
    lambda: L.Rescaling(-0.5, offset=1.0),
    lambda: L.ReLU(),
    lambda: L.Activation("sigmoid"),
    lambda: L.Softmax(),
)
_BY_RANK = {1: _VECTOR_LAYERS, 2: _SEQUENCE_LAYERS, 3: _IMAGE_LAYERS}
_TO_VECTOR = {
    2: (lambda: L.Flatten(), lambda: L.GlobalAveragePooling1D(), lambda: L.GlobalMaxPooling1D()),
    3: (lambda: L.Flatten(), lambda: L.GlobalAveragePooling2D(), lambda: L.GlobalMaxPooling2D()),
}
_MOST_LAYERS = 9


def random_model(draw: Draw) -> Any:
    """A Functional model of up to nine layers: branches, joins, layers called twice, dead ends.

    No strategy of its own: Keras uses `random` while it builds layers, which Hypothesis forbids inside strategies.
    """
    shape = draw(st.sampled_from([(6, 5, 2), (4, 4, 3), (8, 2), (6,)]))
    source = keras.Input(shape)
    tensors, layers = [source], []
    for _ in range(draw(st.integers(1, _MOST_LAYERS))):
        # Mostly the newest tensor, so that models grow long, now and then an older one, so that they branch.
        tensor = draw(st.sampled_from([tensors[-1], tensors[-1], *tensors]))
        tensors.append(
            draw(st.sampled_from([_step, _step, _step, _join, _again, _to_vector]))(draw, tensor, tensors, layers)
        )
    return randomise(keras.Model(source, tensors[-1]), seed=draw(st.integers(0, 2**16)))


def _step(draw: Draw, tensor: Any, tensors: list[Any], layers: list[Any]) -> Any:
    choices = _BY_RANK[len(tensor.shape) - 1]
    if len(tensor.shape) == 4 and (tensor.shape[1] * tensor.shape[2] * tensor.shape[3]) % 2:
        choices = choices[:-1]  # an odd number of elements does not make pairs
    layer = draw(st.sampled_from(choices))()
    layers.append((layer, tuple(tensor.shape)))
    return layer(tensor)


def _join(draw: Draw, tensor: Any, tensors: list[Any], layers: list[Any]) -> Any:
    other = draw(st.sampled_from([each for each in tensors if each.shape == tensor.shape]))
    return draw(st.sampled_from([L.Add, L.Concatenate]))()([tensor, other])


def _again(draw: Draw, tensor: Any, tensors: list[Any], layers: list[Any]) -> Any:
    fitting = [layer for layer, shape in layers if shape == tuple(tensor.shape)]
    return draw(st.sampled_from(fitting))(tensor) if fitting else _step(draw, tensor, tensors, layers)


def _to_vector(draw: Draw, tensor: Any, tensors: list[Any], layers: list[Any]) -> Any:
    choices = _TO_VECTOR.get(len(tensor.shape) - 1)
    return draw(st.sampled_from(choices))()(tensor) if choices else _step(draw, tensor, tensors, layers)
