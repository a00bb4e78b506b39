"""Periods and days. Instants are UTC; dates are days in the site's zone (Europe/Amsterdam unless set).

The anchor is the first day of the first period. Every later day is computed from the anchor, never
from the day before it, so 31 January gives 28 February and then 31 March again.
"""

import calendar as months
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

DEFAULT_ZONE = "Europe/Amsterdam"
_YEARS = range(2000, 2200)


class Unit(StrEnum):
    """What an interval counts."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Interval:
    """`count` units, e.g. every 3 months."""

    unit: Unit
    count: int = 1

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError("an interval is at least one unit")


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `starts_on` up to and not including `ends_on`."""

    index: int
    starts_on: date
    ends_on: date


def add_months(day: date, count: int) -> date:
    """`count` months later on the same day of the month, or on that month's last day."""
    month_number = day.year * 12 + day.month - 1 + count
    year, month = divmod(month_number, 12)
    last = months.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def add_intervals(anchor: date, interval: Interval, times: int) -> date:
    """The day `times` intervals after the anchor. Yearly on 29 February falls back to the 28th."""
    steps = interval.count * times
    match interval.unit:
        case Unit.DAY:
            return anchor + timedelta(days=steps)
        case Unit.WEEK:
            return anchor + timedelta(weeks=steps)
        case Unit.MONTH:
            return add_months(anchor, steps)
        case Unit.YEAR:
            return add_months(anchor, steps * 12)


def period(anchor: date, interval: Interval, index: int, *, anchor_index: int = 0) -> Period:
    """Period number `index` of a series whose period `anchor_index` starts on `anchor`."""
    offset = index - anchor_index
    return Period(
        index,
        add_intervals(anchor, interval, offset),
        add_intervals(anchor, interval, offset + 1),
    )


def local_day(instant: datetime, zone: str) -> date:
    """The day it is in `zone` at `instant`."""
    return instant.astimezone(ZoneInfo(zone)).date()


def typed_day(text: str) -> date:
    """The day that somebody wrote as ``2026-12-31``. Raises ValueError for what is none, and for one that is
    centuries away: nobody means it, and counting months up to it would take its time."""
    day = date.fromisoformat(text)
    if day.year not in _YEARS:
        raise ValueError(f"{day} is too far away")
    return day


def day_starts_at(day: date, zone: str) -> datetime:
    """The instant at which `day` begins in `zone`, in UTC.

    Where midnight does not exist (a zone whose clocks jump at midnight) it is the first instant
    after the jump; where it occurs twice, the first of the two.
    """
    # Python reads a wall time inside a jump with the offset before it, which is the jump itself here.
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def days_later(instant: datetime, days: int, zone: str) -> datetime:
    """The same wall-clock moment `days` days later in `zone`, in UTC: a day may have 23 or 25 hours."""
    if days == 0:
        return instant.astimezone(UTC)  # by the wall clock, 02:30 in autumn would become the first 02:30
    local = instant.astimezone(ZoneInfo(zone))
    wall = local.replace(tzinfo=None) + timedelta(days=days)
    return wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
