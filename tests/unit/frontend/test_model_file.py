"""Files: every format that is taken, and one clear line for every other."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from sq_micro.errors import ModelError, SqMicroError, UnsupportedLayerError, UsageError
from sq_micro.frontend.keras_model import load_keras
from tests.unit.frontend.keras_models import assert_close, functional, keras, run_graph, run_keras, samples_for

L = keras.layers
IMAGE = (6, 6, 3)


def small_model() -> Any:
    return functional(
        IMAGE,
        L.DepthwiseConv2D(3, padding="same", name="depthwise"),
        L.SeparableConv2D(4, 2, name="separable"),
        L.BatchNormalization(),
        L.ReLU(6.0),
        L.GlobalAveragePooling2D(),
        L.Dense(3, activation="softmax"),
        name="small",
    )


def assert_loaded(path: Path, model: Any) -> None:
    samples = samples_for(model)
    assert_close(run_graph(load_keras(path), samples), run_keras(model, samples))


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".hdf5"])
def test_saved_models_compute_what_they_did(tmp_path: Path, suffix: str) -> None:
    model = small_model()
    # Keras writes HDF5 under the suffix .h5 alone, yet people rename.
    saved = tmp_path / f"saved{'.h5' if suffix == '.hdf5' else suffix}"
    model.save(saved)
    assert_loaded(saved.rename(tmp_path / f"model{suffix}"), model)


def test_a_compiled_model_loads_without_its_loss(tmp_path: Path) -> None:
    model = small_model()
    model.compile(loss=lambda truth, guess: guess, optimizer="adam")
    model.save(tmp_path / "model.keras")
    assert_loaded(tmp_path / "model.keras", model)


def test_keras_2_files_with_depthwise_layers_load(tmp_path: Path) -> None:
    model, path = small_model(), tmp_path / "model.h5"
    model.save(path)
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        for layer in config["config"]["layers"]:
            if layer["class_name"] in ("DepthwiseConv2D", "SeparableConv2D"):  # what Keras 2 wrote beside the rest
                layer["config"] |= {"groups": 1, "kernel_initializer": None, "kernel_constraint": None}
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = "2.15.0"
    assert_loaded(path, model)


@pytest.mark.parametrize(("name", "expected"), [("small", "small"), (None, "wake_word")])
def test_the_graph_is_named_after_the_model_or_else_the_file(tmp_path: Path, name: str | None, expected: str) -> None:
    functional(IMAGE, L.ReLU(), name=name).save(tmp_path / "wake-word.keras")
    assert load_keras(tmp_path / "wake-word.keras").topology.name == expected


def written(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def saved_model_folder(path: Path) -> None:
    path.mkdir()
    (path / "saved_model.pb").touch()


def truncated(path: Path) -> None:
    small_model().save(path)
    path.write_bytes(path.read_bytes()[:-2000])


def weights_missing(path: Path) -> None:
    small_model().save(path)
    with h5py.File(path, "r+") as file:
        del file["model_weights"]["depthwise"]


def weights_only(path: Path) -> None:
    small_model().save_weights(path)


def broken_setting(path: Path) -> None:
    small_model().save(path)
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = file.attrs["model_config"].replace('"padding": "same"', '"padding": "some"')


@pytest.mark.parametrize(
    ("name", "make", "error", "text"),
    [
        ("gone.keras", lambda path: None, UsageError, "no such file"),
        ("gone", lambda path: None, UsageError, "no such file"),
        ("model.pb", written(b""), UsageError, "format .pb is not taken; sq-micro takes .keras files, .h5"),
        ("gone.onnx", lambda path: None, UsageError, "format .onnx is not taken"),
        ("model.pt", written(b""), UsageError, "format .pt is not taken"),
        ("model", written(b""), UsageError, "format model is not taken"),
        ("folder", Path.mkdir, UsageError, "a folder is not taken"),
        ("saved", saved_model_folder, ModelError, "is a TensorFlow SavedModel, which Keras 3 cannot open; where"),
        ("empty.keras", written(b""), ModelError, "is not a readable Keras model: File is not a zip file"),
        ("text.h5", written(b"text"), ModelError, "is not a readable Keras model: Unable to synchronously open file"),
        ("cut.keras", truncated, ModelError, "is not a readable Keras model: "),
        ("x.weights.h5", weights_only, ModelError, "is not a readable Keras model: it holds weights alone; save the"),
        ("missing.h5", weights_missing, ModelError, "is not a readable Keras model: "),
        ("setting.h5", broken_setting, ModelError, "is not a readable Keras model: "),
    ],
)
def test_files_that_cannot_be_read_say_why_in_one_line(
    tmp_path: Path, name: str, make: Callable[[Path], object], error: type[SqMicroError], text: str
) -> None:
    path = tmp_path / name
    make(path)
    with pytest.raises(error) as caught:
        load_keras(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: {text}")
    assert "\n" not in message
    assert len(message) < len(str(path)) + 300


class Own(L.Layer):
    def call(self, inputs: Any) -> Any:
        return inputs


class OwnModel(keras.Model):
    def call(self, inputs: Any) -> Any:
        return inputs


def own_activation(inputs: Any) -> Any:
    return inputs


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Own(name="x"), "layer 'x': Own, which is no layer of Keras itself, is not supported; supported: "),
        (
            lambda: L.Lambda(lambda tensor: tensor, name="x"),
            "layer 'x': Lambda is not supported; supported: the layers",
        ),
        (lambda: L.Dense(2, activation=own_activation, name="x"), "layer 'x': Dense with activation=own_activation, "),
    ],
)
def test_code_of_ones_own_is_refused_by_name(tmp_path: Path, make: Callable[[], Any], text: str, suffix: str) -> None:
    inner = keras.Sequential([keras.Input(IMAGE), make()])
    functional(IMAGE, inner).save(tmp_path / f"model{suffix}")
    with pytest.raises(UnsupportedLayerError) as caught:
        load_keras(tmp_path / f"model{suffix}")
    assert str(caught.value).startswith(text)


def test_a_subclassed_model_is_refused(tmp_path: Path) -> None:
    model = OwnModel()
    model(np.zeros((1, *IMAGE)))
    model.save(tmp_path / "model.keras")
    with pytest.raises(ModelError, match=r"is a subclassed model, OwnModel; rebuild it as a Functional model"):
        load_keras(tmp_path / "model.keras")
