"""A network with its float weights, as trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from sq_micro.ir.given import GivenIntegers
from sq_micro.ir.topology import Shape, Topology

Float32Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FloatGraph:
    """Topology and float32 constants.

    input_shape  the model's own input shape without batch, as the person's samples have it;
                 the topology's input tensor holds the same elements as NHWC.
    given        the integers that the model's file prescribes; None: they are to be found
    """

    topology: Topology
    constants: Mapping[str, Float32Array]
    input_shape: Shape
    given: GivenIntegers | None = None

    def __post_init__(self) -> None:
        frozen = {}
        for name, array in self.constants.items():
            constant = np.ascontiguousarray(array, dtype=np.float32)
            if constant is array:
                constant = constant.copy()
            constant.flags.writeable = False
            frozen[name] = constant
        object.__setattr__(self, "constants", MappingProxyType(frozen))

    @property
    def parameters(self) -> int:
        return sum(array.size for array in self.constants.values())
