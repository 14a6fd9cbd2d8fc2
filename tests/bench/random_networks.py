"""Networks of MLPerf Tiny for which no trained weights are at hand: their shapes, with random weights; and one of
depthwise windows of many kinds.

What a network costs does not depend on its weights, except that a filter of zeros could be left out; these have none.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "numpy")
import keras

_CALIBRATION, _EVALUATION = 32, 8


def autoencoder() -> keras.Model:
    """640-128x4-8-128x4-640, the shape of MLPerf Tiny's anomaly detector without its batch normalisation."""
    keras.utils.set_random_seed(0)
    inputs = x = keras.Input((640,))
    for units in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        x = keras.layers.Dense(units, activation="relu", kernel_initializer="he_normal")(x)
    return keras.Model(inputs, keras.layers.Dense(640)(x), name="autoencoder")


def mobilenet() -> keras.Model:
    """MobileNetV1 0.25 on 96x96x3 with two classes, the shape of MLPerf Tiny's visual wake words."""
    keras.utils.set_random_seed(1)
    layers = keras.layers
    inputs = keras.Input((96, 96, 3))
    x = layers.ReLU()(layers.Conv2D(8, 3, 2, "same", kernel_initializer="he_normal")(inputs))
    blocks = ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *((128, 1),) * 5, (256, 2), (256, 1))
    for channels, stride in blocks:
        spread = keras.initializers.RandomNormal(stddev=0.47)  # he_normal takes the fan-in of a depthwise window wrong
        x = layers.ReLU()(layers.DepthwiseConv2D(3, stride, "same", depthwise_initializer=spread)(x))
        x = layers.ReLU()(layers.Conv2D(channels, 1, kernel_initializer="he_normal")(x))
    x = layers.Flatten()(layers.AveragePooling2D(3)(x))
    return keras.Model(inputs, layers.Dense(2, activation="softmax")(x), name="mobilenet")


def windows() -> keras.Model:
    """Depthwise layers one behind the other: a depth multiplier, square and long windows, strides, dilation, 1-D."""
    keras.utils.set_random_seed(3)
    layers = keras.layers
    inputs = x = keras.Input((48, 48, 1))
    kinds: tuple[tuple[tuple[int, int], dict[str, int]], ...] = (
        ((3, 3), {"strides": 2, "depth_multiplier": 16}),
        ((5, 5), {}),
        ((7, 7), {}),
        ((3, 1), {}),
        ((9, 1), {}),
        ((1, 9), {}),
        ((3, 3), {"dilation_rate": 2}),
        ((5, 5), {"strides": 2}),
        ((5, 5), {}),
        ((7, 7), {"strides": 2}),
        ((5, 5), {}),
    )
    for window, options in kinds:
        spread = keras.initializers.RandomNormal(stddev=(2 / (window[0] * window[1])) ** 0.5)
        depthwise = layers.DepthwiseConv2D(window, padding="same", depthwise_initializer=spread, **options)
        x = layers.ReLU()(depthwise(x))
    x = layers.Reshape((1, 36, 16))(x)
    for taps in (3, 9):
        spread = keras.initializers.RandomNormal(stddev=(2 / taps) ** 0.5)
        depthwise = layers.DepthwiseConv2D((1, taps), padding="same", depthwise_initializer=spread)
        x = layers.ReLU()(depthwise(x))
    return keras.Model(inputs, layers.Dense(2, activation="softmax")(layers.Flatten()(x)), name="windows")


def write(model: keras.Model, folder: Path) -> Path:
    """`model.keras`, `calib.npz` and `eval.npz`, as the trained networks have them."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save(folder / "model.keras")
    rng = np.random.default_rng(2)
    for name, count in (("calib", _CALIBRATION), ("eval", _EVALUATION)):
        x = rng.normal(size=(count, *model.input_shape[1:])).astype(np.float32)
        np.savez(folder / f"{name}.npz", x=x)
    return folder
