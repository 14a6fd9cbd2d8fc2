"""The fixed-point constants of each operator, derived from scales exactly as TFLite Micro derives them.

Everything here is a function of the scales and zero points: the reference, the generated C and the
TFLite twin start from the same scales and must arrive at the same integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, frexp
from typing import TypeAlias

import numpy as np

from sq_micro.errors import QuantizationError
from sq_micro.ir.operators import ActivationFunction
from sq_micro.quant.params import ActivationParams, Float32Array, Int32Array


@dataclass(frozen=True, slots=True)
class ChannelRequantization:
    """Conv2D, DepthwiseConv2D, Dense: multiplier and shift per output channel, and the output's clamp."""

    multiplier: Int32Array
    shift: Int32Array
    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True)
class Rescaling:
    """Relu, Requantize: q_out = zero_out + (q_in − zero_in)·multiplier·2^(shift−31), clamped."""

    multiplier: int
    shift: int
    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True)
class Averaging:
    """Mean: as Rescaling on the sum over pixels; the 1/pixels is inside the multiplier."""

    multiplier: int
    shift: int


@dataclass(frozen=True, slots=True)
class Addition:
    """Add: both inputs are shifted left by 20 and brought to twice the larger scale, then to the output's."""

    left_multiplier: int
    left_shift: int
    right_multiplier: int
    right_shift: int
    output_multiplier: int
    output_shift: int
    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True)
class SoftmaxScaling:
    """Softmax: differences to the maximum in Q5.26; those below `diff_min` count as zero."""

    multiplier: int
    shift: int
    diff_min: int


@dataclass(frozen=True, slots=True)
class SigmoidScaling:
    """Sigmoid: inputs in Q4.27; beyond ±radius the output saturates."""

    multiplier: int
    shift: int
    radius: int


Arithmetic: TypeAlias = ChannelRequantization | Rescaling | Averaging | Addition | SoftmaxScaling | SigmoidScaling

SOFTMAX_INTEGER_BITS = 5
SIGMOID_INTEGER_BITS = 4
ADD_LEFT_SHIFT = 20
_BEYOND_ANY_INPUT = 256  # |q − zero_point| is at most 255
_LARGEST_SHIFT = 30  # beyond, Softmax and Sigmoid scale nothing but 0: their diff_min and radius are 0


def derive_multiplier(real: float) -> tuple[int, int]:
    """Split a positive real into (multiplier, shift): real = multiplier · 2^(shift − 31), multiplier in [2^30, 2^31).

    A real below 2^-32 becomes (0, 0), as in TFLite. Source: TFLite `QuantizeMultiplier`.

    >>> derive_multiplier(0.5), derive_multiplier(1.0), derive_multiplier(0.0)
    ((1073741824, 0), (1073741824, 1), (0, 0))
    """
    if real == 0.0:
        return 0, 0
    fraction, exponent = frexp(real)
    multiplier = floor(fraction * (1 << 31) + 0.5)
    if multiplier == 1 << 31:
        multiplier //= 2
        exponent += 1
    return (0, 0) if exponent < -31 else (multiplier, exponent)


def activation_limits(activation: ActivationFunction, output: ActivationParams) -> tuple[int, int]:
    """The codes between which an activation function clamps (TFLite `CalculateActivationRangeQuantized`)."""

    def code(bound: float) -> int:
        scaled = float(np.float32(bound) / np.float32(output.scale))
        return output.zero_point + int(np.copysign(floor(abs(scaled) + 0.5), scaled))

    lower, upper = output.limits
    if activation.minimum is not None:
        lower = max(lower, code(activation.minimum))
    if activation.maximum is not None:
        upper = min(upper, code(activation.maximum))
    return lower, upper


def channel_requantization(
    operator: str,
    source: ActivationParams,
    weight_scale: Float32Array,
    output: ActivationParams,
    activation: ActivationFunction,
) -> ChannelRequantization:
    """in_scale · weight_scale / out_scale per channel. Raises QuantizationError iff a factor is 2^30 or more."""
    pairs = [derive_multiplier(source.scale * float(scale) / output.scale) for scale in weight_scale]
    if any(shift > 30 for _, shift in pairs):
        raise QuantizationError(operator, "its output range is too small for its weights; check the calibration data")
    minimum, maximum = activation_limits(activation, output)
    return ChannelRequantization(
        np.array([multiplier for multiplier, _ in pairs], np.int32),
        np.array([shift for _, shift in pairs], np.int32),
        minimum,
        maximum,
    )


def relu_rescaling(source: ActivationParams, output: ActivationParams, activation: ActivationFunction) -> Rescaling:
    """in_scale / out_scale, divided in float64 as the tflite-micro wheel does (other versions: in float32)."""
    return Rescaling(*derive_multiplier(source.scale / output.scale), *activation_limits(activation, output))


def requantize_rescaling(source: ActivationParams, output: ActivationParams) -> Rescaling:
    """in_scale / out_scale, clamped to the codes that there are."""
    return Rescaling(*derive_multiplier(source.scale / output.scale), *output.limits)


def averaging(source: ActivationParams, output: ActivationParams, pixels: int) -> Averaging:
    """Folds 1/pixels into the multiplier by an integer division, as TFLite's MEAN does (it truncates)."""
    multiplier, shift = derive_multiplier(source.scale / output.scale)
    headroom = min(pixels.bit_length() - 1, 32, 31 + shift)
    return Averaging((multiplier << headroom) // pixels, shift - headroom)


def addition(
    operator: str,
    left: ActivationParams,
    right: ActivationParams,
    output: ActivationParams,
    activation: ActivationFunction,
) -> Addition:
    """Raises QuantizationError iff the output scale is too small against the inputs' for TFLite's ADD."""
    twice_larger = 2.0 * max(left.scale, right.scale)
    output_real = twice_larger / ((1 << ADD_LEFT_SHIFT) * output.scale)
    if output_real >= 1.0:
        raise QuantizationError(operator, "its output range is tiny against its inputs'; check the calibration data")
    return Addition(
        *derive_multiplier(left.scale / twice_larger),
        *derive_multiplier(right.scale / twice_larger),
        *derive_multiplier(output_real),
        *activation_limits(activation, output),
    )


def softmax_scaling(operator: str, source: ActivationParams) -> SoftmaxScaling:
    """Raises QuantizationError iff the input scale is 2^-26 or less, which TFLite's SOFTMAX does not take."""
    real = min(source.scale * (1 << (31 - SOFTMAX_INTEGER_BITS)), (1 << 31) - 1.0)
    if real <= 1.0:
        raise QuantizationError(operator, "its input was always zero; check the weights and the calibration data")
    multiplier, shift = derive_multiplier(real)
    return SoftmaxScaling(multiplier, min(shift, _LARGEST_SHIFT), -_input_radius(SOFTMAX_INTEGER_BITS, shift))


def sigmoid_scaling(source: ActivationParams) -> SigmoidScaling:
    """Input codes to Q4.27, and the radius beyond which the logistic function is 0 or 1."""
    multiplier, shift = derive_multiplier(source.scale * (1 << (31 - SIGMOID_INTEGER_BITS)))
    return SigmoidScaling(multiplier, min(shift, _LARGEST_SHIFT), _input_radius(SIGMOID_INTEGER_BITS, shift))


def _input_radius(integer_bits: int, shift: int) -> int:
    """The largest |input| that does not overflow `integer_bits` after scaling (TFLite `CalculateInputRadius`)."""
    radius = floor(((1 << integer_bits) - 1) * (1 << (31 - integer_bits)) / 2.0**shift)
    return min(radius, _BEYOND_ANY_INPUT)
