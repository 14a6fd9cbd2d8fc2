"""Integers that minimise a quadratic: the inside of weight rounding, for many channels and starts at once.

For a channel with moments H and r (see `statistics`) codes q and a scale s miss the target by

    E(q, s) = s²·qᵀHq − 2s·qᵀr + const,   least at s = qᵀr / qᵀHq, where it is const − (qᵀr)² / qᵀHq.

Arrays are (groups, k, rows), rows being candidates (starts × channels): a step of k works on contiguous memory, and
what it means for the k that come later is applied block-wise, as a matrix product.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sq_micro.quant.params import Float32Array, Int8Array, Levels
from sq_micro.rounding.statistics import Float64Array, LayerStatistics

_DAMPING = 0.03  # of mean(H_kk); 0.001 to 0.1 differ by less than the noise on four networks
_SMALLEST_ENERGY = 1e-30
_BLOCK = 48


@dataclass(frozen=True, slots=True)
class Codebooks:
    """The levels of each candidate: offset + step·integer, from low to high; arrays (rows,)."""

    low: Float32Array
    high: Float32Array
    step: Float32Array
    offset: Float32Array

    @classmethod
    def of(cls, levels: Int8Array, bits: int) -> Codebooks:
        """From the `Levels` of each candidate."""
        limits = np.array([Levels(int(level)).limits(bits) for level in levels], np.float32).reshape(-1, 2)
        odd = levels == Levels.ODD
        return cls(limits[:, 0], limits[:, 1], np.where(odd, 2, 1).astype(np.float32), odd.astype(np.float32))

    def nearest(self, scaled: NDArray[np.floating[Any]]) -> Float32Array:
        """The levels nearest to real numbers (…, rows) in units of the scale."""
        rounded: Float32Array = np.rint((scaled - self.offset) / self.step).astype(np.float32, copy=False)
        rounded *= self.step
        rounded += self.offset
        np.clip(rounded, self.low, self.high, out=rounded)
        return rounded


def _inverse_factor(h: Float64Array) -> tuple[Float64Array, Float64Array]:
    """(H⁻¹, U) with H⁻¹ = UᵀU, of each group (groups, k, k). Raises LinAlgError iff one is not positive definite."""
    inverse = np.asarray(np.linalg.inv(h), np.float64)
    lower = np.linalg.cholesky((inverse + inverse.transpose(0, 2, 1)) / 2)
    return inverse, np.asarray(lower, np.float64).transpose(0, 2, 1)


@dataclass(frozen=True, slots=True)
class Quadratic:
    """The moments of a layer in units of mean(H_kk), damped, with k sorted by falling H_kk, and what follows from them.

    order     (groups, k): position of each sorted row in the operator's own order
    h         H (groups, k, k)
    r         (groups, k, channels): H · target
    target    (groups, k, channels): the real weights of least error
    feedback  upper triangular U (groups, k, k) with H⁻¹ = UᵀU
    """

    order: NDArray[np.intp]
    h: Float32Array
    r: Float32Array
    target: Float32Array
    feedback: Float32Array

    @classmethod
    def of(cls, statistics: LayerStatistics, weights: Float64Array) -> Quadratic:
        """The problem of trained weights (groups, channels, k).

        The target is the least-squares fit of the wanted output on the quantized input, drawn to the trained weights W
        where the data say nothing: (H + λI)⁻¹ (R + λW).
        """
        diagonal = np.diagonal(statistics.covariance, axis1=1, axis2=2)
        order = np.argsort(-diagonal, axis=1, kind="stable")
        power = diagonal.mean(axis=1)
        unit = np.where(power > 0, power, 1.0)[:, None, None]  # so that float32 holds data of any size
        h = statistics.covariance / unit + _DAMPING * np.eye(order.shape[1])
        r = statistics.correlation / unit + _DAMPING * weights.transpose(0, 2, 1)
        h = np.take_along_axis(np.take_along_axis(h, order[:, :, None], 1), order[:, None, :], 2)
        r = np.take_along_axis(r, order[:, :, None], 1)
        try:
            inverse, feedback = _inverse_factor(h)
        except np.linalg.LinAlgError:
            # Inputs that hardly vary: their covariance is a small difference of large numbers, and its rounding
            # errors outweigh the damping.
            values, vectors = np.linalg.eigh(h)
            h = np.asarray(
                (vectors * np.maximum(values, _DAMPING)[:, None, :]) @ vectors.transpose(0, 2, 1), np.float64
            )
            inverse, feedback = _inverse_factor(h)
        return cls(order, *(np.ascontiguousarray(array, np.float32) for array in (h, r, inverse @ r, feedback)))

    def channels(self, chosen: slice) -> Quadratic:
        """The same problem for some of each group's channels."""
        return Quadratic(self.order, self.h, self.r[:, :, chosen], self.target[:, :, chosen], self.feedback)

    def unsorted(self, rows: Float32Array) -> Float32Array:
        """(groups, k, …) back in the operator's order."""
        result = np.empty_like(rows)
        np.put_along_axis(result, self.order[:, :, None], rows, 1)
        return result


def error_feedback(problem: Quadratic, target: Float32Array, scale: Float32Array, books: Codebooks) -> Float32Array:
    """Round k after k, and let the weights that are still real make up for each error (OBQ / GPTQ).

    target (groups, k, rows), scale (groups, rows); gives codes (groups, k, rows). The error e of k changes the rest by
    −U[k, rest]·e / U[k, k], which is what minimises E over the rest.
    """
    remaining, codes, u = target.copy(), np.empty_like(target), problem.feedback
    k = target.shape[1]
    for start in range(0, k, _BLOCK):
        stop = min(start + _BLOCK, k)
        errors = np.empty((len(u), stop - start, target.shape[2]), np.float32)
        for j in range(start, stop):
            codes[:, j] = books.nearest(remaining[:, j] / scale)
            error = (remaining[:, j] - codes[:, j] * scale) / u[:, j, j, None]
            errors[:, j - start] = error
            remaining[:, j + 1 : stop] -= u[:, j, j + 1 : stop, None] * error[:, None, :]
        remaining[:, stop:] -= u[:, start:stop, stop:].transpose(0, 2, 1) @ errors
    return codes


def descend(
    problem: Quadratic, r: Float32Array, codes: Float32Array, scale: Float32Array, books: Codebooks, sweeps: int
) -> tuple[Float32Array, Float64Array]:
    """Coordinate descent on E: refit the scale, then set each code in turn to the best level given the others.

    r (groups, k, rows), the others as for `error_feedback`. Gives new codes, and of each candidate (groups, rows) the
    reward (qᵀr)² / qᵀHq: E falls as it rises. A candidate that points away from its target has none.
    """
    codes = codes.copy()
    h, k = problem.h, codes.shape[1]
    diagonal = np.diagonal(h, axis1=1, axis2=2)
    for _ in range(sweeps):
        product = h @ codes
        fit, energy = _fit(codes, r, product)
        scale = np.where(fit > 0, fit / energy, scale)
        moved = False
        for start in range(0, k, _BLOCK):
            stop = min(start + _BLOCK, k)
            before = codes[:, start:stop].copy()
            for j in range(start, stop):
                wanted = codes[:, j] + (r[:, j] / scale - product[:, j]) / diagonal[:, j, None]
                change = books.nearest(wanted) - codes[:, j]
                if change.any():
                    codes[:, j] += change
                    product[:, start:stop] += h[:, start:stop, j, None] * change[:, None, :]
            changed = codes[:, start:stop] - before
            if changed.any():
                moved = True
                product[:, :start] += h[:, :start, start:stop] @ changed
                product[:, stop:] += h[:, stop:, start:stop] @ changed
        if not moved:
            break
    fit, energy = _fit(codes, r, h @ codes)
    return codes, fit.astype(np.float64) ** 2 / energy


def _fit(codes: Float32Array, r: Float32Array, product: Float32Array) -> tuple[Float32Array, Float32Array]:
    """qᵀr and qᵀHq of each candidate; (0, 1) where no positive scale suits the codes."""
    fit, energy = (codes * r).sum(axis=1), (codes * product).sum(axis=1)
    usable = (fit > 0) & (energy > _SMALLEST_ENERGY)
    return np.where(usable, fit, np.float32(0)), np.where(usable, energy, np.float32(1))
