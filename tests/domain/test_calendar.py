"""Periods never drift, never leave a gap, and days begin when they begin."""

import calendar as months
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpay.domain.calendar import (
    Interval,
    Unit,
    add_intervals,
    add_months,
    day_starts_at,
    days_later,
    local_day,
    period,
    typed_day,
)

#: Zones of every temper: at UTC, far from it, half hours, and those whose clocks jump at midnight.
ZONES = (
    "Europe/Amsterdam", "Europe/London", "UTC", "Pacific/Midway", "Pacific/Kiritimati", "America/Sao_Paulo",
    "Asia/Beirut", "America/Havana", "Africa/Cairo", "Atlantic/Azores", "America/New_York",
    "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca",
)  # fmt: skip
DAYS = st.dates(date(2000, 1, 1), date(2060, 12, 31))
INTERVALS = st.builds(Interval, st.sampled_from(Unit), st.integers(1, 12))
INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2036, 12, 31), timezones=st.just(UTC))


@pytest.mark.parametrize("anchor_day", range(1, 32))
def test_an_anchor_day_survives_1200_months(anchor_day: int) -> None:
    anchor, monthly = date(2024, 1, anchor_day), Interval(Unit.MONTH)
    periods = [period(anchor, monthly, index) for index in range(1200)]
    for index, (this, following) in enumerate(pairwise(periods)):
        assert this.ends_on == following.starts_on
        assert this.starts_on < this.ends_on
        years, month = divmod(index, 12)
        last = months.monthrange(2024 + years, month + 1)[1]
        assert this.starts_on == date(2024 + years, month + 1, min(anchor_day, last))


@given(anchor=DAYS, interval=INTERVALS, index=st.integers(0, 200))
def test_periods_of_any_length_meet_without_gap_or_overlap(
    anchor: date, interval: Interval, index: int
) -> None:
    this, following = period(anchor, interval, index), period(anchor, interval, index + 1)
    assert this.starts_on < this.ends_on == following.starts_on


@given(anchor=DAYS, count=st.integers(1, 60), times=st.integers(0, 300))
def test_days_and_weeks_have_fixed_lengths(anchor: date, count: int, times: int) -> None:
    assert (add_intervals(anchor, Interval(Unit.DAY, count), times) - anchor).days == count * times
    weekly = add_intervals(anchor, Interval(Unit.WEEK, count), times)
    assert (weekly - anchor).days == 7 * count * times
    assert weekly.weekday() == anchor.weekday()


def test_a_leap_day_falls_back_to_28_february_and_returns() -> None:
    yearly = Interval(Unit.YEAR)
    days = [add_intervals(date(2024, 2, 29), yearly, times) for times in range(9)]
    assert [day.day for day in days] == [29, 28, 28, 28, 29, 28, 28, 28, 29]
    assert {day.month for day in days} == {2}
    assert add_intervals(date(2096, 2, 29), yearly, 4) == date(2100, 2, 28)


def test_31_january_gives_28_february_and_then_31_march() -> None:
    assert [add_months(date(2026, 1, 31), n) for n in (1, 2, 3)] == [
        date(2026, 2, 28),
        date(2026, 3, 31),
        date(2026, 4, 30),
    ]
    assert add_months(date(2026, 1, 31), -2) == date(2025, 11, 30)


@given(anchor=DAYS, interval=INTERVALS, shift=st.integers(0, 50), index=st.integers(0, 100))
def test_an_anchor_may_belong_to_a_later_period(
    anchor: date, interval: Interval, shift: int, index: int
) -> None:
    shifted = period(anchor, interval, shift + index, anchor_index=shift)
    plain = period(anchor, interval, index)
    assert (shifted.index, shifted.starts_on, shifted.ends_on) == (
        shift + index,
        plain.starts_on,
        plain.ends_on,
    )


def test_an_interval_is_at_least_one_unit() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Interval(Unit.MONTH, 0)


@pytest.mark.parametrize("zone", ZONES)
def test_every_day_from_2010_to_2036_begins_at_its_first_instant(zone: str) -> None:
    day, end = date(2010, 1, 1), date(2037, 1, 1)
    while day < end:
        starts_at = day_starts_at(day, zone)
        assert local_day(starts_at, zone) == day
        assert local_day(starts_at - timedelta(microseconds=1), zone) == day - timedelta(days=1)
        day += timedelta(days=1)


def test_the_zones_above_do_jump_at_midnight() -> None:
    """Otherwise the test above proves less than it says."""
    first = {
        zone: day_starts_at(day, zone).astimezone(ZoneInfo(zone)).hour
        for zone, day in {
            "America/Sao_Paulo": date(2018, 11, 4),
            "Asia/Beirut": date(2024, 3, 31),
            "America/Havana": date(2024, 3, 10),
            "Africa/Cairo": date(2024, 4, 26),
        }.items()
    }
    assert set(first.values()) == {1}
    assert day_starts_at(date(2024, 11, 3), "America/Havana") == datetime(2024, 11, 3, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "offset"), [("Pacific/Midway", 11), ("Pacific/Kiritimati", -14), ("UTC", 0)]
)
def test_the_ends_of_the_earth_are_25_hours_apart(zone: str, offset: int) -> None:
    midnight = datetime(2026, 5, 1, tzinfo=UTC)
    assert day_starts_at(date(2026, 5, 1), zone) == midnight + timedelta(hours=offset)


@given(instant=INSTANTS, days=st.integers(0, 400), zone=st.sampled_from(ZONES))
def test_days_later_keeps_the_wall_clock(instant: datetime, days: int, zone: str) -> None:
    later = days_later(instant, days, zone)
    before, after = instant.astimezone(ZoneInfo(zone)), later.astimezone(ZoneInfo(zone))
    jumped = after.replace(tzinfo=None) - before.replace(tzinfo=None) - timedelta(days=days)
    # A wall time that does not exist on that day is the jump later; all others are kept.
    assert timedelta(0) <= jumped <= timedelta(hours=1)
    wall = (before.replace(tzinfo=None) + timedelta(days=days)).replace(tzinfo=ZoneInfo(zone))
    exists = wall.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == wall.replace(tzinfo=None)
    assert exists == (jumped == timedelta(0))


@given(instant=INSTANTS, days=st.integers(0, 60), zone=st.sampled_from(ZONES))
def test_more_days_are_later(instant: datetime, days: int, zone: str) -> None:
    assert days_later(instant, days, zone) < days_later(instant, days + 1, zone)
    assert days_later(instant, days, zone) >= instant


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        # Over the change to summer time a day has 23 hours, over the change back 25.
        ("2026-03-28T12:00", "2026-03-29T12:00"),
        ("2026-10-24T12:00", "2026-10-25T12:00"),
        # 02:30 does not exist on 29 March 2026 in Amsterdam: half past three it is.
        ("2026-03-28T02:30", "2026-03-29T03:30"),
    ],
)
def test_a_day_over_a_clock_change_keeps_the_hour(instant: str, expected: str) -> None:
    zone = ZoneInfo("Europe/Amsterdam")
    start = datetime.fromisoformat(instant).replace(tzinfo=zone).astimezone(UTC)
    later = days_later(start, 1, "Europe/Amsterdam")
    assert later.astimezone(zone).replace(tzinfo=None) == datetime.fromisoformat(expected)


def test_no_days_later_is_now_even_in_the_hour_that_comes_twice() -> None:
    second_half_past_two = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert days_later(second_half_past_two, 0, "Europe/Amsterdam") == second_half_past_two


@pytest.mark.parametrize("text", ["1999-12-31", "2200-01-01", "0001-01-01", "9999-12-31", "31-12-2026", ""])
def test_a_day_that_nobody_means_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"far away|isoformat"):
        typed_day(text)


def test_a_day_is_read_as_browsers_send_it() -> None:
    assert typed_day("2026-12-31") == date(2026, 12, 31)
