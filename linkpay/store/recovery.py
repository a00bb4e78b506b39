"""What is asked of the books after a restore, and how a restored copy is marked before anything uses it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from linkpay.store.db import Tx, core
from linkpay.store.progress import put
from linkpay.store.tables import (
    Charge,
    Customer,
    Event,
    Grant,
    Inbox,
    Mandate,
    Payment,
    Progress,
    Refund,
    Site,
)
from linkpay.store.tables.money import Stroke

#: A key that was first used so long ago is looked for at Mollie before anything is sent again.
_LONG_AGO = timedelta(days=1)
_UNANSWERED = (Stroke.PREPARED, Stroke.SENDING, Stroke.UNKNOWN)


def restored(site_id: int) -> str:
    """The name under which it is kept that a site's access has to be given anew after a restore."""
    return f"restored:{site_id}"


def mark_restored(tx: Tx, made_at: datetime, now: datetime, machine_now: datetime) -> int:
    """Mark a copy whose last moment is `made_at`: nothing may be charged before Mollie's books were read.

    What was prepared and not answered may have been sent since: it is looked for first, by the path of
    unknown outcomes. Returns the number of sites.
    """
    searched = made_at - _LONG_AGO
    for table in (Payment, Refund):
        row = core(table)
        waits = [row.c.mollie_id.is_(None), row.c.stroke.in_(_UNANSWERED)]
        values = {"key_used_at": searched, "stroke": Stroke.UNKNOWN}
        tx.execute(update(row).where(*waits, *([row.c.is_open] if table is Payment else [])).values(**values))
    ids = tx.scalars(select(Site.id).order_by(Site.id)).all()
    for site_id in ids:
        put(tx, restored(site_id), site_id, now, machine_now)
    site = core(Site)
    tx.execute(update(site).where(site.c.mollie_key_sealed.is_not(None)).values(catch_up_from=made_at))
    return len(ids)


def last_moment(tx: Tx) -> datetime | None:
    """When anything last happened in these books, as far as they tell."""
    moments = [
        tx.scalar(select(func.max(column, type_=column.type)))
        for column in (Event.created_at, Inbox.created_at, Progress.at)
    ]
    return max((at for at in moments if at is not None), default=None)


def oldest_open(tx: Tx, site_id: int) -> datetime | None:
    """When the oldest payment was made that may still bring money."""
    return tx.scalar(
        select(func.min(Payment.created_at, type_=Payment.created_at.type)).where(
            Payment.site_id == site_id, Payment.is_open
        )
    )


def charge(tx: Tx, subscription_id: int, period: int) -> Charge | None:
    """The charge of one period, a check included."""
    return tx.scalar(select(Charge).where(Charge.subscription_id == subscription_id, Charge.period == period))


def customer_id(tx: Tx, site_id: int, mollie_id: str | None) -> int | None:
    """The site's customer with this number at Mollie."""
    return tx.scalar(select(Customer.id).where(Customer.site_id == site_id, Customer.mollie_id == mollie_id))


def mandate(tx: Tx, site_id: int, mollie_id: str) -> Mandate | None:
    """The site's mandate with this id at Mollie."""
    return tx.scalar(select(Mandate).where(Mandate.site_id == site_id, Mandate.mollie_id == mollie_id))


def grants(tx: Tx, site_id: int) -> Sequence[Grant]:
    """Every grant of a site, oldest first."""
    return tx.scalars(select(Grant).where(Grant.site_id == site_id).order_by(Grant.id)).all()
