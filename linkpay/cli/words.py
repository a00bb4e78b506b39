"""Facts as people read them on a terminal: money, days, durations, and the words for stored codes."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from linkpay.domain.money import Money, amount_string
from linkpay.redaction import neutralise

METHODS = {"directdebit": "SEPA", "creditcard": "card", "paypal": "PayPal"}


def money(cents: int, currency: str = "EUR") -> str:
    """``€50.00``, or ``USD 50.00`` for other currencies."""
    text = amount_string(Money(abs(cents), currency))
    sign = "-" if cents < 0 else ""
    return f"{sign}€{text}" if currency == "EUR" else f"{sign}{currency} {text}"


def day(value: date | None) -> str:
    """``3 Mar 2026``, or a dash."""
    return f"{value.day} {value:%b %Y}" if value else "–"


def day_of(instant: datetime, zone: str) -> str:
    """The day it was in `zone`."""
    return day(instant.astimezone(ZoneInfo(zone)).date())


def until(instant: datetime | None, zone: str) -> str:
    """The last day, or the moment when it does not fall on midnight; ``for ever`` without an end."""
    if instant is None:
        return "for ever"
    local = instant.astimezone(ZoneInfo(zone))
    clock = "" if (local.hour, local.minute) == (0, 0) else f" {local:%H:%M}"
    return f"until {day(local.date())}{clock}"


def moment(instant: datetime, zone: str) -> str:
    """The time of day with milliseconds."""
    local = instant.astimezone(ZoneInfo(zone))
    return f"{local:%H:%M:%S}.{local.microsecond // 1000:03d}"


def span(passed: timedelta) -> str:
    """A duration, as short as it stays exact enough: ``12 ms``, ``3.40 s``, ``5 min``, ``31 days``."""
    seconds = passed.total_seconds()
    if abs(seconds) < 1:
        return f"{seconds * 1000:.0f} ms"
    if abs(seconds) < 120:
        return f"{seconds:.2f} s"
    if abs(seconds) < 7200:
        return f"{seconds / 60:.0f} min"
    if abs(seconds) < 172_800:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 86_400:.0f} days"


def spaced(code: str) -> str:
    """A stored code as words: ``past_due`` is ``past due``."""
    return code.replace("_", " ")


def shown(text: str | None) -> str:
    """What somebody typed, unable to move the cursor or change colours; a dash when there is nothing."""
    return neutralise(text) if text else "–"


def count(number: int, one: str, many: str | None = None) -> str:
    """``1 member``, ``2 members``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
