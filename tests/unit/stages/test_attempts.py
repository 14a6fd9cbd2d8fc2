"""Made-up predictors, and images that are not what they say: how often it takes another search, and what is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sq_micro.cost.budget import Budget
from sq_micro.cost.cost import Cost
from sq_micro.cost.figure import Figure
from sq_micro.errors import BudgetError
from sq_micro.stages.attempts import ATTEMPTS, Attempt, first_within, with_room

SIZES = tuple(range(10_000, 20_000, 250))  # predicted; a smaller plan does more damage


def cost(flash: float, latency: float = 0.01) -> Cost:
    return Cost(
        Figure(flash, "bytes", "modelled"),
        None,
        Figure(latency, "s", "modelled"),
        None,
        Figure(0, "bytes", "exact"),
    )


@dataclass
class MadeUp:
    """A search that takes the largest plan within the flash budget, and an image that takes what `measured` says."""

    measured: Callable[[int], float]
    sizes: tuple[int, ...] = SIZES
    budgets: list[Budget] = field(default_factory=list)

    def __call__(self, budget: Budget) -> Attempt[int]:
        self.budgets.append(budget)
        assert budget.flash is not None
        fitting = [size for size in self.sizes if size <= budget.flash]
        if not fitting:
            raise BudgetError(("flash",), "no plan fits")
        size = max(fitting)
        return Attempt(size, cost(size), cost(self.measured(size)), {"flash": min(self.sizes)})

    @property
    def tries(self) -> int:
        return len(self.budgets)


def test_a_prediction_that_holds_takes_one_search() -> None:
    search = MadeUp(lambda size: size)
    assert first_within(Budget(flash=15_100), search) == 15_000
    assert search.tries == 1


@given(allowed=st.integers(10_000, 20_500), error=st.integers(-900, 900))
def test_a_constant_error_takes_two_searches_and_loses_nothing(allowed: int, error: int) -> None:
    search = MadeUp(lambda size: size + error)
    first = max(size for size in SIZES if size <= allowed)
    keeping = [size for size in SIZES if size + error <= allowed and size <= first]
    if not keeping:
        with pytest.raises(BudgetError, match="flash"):
            first_within(Budget(flash=allowed), search)
    else:
        assert first_within(Budget(flash=allowed), search) == max(keeping)
    assert search.tries <= (1 if first + error <= allowed else 2)


@given(allowed=st.integers(10_600, 20_500), percent=st.integers(1, 5))
def test_an_error_by_a_share_takes_two_searches_and_loses_a_step_at_most(allowed: int, percent: int) -> None:
    search = MadeUp(lambda size: size * (1 + percent / 100))
    found = first_within(Budget(flash=allowed), search)
    best = max(size for size in SIZES if search.measured(size) <= allowed)
    assert best - found <= 250
    assert search.tries <= 2


@given(errors=st.lists(st.integers(-300, 300), min_size=len(SIZES), max_size=len(SIZES)))
def test_errors_that_differ_between_plans_leave_what_was_allowed_kept_or_say_so(errors: list[int]) -> None:
    by_size = dict(zip(SIZES, errors, strict=True))
    search = MadeUp(lambda size: size + by_size[size])
    found = first_within(Budget(flash=15_000), search)
    assert search.measured(found) <= 15_000
    assert found >= 14_500  # the first within reach of the largest error
    flash = [budget.flash for budget in search.budgets if budget.flash is not None]
    assert flash == sorted(flash, reverse=True)
    assert search.tries <= 3


def test_the_slack_of_a_prediction_is_not_taken_for_room() -> None:
    """Predicted 14,000 of 15,000, measured 15,100: the plan of 13,900 takes as much more, not only 100 less."""
    search = MadeUp(lambda size: size + 1_100, sizes=(13_800, 13_950, 14_000))
    assert first_within(Budget(flash=15_000), search) == 13_800
    assert search.tries == 2


def test_one_bad_prediction_does_not_put_the_leanest_plan_out_of_reach() -> None:
    """14,900 errs by 2,000, the leanest plan of 14,000 by nothing: less is not asked for than that one takes."""
    search = MadeUp(lambda size: 16_900 if size == 14_900 else size, sizes=(14_000, 14_900))
    assert first_within(Budget(flash=15_000), search) == 14_000
    assert search.budgets[1].flash == 14_000


def test_the_leanest_plan_is_not_built_twice() -> None:
    search = MadeUp(lambda size: size + 600, sizes=(14_900,))
    with pytest.raises(BudgetError, match="15,500 B needed, 15,000 B allowed, short of 500 B") as raised:
        first_within(Budget(flash=15_000), search)
    assert raised.value.binding == ("flash",)
    assert search.tries == 1


def test_it_ends_where_every_plan_errs_by_more_than_the_one_before() -> None:
    search = MadeUp(lambda size: 15_001, sizes=tuple(range(14_990, 15_001)))
    with pytest.raises(BudgetError, match="15,001 B needed"):
        first_within(Budget(flash=15_000), search)
    assert [budget.flash for budget in search.budgets] == [15_000, 14_999, 14_998, 14_997]
    assert search.tries == ATTEMPTS


def test_a_search_that_finds_nothing_at_once_says_what_it_says() -> None:
    with pytest.raises(BudgetError, match="no plan fits") as raised:
        first_within(Budget(flash=9_000), MadeUp(lambda size: size))
    assert "needed" not in raised.value.detail


def test_a_search_that_finds_nothing_with_room_says_what_the_image_took() -> None:
    search = MadeUp(lambda size: size + 100, sizes=(14_950,))

    def attempt(budget: Budget) -> Attempt[int]:
        found = search(budget)
        return Attempt(found.result, found.predicted, found.measured, {"flash": 0.0})

    with pytest.raises(BudgetError, match="15,050 B needed, 15,000 B allowed, short of 50 B; with room for that, no"):
        first_within(Budget(flash=15_000), attempt)


def test_room_is_left_for_what_was_not_exceeded_too_and_never_more_allowed() -> None:
    one = Attempt("", cost(15_000, 0.020), cost(15_100, 0.021), {"flash": 1.0, "latency": 0.0})
    other = Attempt("", cost(14_000, 0.025), cost(13_000, 0.025), {"flash": 1.0, "latency": 0.0})
    budget = Budget(flash=15_000, latency=0.03)
    room = with_room(budget, [one])
    assert room.flash == 14_900
    assert room.latency == pytest.approx(0.029)
    assert with_room(budget, [other]) == budget
    assert with_room(budget, [one, other]) == with_room(budget, [other, one]) == room
