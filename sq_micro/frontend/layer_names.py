"""Names that C, file names and the command line take: [A-Za-z0-9_], unique over all nested models."""

from __future__ import annotations

import re
from typing import Any

_GENERIC = re.compile(r"(sequential|functional|model)(_\d+)?")


def sanitise(name: str) -> str:
    """A name with an underscore for every character that is not a letter or a digit of ASCII.

    >>> sanitise("block 1/conv-3x3")
    'block_1_conv_3x3'
    """
    return re.sub(r"[^A-Za-z0-9_]", "_", name)


def model_name(keras_name: str, file_stem: str) -> str:
    """The model's own name; the file's where Keras made the name up. Starts with a letter.

    >>> model_name("functional_3", "wake-word"), model_name("digits_cnn", "model")
    ('wake_word', 'digits_cnn')
    """
    name = sanitise(file_stem if _GENERIC.fullmatch(keras_name) else keras_name)
    return name if re.match(r"[A-Za-z]", name) else f"model_{name}"


class LayerNames:
    """The name of every layer in a model and in the models nested in it.

    A layer keeps its own name if it can; on a clash, the one nested deeper is prefixed with its model's.
    """

    def __init__(self, model: Any) -> None:
        self._names: dict[int, str] = {}
        self._taken: set[str] = set()
        level = [("", model)]
        while level:
            nested = []
            for prefix, parent in level:
                for layer in _operations(parent):
                    if is_model(layer):
                        nested.append((f"{prefix}{sanitise(layer.name)}_", layer))
                    elif id(layer) not in self._names:
                        self._name(layer, prefix)
            level = nested

    def __getitem__(self, layer: Any) -> str:
        return self._names[id(layer)]

    def all(self) -> frozenset[str]:
        return frozenset(self._taken)

    def _name(self, layer: Any, prefix: str) -> None:
        plain = sanitise(layer.name)
        name = plain if plain not in self._taken else f"{prefix}{plain}"
        count = 1
        while name in self._taken:
            name = f"{prefix}{plain}_{count}"
            count += 1
        self._names[id(layer)] = name
        self._taken.add(name)


def is_model(layer: Any) -> bool:
    """Whether a layer is a model itself, of whatever class."""
    return hasattr(layer, "layers") and hasattr(layer, "load_weights")


def _operations(model: Any) -> list[Any]:
    """Layers and bare operations of a model, in the order they were made, without its inputs."""
    found = getattr(model, "operations", model.layers)
    return [operation for operation in found if type(operation).__name__ != "InputLayer"]
