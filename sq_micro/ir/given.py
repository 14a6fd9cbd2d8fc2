"""The integers that an int8 model file prescribes: they are taken over, not found by calibration and rounding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PREFIX = "given"


@dataclass(frozen=True, slots=True)
class GivenWeights:
    """One operator's weights: codes int8, shaped as in the topology, zero point 0; scale float32 and bias int32 by
    output channel. The bias' scale is that of the input times that of the weights."""

    codes: NDArray[np.int8]
    scale: NDArray[np.float32]
    bias: NDArray[np.int32]

    def __post_init__(self) -> None:
        for array in (self.codes, self.scale, self.bias):
            array.flags.writeable = False


@dataclass(frozen=True, slots=True)
class GivenIntegers:
    """activations: (scale, zero point) of every tensor that operators pass on; weights: by operator name."""

    activations: Mapping[str, tuple[float, int]]
    weights: Mapping[str, GivenWeights]

    def __post_init__(self) -> None:
        object.__setattr__(self, "activations", MappingProxyType(dict(self.activations)))
        object.__setattr__(self, "weights", MappingProxyType(dict(self.weights)))

    def document(self) -> dict[str, list[Any]]:
        """Scales and zero points as plain JSON values."""
        return {name: [scale.hex(), zero_point] for name, (scale, zero_point) in self.activations.items()}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Codes, scales and biases by a path of three parts, which no constant of a graph has."""
        return {
            f"{_PREFIX}/{name}/{what}": array
            for name, weights in self.weights.items()
            for what, array in (("codes", weights.codes), ("scale", weights.scale), ("bias", weights.bias))
        }

    @staticmethod
    def of(document: Mapping[str, list[Any]], arrays: Mapping[str, NDArray[Any]]) -> GivenIntegers:
        """The inverse of `document` and `arrays`. Raises KeyError, TypeError or ValueError iff it is something else."""
        operators = {path.split("/")[1] for path in arrays if is_given(path)}
        weights = {
            name: GivenWeights(*(arrays[f"{_PREFIX}/{name}/{what}"] for what in ("codes", "scale", "bias")))
            for name in sorted(operators)
        }
        activations = {name: (float.fromhex(scale), int(zero)) for name, (scale, zero) in document.items()}
        return GivenIntegers(activations, weights)


def is_given(path: str) -> bool:
    """Whether an array's path is one of `GivenIntegers.arrays`."""
    return path.count("/") == 2 and path.startswith(f"{_PREFIX}/")
