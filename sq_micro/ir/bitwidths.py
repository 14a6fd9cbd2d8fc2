"""How many bits each operator's weights take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

WEIGHT_BITS = (8, 6, 5, 4, 3, 2)


@dataclass(frozen=True, slots=True)
class Bitwidths:
    """Bits by operator name. Activations are 8 bits."""

    weights: Mapping[str, int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", MappingProxyType(dict(self.weights)))
        for operator, bits in self.weights.items():
            if bits not in WEIGHT_BITS:
                raise ValueError(f"operator '{operator}': {bits} bits; weights take {WEIGHT_BITS}")

    def __str__(self) -> str:
        return " ".join(f"{operator}={bits}" for operator, bits in self.weights.items())
