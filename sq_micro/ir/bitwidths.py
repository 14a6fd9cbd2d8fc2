"""How many bits each operator's weights take, and each activation at rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

WEIGHT_BITS = (8, 6, 5, 4, 3, 2)
ACTIVATION_BITS = (8, 4)


@dataclass(frozen=True, slots=True)
class Bitwidths:
    """Bits by operator name; of activations by tensor, 8 where nothing is said."""

    weights: Mapping[str, int]
    activations: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", MappingProxyType(dict(self.weights)))
        narrow = {tensor: bits for tensor, bits in self.activations.items() if bits != ACTIVATION_BITS[0]}
        object.__setattr__(self, "activations", MappingProxyType(narrow))
        for operator, bits in self.weights.items():
            if bits not in WEIGHT_BITS:
                raise ValueError(f"operator '{operator}': {bits} bits; weights take {WEIGHT_BITS}")
        for tensor, bits in narrow.items():
            if bits not in ACTIVATION_BITS:
                raise ValueError(f"tensor '{tensor}': {bits} bits; activations take {ACTIVATION_BITS}")

    def activation(self, tensor: str) -> int:
        """Bits of an activation in the arena."""
        return self.activations.get(tensor, ACTIVATION_BITS[0])

    def __str__(self) -> str:
        activations = (f"{tensor}@{bits}" for tensor, bits in self.activations.items())
        return " ".join([*(f"{operator}={bits}" for operator, bits in self.weights.items()), *activations])


def stored_bytes(elements: int, bits: int) -> int:
    """What an activation takes in the arena: 4-bit codes are packed two a byte.

    >>> stored_bytes(7, 8), stored_bytes(7, 4)
    (7, 4)
    """
    return -(-elements * bits // 8)
