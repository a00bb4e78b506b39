"""Periods missed while nothing was collected: which are asked for after all, when, and which are let go.

They come one at a time. The member is told once, with the first of them.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from linkpay.domain import catch_up
from linkpay.domain.calendar import Period, local_day
from linkpay.domain.charge import ChargeState
from linkpay.domain.leaving import Series
from linkpay.domain.policy import Policy
from linkpay.services import charging, letters
from linkpay.store import charges, journal, sites
from linkpay.store.db import Tx
from linkpay.store.tables import Charge, Site, Subscription

_KIND = "caught_up"


def is_let_go(site: Site, subscription: Subscription, index: int, today: date) -> bool:
    """Whether so many periods were missed that this one is not collected any more.

    Only memberships let go of a period; a course in instalments is owed whole.
    """
    if subscription.terms.periods is not None:
        return False
    assert subscription.anchor_on is not None  # noqa: S101 - every started subscription has one
    series = Series(subscription.anchor_on, subscription.anchor_index, index, subscription.terms.interval)
    return catch_up.is_too_old(series, sites.policy_of(site, subscription.policy), today)


def tell(tx: Tx, site: Site, subscription: Subscription, charge: Charge, now: datetime) -> None:
    """Mail the member what is collected when, and what not, if this charge was raised late by our doing.

    Later periods of the same gap were told of with its first. Caller holds the lock.
    """
    today = local_day(now, site.zone)
    if charge.starts_on >= today or not _was_our_doing(tx, site, subscription, charge):
        return
    told = journal.last_mail(tx, subscription.id, _KIND)
    if told is not None and told.data["through"] >= charge.period:
        return
    missed = _missed(subscription, charge.period, today)
    kept = [one for one in missed if not is_let_go(site, subscription, one.index, today)]
    let_go = missed[: len(missed) - len(kept)]
    asked_on = _asked_on(sites.policy_of(site, subscription.policy), today)
    letters.owe(
        tx, "caught_up", subscription, now=now,
        step=f"subscription:{subscription.id}:caught_up:{missed[-1].index}",
        charge_id=None if charge.state is ChargeState.WRITTEN_OFF else charge.id,
        through=missed[-1].index,
        collected=[
            _plain(subscription, one) | {"on": day.isoformat()}
            for one, day in zip(kept, asked_on, strict=False)
        ],
        let_go=[_plain(subscription, one) for one in let_go],
    )  # fmt: skip
    journal.record(
        tx, "caught_up", "clock", now, subscription=subscription, collected=len(kept), let_go=len(let_go)
    )


def _asked_on(policy: Policy, today: date) -> Iterator[date]:
    """The days on which missed periods are asked for at the earliest: each waits for the one before."""
    while True:
        yield today
        today = max(catch_up.not_before(today, policy), today + timedelta(days=1))


def _was_our_doing(tx: Tx, site: Site, subscription: Subscription, charge: Charge) -> bool:
    """Not where the member kept us waiting: who owes one period is not asked for the next meanwhile."""
    return all(
        other.paid_at is None or local_day(other.paid_at, site.zone) <= charge.starts_on
        for other in charges.of_subscription(tx, subscription.id)
        if other.id != charge.id
    )


def _missed(subscription: Subscription, first: int, today: date) -> list[Period]:
    """The periods from `first` on that have begun, as long as the subscription runs."""
    missed = []
    index = first
    while subscription.terms.has_period(index):
        days = charging.days_of(subscription, index)
        over = subscription.cancel_on is not None and days.starts_on >= subscription.cancel_on
        if days.starts_on > today or over:
            break
        missed.append(days)
        index += 1
    return missed


def _plain(subscription: Subscription, days: Period) -> dict[str, str]:
    return {
        "starts_on": days.starts_on.isoformat(),
        "ends_on": charging.ends_on(subscription, days).isoformat(),
    }
