"""How the files in this folder were made: `python make.py FOLDER` with tensorflow-cpu 2.21.0 and keras 3.15.1.

They are what TensorFlow's converter writes of two small Keras networks with random weights: `image` has every image
operator that is taken, `sequence` 1-D layers. TensorFlow itself is no dependency, so the files are kept.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

KINDS = ("float", "float16", "int8", "int8_float_ends", "int8_uint8_ends", "int16")


def image_network() -> keras.Model:
    source = keras.Input((12, 10, 3), name="image")
    a = layers.Conv2D(6, 3, strides=2, padding="same", use_bias=False)(source)
    a = layers.ReLU(6.0)(layers.BatchNormalization()(a))
    b = layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same", activation="relu")(a)
    b = layers.Conv2D(6, (2, 3), padding="valid")(layers.ZeroPadding2D(((1, 0), (0, 2)))(b))
    joined = layers.ReLU()(layers.Add()([a, b]))
    parts = [
        layers.Conv2D(4, 3, padding="same", activation="relu")(joined),
        layers.AveragePooling2D(3, 1, padding="same")(joined),
        layers.MaxPooling2D(3, 1, padding="same")(joined),
    ]
    t = layers.ReLU(max_value=4.0)(layers.Concatenate()(parts))
    means = layers.Flatten()(layers.GlobalAveragePooling2D(keepdims=True)(t))
    u = layers.Concatenate()([means, layers.GlobalMaxPooling2D()(t)])
    u = layers.Dense(7, activation="relu")(u)
    return keras.Model(source, layers.Dense(1, activation="sigmoid")(u))


def sequence_network() -> keras.Model:
    source = keras.Input((20, 3), name="signal")
    a = layers.Conv1D(8, 5, strides=2, padding="same", activation="relu")(source)
    a = layers.SeparableConv1D(8, 3, padding="same", activation="relu6")(a)
    a = layers.GlobalAveragePooling1D()(layers.MaxPooling1D(2)(a))
    return keras.Model(source, layers.Dense(4, activation="softmax")(a))


def converted(model: keras.Model, samples: np.ndarray, kind: str) -> bytes:
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if kind == "float":
        return converter.convert()
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "float16":
        converter.target_spec.supported_types = [tf.float16]
    elif kind != "dynamic":

        def representative() -> Iterator[list[np.ndarray]]:
            yield from ([sample[None].astype(np.float32)] for sample in samples)

        converter.representative_dataset = representative
        operators = tf.lite.OpsSet.TFLITE_BUILTINS_INT8
        if kind == "int16":
            operators = tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        converter.target_spec.supported_ops = [operators]
        ends = {"int8": tf.int8, "int8_uint8_ends": tf.uint8}.get(kind, tf.float32)
        converter.inference_input_type = converter.inference_output_type = ends
    return converter.convert()


def main(folder: Path) -> None:
    keras.utils.set_random_seed(1)
    random = np.random.default_rng(0)
    for name, model in (("image", image_network()), ("sequence", sequence_network())):
        for layer in model.layers:
            if isinstance(layer, layers.BatchNormalization):
                shape = layer.gamma.shape
                gamma, variance = random.uniform(0.5, 1.5, (2, *shape))
                beta, mean = random.normal(0, 0.3, (2, *shape))
                layer.set_weights([gamma, beta, mean, variance])
        samples = random.uniform(0, 1, (50, *model.input_shape[1:]))
        for kind in KINDS if name == "image" else ("float", "int8"):
            (folder / f"{name}_{kind}.tflite").write_bytes(converted(model, samples, kind))
    source = keras.Input((8, 8, 1))
    (folder / "transposed_float.tflite").write_bytes(
        converted(keras.Model(source, layers.Conv2DTranspose(2, 3)(source)), np.zeros((1, 8, 8, 1)), "float")
    )
    source = keras.Input((40,))  # the converter leaves smaller weights than these as float
    dense = keras.Model(source, layers.Dense(40)(source))
    (folder / "dense_dynamic.tflite").write_bytes(converted(dense, np.zeros((1, 40)), "dynamic"))
    left, right = keras.Input((4,)), keras.Input((4,))
    two = keras.Model([left, right], layers.Dense(2)(layers.Add()([left, right])))
    (folder / "two_inputs_float.tflite").write_bytes(converted(two, np.zeros((1, 4)), "float"))
    source = keras.Input((None, 8, 1))
    open_ = keras.Model(source, layers.Conv2D(2, 3)(source))
    (folder / "open_float.tflite").write_bytes(converted(open_, np.zeros((1, 8, 8, 1)), "float"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
