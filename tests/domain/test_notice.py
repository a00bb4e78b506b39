"""Pre-notification: never a debit that was not told for long enough, and never a notice too many."""

from datetime import date, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from linkpay.domain.calendar import Interval, Unit, add_intervals
from linkpay.domain.notice import AGAIN_DAYS, LATE_DAYS, LEAD_DAYS, Debit, Rhythm, Told, verdict, write_from

ANCHOR = date(2026, 1, 31)
MONTHLY = Interval(Unit.MONTH)
RHYTHM = Rhythm(ANCHOR, MONTHLY)
MARCH, APRIL = date(2026, 3, 31), date(2026, 4, 30)

DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))
INTERVALS = st.builds(Interval, st.sampled_from(Unit), st.integers(1, 12))
NOTICES = st.lists(
    st.builds(
        Told,
        st.integers(1, 2),
        st.sampled_from([5000, 6000]),
        DAYS,
        st.none() | DAYS,
        st.none() | st.just(MONTHLY),
    ),
    max_size=4,
)
DEBITS = st.builds(
    Debit, st.integers(1, 2), st.sampled_from([5000, 6000]), DAYS, st.just(RHYTHM), st.booleans()
)


@given(DEBITS, NOTICES, st.integers(0, 60), DAYS)
def test_no_debit_is_allowed_before_it_was_told_long_enough(
    debit: Debit, notices: list[Told], days: int, today: date
) -> None:
    found = verdict(debit, notices, days=days, today=today)
    needed = timedelta(days=min(days, AGAIN_DAYS) if debit.again else days)
    assert found.first_day >= today
    if not debit.again:
        assert found.first_day >= debit.due_on
    if found.allowed:
        of_it = [t for t in notices if t.mandate_id == debit.mandate_id and t.cents >= debit.cents]
        assert any((t.sent_on or today) + needed <= found.first_day for t in of_it)
    else:
        assert found.first_day >= today + needed


@example(
    Debit(2, 5000, date(2026, 1, 1), Rhythm(date(2026, 1, 31), Interval(Unit.MONTH, 1))),
    [Told(2, 6000, date(2026, 2, 1), date(2026, 1, 1))], 4, date(2026, 2, 1),
)  # fmt: skip
@given(DEBITS, NOTICES, st.integers(0, 60), DAYS)
def test_a_notice_of_the_day_that_was_found_settles_it(
    debit: Debit, notices: list[Told], days: int, today: date
) -> None:
    found = verdict(debit, notices, days=days, today=today)
    if found.told:
        return
    written = Told(debit.mandate_id, debit.cents, found.first_day, None)
    again = verdict(debit, [*notices, written], days=days, today=today)
    assert again.told
    assert again.first_day == found.first_day
    sent = Told(debit.mandate_id, debit.cents, found.first_day, today)
    on_the_day = verdict(debit, [*notices, sent], days=days, today=found.first_day)
    assert on_the_day.told
    assert on_the_day.first_day == found.first_day


@given(DEBITS, NOTICES, st.integers(0, 60), DAYS)
def test_more_notices_never_make_a_debit_later(
    debit: Debit, notices: list[Told], days: int, today: date
) -> None:
    told = [verdict(debit, notices[:count], days=days, today=today) for count in range(len(notices) + 1)]
    days_told = [found.first_day for found in told if found.told]
    assert days_told == sorted(days_told, reverse=True)


@given(DAYS, INTERVALS, st.integers(0, 40))
def test_a_rhythm_has_each_of_its_days_and_no_day_beside(
    anchor: date, interval: Interval, times: int
) -> None:
    rhythm = Rhythm(anchor, interval)
    day = add_intervals(anchor, interval, times)
    assert rhythm.has(day)
    beside = day + timedelta(days=1)
    assert rhythm.has(beside) == (add_intervals(anchor, interval, times + 1) == beside)


def told(**changed: object) -> Told:
    values = {
        "mandate_id": 1,
        "cents": 5000,
        "due_on": date(2026, 2, 28),
        "sent_on": ANCHOR,
        "every": MONTHLY,
    }
    return Told(**values | changed)  # type: ignore[arg-type]


def debit(**changed: object) -> Debit:
    values = {"mandate_id": 1, "cents": 5000, "due_on": MARCH, "rhythm": RHYTHM}
    return Debit(**values | changed)  # type: ignore[arg-type]


def test_one_notice_tells_of_the_whole_series_over_short_months() -> None:
    for times in range(1, 40):
        day = add_intervals(ANCHOR, MONTHLY, times)
        found = verdict(debit(due_on=day), [told()], days=14, today=day)
        assert (found.told, found.first_day) == (True, day)


@pytest.mark.parametrize(
    "changed",
    [
        {"cents": 5500},
        {"mandate_id": 2},
        {"due_on": date(2026, 4, 12)},
        {"rhythm": Rhythm(date(2026, 2, 12), MONTHLY)},
        {"rhythm": Rhythm(ANCHOR, Interval(Unit.MONTH, 2))},
        {"again": True},
        {"rhythm": None},
    ],
)
def test_another_amount_account_day_or_rhythm_is_told_anew(changed: dict[str, object]) -> None:
    found = verdict(debit(**changed), [told()], days=14, today=MARCH)
    assert not found.told
    assert found.first_day >= MARCH + timedelta(days=2)


def test_a_series_says_nothing_of_the_time_before_it() -> None:
    assert not verdict(debit(due_on=date(2026, 2, 28)), [told(due_on=MARCH)], days=2, today=ANCHOR).told


def test_a_bank_holiday_late_is_the_debit_that_was_told_and_later_is_not() -> None:
    late = MARCH + timedelta(days=LATE_DAYS)
    assert verdict(debit(), [told()], days=14, today=late).first_day == late
    assert not verdict(debit(), [told()], days=14, today=late + timedelta(days=1)).told


def test_a_notice_that_left_late_moves_the_debit_and_much_too_late_is_none() -> None:
    single = told(due_on=MARCH, every=None, sent_on=date(2026, 3, 30))
    found = verdict(debit(), [single], days=2, today=MARCH)
    assert (found.told, found.first_day) == (True, date(2026, 4, 1))
    assert not verdict(debit(), [single], days=14, today=MARCH).told


def test_a_notice_on_its_way_counts_from_today() -> None:
    single = told(due_on=MARCH, every=None, sent_on=None)
    found = verdict(debit(), [single], days=2, today=date(2026, 3, 29))
    assert (found.told, found.first_day) == (True, MARCH)


def test_trying_again_needs_its_own_day_and_two_days() -> None:
    again = debit(due_on=date(2026, 4, 5), again=True)
    mailed = told(due_on=date(2026, 4, 5), every=None, sent_on=date(2026, 4, 3))
    assert verdict(again, [mailed], days=14, today=date(2026, 4, 5)).first_day == date(2026, 4, 5)
    untold = verdict(again, [told()], days=14, today=date(2026, 4, 5))
    assert (untold.told, untold.first_day) == (False, date(2026, 4, 7))


def test_the_notice_of_one_period_is_none_of_the_next() -> None:
    of_march = told(due_on=MARCH, every=None, sent_on=date(2026, 3, 20))
    assert not verdict(debit(due_on=APRIL), [of_march], days=2, today=date(2026, 4, 1)).told


def test_a_notice_is_written_with_days_to_spare() -> None:
    assert write_from(MARCH, 14) == MARCH - timedelta(days=14 + LEAD_DAYS)
