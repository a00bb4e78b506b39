"""Missed periods: how many are still asked for, and how far apart."""

from datetime import date

import pytest

from linkpay.domain.calendar import Interval, Unit
from linkpay.domain.catch_up import is_too_old, not_before
from linkpay.domain.leaving import Series
from linkpay.domain.policy import Policy

#: Months from 31 January on; the one of 28 February is the next to be charged.
MONTHS = Series(date(2026, 1, 31), 0, 1, Interval(Unit.MONTH, 1))


@pytest.mark.parametrize(
    ("today", "too_old"),
    [
        (date(2026, 2, 28), False), (date(2026, 5, 30), False),
        (date(2026, 5, 31), True), (date(2026, 6, 1), True),
    ],
)  # fmt: skip
def test_a_period_is_let_go_when_three_more_have_begun(today: date, too_old: bool) -> None:
    assert is_too_old(MONTHS, Policy(catch_up_periods=3), today) is too_old


@pytest.mark.parametrize(
    ("gap", "day"), [(0, date(2026, 3, 1)), (1, date(2026, 3, 2)), (5, date(2026, 3, 6))]
)
def test_the_next_waits_for_so_many_days(gap: int, day: date) -> None:
    assert not_before(date(2026, 3, 1), Policy(catch_up_gap_days=gap)) == day
