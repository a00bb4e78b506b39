"""Shares of a period by its days, to the cent: what was used and what was not always sum to the whole."""

from datetime import date


def unused_cents(cents: int, starts_on: date, ends_on: date, from_on: date) -> int:
    """What the days from `from_on` on are worth of a period that costs `cents`; half a cent counts whole.

    Never more than `cents`, never less than nothing.
    """
    days = (ends_on - starts_on).days
    left = min(max((ends_on - from_on).days, 0), days)
    return (2 * cents * left + days) // (2 * days)


def used_cents(cents: int, starts_on: date, ends_on: date, from_on: date) -> int:
    """What the days before `from_on` are worth: the rest of `unused_cents`."""
    return cents - unused_cents(cents, starts_on, ends_on, from_on)
