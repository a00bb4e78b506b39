"""The right to withdraw from a purchase at a distance: until when, and what goes back.

The day of the contract does not count, and a period that would end in a weekend runs through the Monday
(EU Regulation 1182/71, article 3). Holidays differ by country: an owner who wants them in gives more days.

Pro rata means by days, and so only what is sold by days is reckoned that way: a starting fee, an extra and a
course that is hers for ever go back whole.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from linkpay.domain.calendar import local_day

_SATURDAY = 5


def last_day(agreed_on: date, days: int) -> date:
    """The last day, to its last moment, on which a contract of this day can be withdrawn from."""
    last = agreed_on + timedelta(days=days)
    weekend = last.weekday() - _SATURDAY
    return last + timedelta(days=2 - weekend) if weekend >= 0 else last


def in_time(agreed_at: datetime, received_at: datetime, *, days: int, zone: str) -> bool:
    """Whether a declaration came within the period; none is where there are no days."""
    return days > 0 and local_day(received_at, zone) <= last_day(local_day(agreed_at, zone), days)


@dataclass(frozen=True, slots=True)
class Bought:
    """One charge: what was put into it and not given back, by money or by credit, and how much of its price
    is for the days `starts_on` to `ends_on`.

    What else it paid for, such as an extra that is for ever, is worth as much unused. `lasts` is False where
    the whole is for ever, so that days say nothing about how much of it was used.
    """

    kept_cents: int
    by_day_cents: int
    starts_on: date
    ends_on: date
    lasts: bool = True


def due_back(bought: Iterable[Bought], withdrawn_on: date, *, pro_rata: bool) -> int:
    """What goes back in cents: all that is held, or pro rata all but the price of the days used.

    A day counts as used once it is over; a part of a cent is the customer's.
    """
    return sum(one.kept_cents if not pro_rata else _unused(one, withdrawn_on) for one in bought)


def _unused(one: Bought, withdrawn_on: date) -> int:
    if not one.lasts:
        return max(0, one.kept_cents)
    total = (one.ends_on - one.starts_on).days
    used = min(max((withdrawn_on - one.starts_on).days, 0), total)
    return max(0, one.kept_cents - one.by_day_cents * used // total)


@dataclass(frozen=True, slots=True)
class Held:
    """What is left of one payment after all that went back, or is on its way back."""

    payment_id: int
    cents: int
    paid_at: datetime


def spread(cents: int, held: Iterable[Held]) -> Sequence[tuple[int, int]]:
    """(payment, cents) that come to `cents` together, from the newest payment backwards."""
    found: list[tuple[int, int]] = []
    for payment in sorted(held, key=lambda one: (one.paid_at, one.payment_id), reverse=True):
        part = min(payment.cents, cents)
        if part > 0:
            found.append((payment.payment_id, part))
            cents -= part
    return found
