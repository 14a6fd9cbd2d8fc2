"""Integers that minimise a quadratic: the inside of weight rounding, for many channels and starts at once.

For a channel with moments H and r (see `statistics`) codes q and a scale s miss the target by

    E(q, s) = s²·qᵀHq − 2s·qᵀr + const,     least at s = qᵀr / qᵀHq, where it is const − (qᵀr)² / qᵀHq.

Arrays are (groups, k, rows), rows being candidates (starts × channels), so that one step of k works on contiguous memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sq_micro.quant.params import Levels
from sq_micro.rounding.statistics import Float64Array, LayerStatistics

FloatArray = NDArray[np.float32]

_DAMPING = 0.03
_BLOCK = 48
_TINY = 1e-30


@dataclass(frozen=True, slots=True)
class Codebooks:
    """The levels of each candidate as clip(offset + step·round((v − offset) / step)), arrays (rows,)."""

    low: FloatArray
    high: FloatArray
    step: FloatArray
    offset: FloatArray

    @classmethod
    def of(cls, levels: NDArray[np.int8], bits: int) -> Codebooks:
        limits = np.array([Levels(int(level)).limits(bits) for level in levels], np.float32).reshape(-1, 2)
        odd = levels == Levels.ODD
        return cls(limits[:, 0], limits[:, 1], np.where(odd, 2, 1).astype(np.float32), odd.astype(np.float32))

    def nearest(self, scaled: FloatArray) -> FloatArray:
        """The nearest levels to (…, rows) in units of the scale."""
        rounded = np.rint((scaled - self.offset) / self.step)
        rounded *= self.step
        rounded += self.offset
        return np.clip(rounded, self.low, self.high, out=rounded)


@dataclass(frozen=True, slots=True)
class Quadratic:
    """The moments of a layer, damped, with k sorted by falling H_kk, and what follows from them.

    order     (groups, k): position of each sorted row in the operator's own order
    h         H (groups, k, k)
    r         (groups, k, channels): H·target
    target    (groups, k, channels): the real weights that reach the least error
    feedback  upper triangular U with H⁻¹ = UᵀU
    """

    order: NDArray[np.intp]
    h: FloatArray
    r: FloatArray
    target: FloatArray
    feedback: FloatArray

    @classmethod
    def of(cls, statistics: LayerStatistics, weights: Float64Array) -> Quadratic:
        """The problem of real weights (groups, channels, k); damping draws the target towards them."""
        h = statistics.covariance
        diagonal = np.diagonal(h, axis1=1, axis2=2)
        damping = _DAMPING * diagonal.mean(axis=1) + _TINY
        order = np.argsort(-diagonal, axis=1, kind="stable")
        damped = h + damping[:, None, None] * np.eye(h.shape[1])
        r = statistics.correlation + damping[:, None, None] * weights.transpose(0, 2, 1)
        damped = np.take_along_axis(np.take_along_axis(damped, order[:, :, None], 1), order[:, None, :], 2)
        r = np.take_along_axis(r, order[:, :, None], 1)
        inverse = np.linalg.inv(damped)
        feedback = np.linalg.cholesky((inverse + inverse.transpose(0, 2, 1)) / 2).transpose(0, 2, 1)
        target = inverse @ r
        return cls(order, *(np.ascontiguousarray(array, np.float32) for array in (damped, r, target, feedback)))

    def unsorted(self, sorted_rows: FloatArray) -> FloatArray:
        """(groups, k, …) back in the operator's order."""
        result = np.empty_like(sorted_rows)
        np.put_along_axis(result, self.order[:, :, None], sorted_rows, 1)
        return result


def error_feedback(problem: Quadratic, target: FloatArray, scale: FloatArray, books: Codebooks) -> FloatArray:
    """Round k after k, and move each rounding error to the weights that are still real (OBQ / GPTQ).

    target  (groups, k, rows); scale (groups, rows). After code k the rest changes by −U[k, rest]·error / U[k, k],
    the exact minimiser of E over the rest.
    """
    remaining = target.copy()
    codes = np.empty_like(target)
    u = problem.feedback
    k = target.shape[1]
    for start in range(0, k, _BLOCK):
        stop = min(start + _BLOCK, k)
        errors = np.empty((len(u), stop - start, target.shape[2]), np.float32)
        for j in range(start, stop):
            codes[:, j] = books.nearest(remaining[:, j] / scale)
            errors[:, j - start] = (remaining[:, j] - codes[:, j] * scale) / u[:, j, j, None]
            if j + 1 < stop:
                remaining[:, j + 1 : stop] -= u[:, j, j + 1 : stop, None] * errors[:, j - start, None, :]
        if stop < k:
            remaining[:, stop:] -= u[:, start:stop, stop:].transpose(0, 2, 1) @ errors
    return codes


def descend(
    problem: Quadratic, r: FloatArray, codes: FloatArray, scale: FloatArray, books: Codebooks, sweeps: int
) -> tuple[FloatArray, FloatArray]:
    """Coordinate descent on E: refit the scale, then set each code in turn to its best level given the others.

    r (groups, k, rows), the others as in `error_feedback`. Gives new codes, and the reward (qᵀr)² / qᵀHq of each
    candidate (groups, rows).
    """
    codes = codes.copy()
    h, k = problem.h, codes.shape[1]
    diagonal = np.diagonal(h, axis1=1, axis2=2)
    for sweep in range(sweeps + 1):
        product = h @ codes
        fit, energy = (codes * r).sum(axis=1), (codes * product).sum(axis=1)
        usable = (fit > 0) & (energy > _TINY)
        if sweep == sweeps:
            break
        scale = np.where(usable, fit / np.where(usable, energy, 1), scale)
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
            fit, energy = (codes * r).sum(axis=1), (codes * product).sum(axis=1)
            usable = (fit > 0) & (energy > _TINY)
            break
    return codes, np.where(usable, fit**2 / np.where(usable, energy, 1), 0).astype(np.float32)
