"""Pre-notifications: what was told, and whose next one is to be looked at."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select, update

from linkpay.domain.notice import Told
from linkpay.domain.subscription import SubscriptionState
from linkpay.store.db import Tx, insert_once
from linkpay.store.tables import Customer, Notice, Site, Subscription

#: Whose next charge may still come. A pause and a failure have their own end, after which it is looked at.
_TO_BE_TOLD = (SubscriptionState.ACTIVE, SubscriptionState.TRIALING, SubscriptionState.CANCELING)


def of_subscription(tx: Tx, subscription_id: int) -> Sequence[Notice]:
    """All notices of a subscription, oldest first."""
    return tx.scalars(
        select(Notice).where(Notice.subscription_id == subscription_id).order_by(Notice.id)
    ).all()


def of_customer(tx: Tx, site_id: int, email: str) -> Sequence[tuple[Notice, Subscription]]:
    """All notices to the customer with this e-mail address, oldest first."""
    rows = tx.execute(
        select(Notice, Subscription)
        .join(Subscription, Subscription.id == Notice.subscription_id)
        .join(Customer, Customer.id == Subscription.customer_id)
        .where(Notice.site_id == site_id, Customer.email == email)
        .order_by(Notice.id)
    )
    return [(notice, subscription) for notice, subscription in rows]


def keep(
    tx: Tx, subscription: Subscription, mail_id: int | None, told: Told, now: datetime,
    sent_at: datetime | None = None,
) -> None:  # fmt: skip
    """Keep what a mail tells of a debit; the same amount and day on one mandate only once.

    What was told without a mail of ours has its `sent_at` from the start.
    """
    every = told.every
    insert_once(
        tx, Notice, site_id=subscription.site_id, subscription_id=subscription.id,
        mandate_id=told.mandate_id, mail_id=mail_id, amount_cents=told.cents,
        currency=subscription.currency, due_on=told.due_on, series=every is not None,
        interval_unit=every.unit.value if every else None, interval_count=every.count if every else None,
        sent_at=sent_at, created_at=now,
    )  # fmt: skip


def left(tx: Tx, mail_id: int, now: datetime) -> None:
    """The mail that tells of a debit left: from now on the notice counts."""
    tx.execute(update(Notice).where(Notice.mail_id == mail_id, Notice.sent_at.is_(None)).values(sent_at=now))


def to_look_at(tx: Tx, now: datetime, limit: int) -> Sequence[int]:
    """Subscriptions whose next pre-notification is to be looked at now."""
    return tx.scalars(
        select(Subscription.id)
        .join(Site, Site.id == Subscription.site_id)
        .where(
            Subscription.next_charge_on.is_not(None),
            or_(Subscription.notice_look_at.is_(None), Subscription.notice_look_at <= now),
            Subscription.state.in_(_TO_BE_TOLD),
            Site.halted_at.is_(None),
        )
        .order_by(Subscription.notice_look_at, Subscription.id)
        .limit(limit)
    ).all()
