"""Instants and days as Mollie and its banks count them."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
BANK_MORNING = time(9, 0, tzinfo=UTC)


def stamp(at: datetime) -> str:
    """An instant as Mollie writes it: seconds and a numeric zone, never ``Z``."""
    return at.replace(microsecond=0).isoformat()


def local_day(at: datetime) -> date:
    """The calendar day in Amsterdam."""
    return at.astimezone(AMSTERDAM).date()


def bank_morning(day: date) -> datetime:
    """The moment on `day` at which bank answers come in."""
    return datetime.combine(day, BANK_MORNING)


@lru_cache(maxsize=64)
def _bank_holidays(year: int) -> frozenset[date]:
    """The days on which TARGET is closed: New Year, Good Friday, Easter Monday, 1 May, 25 and 26 December."""
    easter = _easter(year)
    moving = {easter - timedelta(days=2), easter + timedelta(days=1)}
    return frozenset(moving | {date(year, 1, 1), date(year, 5, 1), date(year, 12, 25), date(year, 12, 26)})


def _easter(year: int) -> date:
    """Easter Sunday by the anonymous Gregorian computus."""
    golden = year % 19
    century, rest = divmod(year, 100)
    skipped, left = divmod(century, 4)
    correction = (century + 8) // 25
    epact = (19 * golden + century - skipped - (century - correction + 1) // 3 + 15) % 30
    leaps, remainder = divmod(rest, 4)
    weekday = (32 + 2 * left + 2 * leaps - epact - remainder) % 7
    shift = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * shift + 114, 31)
    return date(year, month, day + 1)


def is_banking_day(day: date) -> bool:
    return day.weekday() < 5 and day not in _bank_holidays(day.year)


def banking_days_after(day: date, count: int) -> date:
    """The `count`-th banking day after `day`."""
    while count:
        day += timedelta(days=1)
        count -= is_banking_day(day)
    return day
