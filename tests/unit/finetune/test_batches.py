from __future__ import annotations

import numpy as np
import pytest

from sq_micro.errors import UsageError
from sq_micro.finetune.batches import Batch, Batches, augment, split_samples, targets_of
from sq_micro.finetune.options import Augmentation, FinetuneOptions
from sq_micro.finetune.request import TrainingSamples

RNG = np.random.default_rng


def batches_of(count: int, **options: object) -> Batches:
    chosen = FinetuneOptions(**options)  # type: ignore[arg-type]
    x = np.arange(count, dtype=np.uint8).reshape(count, 1, 1, 1)
    samples = TrainingSamples(x, 0.5, np.arange(count) % 3)
    return Batches(samples, split_samples(count, chosen), chosen, (1, 1, 1), 3)


def test_split_is_disjoint_complete_and_follows_the_seed() -> None:
    split = split_samples(100, FinetuneOptions(validation=0.2))
    assert len(split.held_out) == 20
    assert sorted([*split.train, *split.held_out]) == list(range(100))
    again = split_samples(100, FinetuneOptions(validation=0.2))
    other = split_samples(100, FinetuneOptions(validation=0.2, seed=1))
    np.testing.assert_array_equal(again.held_out, split.held_out)
    assert (other.held_out != split.held_out).any()


def test_few_samples_are_refused() -> None:
    with pytest.raises(UsageError, match="31 training samples: fine-tuning needs at least 32"):
        split_samples(31, FinetuneOptions())


def test_an_epoch_sees_each_training_sample_once_and_never_a_held_out_one() -> None:
    batches = batches_of(90, batch=9, validation=0.1)
    seen = np.concatenate([batches.at(step).x.reshape(-1) for step in range(batches.per_epoch)]) / 0.5
    assert sorted(seen) == sorted(batches.split.train)
    next_epoch = batches.at(batches.per_epoch).x
    assert (next_epoch != batches.at(0).x).any()


def test_a_step_is_the_same_whatever_came_before() -> None:
    options = {"batch": 8, "augmentation": Augmentation(mixed=1.0)}
    first, second = batches_of(64, **options), batches_of(64, **options)
    for step in range(5):
        first.at(step)
    np.testing.assert_array_equal(first.at(5).x, second.at(5).x)


def test_batches_shrink_to_few_samples() -> None:
    batches = batches_of(40, batch=64)
    assert batches.size == 32
    assert batches.per_epoch == 1


def test_targets() -> None:
    np.testing.assert_array_equal(targets_of(np.array([2, 0]), 3), [[0, 0, 1], [1, 0, 0]])
    np.testing.assert_array_equal(targets_of(np.array([1, 0]), 1), [[1], [0]])


def test_mirror_swaps_left_and_right_in_some() -> None:
    x = np.tile(np.arange(4, dtype=np.float32).reshape(1, 1, 4, 1), (40, 1, 1, 1))
    result = augment(Batch(x, None), Augmentation(mirror=True), RNG(0)).x
    mirrored = (result[:, 0, 0, 0] == 3).sum()
    assert 5 < mirrored < 35
    assert {tuple(row) for row in result[:, 0, :, 0]} == {(0, 1, 2, 3), (3, 2, 1, 0)}


def test_shift_repeats_the_edge_and_keeps_to_its_reach() -> None:
    x = np.tile(np.arange(5, dtype=np.float32).reshape(1, 5, 1, 1), (60, 1, 1, 1))
    result = augment(Batch(x, None), Augmentation(shift_rows=1), RNG(0)).x
    expected = {(0, 0, 1, 2, 3), (0, 1, 2, 3, 4), (1, 2, 3, 4, 4)}
    assert {tuple(row) for row in result[:, :, 0, 0]} == expected


def test_columns_are_shifted_on_their_own_axis() -> None:
    x = RNG(0).normal(size=(8, 3, 5, 2)).astype(np.float32)
    result = augment(Batch(x, None), Augmentation(shift_columns=2), RNG(1)).x
    assert all(
        any((result[i] == np.roll(x[i], by, 1))[:, 2:3].all() for by in (-2, -1, 0, 1, 2)) for i in range(len(x))
    )


def test_mixing_blends_samples_and_their_targets_alike() -> None:
    x = np.eye(6, dtype=np.float32).reshape(6, 1, 1, 6)
    result = augment(Batch(x, np.eye(6, dtype=np.float32)), Augmentation(mixed=1.0), RNG(0))
    assert result.targets is not None
    np.testing.assert_allclose(result.x.reshape(6, 6), result.targets)
    np.testing.assert_allclose(result.targets.sum(axis=1), 1, rtol=1e-6)
    assert (np.diag(result.targets) >= 0.5).all()
    assert (np.diag(result.targets) < 1).all()


def test_no_augmentation_changes_nothing() -> None:
    x = RNG(0).normal(size=(4, 3, 3, 1)).astype(np.float32)
    np.testing.assert_array_equal(augment(Batch(x, None), Augmentation(), RNG(0)).x, x)
