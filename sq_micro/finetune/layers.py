"""The two fake-quant layers: weights and activations that are real numbers, but only those that integers can mean.

    activation   y = s · R(clip(x / s))                           s = s0 · exp(t), t trained; the ends of clip fixed
    weights      w = s · Q(u · d)                                 u, and s = s0 · exp(t) per channel, trained
    bias         b = p · round((b0 + d · r) / p)                  d trained; p = input scale · weight scale

R rounds as the kernels do (`rounded_twice`); Q rounds to the channel's levels (TWOS, MIRRORED or ODD), d is the step
between them. Rounding passes gradients through (straight-through, Bengio et al. 2013), clipping stops them. So the
scale of an activation has LSQ's gradient (Esser et al. 2020), per unit of t: (R(x/s) − x/s) · s inside the range, the
end of the range times s outside. LSQ's factor 1/sqrt(n · q) is left out: Adam's step does not depend on it. The latent
weight u is in units of the scale, so that a scale that moves changes no code, and is kept between the outermost levels.

One learning rate suits all widths, since u is in steps: so many steps of training take a weight to its next level, at 2
bits as at 8. Scales are logarithms, biases move in ranges r of the output.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sq_micro.finetune.backend import keras, ops
from sq_micro.finetune.forward import Tensor
from sq_micro.quant.params import ActivationParams, Levels

Float32Array = NDArray[np.float32]


def round_through(x: Tensor) -> Tensor:
    """The nearest integer; its gradient is that of x."""
    return x + ops.stop_gradient(ops.round(x) - x)


def rounded_twice(x: Tensor, real_multiplier: Tensor) -> Tensor:
    """x as `quant.requantize` rounds it: to a multiple of 2^−r, halves up, then to an integer, halves away from zero.

    r is the right shift of the factor from accumulator to code. Wide weights have r = 8 and more, where the first
    rounding is nothing; 2-bit weights have r = 2, where it sends every eighth value to the farther code.
    """
    exponent = ops.floor(ops.log2(real_multiplier)) + 1
    fine = ops.power(2.0, ops.maximum(-exponent, 0.0))
    once = ops.floor(x * fine + 0.5)
    return ops.sign(once) * ops.floor(ops.abs(once) / fine + 0.5)


@dataclass(frozen=True, slots=True)
class ChannelLevels:
    """The levels of each output channel: offset + step · integer in [low, high]; float32, shaped to broadcast.

    books  `Levels` per channel, int8 (channels,)
    """

    books: NDArray[np.int8]
    low: Float32Array
    high: Float32Array
    step: Float32Array
    offset: Float32Array

    @classmethod
    def of(cls, levels: NDArray[np.int8], bits: int, shape: tuple[int, ...]) -> ChannelLevels:
        """Of `Levels` per channel (channels,); `shape` is 1 but for the channel axis."""
        limits = np.array([Levels(int(level)).limits(bits) for level in levels], np.float32)
        odd = (levels == Levels.ODD).astype(np.float32).reshape(shape)
        return cls(levels, limits[:, 0].reshape(shape), limits[:, 1].reshape(shape), 1 + odd, odd)

    def nearest(self, scaled: Tensor) -> Tensor:
        """The nearest level to a number between the limits, in units of the scale; its gradient is 1."""
        return round_through((scaled - self.offset) / self.step) * self.step + self.offset


class FakeQuantWeights(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """An operator's weights and bias."""

    def __init__(
        self,
        codes: NDArray[np.int8],
        scale: Float32Array,
        bias: Float32Array,
        levels: ChannelLevels,
        output_range: float,
        name: str,
    ) -> None:
        """Start at `codes`, each half a step away from the next: error feedback put many where the trained weight does
        not round to, and one that leaned there would fall back at the first noise of a gradient.

        codes         in the operator's shape; scale, bias (channels,)
        output_range  what the operator's output codes span, real: the unit in which the bias moves
        """
        super().__init__(name=name)
        self.levels = levels
        self._scale = scale
        self._shape = levels.low.shape
        self._bias = bias
        self._output_range = output_range
        self.latent = self._weight("latent", codes.astype(np.float32) / levels.step)
        self.log_scale = self._weight("log_scale", np.zeros_like(scale))
        self.bias_shift = self._weight("bias_shift", np.zeros_like(bias))
        self.built = True

    def _weight(self, name: str, value: Float32Array) -> Tensor:
        def start(shape: tuple[int, ...], dtype: str | None = None) -> Tensor:
            return ops.convert_to_tensor(value.reshape(shape), dtype=dtype)

        return self.add_weight(name=name, shape=value.shape, initializer=start)

    def call(self, input_scale: Tensor) -> tuple[Tensor, Tensor]:
        """(weights, bias) as real numbers that integers can mean."""
        scale = self.scale()
        weights = ops.reshape(scale, self._shape) * self.levels.nearest(self.latent * self.levels.step)
        step = scale * input_scale
        real = self.real_bias()
        return weights, real + ops.stop_gradient(ops.round(real / step) * step - real)

    def scale(self) -> Tensor:
        """(channels,)."""
        return self._scale * ops.exp(self.log_scale)

    def real_bias(self) -> Tensor:
        """(channels,), before rounding."""
        return self._bias + self.bias_shift * self._output_range

    def inside(self, latent: Tensor) -> Tensor:
        """A latent within the levels: beyond them no gradient would bring it back."""
        return ops.clip(latent, self.levels.low / self.levels.step, self.levels.high / self.levels.step)

    def codes(self) -> NDArray[np.int8]:
        """The integers, in the operator's shape."""
        return np.asarray(self.levels.nearest(self.latent * self.levels.step)).astype(np.int8)


class FakeQuantActivation(keras.layers.Layer):  # type: ignore[misc]
    """The tensors of one group: those among which codes move unchanged share a scale."""

    def __init__(self, params: ActivationParams, learned: bool, name: str) -> None:
        super().__init__(name=name)
        self.params = params
        self.log_scale = self.add_weight(name="log_scale", shape=(), initializer="zeros", trainable=learned)
        self.built = True

    def call(self, x: Tensor, accumulator_scale: Tensor | None = None) -> Tensor:
        """Real values to those that the codes can mean.

        accumulator_scale  of the integers that x stands for, one or per channel: they are requantized, in two
                           roundings. None where x is rounded once, as inputs and sums are
        """
        scale, zero = self.scale(), self.params.zero_point
        # Clipped before it is rounded: what rounds to an end of the range is still inside, and keeps its gradient.
        low, high = self.params.limits
        inside = ops.clip(x / scale, low - zero, high - zero)
        rounded = ops.round(inside) if accumulator_scale is None else rounded_twice(inside, accumulator_scale / scale)
        return scale * (inside + ops.stop_gradient(rounded - inside))

    def scale(self) -> Tensor:
        """The present scale, a scalar."""
        return self.params.scale * ops.exp(self.log_scale)

    def codes(self, x: Tensor) -> Tensor:
        """The codes of values that this layer made, as real numbers; gradients pass."""
        return round_through(x / self.scale()) + self.params.zero_point

    def real(self, codes: Tensor) -> Tensor:
        """The values that codes mean."""
        return (codes - self.params.zero_point) * self.scale()
