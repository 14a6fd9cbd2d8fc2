"""Train the small CNN of the demo on scikit-learn's digits and save it as digits.keras. About a minute on a CPU."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras  # after its backend is chosen
import numpy as np
from samples import split

EPOCHS = 60


def build() -> keras.Model:
    """A depthwise-separable CNN of 5,000 parameters for (8, 8, 1) images."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 1), name="image"),
            layers.Conv2D(8, 3, padding="same", use_bias=False, name="stem"),
            layers.BatchNormalization(name="stem_norm"),
            layers.ReLU(name="stem_relu"),
            layers.DepthwiseConv2D(3, padding="same", use_bias=False, name="depthwise"),
            layers.BatchNormalization(name="depthwise_norm"),
            layers.ReLU(name="depthwise_relu"),
            layers.Conv2D(16, 1, use_bias=False, name="pointwise"),
            layers.BatchNormalization(name="pointwise_norm"),
            layers.ReLU(name="pointwise_relu"),
            layers.MaxPooling2D(2, name="pool"),
            layers.Conv2D(24, 3, padding="same", activation="relu", name="conv"),
            layers.GlobalAveragePooling2D(name="mean"),
            layers.Dense(24, activation="relu", name="hidden"),
            layers.Dense(10, activation="softmax", name="digit"),
        ],
        name="digits",
    )


def save_compressed(model: keras.Model, path: Path) -> None:
    """Keras stores its zip uncompressed; half of a small model's file is padding that deflates away."""
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def main() -> None:
    """Train, print the accuracy, save beside this file."""
    keras.utils.set_random_seed(7)
    train_x, eval_x, train_y, eval_y = split()
    train, evaluation = (x.astype(np.float32) / 16 for x in (train_x, eval_x))
    model = build()
    schedule = keras.optimizers.schedules.CosineDecay(3e-3, EPOCHS * (len(train) // 32 + 1))
    model.compile(keras.optimizers.Adam(schedule), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(train, train_y, batch_size=32, epochs=EPOCHS, verbose=0)
    print(f"accuracy on {len(evaluation)} held-out digits: {model.evaluate(evaluation, eval_y, verbose=0)[1]:.4f}")
    bare = keras.models.clone_model(model)  # without the optimizer's state
    bare.set_weights(model.get_weights())
    save_compressed(bare, Path(__file__).with_name("digits.keras"))


if __name__ == "__main__":
    main()
