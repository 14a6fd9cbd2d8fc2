"""What rules would have chosen."""

from __future__ import annotations

from sq_micro.assign.baselines import baselines
from sq_micro.assign.completion import cost_of
from sq_micro.cost.budget import Budget
from sq_micro.ir.bitwidths import WEIGHT_BITS
from tests.unit.assign.small_problem import CountingEvaluate, mean_bits, small_options, small_problem

INT8_BYTES = sum(option.at(8).weight_bytes for option in small_options())


def test_every_width_and_both_rules_are_there_and_some_are_tried() -> None:
    problem = small_problem(Budget(weights=0.5 * INT8_BYTES))
    evaluate = CountingEvaluate(lambda plan: 8 - mean_bits(plan))
    found = {baseline.origin: baseline.point for baseline in baselines(problem, evaluate)}
    widths = [f"uniform {bits}" for bits in sorted(WEIGHT_BITS, reverse=True)]
    assert list(found) == [*widths, "memory-driven", "size-ranked"]
    for origin, point in found.items():
        assert point.cost == cost_of(problem, point.bitwidths)
        assert point.predicted is not None
        if origin in ("uniform 6", "uniform 5", "uniform 3"):
            assert point.evaluation is None
        else:
            assert point.evaluation is not None
            assert point.evaluation.expected_drop == 8 - mean_bits(point.bitwidths)
        if not origin.startswith("uniform"):
            assert point.cost.weights.value <= 0.5 * INT8_BYTES


def test_pins_hold_in_every_baseline() -> None:
    problem = small_problem(Budget(weights=0.5 * INT8_BYTES), pins={"dense_5": 6})
    assert {baseline.point.bitwidths.weights["dense_5"] for baseline in baselines(problem)} == {6}
    assert all(baseline.point.evaluation is None for baseline in baselines(problem))
