"""The numbers of a site: recurring revenue and its bridge, recovery, and the money that is due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from linkpay.domain.calendar import Interval, local_day
from linkpay.domain.cash import Week
from linkpay.domain.growth import Assumptions, Month, grow
from linkpay.domain.metrics import Flow, MonthOfMoney, after, months_of_money
from linkpay.services import cash
from linkpay.store import numbers, sites
from linkpay.store.db import Tx

_MONTHS, _WEEKS = 12, 8
#: So many months behind the present one tell the pace.
_PACE_MONTHS = 3


@dataclass(frozen=True, slots=True)
class Recovery:
    """Of the charges that ever failed, how many were paid after all, and what that brought in cents."""

    failed: int
    recovered: int
    cents: int

    @property
    def basis_points(self) -> int | None:
        """The share that was paid after all; None when nothing ever failed."""
        return self.recovered * 10_000 // self.failed if self.failed else None


@dataclass(frozen=True, slots=True)
class Numbers:
    """All of it, as it was at `counted_at`."""

    counted_at: datetime
    months: Sequence[MonthOfMoney]
    weeks: Sequence[Week]
    recovery: Recovery


def of_site(tx: Tx, site_id: int, zone: str, now: datetime) -> Numbers:
    """The last twelve months, the next eight weeks."""
    today = local_day(now, zone)
    this = (today.year, today.month)
    flows = [_flow(group, gain=True) for group in numbers.began(tx, site_id)]
    flows += [_flow(group, gain=False) for group in numbers.ended(tx, site_id)]
    return Numbers(
        counted_at=now,
        months=months_of_money(flows, after(this, 1 - _MONTHS), this),
        weeks=cash.weeks(tx, sites.get(tx, site_id), now, _WEEKS),
        recovery=Recovery(*numbers.failures(tx, site_id)),
    )


@dataclass(frozen=True, slots=True)
class Outlook:
    """The cash that is due by week, and how the members grow at their `pace`; None where nobody is there."""

    weeks: Sequence[Week]
    pace: Assumptions | None
    growth: tuple[Month, ...]


def outlook(tx: Tx, site_id: int, zone: str, now: datetime, months: int) -> Outlook:
    """What a site may expect, going on as it did."""
    found = of_site(tx, site_id, zone, now)
    going = pace(found.months)
    return Outlook(found.weeks, going, tuple(grow(going, months)) if going else ())


def pace(months: Sequence[MonthOfMoney]) -> Assumptions | None:
    """How members came and left in the months before the present one, as what a forecast supposes.

    Newcomers are the average, rounded down; the price is what a member brings in a month now.
    """
    present, before = months[-1], months[:-1][-_PACE_MONTHS:]
    if present.members <= 0 or not before:
        return None
    there = sum(max(one.members - one.new - one.back + one.lost, 0) for one in before)
    return Assumptions(
        new_members=sum(one.new + one.back for one in before) // len(before),
        price_cents=max(present.recurring_cents, 0) // present.members,
        leaving_basis_points=min(10_000, sum(one.lost for one in before) * 10_000 // there) if there else 0,
        start_members=present.members,
    )


def _flow(group: numbers.Group, *, gain: bool) -> Flow:
    interval = Interval(group.unit, group.count)
    return Flow((group.year, group.month), interval, group.number, group.cents, gain, group.again)
