"""Pre-notifications: what was told, and whose next one is to be looked at."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Integer, bindparam, delete, func, select, update

from linkpay.domain.notice import Told
from linkpay.store.db import Tx, insert_once
from linkpay.store.remembering import asked_until_written
from linkpay.store.tables import Notice, Subscription


@asked_until_written(Notice, "subscription_id")
def of_subscription(tx: Tx, subscription_id: int) -> Sequence[Notice]:
    """All notices of a subscription, oldest first."""
    return tx.scalars(_OF_SUBSCRIPTION, {"subscription_id": subscription_id}).all()


_OF_SUBSCRIPTION = (
    select(Notice).where(Notice.subscription_id == bindparam("subscription_id")).order_by(Notice.id)
)


def keep(
    tx: Tx, subscription: Subscription, told: Told, now: datetime, *,
    mail_id: int | None = None, consent_id: int | None = None, sent_at: datetime | None = None,
) -> None:  # fmt: skip
    """Keep what a mail or a page tells of a debit; the same amount and day on one mandate only once.

    What was told without a mail of ours has its `sent_at` from the start. A mail that says again what a page
    said first is kept with it.
    """
    every = told.every
    made = insert_once(
        tx, Notice, site_id=subscription.site_id, subscription_id=subscription.id,
        mandate_id=told.mandate_id, mail_id=mail_id, consent_id=consent_id, amount_cents=told.cents,
        currency=subscription.currency, due_on=told.due_on, series=every is not None,
        interval_unit=every.unit.value if every else None, interval_count=every.count if every else None,
        sent_at=sent_at, created_at=now,
    )  # fmt: skip
    if made is None and mail_id is not None:
        tx.execute(
            update(Notice)
            .where(
                Notice.subscription_id == subscription.id, Notice.mandate_id == told.mandate_id,
                Notice.due_on == told.due_on, Notice.amount_cents == told.cents, Notice.mail_id.is_(None),
            )
            .values(mail_id=mail_id)
        )  # fmt: skip


def left(tx: Tx, mail_id: int, now: datetime) -> None:
    """The mail that tells of a debit left: from now on the notice counts."""
    tx.execute(update(Notice).where(Notice.mail_id == mail_id, Notice.sent_at.is_(None)).values(sent_at=now))


def forget(tx: Tx, mail_id: int) -> None:
    """The mail that was to tell of a debit does not: nothing was told."""
    tx.execute(delete(Notice).where(Notice.mail_id == mail_id, Notice.sent_at.is_(None)))


def to_look_at(tx: Tx, now: datetime, limit: int) -> Sequence[int]:
    """Subscriptions whose next pre-notification is to be looked at now, changed ones first."""
    found = list(tx.scalars(_CHANGED, {"most": limit}))
    return found + list(tx.scalars(_COME, {"now": now, "most": limit - len(found)}))


_DUE = (
    select(Subscription.id)
    .where(Subscription.next_charge_on.is_not(None))
    .limit(bindparam("most", type_=Integer))
)
_CHANGED = _DUE.where(Subscription.notice_look_at.is_(None)).order_by(Subscription.id)
_COME = _DUE.where(Subscription.notice_look_at <= bindparam("now")).order_by(
    Subscription.notice_look_at, Subscription.id
)


def next_look_at(tx: Tx) -> datetime | None:
    """When anybody's next pre-notification is looked at; None when nobody's is."""
    due = Subscription.next_charge_on.is_not(None)
    return tx.scalar(select(func.min(Subscription.notice_look_at)).where(due))
