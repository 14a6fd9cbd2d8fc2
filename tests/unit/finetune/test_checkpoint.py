from __future__ import annotations

from math import nan
from pathlib import Path

import numpy as np

from sq_micro.finetune.checkpoint import Checkpoint
from sq_micro.finetune.progress import Round, best_of, round_of_line

ROUNDS = (Round(0, 10, None, 0.5, 0.9, None, 0.0), Round(5, 10, 0.7, 0.25, 0.95, 0.8, 1.5))


def checkpoint() -> Checkpoint:
    states = tuple(np.full(2, value, np.float32) for value in range(12))
    return Checkpoint("key", states, (*states, np.int64(3)), states[::-1], ROUNDS)


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.npz"
    checkpoint().save(file)
    read = Checkpoint.load(file, "key")
    assert read is not None
    assert read.rounds == ROUNDS
    for group in ("variables", "optimizer", "best"):
        for got, expected in zip(getattr(read, group), getattr(checkpoint(), group), strict=True):
            np.testing.assert_array_equal(got, expected)
            assert got.shape == expected.shape


def test_other_missing_and_damaged_checkpoints_are_none(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.npz"
    assert Checkpoint.load(file, "key") is None
    checkpoint().save(file)
    assert Checkpoint.load(file, "another") is None
    file.write_bytes(file.read_bytes()[:-100])
    assert Checkpoint.load(file, "key") is None


def test_a_round_survives_its_line() -> None:
    assert [round_of_line(found.line()) for found in ROUNDS] == list(ROUNDS)
    assert round_of_line("WARNING: something\n") is None
    assert round_of_line('{"step": 1}') is None
    assert round_of_line("3") is None


def test_a_round_reads_well() -> None:
    assert str(ROUNDS[0]) == "step 0/10, held-out 0.5000, agreement 90.0%"
    assert str(ROUNDS[1]) == "step 5/10, loss 0.7000, held-out 0.2500, agreement 95.0%, accuracy 80.0%"


def test_the_best_round_is_the_first_with_the_smallest_loss() -> None:
    def rounds(*losses: float) -> tuple[Round, ...]:
        return tuple(Round(step, 9, None, loss, None, None, 0.0) for step, loss in enumerate(losses))

    assert best_of(rounds(3.0, 1.0, 1.0)) == 1
    assert best_of(rounds(1.0, 1.0)) == 0
    assert best_of(rounds(2.0, nan, 1.0)) == 2
