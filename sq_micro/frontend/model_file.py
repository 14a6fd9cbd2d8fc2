"""Opens model files with Keras, and says in one line why one cannot be opened."""

from __future__ import annotations

import json
import logging
import os
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sq_micro.errors import ModelError, UnsupportedLayerError, UsageError
from sq_micro.frontend.keras_layers import SUPPORTED

_TAKEN = "sq-micro takes .keras files, .h5 files of whole Keras models, and .tflite files"
_HDF5_SUFFIXES = (".h5", ".hdf5")
_MODELS = ("Functional", "Model", "Sequential")
_REASON_LENGTH = 160


def read_model(path: Path) -> Any:
    """The Keras model in a file, without its optimizer.

    Raises UsageError iff there is no such file or its format is another, UnsupportedLayerError for Lambda and
    custom layers, ModelError iff the file is damaged or Keras cannot read it.
    """
    _check_path(path)
    config = _read_config(path)
    keras = _import_keras()
    _check_layers(config, path, keras.layers)
    custom_objects = _keras_2_classes(keras) if path.suffix.lower() in _HDF5_SUFFIXES else None
    absl = logging.getLogger("absl")
    level = absl.level
    try:
        absl.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return keras.models.load_model(path, custom_objects=custom_objects, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever its layers' constructors do
        raise _unreadable(path, _one_line(error)) from error
    finally:
        absl.setLevel(level)


def _check_path(path: Path) -> None:
    if path.is_dir() and (path / "saved_model.pb").exists():
        raise ModelError(
            f"{path}: is a TensorFlow SavedModel, which Keras 3 cannot open; where TensorFlow is installed, save it "
            'again: tf_keras.models.load_model(…).save("model.h5"), or model.save("model.keras") from Keras 3'
        )
    suffix = path.suffix.lower()
    if suffix not in (".keras", *_HDF5_SUFFIXES) and (path.exists() or suffix):
        raise UsageError(
            f"{path}: {'a folder' if path.is_dir() else f'format {suffix or path.name}'} is not taken; {_TAKEN}"
        )
    if not path.is_file():
        raise UsageError(f"{path}: no such file")


def _read_config(path: Path) -> Any:
    """The model's architecture as plain JSON values."""
    try:
        if path.suffix.lower() == ".keras":
            with zipfile.ZipFile(path) as archive:
                return json.loads(archive.read("config.json"))
        import h5py  # imported here since only .h5 files need it

        with h5py.File(path) as file:
            text = file.attrs.get("model_config")
        if text is not None:
            return json.loads(text)
    except Exception as error:  # of a damaged file, zlib, zipfile, json and HDF5 each say it in their own class
        raise _unreadable(path, _one_line(error)) from error
    raise _unreadable(path, "it holds weights alone; save the whole model with model.save")


def _check_layers(config: Any, path: Path, built_in: Any) -> None:
    """Refuse by name what Keras would refuse, or run, while loading: Lambda layers and classes of one's own.

    built_in  keras.layers: Keras 2 files do not say which module a class is from.
    """
    for entry in _layers(config):
        kind, settings = entry["class_name"], entry["config"]
        name = settings.get("name", kind)
        if kind == "Lambda":
            raise UnsupportedLayerError(name, "Lambda", SUPPORTED)
        known = "module" in entry or kind in _MODELS or hasattr(built_in, kind)
        if _is_foreign(entry) or not known:
            if entry is config:
                raise ModelError(f"{path}: is a subclassed model, {kind}; rebuild it as a Functional model")
            raise UnsupportedLayerError(name, f"{kind}, which is no layer of Keras itself,", SUPPORTED)
        for setting, value in settings.items():
            if isinstance(value, dict) and _is_foreign(value):
                own = value["config"] if isinstance(value.get("config"), str) else value["class_name"]
                raise UnsupportedLayerError(
                    name, f"{kind} with {setting}={own}, which Keras does not define,", "what Keras defines"
                )


def _layers(entry: Any) -> Iterator[dict[str, Any]]:
    """A serialized layer and, if it is a model, all layers in it."""
    if isinstance(entry, dict) and isinstance(entry.get("config"), dict) and isinstance(entry.get("class_name"), str):
        yield entry
        for inner in entry["config"].get("layers") or ():
            yield from _layers(inner)


def _is_foreign(entry: dict[str, Any]) -> bool:
    """Whether a serialized object, as far as it says so, is of a class or function that Keras does not define."""
    return "class_name" in entry and "module" in entry and str(entry["module"]).split(".")[0] != "keras"


def _import_keras() -> Any:
    """Keras, on the backend that starts fastest unless the environment asks for another."""
    os.environ.setdefault("KERAS_BACKEND", "numpy")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("JAX_PLATFORMS", "cpu")  # JAX warns where it finds no accelerator
    try:
        import keras
    except ImportError as error:
        backend = os.environ["KERAS_BACKEND"]
        raise UsageError(f"Keras does not start on KERAS_BACKEND={backend}: {_one_line(error)}") from error
    return keras


def _keras_2_classes(keras: Any) -> dict[str, Any]:
    """Stand-ins for layers whose Keras 2 configuration holds settings that Keras 3 refuses to read."""

    def reader(layer_class: Any) -> Any:
        class Reader:
            @classmethod
            def from_config(cls, config: dict[str, Any]) -> Any:
                """The layer of Keras 3, without the settings that it inherited in Keras 2 and never used."""
                unused = ("groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint")
                known = {key: value for key, value in config.items() if key not in unused}
                return layer_class.from_config(known)

        return Reader

    names = ("DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D")
    return {name: reader(getattr(keras.layers, name)) for name in names}


def _unreadable(path: Path, reason: str) -> ModelError:
    return ModelError(f"{path}: is not a readable Keras model: {reason}")


def _one_line(error: BaseException) -> str:
    text = str(error).rpartition("Exception encountered:")[2]  # Keras puts the cause last, behind the whole config
    lines = text.strip().splitlines() or [type(error).__name__]
    first = lines[0].strip()
    if " " not in first:  # a bare KeyError says no more than the key
        first = f"{type(error).__name__} {first}"
    return first if len(first) <= _REASON_LENGTH else first[:_REASON_LENGTH].rstrip() + "…"
