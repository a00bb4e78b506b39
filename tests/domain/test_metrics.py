"""Recurring revenue: nothing is lost between what came and what went."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpay.domain.calendar import Interval, Unit
from linkpay.domain.metrics import Change, Cohort, Flow, after, cohorts, monthly, months_of_money

MONTHLY = Interval(Unit.MONTH)
MONTHS = st.tuples(st.integers(2024, 2026), st.integers(1, 12))
FLOWS = st.lists(
    st.builds(
        Flow, MONTHS, st.sampled_from([MONTHLY, Interval(Unit.YEAR), Interval(Unit.WEEK, 2)]),
        st.integers(1, 50), st.integers(1, 100_000), st.just(True), st.booleans(),
    ),
    max_size=20,
)  # fmt: skip
CHANGES = st.lists(
    st.builds(Change, MONTHS, MONTHS, st.integers(0, 9999), st.integers(0, 9999), st.booleans()), max_size=9
)


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


def test_a_rise_belongs_to_its_month_and_the_past_stays_what_it_was() -> None:
    flows = [Flow((2026, 1), MONTHLY, 3, 18_000, gain=True)]
    changes = [Change((2026, 1), (2026, 3), up_cents=4000, down_cents=1000)]
    january, february, march = months_of_money(flows, (2026, 1), (2026, 3), changes)
    assert (january.new_cents, january.recurring_cents, february.recurring_cents) == (15_000, 15_000, 15_000)
    assert (march.began_cents, march.up_cents, march.down_cents, march.recurring_cents) == (
        15_000, 4000, 1000, 18_000,
    )  # fmt: skip


def test_who_leaves_takes_her_money_with_her() -> None:
    flows = [
        Flow((2026, 1), MONTHLY, 4, 40_000, gain=True),
        Flow((2026, 2), MONTHLY, 1, 25_000, gain=False),
    ]
    february = months_of_money(flows, (2026, 2), (2026, 2))[0]
    assert (february.leaving_basis_points, february.money_leaving_basis_points) == (2500, 6250)


def test_a_cohort_shrinks_by_who_left() -> None:
    spells = [((2026, 1), None, 3), ((2026, 1), (2026, 1), 1), ((2026, 1), (2026, 3), 2)]
    spells += [((2026, 3), None, 5)]
    assert cohorts(spells, (2026, 1), (2026, 3)) == [
        Cohort(2026, 1, 6, (5, 5, 3)), Cohort(2026, 2, 0, (0, 0)), Cohort(2026, 3, 5, (5,)),
    ]  # fmt: skip


@given(FLOWS, CHANGES)
def test_every_month_begins_with_what_the_one_before_ended_with(
    flows: list[Flow], changes: list[Change]
) -> None:
    found = months_of_money(flows, (2023, 1), (2026, 12), changes)
    for before, month in pairwise(found):
        assert abs(month.began_cents - before.recurring_cents) <= 5, "each figure is rounded by itself"
    exact = sum((monthly(flow.cents, flow.interval) for flow in flows), Fraction(0))
    assert found[-1].recurring_cents == round(exact), "what became of it is what it is now"


@given(FLOWS)
def test_the_last_month_holds_all_that_ever_came(flows: list[Flow]) -> None:
    last = months_of_money(flows, (2025, 6), (2026, 12))[-1]
    assert last.members == sum(flow.number for flow in flows)
    exact = sum((monthly(flow.cents, flow.interval) for flow in flows), Fraction(0))
    assert last.recurring_cents == round(exact)


@given(MONTHS, st.integers(-60, 60))
def test_months_follow_each_other(month: tuple[int, int], count: int) -> None:
    assert after(after(month, count), -count) == month
