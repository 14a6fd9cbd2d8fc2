"""What training starts from, and what is left where it gains nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sq_micro.finetune.batches import split_samples
from sq_micro.finetune.options import FinetuneOptions
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.samples import Samples
from sq_micro.rounding import round_network
from sq_micro.stages import training
from tests.unit.finetune.small_networks import small_network

OPTIONS = FinetuneOptions(seed=3)
SMALL = small_network(samples=96)
SEEN = Samples(SMALL.x, None, 1.0, Path("calib.npz"))
OTHERS = Samples(SMALL.x[::-1].copy(), None, 1.0, Path("train.npz"))
ROUNDED = round_network(SMALL.graph, SMALL.ranges, SMALL.integers.bitwidths, SMALL.x)


class Trainer:
    """Stands in for the child: remembers what it starts from, gives it back or something else."""

    def __init__(self, gains: bool) -> None:
        self.gains = gains
        self.start: QuantGraph | None = None

    def __call__(self, _graph: Any, _ranges: Any, start: QuantGraph, *_: Any) -> QuantGraph:
        self.start = start
        return SMALL.integers if self.gains else start


def train(
    monkeypatch: pytest.MonkeyPatch, trainer: Trainer, rounded_on: Samples | None, samples: Samples
) -> QuantGraph:
    monkeypatch.setattr(training, "finetune", trainer)
    return training.train(SMALL.graph, SMALL.ranges, ROUNDED, rounded_on, samples, OPTIONS, Path("unused"))


def test_samples_held_out_have_no_part_in_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = Trainer(gains=True)
    assert train(monkeypatch, trainer, SEEN, SEEN).digest() == SMALL.integers.digest()
    split = split_samples(len(SEEN), OPTIONS)
    expected = round_network(SMALL.graph, SMALL.ranges, SMALL.integers.bitwidths, SMALL.x[split.train])
    assert trainer.start is not None
    assert trainer.start.digest() == expected.digest() != ROUNDED.digest()


@pytest.mark.parametrize(("rounded_on", "samples"), [(SEEN, OTHERS), (None, SEEN)])
def test_samples_that_rounding_did_not_see_leave_the_start_alone(
    monkeypatch: pytest.MonkeyPatch, rounded_on: Samples | None, samples: Samples
) -> None:
    trainer = Trainer(gains=True)
    train(monkeypatch, trainer, rounded_on, samples)
    assert trainer.start is ROUNDED


@pytest.mark.parametrize("samples", [SEEN, OTHERS])
def test_where_nothing_is_better_all_samples_have_rounded_the_weights(
    monkeypatch: pytest.MonkeyPatch, samples: Samples
) -> None:
    assert train(monkeypatch, Trainer(gains=False), SEEN, samples).digest() == ROUNDED.digest()
