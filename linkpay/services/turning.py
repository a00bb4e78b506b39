"""What was decided for a day takes place on that day: a membership ends, pauses, or goes on."""

from datetime import date, datetime, timedelta

from linkpay.domain.calendar import day_starts_at, local_day
from linkpay.domain.subscription import SubscriptionEvent, SubscriptionState
from linkpay.services import lifecycle
from linkpay.store import sites, subscriptions, work
from linkpay.store.db import Tx
from linkpay.store.tables import Site, Subscription

S, E = SubscriptionState, SubscriptionEvent


def turn(tx: Tx, subscription_id: int, now: datetime) -> datetime | None:
    """Do what is due for one subscription; when to look again, None when nothing is decided any more."""
    subscription = subscriptions.lock(tx, subscription_id)
    site = sites.get(tx, subscription.site_id)
    due_today(tx, subscription, local_day(now, site.zone), now)
    return _look_at(site, subscription, now)


def plan(tx: Tx, site: Site, subscription: Subscription, now: datetime) -> None:
    """See to it that what was just decided for a day is done on it."""
    at = _look_at(site, subscription, now)
    ref = str(subscription.id)
    if at is None:
        work.needless(tx, "turn", ref, now)
    else:
        work.schedule(
            tx, site_id=site.id, kind="turn", ref=ref, target_id=subscription.id, run_at=at, now=now
        )


def due_today(tx: Tx, subscription: Subscription, today: date, now: datetime) -> None:
    """Do what was decided for today or before. Caller holds the lock; doing it again changes nothing."""
    if _has_come(subscription.cancel_on, today) and subscription.state is S.CANCELING:
        lifecycle.end(tx, subscription, E.CANCEL_DATE_REACHED, "clock", now)


def _has_come(day: date | None, today: date) -> bool:
    return day is not None and day <= today


def _look_at(site: Site, subscription: Subscription, now: datetime) -> datetime | None:
    day = _next_day(subscription)
    if day is None:
        return None
    at = day_starts_at(day, site.zone)
    return at if at > now else now + timedelta(days=1)


def _next_day(subscription: Subscription) -> date | None:
    if subscription.state is S.CANCELING:
        return subscription.cancel_on
    return None
