"""Recurring revenue: nothing is lost between what came and what went."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpay.domain.calendar import Interval, Unit
from linkpay.domain.metrics import Flow, after, monthly, months_of_money

MONTHLY = Interval(Unit.MONTH)
MONTHS = st.tuples(st.integers(2024, 2026), st.integers(1, 12))
FLOWS = st.lists(
    st.builds(
        Flow, MONTHS, st.sampled_from([MONTHLY, Interval(Unit.YEAR), Interval(Unit.WEEK, 2)]),
        st.integers(1, 50), st.integers(1, 100_000), st.just(True), st.booleans(),
    ),
    max_size=20,
)  # fmt: skip


@pytest.mark.parametrize(
    ("interval", "cents"),
    [
        (MONTHLY, 6000),
        (Interval(Unit.MONTH, 3), 2000),
        (Interval(Unit.YEAR), 500),
        (Interval(Unit.WEEK), 26_000),
    ],
)
def test_every_rhythm_is_worth_so_much_a_month(interval: Interval, cents: int) -> None:
    assert monthly(6000, interval) == cents


def test_a_month_is_what_came_less_what_went_on_top_of_the_months_before() -> None:
    flows = [
        Flow((2026, 1), MONTHLY, 3, 15_000, gain=True),
        Flow((2026, 3), MONTHLY, 1, 5000, gain=True, again=True),
        Flow((2026, 3), MONTHLY, 1, 5000, gain=False),
    ]
    february, march = months_of_money(flows, (2026, 2), (2026, 3))
    assert (february.members, february.recurring_cents, february.new) == (3, 15_000, 0)
    assert (march.new, march.back, march.lost, march.members, march.recurring_cents) == (0, 1, 1, 3, 15_000)
    assert march.leaving_basis_points == 3333


def test_without_members_nobody_leaves() -> None:
    (month,) = months_of_money([], (2026, 1), (2026, 1))
    assert month.leaving_basis_points is None


@given(FLOWS)
def test_the_last_month_holds_all_that_ever_came(flows: list[Flow]) -> None:
    last = months_of_money(flows, (2025, 6), (2026, 12))[-1]
    assert last.members == sum(flow.number for flow in flows)
    exact = sum((monthly(flow.cents, flow.interval) for flow in flows), Fraction(0))
    assert last.recurring_cents == round(exact)


@given(MONTHS, st.integers(-60, 60))
def test_months_follow_each_other(month: tuple[int, int], count: int) -> None:
    assert after(after(month, count), -count) == month
