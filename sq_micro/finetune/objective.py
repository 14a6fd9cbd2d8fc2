"""What training minimises: the distance of two networks' scores, and, where there are labels, their cross-entropy.

Softmax    T² · KL(softmax(z'/T) ‖ softmax(z/T))              z' the float network's scores; Hinton et al. 2015
Sigmoid    T² · KL of the Bernoulli distributions of z'/T and z/T, added over the outputs
values     squared error over the variance of z'
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sq_micro.finetune.backend import ops
from sq_micro.finetune.forward import Tensor
from sq_micro.ir.operators import Sigmoid, Softmax
from sq_micro.ir.topology import Topology


class Head(Enum):
    """How a network's last operator wants its scores read."""

    SOFTMAX = "softmax"
    SIGMOID = "sigmoid"
    VALUES = "values"

    @classmethod
    def of(cls, topology: Topology) -> Head:
        match topology.producer(topology.output):
            case Softmax():
                return cls.SOFTMAX
            case Sigmoid():
                return cls.SIGMOID
            case _:
                return cls.VALUES


@dataclass(frozen=True, slots=True)
class Objective:
    """variance is that of the float network's scores, needed for values alone."""

    head: Head
    label_weight: float
    variance: float

    def losses(self, scores: Tensor, taught: Tensor, targets: Tensor | None, temperature: float) -> Tensor:
        """One loss a sample, (n,), in nats (or variances)."""
        softer = 1.0 if self.head is Head.VALUES else temperature
        distance = _sample_means(self._distance(scores / softer, taught / softer)) * softer**2
        if targets is None or self.head is Head.VALUES:
            return distance
        return (1 - self.label_weight) * distance + self.label_weight * self._cross_entropy(scores, targets)

    def _distance(self, scores: Tensor, taught: Tensor) -> Tensor:
        match self.head:
            case Head.SOFTMAX:
                probability = ops.softmax(taught, axis=-1)
                ratio = ops.log_softmax(taught, axis=-1) - ops.log_softmax(scores, axis=-1)
                return ops.sum(probability * ratio, axis=-1)
            case Head.SIGMOID:
                probability = ops.sigmoid(taught)
                yes = ops.softplus(-scores) - ops.softplus(-taught)
                no = ops.softplus(scores) - ops.softplus(taught)
                return ops.sum(probability * yes + (1 - probability) * no, axis=-1)
            case Head.VALUES:
                return ops.mean((scores - taught) ** 2, axis=-1) / self.variance

    def _cross_entropy(self, scores: Tensor, targets: Tensor) -> Tensor:
        if self.head is Head.SOFTMAX:
            return -ops.sum(targets * ops.log_softmax(scores, axis=-1), axis=-1)
        return ops.sum(ops.softplus(scores) - targets * scores, axis=-1)


def _sample_means(losses: Tensor) -> Tensor:
    """Over all axes but the first: an output that is an image has a distribution a pixel."""
    return ops.mean(ops.reshape(losses, (losses.shape[0], -1)), axis=-1)
