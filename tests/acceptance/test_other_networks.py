"""Networks that nobody tuned for: MobileNetV1 as Keras builds it, and one of 1-D layers."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sq_micro.board import load_board
from tests.acceptance.command_line import sq_micro

os.environ.setdefault("KERAS_BACKEND", "numpy")


def deployed(model: Any, folder: Path, board: str, bits: str) -> dict[str, Any]:
    """Random weights, random samples; what counts is that every output byte is TFLite Micro's."""
    random = np.random.default_rng(7)
    for layer in model.layers:
        if layer.__class__.__name__ == "BatchNormalization":
            layer.set_weights([random.uniform(0.5, 1.5, weight.shape) for weight in layer.get_weights()])
    model.save(folder / "model.keras")
    np.savez(folder / "calib.npz", x=random.normal(size=(8, *model.input_shape[1:])).astype(np.float32))
    arguments = ["deploy", folder / "model.keras", "--board", board, "--calibrate", folder / "calib.npz"]
    arguments += ["--weight-bits", bits, "--samples", "4", "--runs", "1", "--out", folder / "out"]
    ran = sq_micro(*arguments)
    assert ran.code == 0, ran.err
    result: dict[str, Any] = json.loads((folder / "out/result.json").read_text())
    assert result["verification"]["oracle"].startswith("tflite-micro")
    assert result["verification"]["identical"] == 4
    return result


@pytest.mark.slow
@pytest.mark.simulator
@pytest.mark.parametrize("bits", ["8", "3"])
def test_mobilenet_v1_goes_the_same_path(tmp_path: Path, bits: str) -> None:
    import keras

    model = keras.applications.MobileNet((96, 96, 3), alpha=0.25, weights=None, classes=10)
    result = deployed(model, tmp_path, "nucleo_l4r5zi", bits)
    assert result["model"]["macs"] > 7_000_000
    assert result["memory"]["sram_bytes"]["total"] < 160_000


@pytest.mark.simulator
@pytest.mark.parametrize("bits", ["8", "2"])
def test_a_network_of_1d_layers_goes_the_same_path(tmp_path: Path, bits: str) -> None:
    import keras
    from keras import layers

    source = keras.Input((64, 3))
    x = layers.Conv1D(8, 5, padding="causal", activation="relu")(source)
    x = layers.SeparableConv1D(12, 3, strides=2, padding="same")(x)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU(max_value=6.0)(x)
    x = layers.MaxPooling1D(2)(x)
    x = layers.Concatenate()([x, layers.Conv1D(12, 3, dilation_rate=2, padding="same")(x)])
    x = layers.GlobalAveragePooling1D()(x)
    model = keras.Model(source, layers.Dense(1, activation="sigmoid")(x), name="one_dimensional")
    result = deployed(model, tmp_path, "nucleo_l4r5zi", bits)
    assert result["model"]["name"] == "one_dimensional"


def test_filters_of_zeros_are_computed_by_nobody(tmp_path: Path) -> None:
    """TFLite Micro computes the whole network, the firmware what is left, and every output byte is the same."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)  # of some weights another filter is dead
    source = keras.Input((12, 12, 3))
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(source)
    x = layers.DepthwiseConv2D(3, padding="same", activation="relu")(x)
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 1)(x))
    model = keras.Model(source, layers.Dense(3, activation="softmax")(x), name="dead_filters")
    kernel, bias = model.layers[1].get_weights()
    kernel[..., ::2] = 0
    model.layers[1].set_weights([kernel, bias])
    result = deployed(model, tmp_path, "host", "4")
    operators = result["measurement"]["operators"]
    assert operators[0]["macs"] * 2 == 12 * 12 * 9 * 3 * 8
    assert sum(operator["macs"] for operator in operators) == result["model"]["executed_macs"]
    assert result["model"]["executed_macs"] < 0.51 * result["model"]["macs"]


def test_a_board_with_little_sram_computes_the_first_layers_in_patches(tmp_path: Path) -> None:
    """On 12 KiB, of which the tensors that are largest together take 16 when they are whole."""
    import keras
    from keras import layers

    source = keras.Input((32, 32, 3))
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(source)
    x = layers.DepthwiseConv2D(3, padding="same", activation="relu")(x)
    x = layers.Conv2D(16, 1, activation="relu")(x)
    x = layers.DepthwiseConv2D(3, strides=2, padding="same", activation="relu")(x)
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(8, 1, activation="relu")(x))
    model = keras.Model(source, layers.Dense(4, activation="softmax")(x), name="head")
    nucleo = load_board("nucleo_l4r5zi")
    assert nucleo.sram is not None
    board = tmp_path / "small.toml"
    text = nucleo.source_file.read_text(encoding="utf-8")
    board.write_text(text.replace("size_bytes = { value = 655_360", "size_bytes = { value = 12_288"), encoding="utf-8")
    result = deployed(model, tmp_path, str(board), "4")
    patches = result["memory"]["plan"]["patches"]
    assert len(patches["operators"]) >= 4
    assert result["memory"]["sram_bytes"]["total"] <= 12_288
    first, *_ = result["measurement"]["operators"]
    assert first["cycles"] is None
    assert any("patches" in note for note in result["measurement"]["notes"])
