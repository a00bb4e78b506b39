"""A new price on its way to one member: from which charge it may count, what its mail says, that it left.

It counts from the first charge that lies far enough behind the mail: a mail that leaves late moves it, and
one that never leaves raises nobody's price.
"""

from datetime import date, datetime, timedelta

from linkpay.domain.calendar import local_day
from linkpay.domain.subscription import SubscriptionState
from linkpay.services import charging, coming, notices, worth
from linkpay.services.coming import Next
from linkpay.store import journal, sites, subscriptions
from linkpay.store import price_changes as store
from linkpay.store.db import Tx
from linkpay.store.tables import Mail, Site, Subscription

KIND = "price_change"
#: Who is charged in some days as things stand. Who has left, or is leaving, keeps the price that she has.
CHARGED = frozenset(
    {
        SubscriptionState.ACTIVE, SubscriptionState.TRIALING, SubscriptionState.PAST_DUE,
        SubscriptionState.PAUSED,
    }
)  # fmt: skip


def price_now(tx: Tx, subscription: Subscription, today: date) -> int:
    """The price of a period in cents, as it was told and counts for the next charge."""
    due_on = subscription.next_charge_on or today
    return charging.terms_on(tx, subscription, due_on).amount.cents


def first_charge(tx: Tx, site: Site, subscription: Subscription, cents: int, today: date) -> Next | None:
    """The first charge that may ask a price told today; None where no charge comes.

    A lower price needs no time. A higher one waits for the days of notice and, where the policy says so,
    for the end of the agreed term.
    """
    policy = sites.policy_of(site, subscription.policy)
    earliest = today
    if cents > price_now(tx, subscription, today):
        earliest = today + timedelta(days=policy.price_notice_days)
        if policy.price_in_term == "after" and subscription.bound_until is not None:
            earliest = max(earliest, subscription.bound_until)
    return coming.at_price(tx, subscription, cents, earliest)


def ready(tx: Tx, mail: Mail, subscription: Subscription, now: datetime) -> bool:
    """Bring a mail of a new price to today before it is written; False when it is needed no more."""
    change = store.get(tx, mail.data["change"])
    site = sites.get(tx, subscription.site_id)
    first = first_charge(tx, site, subscription, change.amount_cents, local_day(now, site.zone))
    if change.withdrawn_at is not None or subscription.state not in CHARGED or first is None:
        change.withdrawn_at = change.withdrawn_at or now  # she left meanwhile: it counts for nobody
        return False
    if mail.data.get("starts_on") != first.due_on.isoformat():
        mail.text = None  # written when it could not leave, for a day that is too near by now
    change.effective_on = first.due_on
    told = notices.as_told(tx, site, subscription, first)
    mail.data = mail.data | {"starts_on": first.due_on.isoformat(), "debit": told.plain if told else None}
    return True


def left(tx: Tx, mail: Mail, now: datetime) -> None:
    """The mail left, so its member knows. One that left late counts from a later charge than it names."""
    change = store.get(tx, mail.data["change"])
    subscription = subscriptions.lock(tx, change.subscription_id)
    site = sites.get(tx, change.site_id)
    first = first_charge(tx, site, subscription, change.amount_cents, local_day(now, site.zone))
    if first is not None:
        change.effective_on = max(change.effective_on, first.due_on)
    change.told_at = now
    subscription.notice_look_at = None


def count(tx: Tx, subscription: Subscription, due_on: date, now: datetime) -> None:
    """A charge was made: write down that a new price counted for it, where it is the first."""
    change = store.counting_on(tx, subscription.id, due_on)
    if change is not None:
        change.applied_at = now
        brought = worth.of(subscription)
        subscription.amount_cents = change.amount_cents
        worth.changed(tx, subscription, brought, now)
        journal.record(
            tx, "price_rise_counts", "clock", now, subscription=subscription,
            amount_cents=change.amount_cents,
        )  # fmt: skip
