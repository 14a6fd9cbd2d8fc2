"""What each operator's width costs the network's outputs, measured: one operator narrow, all others at 8 bits.

Weights are rounded as well as they will be in the end, from one set of statistics per operator, so that the table says
what a width costs after rounding has done its best. The raw differences are noisy near zero: they are clipped at zero
and made monotone in the width by isotonic regression (pool adjacent violators).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import sqrt

import numpy as np

from sq_micro.assign.damage import BASE_BITS, DamageJob, mean_divergences
from sq_micro.assign.output_divergence import Float64Array, float_outputs
from sq_micro.assign.rounded_widths import RoundedWidths
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.mapper import unwatched
from sq_micro.quant.calibrate import Progress
from sq_micro.store import Store, content_key


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """divergence[operator][width] beyond the plan of 8 bits everywhere: ≥ 0, falling in the width.

    bits      ascending
    measured  the same before clipping and isotonic regression
    baseline  the divergence of 8 bits everywhere from the float network
    pairwise  (operators, operators): what two operators at the narrowest width do together beyond the sum of what each
              does alone, of either sign; symmetric, None where it was not measured (`interactions`)
    """

    operators: tuple[str, ...]
    bits: tuple[int, ...]
    divergence: Float64Array
    measured: Float64Array
    baseline: float
    pairwise: Float64Array | None = None

    def of(self, operator: str, bits: int) -> float:
        """What one operator at a width adds. KeyError iff the pair was not measured."""
        if operator not in self.operators or bits not in self.bits:
            raise KeyError(f"no sensitivity of operator '{operator}' at {bits} bits was measured")
        return float(self.divergence[self.operators.index(operator), self.bits.index(bits)])

    def total(self, bitwidths: Bitwidths) -> float:
        """The prediction of a plan's divergence: additive, or with pairwise terms where they are known."""
        plan = bitwidths.weights
        pairs = combinations(plan, 2) if self.pairwise is not None else ()
        together = sum(self.together(a, plan[a], b, plan[b]) for a, b in pairs)
        return self.baseline + sum(self.of(operator, bits) for operator, bits in plan.items()) + together

    def together(self, first: str, first_bits: int, second: str, second_bits: int) -> float:
        """What two operators do beyond the sum of their own damages; 0 without pairwise terms.

        Measured at the narrowest width alone. An operator's error has a size, the square root of its damage, and
        products of errors scale as the sizes do: I(a, b) · √(S(a)/S_narrowest(a)) · √(S(b)/S_narrowest(b)).
        """
        if self.pairwise is None:
            return 0.0
        term = float(self.pairwise[self.operators.index(first), self.operators.index(second)])
        return term * self._relative_error(first, first_bits) * self._relative_error(second, second_bits)

    def _relative_error(self, operator: str, bits: int) -> float:
        most = self.of(operator, self.bits[0])
        return sqrt(self.of(operator, bits) / most) if most > 0 else 0.0


def monotone(measured: Float64Array) -> Float64Array:
    """The nearest rows (least squares) that never rise from left to right, clipped at zero. (…, widths)

    >>> monotone(np.array([[4.0, 1.0, 2.0, -1.0]])).tolist()
    [[4.0, 1.5, 1.5, 0.0]]
    """
    return np.array([_falling(row) for row in np.maximum(measured, 0.0)])


def _falling(row: Float64Array) -> list[float]:
    blocks: list[tuple[float, int]] = []
    for value in row:
        mean, count = float(value), 1
        while blocks and blocks[-1][0] < mean:
            before, members = blocks.pop()
            mean, count = (mean * count + before * members) / (count + members), count + members
        blocks.append((mean, count))
    return [mean for mean, count in blocks for _ in range(count)]


def measure_sensitivity(
    rounded: RoundedWidths,
    store: Store | None = None,
    progress: Progress = unwatched,
) -> Sensitivity:
    """Measure every operator at every width on the samples that its weights were rounded on; no labels.

    store     None: nothing kept
    progress  told (operators done, operators)
    """
    store = store or Store(None)
    frame, bits, values = rounded.frame, rounded.bits, rounded.samples
    operators = tuple(operator.name for operator in frame.topology.weighted())
    keys = {name: content_key("sensitivity", rounded.key, name, str(bits)) for name in operators}
    kept = {name: np.frombuffer(found) for name in operators if (found := store.get(keys[name])) is not None}
    missing = [name for name in operators if name not in kept]
    if missing:
        weights = rounded.weights()
        base = {name: widths[BASE_BITS] for name, widths in weights.items()}
        reference = float_outputs(frame.graph, values)
        jobs = [
            DamageJob(frame, operator, weights[operator.name], base, values, reference, store, keys[operator.name])
            for operator in frame.topology.weighted()
            if operator.name in missing
        ]
        kept |= zip(missing, rounded.mapper.map(mean_divergences, jobs, progress), strict=True)
    rows = np.array([kept[name] for name in operators])
    baseline = float(rows[0, -1])
    measured = rows - baseline
    return Sensitivity(operators, bits, monotone(measured), measured, baseline)
