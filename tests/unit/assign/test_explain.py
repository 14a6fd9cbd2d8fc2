"""Reasons as table, JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest

from sq_micro.assign.assign import assign
from sq_micro.assign.explain import Explanation, explain, rank_correlation, warnings_about
from sq_micro.assign.explain_text import (
    assignment_text,
    explanation_csv,
    explanation_document,
    explanation_text,
    frontier_csv,
    price_text,
)
from sq_micro.assign.problem import Price
from sq_micro.cost.budget import Budget
from sq_micro.quant.calibrate import Range
from tests.unit.assign.small_problem import (
    NAMES,
    CountingEvaluate,
    mean_bits,
    small_network,
    small_options,
    small_problem,
)

INT8_BYTES = sum(option.at(8).weight_bytes for option in small_options())


@pytest.fixture(scope="module")
def explained() -> Explanation:
    problem = small_problem(Budget(weights=0.4 * INT8_BYTES), pins={"dense_5": 4})
    return explain(problem, assign(problem, "ilp", CountingEvaluate(lambda plan: 8 - mean_bits(plan))))


def test_each_operator_has_its_statistics_and_neighbours(explained: Explanation) -> None:
    assert tuple(reason.operator for reason in explained.operators) == NAMES
    for reason in explained.operators:
        assert reason.chosen.bits == explained.assignment.bitwidths.weights[reason.operator]
        assert reason.chosen in reason.widths
        if reason.narrower is not None:
            assert reason.narrower.bits < reason.chosen.bits
            assert (reason.narrower.sensitivity or 0) >= (reason.chosen.sensitivity or 0)
    pinned = explained.operators[-1]
    assert pinned.pinned
    assert pinned.narrower is pinned.wider is None


def test_a_wider_width_says_which_budget_stops_it(explained: Explanation) -> None:
    largest = next(reason for reason in explained.operators if reason.operator == "conv2d_3")
    assert largest.widths[-1].blocked_by == ("weights",)
    assert largest.chosen.blocked_by == ()


def test_the_table_has_a_line_per_operator(explained: Explanation) -> None:
    text = explanation_text(explained)
    assert text.startswith("ilp: feasible. decided by weights\ntakes flash ")
    assert all(sum(line.startswith(name + " ") for line in text.splitlines()) == 1 for name in NAMES)
    assert "4 pinned" in text
    assert "rank correlation of sigma" in text
    assert "1,024 B more weights lowers the predicted divergence by" in text


def test_an_infeasible_plan_says_what_it_exceeds() -> None:
    found = assign(small_problem(Budget(weights=10)), "uniform")
    assert "exceeds weights: " in assignment_text(found)
    assert "least possible weights: " in assignment_text(found)


def test_the_document_is_json_and_whole(explained: Explanation) -> None:
    document = json.loads(json.dumps(explanation_document(explained)))
    assert document["bits"] == dict(explained.assignment.bitwidths.weights)
    assert document["status"] == "feasible"
    assert [operator["operator"] for operator in document["operators"]] == list(NAMES)
    assert document["operators"][0]["chosen"] == document["bits"][NAMES[0]]
    assert len(document["frontier"]) == len(explained.assignment.frontier)
    assert document["prices"][0]["resource"] == "weights"


def test_the_csv_has_a_line_per_operator_and_width(explained: Explanation) -> None:
    rows = list(csv.DictReader(io.StringIO(explanation_csv(explained))))
    assert len(rows) == len(NAMES) * 6
    assert sum(row["chosen"] == "1" for row in rows) == len(NAMES)
    assert {row["bits"] for row in rows} == {"2", "3", "4", "5", "6", "8"}
    assert {row["blocked_by"] for row in rows} == {"", "weights"}


def test_the_frontier_as_csv(explained: Explanation) -> None:
    rows = list(csv.DictReader(io.StringIO(frontier_csv(explained.assignment))))
    assert len(rows) == len(explained.assignment.frontier)
    assert set(NAMES) <= set(rows[0])
    assert any(row["divergence"] for row in rows)


def test_prices_in_words() -> None:
    assert price_text(Price("flash", 1024, 0.012, 1e-5, 0.3)) == (
        "1,024 B more flash lowers the predicted divergence by 0.01200 (0.30 points of expected accuracy)"
    )
    assert price_text(Price("latency", 0.001, 0.0, 0.0)) == "1.00 ms more latency gains nothing"


def test_dead_operators_and_constant_weights_are_named() -> None:
    problem = small_problem()
    first, second = list(problem.topology.weighted())[:2]
    constants = dict(problem.graph.constants)
    constants[first.weights] = np.zeros_like(constants[first.weights])
    constants[second.weights] = np.full_like(constants[second.weights], 0.5)
    graph = replace(problem.graph, constants=constants)
    ranges = small_network()[1]
    dead = replace(ranges, tensors={**ranges.tensors, "conv2d_2": Range(0.0, 0.0)})
    found = warnings_about(replace(problem, frame=replace(problem.frame, graph=graph)), dead)
    assert [warning.split(":")[0] for warning in found] == [
        "operator 'conv2d_0'",
        "operator 'depthwise_conv2d_1'",
        "operator 'conv2d_2'",
    ]
    assert not warnings_about(problem, ranges)


def test_rank_correlation() -> None:
    assert rank_correlation([1, 2, 3, 4], [1, 4, 9, 16]) == 1.0
    assert rank_correlation([1, 1, 2], [3, 3, 1]) == -1.0
    assert rank_correlation([1, 1, 1], [1, 2, 3]) is None
    assert rank_correlation([1], [1]) is None
