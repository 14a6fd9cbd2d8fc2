"""Decisions and the confusion matrix."""

from __future__ import annotations

import numpy as np

from sq_micro.stages.accuracy import confusion, decide


def test_the_first_of_equal_scores_is_decided_for() -> None:
    scores = np.array([[0.1, 0.9], [0.5, 0.5], [0.7, 0.3]], np.float32)
    assert decide(scores, "top1").tolist() == [1, 0, 0]


def test_a_single_output_is_decided_at_a_half() -> None:
    assert decide(np.array([[0.5], [0.501], [0.2]], np.float32), "binary").tolist() == [0, 1, 0]


def test_rows_are_labels_and_columns_decisions() -> None:
    found = confusion(np.array([0, 1, 1, 2, 2, 2]), np.array([0, 0, 1, 2, 2, 1]), 3)
    assert found.tolist() == [[1, 1, 0], [0, 1, 1], [0, 0, 2]]
