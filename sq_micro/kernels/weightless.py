"""Whether the kernels for cores with DSP instructions serve an operator without weights.

They are exact where the factors only scale down; what they do not serve is portable C.
"""

from __future__ import annotations

from sq_micro.quant.arithmetic import Addition, Rescaling

_HALF = (1 << 30, 0)  # multiplier and shift of 1/2
_FOUR_SUMS_PIXELS = 256  # armv7em_dsp/sums.h


def addition_serves(found: Addition) -> bool:
    """Each input's factor is 1/2 or less, the sum's less than 1/2."""
    factors = ((found.left_multiplier, found.left_shift), (found.right_multiplier, found.right_shift))
    return found.output_shift < 0 and all(shift < 0 or (multiplier, shift) == _HALF for multiplier, shift in factors)


def rescaling_serves(found: Rescaling) -> bool:
    """The factor is less than 1/2."""
    return found.shift < 0


def average_serves(taps: int) -> bool:
    """Sums of so many codes stay within 16 bits."""
    return taps <= _FOUR_SUMS_PIXELS
