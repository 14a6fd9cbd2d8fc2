"""Scale and zero point of a tensor, and the integers that a weight width can hold."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Int8Array = NDArray[np.int8]
Int32Array = NDArray[np.int32]
Float32Array = NDArray[np.float32]

ACTIVATION_MINIMUM, ACTIVATION_MAXIMUM = -128, 127
_LIMITS = {8: (ACTIVATION_MINIMUM, ACTIVATION_MAXIMUM), 4: (0, 15)}  # 4 bits without a sign: a mask unpacks them


@dataclass(frozen=True, slots=True)
class ActivationParams:
    """real = scale · (q − zero_point). The scale is a float32 value, as TFLite stores it.

    bits  8: q in [−128, 127]; 4: q in [0, 15], an int8 of which the arena holds four bits
    """

    scale: float
    zero_point: int
    bits: int = 8

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", float(np.float32(self.scale)))

    @property
    def limits(self) -> tuple[int, int]:
        """The smallest and the largest code.

        >>> ActivationParams(1.0, 0).limits, ActivationParams(1.0, 0, bits=4).limits
        ((-128, 127), (0, 15))
        """
        return _LIMITS[self.bits]

    def quantize(self, real: NDArray[np.floating[Any]]) -> Int8Array:
        """Real values to codes: round half away from zero as TFLite's QUANTIZE, then clamp."""
        scaled = np.asarray(real, dtype=np.float32) / np.float32(self.scale)
        rounded = np.trunc(scaled + np.copysign(np.float32(0.5), scaled)).astype(np.float64)
        return np.asarray(np.clip(rounded + self.zero_point, *self.limits), np.int8)

    def dequantize(self, codes: NDArray[np.integer[Any]]) -> Float32Array:
        """Codes to the real values that they stand for."""
        return ((codes.astype(np.int32) - self.zero_point) * np.float32(self.scale)).astype(np.float32)

    def __str__(self) -> str:
        narrow = "" if self.bits == 8 else f", {self.bits} bits"
        return f"{self.scale:.6g}·(q{-self.zero_point:+d}){narrow}"


@dataclass(frozen=True, slots=True)
class WeightParams:
    """real = scale[channel] · q, zero point 0. `axis` is the output-channel axis of the weights."""

    scale: Float32Array
    bits: int
    axis: int


class Levels(IntEnum):
    """Which integers the codes of a channel mean; the value is the channel's `step` in C.

    For b bits and a two's complement code v:
    TWOS      w = v        −2^(b−1) … 2^(b−1)−1
    MIRRORED  w = −v       −2^(b−1)+1 … 2^(b−1)
    ODD       w = 2v + 1   −3, −1, 1, 3   (2 bits only)
    At 8 bits TFLite's narrow range −127 … 127 is used, with TWOS.
    """

    TWOS = 1
    MIRRORED = -1
    ODD = 2

    def limits(self, bits: int) -> tuple[int, int]:
        """The smallest and the largest weight.

        >>> Levels.TWOS.limits(4), Levels.MIRRORED.limits(4), Levels.ODD.limits(2), Levels.TWOS.limits(8)
        ((-8, 7), (-7, 8), (-3, 3), (-127, 127))
        """
        half = 1 << (bits - 1)
        if bits == 8:
            return -127, 127
        match self:
            case Levels.TWOS:
                return -half, half - 1
            case Levels.MIRRORED:
                return 1 - half, half
            case Levels.ODD:
                return 1 - 2 * half, 2 * half - 1

    @staticmethod
    def of_width(bits: int, int4: bool = False) -> tuple[Levels, ...]:
        """The codebooks that a channel of this width may choose from.

        int4  only such as TFLite's int4 holds, −8 … 7: 4 bits are then never mirrored
        """
        if bits == 8 or (bits == 4 and int4):
            return (Levels.TWOS,)
        return (Levels.TWOS, Levels.MIRRORED, Levels.ODD) if bits == 2 else (Levels.TWOS, Levels.MIRRORED)
