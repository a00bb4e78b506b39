"""Money and dates as people read them: "€ 50,00", "3 mei 2026". The same on pages and in mails."""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent

from linkpay.domain.calendar import Interval, Unit, local_day
from linkpay.domain.money import Money, amount_string

#: The languages we speak, and whose habits for money and dates each follows.
LOCALES = {"nl": "nl_NL", "en": "en_GB"}
#: Read once: a page of 50 members asks 300 times.
_HABITS = {speech: Locale.parse(habits) for speech, habits in LOCALES.items()}


def money_text(money: Money, locale: str) -> str:
    """An amount with its sign of currency; Dutch "€ 50,00", English "€50.00"."""
    return format_currency(Decimal(amount_string(money)), money.currency, locale=_habits(locale))


def count_text(count: int, locale: str) -> str:
    """A number of members, or of anything else: Dutch "12.345", English "12,345"."""
    return format_decimal(count, "#,##0", locale=_habits(locale))


def day_text(day: date, locale: str) -> str:
    """A day with its month in words: "3 mei 2026"."""
    return format_date(day, "d MMMM y", locale=_habits(locale))


def month_text(year: int, month: int, locale: str, *, short: bool = False) -> str:
    """A month in words: "mei 2026", or "mei 26" where there is little room."""
    return format_date(date(year, month, 1), "MMM yy" if short else "MMMM y", locale=_habits(locale))


def moment_text(instant: datetime, zone: str, locale: str) -> str:
    """The day it is in `zone` at an instant, in words."""
    return day_text(local_day(instant, zone), locale)


def instant_text(instant: datetime, zone: str, locale: str) -> str:
    """A moment to the second, as the clock in `zone` showed it: "3 mei 2026 14:05:09"."""
    local = instant.astimezone(ZoneInfo(zone))
    return f"{day_text(local.date(), locale)} {local:%H:%M:%S}"


def share_text(basis_points: int, locale: str) -> str:
    """A share with one decimal at most; Dutch "33,3%", English "33.3%"."""
    return format_percent(Decimal(basis_points) / 10_000, "#,##0.#%", locale=_habits(locale))


def rhythm_text(interval: Interval, locale: str) -> str:
    """How often something comes, to be read within a sentence: "elke maand", "every 3 months"."""
    one, many = _RHYTHMS[locale if locale in LOCALES else "nl"][interval.unit]
    return one if interval.count == 1 else many.format(interval.count)


_RHYTHMS = {
    "nl": {
        Unit.DAY: ("elke dag", "elke {} dagen"),
        Unit.WEEK: ("elke week", "elke {} weken"),
        Unit.MONTH: ("elke maand", "elke {} maanden"),
        Unit.YEAR: ("elk jaar", "elke {} jaar"),
    },
    "en": {
        Unit.DAY: ("every day", "every {} days"),
        Unit.WEEK: ("every week", "every {} weeks"),
        Unit.MONTH: ("every month", "every {} months"),
        Unit.YEAR: ("every year", "every {} years"),
    },
}


def _habits(locale: str) -> Locale:
    return _HABITS.get(locale, _HABITS["nl"])
