"""The samples as training sees them: split, order and augmentation, in NumPy.

Every random number follows from (seed, what for, how often), never from a generator that runs along: so a run that
continues at step 700 sees what it would have seen had it never stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from sq_micro.errors import UsageError
from sq_micro.finetune.options import Augmentation, FinetuneOptions
from sq_micro.finetune.request import TrainingSamples

Float32Array = NDArray[np.float32]

LEAST_SAMPLES = 32
_LEAST_HELD_OUT = 8


class _Purpose(IntEnum):
    SPLIT = 0
    ORDER = 1
    AUGMENTATION = 2


@dataclass(frozen=True, slots=True)
class Batch:
    """x (n, *NHWC) real values; targets (n, classes), rows of probabilities, iff there are labels."""

    x: Float32Array
    targets: Float32Array | None


@dataclass(frozen=True, slots=True)
class Split:
    """Indices of the samples to train on, and of those held out; disjoint, each sorted."""

    train: NDArray[np.int64]
    held_out: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Batches:
    """The training batches of a run, by step."""

    samples: TrainingSamples
    split: Split
    options: FinetuneOptions
    shape: tuple[int, ...]  # NHWC without batch
    classes: int

    @property
    def size(self) -> int:
        """Samples a batch."""
        return min(self.options.batch, len(self.split.train))

    @property
    def per_epoch(self) -> int:
        """Steps an epoch; samples that fill no batch wait for another epoch."""
        return len(self.split.train) // self.size

    @property
    def steps(self) -> int:
        return self.per_epoch * self.options.epochs

    def at(self, step: int) -> Batch:
        """The batch of a step, 0 … steps − 1."""
        epoch, position = divmod(step, self.per_epoch)
        order = _generator(self.options.seed, _Purpose.ORDER, epoch).permutation(self.split.train)
        batch = self.take(order[position * self.size : (position + 1) * self.size])
        return augment(batch, self.options.augmentation, _generator(self.options.seed, _Purpose.AUGMENTATION, step))

    def take(self, indices: NDArray[np.int64]) -> Batch:
        """Samples as they are."""
        x = np.asarray(self.samples.x[indices], np.float32) * np.float32(self.samples.scale)
        labels = self.samples.labels
        targets = None if labels is None else targets_of(labels[indices], self.classes)
        return Batch(x.reshape(len(indices), *self.shape), targets)


def split_samples(count: int, options: FinetuneOptions) -> Split:
    """Hold out the fraction that the options say. Raises UsageError iff there are too few samples."""
    if count < LEAST_SAMPLES:
        raise UsageError(
            f"{count} training samples: fine-tuning needs at least {LEAST_SAMPLES}, of which some are held out to"
            " choose the best state by; a few hundred are better"
        )
    held_out = max(_LEAST_HELD_OUT, round(count * options.validation))
    order = _generator(options.seed, _Purpose.SPLIT, 0).permutation(count)
    return Split(np.sort(order[held_out:]), np.sort(order[:held_out]))


def targets_of(labels: NDArray[np.int64], classes: int) -> Float32Array:
    """Labels (n,) as probabilities: one-hot (n, classes), or (n, 1) where a single Sigmoid says yes or no."""
    if classes == 1:
        return labels.astype(np.float32)[:, None]
    targets = np.zeros((len(labels), classes), np.float32)
    targets[np.arange(len(labels)), labels] = 1.0
    return targets


def augment(batch: Batch, augmentation: Augmentation, random: np.random.Generator) -> Batch:
    """Each sample changed on its own, except that the mixed ones are paired with their neighbours in a cycle."""
    x, targets = batch.x, batch.targets
    if augmentation.mirror:
        mirrored = random.random(len(x)) < 0.5
        x = np.where(mirrored.reshape(-1, *(1,) * (x.ndim - 1)), x[:, :, ::-1], x)
    for axis, reach in ((1, augmentation.shift_rows), (2, augmentation.shift_columns)):
        if reach:
            x = _shift(x, axis, random.integers(-reach, reach + 1, len(x)))
    if augmentation.mixed:
        chosen = random.random(len(x)) < augmentation.mixed
        share = np.where(chosen, random.uniform(0.5, 1.0, len(x)), 1.0).astype(np.float32)
        x = _blend(x, share)
        targets = None if targets is None else _blend(targets, share)
    return Batch(np.ascontiguousarray(x, np.float32), targets)


def _shift(x: Float32Array, axis: int, by: NDArray[np.int64]) -> Float32Array:
    """Move each sample by its number of places; places that nothing moves into repeat the edge."""
    size = x.shape[axis]
    source = np.clip(np.arange(size) - by[:, None], 0, size - 1)
    index = source.reshape(len(x), *(size if along == axis else 1 for along in range(1, x.ndim)))
    return np.take_along_axis(x, index, axis)


def _blend(values: Float32Array, share: Float32Array) -> Float32Array:
    weight = share.reshape(-1, *(1,) * (values.ndim - 1))
    return np.asarray(weight * values + (1 - weight) * np.roll(values, 1, axis=0), np.float32)


def _generator(seed: int, purpose: _Purpose, count: int) -> np.random.Generator:
    return np.random.default_rng((seed, int(purpose), count))
