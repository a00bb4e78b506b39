"""Periods missed while nothing was collected: which are asked for after all, when, and which are let go.

They come one at a time. The member is told once, with the first of them.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from linkpay.domain import catch_up
from linkpay.domain.calendar import Period, local_day
from linkpay.domain.leaving import Series
from linkpay.domain.policy import Policy
from linkpay.services import charging, coming, letters, notices
from linkpay.services.notices import Coming as Told
from linkpay.store import charges, journal, sites
from linkpay.store.db import Tx
from linkpay.store.tables import Site, Subscription

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


def tell(tx: Tx, site: Site, subscription: Subscription, now: datetime) -> None:
    """Mail the member what is collected when, and what not, if the next period comes late by our doing.

    The mail is the pre-notification of the first that is collected. Later periods of the same gap were told
    of with its first. Caller holds the lock.
    """
    today, index = local_day(now, site.zone), subscription.next_index
    if not _is_late(subscription, today) or not _was_our_doing(tx, site, subscription):
        return
    told = journal.last_mail(tx, subscription.id, _KIND)
    if told is not None and told.data["through"] >= index:
        return
    missed = _missed(subscription, index, today)
    kept = [one for one in missed if not is_let_go(site, subscription, one.index, today)]
    let_go = missed[: len(missed) - len(kept)]
    first_on, debit = today, None
    if kept:
        if coming.cents_of(tx, subscription, kept[0].index, kept[0].starts_on) == 0:
            return  # nothing is asked for it, so there is nothing to tell yet
        first_on, debit = _first(tx, site, subscription, kept[0], today)
    asked_on = _asked_on(sites.policy_of(site, subscription.policy), first_on)
    mail_id = letters.owe(
        tx, "caught_up", subscription, now=now,
        step=f"subscription:{subscription.id}:caught_up:{missed[-1].index}",
        through=missed[-1].index,
        collected=[
            _plain(subscription, one) | {"on": day.isoformat()}
            for one, day in zip(kept, asked_on, strict=False)
        ],
        let_go=[_plain(subscription, one) for one in let_go],
        debit=debit.plain if debit else None,
    )  # fmt: skip
    if mail_id is not None:
        notices.keep(tx, journal.mail(tx, mail_id), subscription)
    journal.record(
        tx, "caught_up", "clock", now, subscription=subscription, collected=len(kept), let_go=len(let_go)
    )


def _first(
    tx: Tx, site: Site, subscription: Subscription, days: Period, today: date
) -> tuple[date, Told | None]:
    """When the first missed period is asked for, and its debit where that has to be told."""
    debit = notices.missed_debit(tx, subscription, days.index, days.starts_on)
    if debit is None:
        return today, None
    found = notices.judge(tx, site, subscription, debit, today)
    if found.told:
        return found.first_day, None
    return found.first_day, notices.describe(tx, site, subscription, debit, found.first_day)


def _asked_on(policy: Policy, first_on: date) -> Iterator[date]:
    """The days on which missed periods are asked for at the earliest: each waits for the one before."""
    while True:
        yield first_on
        first_on = max(catch_up.not_before(first_on, policy), first_on + timedelta(days=1))


def _is_late(subscription: Subscription, today: date) -> bool:
    """Whether the next period was to be collected before today; one that waits for its notice is in time."""
    due_on, waits_for = subscription.next_charge_on, subscription.not_before_on
    return due_on is not None and today > max(due_on, waits_for or due_on)


def _was_our_doing(tx: Tx, site: Site, subscription: Subscription) -> bool:
    """Not where the member kept us waiting: who owes one period is not asked for the next meanwhile."""
    due_on = subscription.next_charge_on
    return due_on is not None and all(
        charge.paid_at is None or local_day(charge.paid_at, site.zone) <= due_on
        for charge in charges.of_subscription(tx, subscription.id)
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
