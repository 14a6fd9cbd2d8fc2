"""How far a quantized network's outputs are from the float network's, without labels.

Behind a Softmax or a Sigmoid the outputs are probabilities, and the divergence is Kullback and Leibler's in nats, of
distributions computed from the logits: the int8 output itself has steps of 1/256, which hides small damage.

    Softmax   Σ_k p_k (log p_k − log q_k)                          p from the float network, q from the quantized one
    Sigmoid   Σ p (log p − log q) + (1 − p)(log(1−p) − log(1−q))
    others    Σ (y − ŷ)² / Σ var y                                 relative squared error, no unit
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sq_micro.ir import evaluate
from sq_micro.ir.float_graph import Float32Array, FloatGraph
from sq_micro.ir.operators import Reshape, Sigmoid, Softmax
from sq_micro.ir.topology import Topology
from sq_micro.quant.calibrate import SampleSource

Measure = Literal["categorical", "bernoulli", "squared"]
Float64Array = NDArray[np.float64]

_BATCH = 64
_SMALLEST_SPREAD = 1e-30


@dataclass(frozen=True, slots=True)
class Probe:
    """The tensor at which networks are compared, and how."""

    tensor: str
    measure: Measure


def output_probe(topology: Topology) -> Probe:
    """The logits where a Softmax or a Sigmoid ends the network, else its output."""
    last = topology.producer(topology.output)
    while isinstance(last, Reshape):
        last = topology.producer(last.input)
    match last:
        case Softmax():
            return Probe(last.input, "categorical")
        case Sigmoid():
            return Probe(last.input, "bernoulli")
        case _:
            return Probe(topology.output, "squared")


@dataclass(frozen=True, slots=True)
class FloatOutputs:
    """What the float network gives at the probe for each sample: real (n, outputs)."""

    probe: Probe
    real: Float64Array

    def __len__(self) -> int:
        return len(self.real)

    def divergence(self, quantized: NDArray[np.floating], first: int = 0) -> Float64Array:
        """The divergence of samples first, first + 1, …, (m,), of their real values (m, …) at the probe."""
        found = _rows(quantized)
        real = self.real[first : first + len(found)]
        match self.probe.measure:
            case "categorical":
                log_p, log_q = _log_softmax(real), _log_softmax(found)
                return np.asarray((np.exp(log_p) * (log_p - log_q)).sum(axis=1))
            case "bernoulli":
                p = np.exp(_log_sigmoid(real))
                on, off = _log_sigmoid(real) - _log_sigmoid(found), _log_sigmoid(-real) - _log_sigmoid(-found)
                return np.asarray((p * on + (1 - p) * off).sum(axis=1))
            case "squared":
                spread = max(float(self.real.var(axis=0).sum()), _SMALLEST_SPREAD)
                return np.asarray(((real - found) ** 2).sum(axis=1) / spread)

    def agreement(self, quantized: NDArray[np.floating], first: int = 0) -> Float64Array:
        """Per sample 1 where both networks decide alike, (m,); of several independent outputs the share that do."""
        found = _rows(quantized)
        return np.asarray((decisions(self.real[first : first + len(found)]) == decisions(found)).mean(axis=1))

    def expected_drop(self, quantized: NDArray[np.floating], first: int = 0) -> Float64Array:
        """By how much each sample's decision is less probable than the float network's, (m,), in its own probabilities.

        Its mean estimates the loss of accuracy without labels, as far as the float network is calibrated. Without
        probabilities a different decision counts as lost.
        """
        found = _rows(quantized)
        real = self.real[first : first + len(found)]
        match self.probe.measure:
            case "categorical":
                p = np.exp(_log_softmax(real))
                chosen = np.take_along_axis(p, found.argmax(axis=1)[:, None], axis=1)[:, 0]
                return np.asarray(p.max(axis=1) - chosen)
            case "bernoulli":
                margin = np.abs(2 * np.exp(_log_sigmoid(real)) - 1)
                return np.asarray(np.where((real > 0) != (found > 0), margin, 0.0).mean(axis=1))
            case "squared":
                return 1.0 - self.agreement(quantized, first)


def float_outputs(graph: FloatGraph, samples: NDArray[np.floating] | SampleSource) -> FloatOutputs:
    """Run the float network over samples (n, *input_shape) of real values."""
    probe = output_probe(graph.topology)
    nhwc = graph.topology.shape(graph.topology.input)[1:]
    rows: list[Float64Array] = []

    def see(tensor: str, values: Float32Array) -> None:
        if tensor == probe.tensor:
            rows.append(_rows(values))

    for start in range(0, len(samples), _BATCH):
        evaluate.run(graph, real_samples(samples, start, start + _BATCH).reshape(-1, *nhwc), see)
    return FloatOutputs(probe, np.concatenate(rows))


def real_samples(samples: NDArray[np.floating] | SampleSource, start: int, stop: int) -> Float32Array:
    """Real values of samples start … stop − 1, fewer at the end."""
    batch = samples[start:stop] if isinstance(samples, np.ndarray) else samples.real(start, stop)
    return np.asarray(batch, np.float32)


def decisions(real: NDArray[np.floating]) -> NDArray[np.int64]:
    """Which class a row names, (n, 1): the first of the largest values, or the sign of a single one."""
    rows = _rows(real)
    if rows.shape[1] == 1:
        return np.asarray(rows > 0, np.int64)
    return np.asarray(rows.argmax(axis=1), np.int64)[:, None]


def _rows(values: NDArray[np.floating]) -> Float64Array:
    return np.asarray(values, np.float64).reshape(len(values), -1)


def _log_softmax(logits: Float64Array) -> Float64Array:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def _log_sigmoid(logits: Float64Array) -> Float64Array:
    return np.asarray(-np.logaddexp(0.0, -logits))
