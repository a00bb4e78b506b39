"""The numbers of a site: recurring revenue and its bridge, recovery, and the money that is due."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError

from linkpay.domain.calendar import Interval, local_day
from linkpay.domain.cash import Week
from linkpay.domain.growth import Assumptions, Month, grow
from linkpay.domain.metrics import Cohort, Flow, MonthOfMoney, after, cohorts, months_of_money
from linkpay.services import cash, regaining
from linkpay.services.regaining import Recovery
from linkpay.store import numbers, sites, work
from linkpay.store.db import Tx

_MONTHS, _WEEKS = 12, 8
#: So many months behind the present one tell the pace.
_PACE_MONTHS = 3
#: So many subscriptions take longer to count than anybody wants to wait for a page.
LARGE = 5000
#: How old may be what a page shows of a large site. The clock has it counted anew much more often.
_GOOD_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Numbers:
    """All of it, as it was at `counted_at`."""

    counted_at: datetime
    months: Sequence[MonthOfMoney]
    cohorts: Sequence[Cohort]
    weeks: Sequence[Week]
    recovery: Recovery

    @property
    def pace(self) -> Assumptions | None:
        """How it goes at present, as what a forecast supposes."""
        return pace(self.months)

    @property
    def lifetime_cents(self) -> int | None:
        """What a member brings until she leaves, at the present pace; None while nobody leaves."""
        going = self.pace
        if going is None or going.leaving_basis_points == 0:
            return None
        return going.price_cents * 10_000 // going.leaving_basis_points


def of_site(tx: Tx, site_id: int, zone: str, now: datetime) -> Numbers:
    """The last twelve months, the next eight weeks."""
    today = local_day(now, zone)
    this = (today.year, today.month)
    first = after(this, 1 - _MONTHS)
    groups = numbers.memberships(tx, site_id)
    flows = [flow for group in groups for flow in _flows(group)]
    return Numbers(
        counted_at=now,
        months=months_of_money(flows, first, this, numbers.changes(tx, site_id)),
        cohorts=cohorts(((one.began, one.ended, one.number) for one in groups), first, this),
        weeks=cash.weeks(tx, sites.get(tx, site_id), now, _WEEKS),
        recovery=regaining.of_site(tx, site_id, today),
    )


_FIGURES: TypeAdapter[Numbers] = TypeAdapter(Numbers)


def look(tx: Tx, site_id: int, zone: str, now: datetime) -> Numbers:
    """The numbers of a site for a page: those of a large one as they were counted within the hour."""
    found = _read(numbers.kept(tx, site_id, now - _GOOD_FOR))
    if found is not None and found.counted_at <= now and _is_same_day(found.counted_at, now, zone):
        return found
    return of_site(tx, site_id, zone, now)


def _read(kept: dict[str, Any] | None) -> Numbers | None:
    try:
        return _FIGURES.validate_python(kept) if kept is not None else None
    except ValidationError:  # another version counted other figures
        return None


def _is_same_day(one: datetime, other: datetime, zone: str) -> bool:
    return local_day(one, zone) == local_day(other, zone)


def count(tx: Tx, site_id: int, now: datetime) -> dict[str, Any]:
    """The numbers of a site as `keep` takes them."""
    found = of_site(tx, site_id, sites.get(tx, site_id).zone, now)
    figures: dict[str, Any] = _FIGURES.dump_python(found, mode="json")
    return figures


def have_counted(tx: Tx, now: datetime) -> None:
    """Owe a count of every large site."""
    for site_id in numbers.large_sites(tx, LARGE):
        work.schedule(
            tx, site_id=site_id, kind="count_numbers", ref=f"site:{site_id}", target_id=site_id, run_at=now,
            now=now,
        )  # fmt: skip


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


def _flows(group: numbers.Group) -> Iterator[Flow]:
    interval = Interval(group.unit, group.count)
    yield Flow(group.began, interval, group.number, group.cents, True, group.again)
    if group.ended is not None:
        yield Flow(group.ended, interval, group.number, group.cents, False)
