"""The paper's rules, one by one, on a network whose quality is a made-up function of its bits."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from sq_micro.assign.problem import Evaluation
from sq_micro.assign.sigmaquant.divergence import scores, weight_statistics
from sq_micro.assign.sigmaquant.options import SigmaQuantOptions
from sq_micro.assign.sigmaquant.search import Search, Step, sigmaquant
from sq_micro.assign.sigmaquant.zones import Zone
from sq_micro.cost.budget import Budget
from sq_micro.errors import UsageError
from sq_micro.ir.bitwidths import Bitwidths
from tests.unit.assign.small_problem import NAMES, CountingEvaluate, mean_bits, small_options, small_problem

PAPER = SigmaQuantOptions()
INT8_BYTES = sum(option.at(8).weight_bytes for option in small_options())


def run_search(
    drop: Callable[[Bitwidths], float],
    share: float = 0.5,
    options: SigmaQuantOptions = PAPER,
    pins: dict[str, int] | None = None,
    max_drop: float = 1.0,
) -> list[Step]:
    problem = small_problem(Budget(weights=share * INT8_BYTES), pins, max_drop=max_drop)
    search = Search(problem, CountingEvaluate(drop), options)
    search.start()
    search.phase_1()
    if search.steps[-1].zone is not Zone.ABANDON:
        search.phase_2()
    return search.steps


def steps_of(steps: list[Step], phase: int) -> list[Step]:
    return [step for step in steps if step.phase == phase]


def test_the_numbers_that_the_paper_gives_are_the_defaults() -> None:
    assert PAPER.bits == (2, 4, 6, 8)  # K = 4 clusters
    assert (PAPER.penalty, PAPER.penalty_step) == (0.1, 0.1)  # lambda, and its increment after a failed round
    assert (PAPER.layers, PAPER.steps) == (2, 40)  # moved in a step; the most steps of phase 2
    assert PAPER.max_drop == 1.0


def test_it_starts_from_eight_bits_everywhere() -> None:
    first = run_search(lambda plan: 0)[0]
    assert set(first.bitwidths.weights.values()) == {8}
    assert first.weight_bytes == INT8_BYTES


def test_a_larger_sigma_gets_more_bits() -> None:
    step = steps_of(run_search(lambda plan: 0), 1)[0]
    sigma = {s.operator: s.sigma for s in weight_statistics(small_problem().graph, (2, 4, 6, 8))}
    by_sigma = [step.bitwidths.weights[name] for name in sorted(NAMES, key=sigma.__getitem__)]
    assert by_sigma == sorted(by_sigma)
    assert set(by_sigma) == {2, 4, 6, 8}


def test_phase_1_ends_with_one_of_both_inside_its_buffer() -> None:
    assert len(steps_of(run_search(lambda plan: 0, share=0.26), 1)) == 1  # quality is
    assert len(steps_of(run_search(lambda plan: 50, share=0.9), 1)) == 1  # size is


def test_lambda_grows_by_a_tenth_while_both_are_missed_and_then_it_gives_up() -> None:
    options = SigmaQuantOptions(size_buffer=0.0)
    steps = run_search(lambda plan: 50, share=0.26, options=options)
    assert [step.note for step in steps_of(steps, 1)] == [f"clusters with lambda {x}" for x in ("0.1", "0.2", "0.3")]
    assert steps[-1].zone is Zone.ABANDON
    assert not steps_of(steps, 2)


def test_size_missed_lowers_the_two_of_lowest_score_by_two_bits() -> None:
    steps = run_search(lambda plan: 0, share=0.26)
    before, after = steps_of(steps, 1)[-1], steps_of(steps, 2)[0]
    statistics = weight_statistics(small_problem().graph, (2, 4, 6, 8))
    found = scores(statistics, dict(before.bitwidths.weights), PAPER)
    movable = [name for name in NAMES if before.bitwidths.weights[name] > 2]
    expected = sorted(movable, key=found.__getitem__)[:2]
    assert [name for name, _, _ in after.moves] == expected
    assert all(old - new == 2 for _, old, new in after.moves)


def test_quality_missed_raises_the_two_of_highest_score_by_two_bits() -> None:
    steps = run_search(lambda plan: 1.5 + 8 - mean_bits(plan), share=0.99)
    before, after = steps_of(steps, 1)[-1], steps_of(steps, 2)[0]
    statistics = weight_statistics(small_problem().graph, (2, 4, 6, 8))
    found = scores(statistics, dict(before.bitwidths.weights), PAPER)
    movable = [name for name in NAMES if before.bitwidths.weights[name] < 8]
    assert [name for name, _, _ in after.moves] == sorted(movable, key=lambda name: -found[name])[:2]
    assert all(new - old == 2 for _, old, new in after.moves)


def test_it_stops_in_the_target_zone() -> None:
    steps = run_search(lambda plan: 0, share=0.4)
    assert steps[-1].zone is Zone.TARGET
    assert all(step.zone is not Zone.TARGET for step in steps[:-1])
    assert not steps_of(run_search(lambda plan: 0, share=0.95), 2)  # there would be room for more bits


def test_an_operator_is_raised_only_where_there_is_room() -> None:
    for step in steps_of(run_search(lambda plan: 30, share=0.5), 2):
        if any(new > old for _, old, new in step.moves):
            assert step.position.size_met


def test_steps_without_improvement_end_it_and_the_best_plan_is_restored() -> None:
    """Quality that has nothing to do with bits: after the first step nothing improves."""
    evaluate = CountingEvaluate(lambda plan: 10.0)
    problem = small_problem(Budget(weights=0.9 * INT8_BYTES), max_drop=1.0)
    proposal = sigmaquant(problem, evaluate, SigmaQuantOptions(patience=2))
    assert "2 steps without improvement" in proposal.log
    assert proposal.bitwidths == evaluate.plans[1]  # phase 1: the first that fits, none was better
    assert len(evaluate.plans) == 2 + 2


def test_at_most_forty_steps() -> None:
    options = SigmaQuantOptions(patience=1000, both_missed="exchange", need_room=False)
    assert len(steps_of(run_search(lambda plan: 1.5, share=0.45, options=options), 2)) == 40


def test_pinned_operators_stay() -> None:
    for step in run_search(lambda plan: 0, share=0.3, pins={"conv2d_3": 3, "dense_5": 8}):
        assert (step.bitwidths.weights["conv2d_3"], step.bitwidths.weights["dense_5"]) == (3, 8)


def test_both_missed_can_put_accuracy_first_or_exchange() -> None:
    def first_move(mode: str) -> list[int]:
        options = SigmaQuantOptions(both_missed=mode)  # type: ignore[arg-type]
        steps = run_search(lambda plan: 2.5, share=0.3, options=options)
        return sorted(new - old for _, old, new in steps_of(steps, 2)[0].moves)

    assert first_move("decrease") == [-2, -2]
    assert first_move("increase") == [2, 2]
    assert first_move("exchange") == [-2, 2]


def test_plans_within_the_budgets_are_kept_before_nearer_ones() -> None:
    def kept(keep: str) -> Bitwidths:
        problem = small_problem(Budget(weights=0.45 * INT8_BYTES), max_drop=1.0)
        options = SigmaQuantOptions(keep=keep, quality_buffer=0.1)  # type: ignore[arg-type]
        return sigmaquant(problem, CountingEvaluate(lambda plan: 12 - mean_bits(plan)), options).bitwidths

    def weight_bytes(plan: Bitwidths) -> int:
        return sum(option.at(plan.weights[option.operator]).weight_bytes for option in small_options())

    assert weight_bytes(kept("budgets")) <= 0.45 * INT8_BYTES
    assert weight_bytes(kept("distance")) > 0.45 * INT8_BYTES


def test_the_log_tells_zone_moves_accuracy_and_size() -> None:
    proposal = sigmaquant(small_problem(Budget(weights=0.3 * INT8_BYTES)), CountingEvaluate(lambda plan: 0.5))
    assert proposal.log[0].startswith("phase 0 step 0: 8 bits | drop 0.50 points")
    assert proposal.log[1].startswith("phase 1 step 1: clusters with lambda 0.1 |")
    moves = next(line for line in proposal.log if line.startswith("phase 2 step 1: "))
    assert "→" in moves
    assert "% of the budget | " in moves
    assert moves.split("| ")[-1] in [zone.value for zone in Zone]


def test_missing_widths_are_named() -> None:
    with pytest.raises(UsageError, match=r"sigmaquant needs \(2, 4, 6, 8\) bits for operator 'conv2d_0'"):
        sigmaquant(small_problem(widths=(4, 8)), CountingEvaluate(lambda plan: 0))


def test_accuracy_is_counted_where_there_are_labels_unless_told() -> None:
    def evaluate(plans: Sequence[Bitwidths]) -> list[Evaluation]:
        return [Evaluation((0.1,), 1.0, 7.0, accuracy=0.5, float_accuracy=0.53) for _ in plans]

    def first_line(quality: str) -> str:
        options = SigmaQuantOptions(quality=quality)  # type: ignore[arg-type]
        return sigmaquant(small_problem(Budget(weights=INT8_BYTES)), evaluate, options).log[0]

    assert "| accuracy 50.00 %, drop 3.00 points" in first_line("counted")
    assert "drop 7.00 points" in first_line("expected")
