"""What to try for an operator that brings much noise, by the kind of noise that it is."""

from __future__ import annotations

from typing import Literal

from sq_micro.fidelity.isolate import Isolated
from sq_micro.ir.bitwidths import WEIGHT_BITS
from sq_micro.quant.observers import ObserverName
from sq_micro.rounding import RoundingMethod

WeightLevels = RoundingMethod | Literal["given"]
"""What chose the levels of weights; given: the file of an int8 model."""

CLIPPED = 0.01  # a share of clipped values that is worth a word
OUTLIERS = 24.0  # range over root mean square: a uniform distribution has 3.5, a normal one clipped at 4 sigma 8
_APART_DB = 3.0  # one kind of noise decides if it has twice the power of the other


def hint(found: Isolated, bits: int | None, observer: ObserverName, rounding: WeightLevels) -> str:
    """One sentence. bits are of its weights, None without; observer chose the ranges, rounding the weights' levels."""
    weights, steps = _noise(found.weights_db), _noise(found.steps_db)
    if bits is not None and weights > steps * 10 ** (_APART_DB / 10):
        return _weights_hint(found.operator, bits, rounding)
    if found.clipped >= CLIPPED:
        text = f"{found.clipped:.1%} of its output is clipped: calibrate with more samples"
        return text if observer == "minmax" else f"{text}, or --observer minmax"
    if found.range_over_rms >= OUTLIERS:
        text = f"outliers set its scale: the range is {found.range_over_rms:.0f} times the signal"
        return f"{text}; try --observer mse or percentile" if observer == "minmax" else text
    if bits is not None and weights * 10 ** (_APART_DB / 10) > steps:
        return _weights_hint(found.operator, bits, rounding)
    return "8-bit activations are its noise: nothing to be won by bits of weights"


def _weights_hint(operator: str, bits: int, rounding: WeightLevels) -> str:
    if rounding == "nearest":
        return "its weights are the noise: try --rounding feedback"
    wider = [width for width in sorted(WEIGHT_BITS) if width > bits]
    if not wider:
        return "its weights are the noise at 8 bits already: look for channels with outliers"
    return (
        f"its weights are the noise: give it {wider[0]} bits (--pin {operator}={wider[0]}), or fine-tune with --train"
    )


def _noise(sqnr_db: float | None) -> float:
    """Noise power as a share of the signal's."""
    return 0.0 if sqnr_db is None else float(10 ** (-sqnr_db / 10))
