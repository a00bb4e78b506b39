"""New prices for running subscriptions: whom they concern, and what was decided and told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, bindparam, func, select

from linkpay.domain.subscription import LIVE
from linkpay.store.db import Tx, insert_once
from linkpay.store.remembering import asked_until_written, current
from linkpay.store.selection import Meant
from linkpay.store.tables import Customer, Plan, PriceChange, Subscription


def get(tx: Tx, change_id: int) -> PriceChange:
    """The price change as it is now; it must exist."""
    return current(tx, PriceChange, change_id)


def running_on(tx: Tx, site_id: int, plan_id: int, email: str | None = None) -> Sequence[int]:
    """Numbers of the subscriptions that run on a plan of this site, or of one payer's, oldest first."""
    query = select(Subscription.id).where(Subscription.site_id == site_id, *_runs(plan_id))
    if email is not None:
        query = query.join(Customer, Customer.id == Subscription.customer_id).where(Customer.email == email)
    return tx.scalars(query.order_by(Subscription.id)).all()


def running(site_id: int, plan_id: int) -> Meant:
    """Everybody who runs on a plan of this site."""
    return Meant(site_id, _runs(plan_id))


def _runs(plan_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        Subscription.plan_id == plan_id, Subscription.state.in_(LIVE), Subscription.started_at.is_not(None),
    )  # fmt: skip


def undecided(site_id: int, batch: str) -> Meant:
    """Everybody for whom a decision can be taken back."""
    numbers = select(PriceChange.subscription_id).where(
        PriceChange.site_id == site_id, PriceChange.batch == batch, PriceChange.applied_at.is_(None),
        PriceChange.withdrawn_at.is_(None),
    )  # fmt: skip
    return Meant(site_id, (Subscription.id.in_(numbers),))


def put(tx: Tx, subscription: Subscription, now: datetime, **values: object) -> int | None:
    """Keep a new price of one subscription, once for each batch; its id, None when it was there."""
    return insert_once(
        tx, PriceChange, site_id=subscription.site_id, subscription_id=subscription.id, created_at=now,
        **values,
    )  # fmt: skip


@asked_until_written(PriceChange)
def open_of(tx: Tx, subscription_id: int) -> Sequence[PriceChange]:
    """The new prices of a subscription that were not taken back and count for no charge yet, oldest first."""
    return tx.scalars(_OPEN, {"subscription_id": subscription_id}).all()


_OPEN = (
    select(PriceChange)
    .where(
        PriceChange.subscription_id == bindparam("subscription_id"),
        PriceChange.withdrawn_at.is_(None),
        PriceChange.applied_at.is_(None),
    )
    .order_by(PriceChange.id)
    .execution_options(populate_existing=True)
)


def counting_on(tx: Tx, subscription_id: int, due_on: date) -> PriceChange | None:
    """The new price that is told and counts on a day for the first time; None where none does."""
    told = [one for one in open_of(tx, subscription_id) if one.told_at and one.effective_on <= due_on]
    return told[-1] if told else None


def of_batch(tx: Tx, site_id: int, batch: str) -> Sequence[PriceChange]:
    """All that one decision changed, by id."""
    return tx.scalars(
        select(PriceChange)
        .where(PriceChange.site_id == site_id, PriceChange.batch == batch)
        .order_by(PriceChange.id)
        .execution_options(populate_existing=True)
    ).all()


def of_batch_for(tx: Tx, subscription_id: int, batch: str) -> PriceChange | None:
    """What one decision changed for one subscription, as it is now."""
    return tx.scalar(
        select(PriceChange)
        .where(PriceChange.subscription_id == subscription_id, PriceChange.batch == batch)
        .execution_options(populate_existing=True)
    )


@dataclass(frozen=True, slots=True)
class Decision:
    """One new price for many: how many are on their way to know, know, pay it, and keep their price."""

    batch: str
    plan: str
    amount_cents: int
    currency: str
    decided_at: datetime
    decided_by: str
    on_its_way: int
    told: int
    counts: int
    withdrawn: int


def decisions(tx: Tx, site_id: int, limit: int = 50) -> Sequence[Decision]:
    """What was decided on a site, newest first."""
    stays, counts = PriceChange.withdrawn_at.is_not(None), PriceChange.applied_at.is_not(None)
    told = PriceChange.told_at.is_not(None)
    query = (
        select(
            PriceChange.batch, func.min(Plan.title), func.min(PriceChange.amount_cents),
            func.min(Subscription.currency), func.min(PriceChange.created_at),
            func.min(PriceChange.decided_by), func.count().filter(~stays, ~counts, ~told),
            func.count().filter(~stays, ~counts, told), func.count().filter(~stays, counts),
            func.count().filter(stays),
        )
        .join(Subscription, Subscription.id == PriceChange.subscription_id)
        .join(Plan, Plan.id == Subscription.plan_id)
        .where(PriceChange.site_id == site_id)
        .group_by(PriceChange.batch)
        .order_by(func.max(PriceChange.id).desc())
        .limit(limit)
    )  # fmt: skip
    return [Decision(*tuple(row)) for row in tx.execute(query)]


def of_site(
    tx: Tx, site_id: int, *, batch: str | None = None, limit: int
) -> Sequence[tuple[PriceChange, Subscription, Customer]]:
    """What was decided on a site, newest first, with whom it concerns; of one decision when named."""
    query = (
        select(PriceChange, Subscription, Customer)
        .join(Subscription, Subscription.id == PriceChange.subscription_id)
        .join(Customer, Customer.id == Subscription.customer_id)
        .where(PriceChange.site_id == site_id)
        .order_by(PriceChange.id.desc())
        .limit(limit)
    )
    if batch is not None:
        query = query.where(PriceChange.batch == batch)
    return [(change, subscription, customer) for change, subscription, customer in tx.execute(query)]


def way_out(tx: Tx, subscription: Subscription, today: date) -> date | None:
    """The first day of a higher price that was told and does not count yet; None where none was."""
    rises = [
        one.effective_on
        for one in open_of(tx, subscription.id)
        if one.told_at and one.effective_on > today and one.amount_cents > subscription.amount_cents
    ]
    return min(rises, default=None)
