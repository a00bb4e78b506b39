"""The billing run: every day each running subscription whose next period has come is charged once."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from linkpay.domain import catch_up
from linkpay.domain.calendar import local_day
from linkpay.domain.charge import ChargeState
from linkpay.domain.subscription import SubscriptionState
from linkpay.services import (
    abreast,
    access,
    announcing,
    catching_up,
    charging,
    debits,
    dunning,
    lifecycle,
    new_prices,
    turning,
)
from linkpay.store import charges, journal, sites, subscriptions
from linkpay.store.db import Database, Tx
from linkpay.store.tables import Charge, Site, Subscription

_BATCH = 200
#: States whose periods are collected when they come.
COLLECTED = frozenset({SubscriptionState.ACTIVE, SubscriptionState.TRIALING, SubscriptionState.CANCELING})


@dataclass
class Shift:
    """A billing run in pieces: `after` is how far the last piece came, and `goes_on` is asked after every few
    charges whether this piece goes on."""

    goes_on: Callable[[], bool] = lambda: True
    after: tuple[date, int] | None = None


def run(database: Database, now: datetime, shift: Shift | None = None) -> int:
    """Raise every charge that is due and owe its debit; returns how many were raised.

    Any number of processes may run this at once, any number of times: the database holds one charge
    per subscription and period. Work is done in batches, so memory does not grow with members.
    """
    raised, shift = 0, shift or Shift()
    while True:
        with database.read() as tx:
            # The day of each zone, not the latest anywhere: or the members of a whole day would be locked
            # and left alone again, one by one at every turn of the clock, for hours before they are due.
            today = {zone: local_day(now, zone) for zone in sites.zones(tx)}
            due = subscriptions.due_ids(tx, today, shift.after, _BATCH)
        if not due:
            shift.after = None
            return raised
        for part in abreast.parts_of(due):
            numbers = [number for _, number in part]
            raised += abreast.done(database, numbers, lambda tx, one: raise_next(tx, one, now))
            shift.after = part[-1]
            if not shift.goes_on():
                return raised


def raise_next(tx: Tx, subscription_id: int, now: datetime) -> bool:
    """Raise the next period's charge of one subscription if it is due; says whether it did.

    A debit that needs a pre-notification and has none in time waits, and costs the member no access.

    Missed periods come one at a time: the next is raised when the one before it is settled and the
    policy's gap has passed, and what is older than the policy allows is written off and shown.
    """
    subscription = subscriptions.lock(tx, subscription_id)
    site = sites.get(tx, subscription.site_id)
    today = local_day(now, site.zone)
    turning.due_today(tx, subscription, today, now)
    if subscription.next_charge_on is None or subscription.next_charge_on > today:
        return False
    if not _may_be_charged(tx, site, subscription, today) or not _told(tx, site, subscription, today, now):
        return False
    state = ChargeState.COLLECTING if debits.has_mandate(tx, subscription) else ChargeState.SCHEDULED
    charge = raise_charge(tx, site, subscription, today, now, state)
    if charge is None:
        return False
    if charge.state is ChargeState.WRITTEN_OFF:
        return False
    if charge.state is ChargeState.PAID:
        lifecycle.charge_paid(tx, subscription, charge, None, now)
        access.review_purchase(tx, subscription, now)
        return True
    if not debits.prepare(tx, subscription, charge, now):
        dunning.debit_failed(tx, subscription, charge, "no_mandate", now)
    return True


def _may_be_charged(tx: Tx, site: Site, subscription: Subscription, today: date) -> bool:
    if subscription.state not in COLLECTED or site.halted_at is not None or site.catch_up_from is not None:
        return False
    if charges.has_unsettled(tx, subscription.id):
        return False
    last, policy = subscription.last_raised_on, sites.policy_of(site, subscription.policy)
    return last is None or today >= catch_up.not_before(last, policy)


def _told(tx: Tx, site: Site, subscription: Subscription, today: date, now: datetime) -> bool:
    """Whether the member knows of the debit for long enough; waits for the first day on which she does."""
    catching_up.tell(tx, site, subscription, now)
    is_let_go = catching_up.is_let_go(site, subscription, subscription.next_index, today)
    first = today if is_let_go else announcing.first_day(tx, site, subscription, today, now)
    subscription.not_before_on = first if first > today else None
    return first <= today


def raise_charge(
    tx: Tx, site: Site, subscription: Subscription, today: date, now: datetime,
    state: ChargeState = ChargeState.SCHEDULED,
) -> Charge | None:  # fmt: skip
    """Make the charge of the next period; None when it was made before. Caller holds the lock.

    It begins in `state`, unless it is written off at once or asks for nothing.
    """
    days = charging.days_of(subscription, subscription.next_index)
    ends_on = charging.ends_on(subscription, days)
    too_old = catching_up.is_let_go(site, subscription, days.index, today)
    lines = charging.lines(tx, subscription, days.index, days.starts_on)
    charge = charges.raise_once(
        tx, site_id=site.id, subscription_id=subscription.id, token=secrets.token_urlsafe(24),
        period=days.index, starts_on=days.starts_on, ends_on=ends_on, due_on=days.starts_on,
        created_at=now, state=ChargeState.WRITTEN_OFF if too_old else state,
        **charging.values(lines, subscription),
    )  # fmt: skip
    charging.step_past(subscription, days)
    if charge is None:
        return None
    if too_old:
        journal.record(
            tx, "period_written_off", "clock", now, subscription=subscription, starts_on=str(days.starts_on)
        )
    else:
        charging.raised(tx, subscription, charge)
        new_prices.count(tx, subscription, days.starts_on, now)
        subscription.last_raised_on = today
        journal.record(
            tx, "charge_raised", "clock", now, subscription=subscription, starts_on=str(days.starts_on),
            amount_cents=charge.amount_cents,
        )  # fmt: skip
    return charge
