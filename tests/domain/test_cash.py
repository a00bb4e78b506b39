"""Which money comes in which week."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from linkpay.domain.calendar import Interval, Unit
from linkpay.domain.cash import Stream, by_week

MONTHLY, WEEKLY = Interval(Unit.MONTH, 1), Interval(Unit.WEEK, 1)
MONDAY = date(2026, 11, 30)


def stream(days: int = 0, interval: Interval = MONTHLY, **about: object) -> Stream:
    """Two who pay 50 euro, first so many days from Monday."""
    values = {"by_debit": True, "number": 2, "cents": 10_000} | about
    return Stream(MONDAY + timedelta(days=days), interval, **values)  # type: ignore[arg-type]  # plain values


def asked_and_paid(*streams: Stream, weeks: int = 4) -> list[tuple[int, int]]:
    return [(week.cents, week.paid_cents) for week in by_week(streams, [], MONDAY, weeks)]


def test_a_debit_of_friday_is_paid_in_the_next_week() -> None:
    assert asked_and_paid(stream(4)) == [(10_000, 0), (0, 10_000), (0, 0), (0, 0)]


def test_a_card_is_paid_when_it_is_asked() -> None:
    assert asked_and_paid(stream(4, by_debit=False))[0] == (10_000, 10_000)


def test_what_is_overdue_is_asked_for_today_and_once() -> None:
    assert [asked for asked, _ in asked_and_paid(stream(-3, WEEKLY), weeks=2)] == [20_000, 10_000]
    assert [asked for asked, _ in asked_and_paid(stream(-3), weeks=2)] == [10_000, 0]


def test_terms_end_it() -> None:
    assert [asked for asked, _ in asked_and_paid(stream(0, WEEKLY, left=2))] == [10_000, 10_000, 0, 0]


def test_what_is_under_way_comes_in_and_is_not_asked_for_again() -> None:
    (week,) = by_week([], [(MONDAY - timedelta(days=3), 5000), (MONDAY - timedelta(days=30), 1)], MONDAY, 1)
    assert (week.number, week.cents, week.paid_cents) == (0, 0, 5001)


@given(
    st.lists(
        st.builds(stream, st.integers(-20, 80), st.sampled_from([MONTHLY, WEEKLY]), by_debit=st.booleans())
    ),
    st.integers(1, 12),
)
def test_no_more_is_paid_than_was_asked_for_by_then(streams: list[Stream], weeks: int) -> None:
    asked = paid = 0
    for week in by_week(streams, [], MONDAY, weeks):
        asked, paid = asked + week.cents, paid + week.paid_cents
        assert paid <= asked
        assert week.cents == week.number * 5000
