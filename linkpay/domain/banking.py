"""Days on which European banks move money, and the days on which wages come."""

from collections.abc import Iterable
from datetime import date, timedelta
from functools import cache

from linkpay.domain.calendar import add_months

_WEEKEND = (5, 6)


@cache
def _closed(year: int) -> frozenset[date]:
    """TARGET is closed on New Year, Good Friday, Easter Monday, 1 May, 25 and 26 December (ECB)."""
    easter = _easter(year)
    moving = {easter - timedelta(days=2), easter + timedelta(days=1)}
    return frozenset(moving | {date(year, 1, 1), date(year, 5, 1), date(year, 12, 25), date(year, 12, 26)})


def _easter(year: int) -> date:
    """Easter Sunday, by Gauss's rule in the form of Butcher."""
    a, (b, c) = year % 19, divmod(year, 100)
    (d, e), f = divmod(b, 4), (b + 8) // 25
    g = (b - f + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    weekday = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * weekday) // 451
    month, day = divmod(h + weekday - 7 * m + 114, 31)
    return date(year, month, day + 1)


def is_banking_day(day: date) -> bool:
    """Whether SEPA debits are settled on this day."""
    return day.weekday() not in _WEEKEND and day not in _closed(day.year)


def banking_day(day: date) -> date:
    """The day itself, or the next on which banks work."""
    while not is_banking_day(day):
        day += timedelta(days=1)
    return day


def answered_on(asked_on: date) -> date:
    """The earliest day on which a bank answers a SEPA debit that was asked for on a day.

    Mollie hands it over on the next banking day, and it is decided one banking day later (help.mollie.com).
    """
    due_on = banking_day(asked_on + timedelta(days=1))
    return banking_day(due_on + timedelta(days=1))


def next_pay_day(day: date, pay_days: Iterable[int]) -> date:
    """The first day from `day` on that is a pay day, or the banking day to which one moves.

    `pay_days` are days of the month from 1; in a shorter month the last day stands in.
    """
    first = day.replace(day=1)
    months = [add_months(first, count) for count in (-1, 0, 1)]
    named = [_in_month(month, number) for month in months for number in pay_days]
    return min(moved for moved in map(banking_day, named) if moved >= day)


def _in_month(first: date, number: int) -> date:
    last = add_months(first, 1) - timedelta(days=1)
    return first.replace(day=min(max(number, 1), last.day))
