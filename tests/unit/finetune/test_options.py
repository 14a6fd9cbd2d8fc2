from __future__ import annotations

import json
from typing import Any

import pytest

from sq_micro.errors import UsageError
from sq_micro.finetune.options import Augmentation, FinetuneOptions, recommended


def test_document_survives_json() -> None:
    options = FinetuneOptions(epochs=7, learning_rate=5e-4, augmentation=Augmentation(mirror=True, shift_rows=2))
    assert FinetuneOptions.from_document(json.loads(json.dumps(options.document()))) == options


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"epochs": 0}, "epochs of 0: at least 1"),
        ({"batch": -3}, "batch of -3: at least 1"),
        ({"learning_rate": 1.5}, "learning_rate of 1.5: give a number"),
        ({"learning_rate": float("nan")}, "learning_rate of nan: give a number"),
        ({"learning_rate": 0.0, "scale_learning_rate": 0.0}, "nothing to train"),
        ({"temperature": 0.0}, "temperature of 0"),
        ({"label_weight": 1.2}, "label weight of 1.2"),
        ({"validation": 0.0}, "validation fraction of 0"),
        ({"seed": -1}, "seed of -1"),
    ],
)
def test_options_out_of_bounds_are_named(option: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        FinetuneOptions(**option)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"mixed": 1.5}, "1.5 mixed samples"), ({"shift_rows": -1}, "shift of -1 rows")],
)
def test_augmentation_out_of_bounds_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Augmentation(**changes)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"epoch": 3}, "no option 'epoch'"),
        ({"epochs": 3.0}, "option 'epochs' is 3.0; int is needed"),
        ({"epochs": True}, "option 'epochs' is True; int is needed"),
        ({"augmentation": {"mirror": 1}}, "option 'mirror' is 1; bool is needed"),
    ],
)
def test_documents_of_another_kind_are_refused(document: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        FinetuneOptions.from_document(document)


def test_few_samples_are_seen_more_often() -> None:
    assert [recommended(samples).epochs for samples in (100, 480, 10_000)] == [60, 42, 3]


def test_long_runs_go_in_smaller_steps_and_are_given_more_time() -> None:
    short, long = recommended(10_000), recommended(50_000)
    assert (short.learning_rate, short.patience) == (0.01, 10)
    assert 0.0019 < long.learning_rate < 0.0021
    assert long.patience == 21
    chosen = recommended(480, epochs=400)
    assert (chosen.epochs, chosen.learning_rate) == (400, 4.25 / 2400)
