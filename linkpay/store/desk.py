"""Queries of the owner's desk: bounded, by index, for one site. They only read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, func, literal, select, union
from sqlalchemy.orm import aliased

from linkpay.domain.charge import ChargeState
from linkpay.domain.subscription import SubscriptionState
from linkpay.store import sites
from linkpay.store.db import Tx
from linkpay.store.remembering import keep
from linkpay.store.tables import (
    Attention,
    Charge,
    Customer,
    Grant,
    Inbox,
    LedgerEntry,
    Mandate,
    Member,
    Offer,
    Plan,
    Site,
    Subscription,
)


def money_since(tx: Tx, site_id: int, *starts: datetime, end: datetime) -> list[int]:
    """What came in less what went back out from each of these instants to `end`, in cents."""
    since = [func.sum(LedgerEntry.amount_cents).filter(LedgerEntry.occurred_at >= start) for start in starts]
    query = select(*since).where(
        LedgerEntry.site_id == site_id, LedgerEntry.occurred_at >= min(starts), LedgerEntry.occurred_at < end
    )
    return [int(cents or 0) for cents in tx.execute(query).one()]


def unsettled(tx: Tx, site_id: int) -> dict[ChargeState, tuple[int, int]]:
    """(how many, cents) of charges in each state but the one that nearly all of them are in."""
    # Written out, so that the index that leaves out what is paid is used.
    is_not_paid = Charge.state != literal(ChargeState.PAID.value, literal_execute=True)
    query = (
        select(Charge.state, func.count(Charge.id), func.sum(Charge.amount_cents))
        .where(Charge.site_id == site_id, is_not_paid)
        .group_by(Charge.state)
    )
    return {state: (int(number), int(cents)) for state, number, cents in tx.execute(query)}


def due_between(tx: Tx, site_id: int, first: date, last: date) -> tuple[int, int]:
    """(how many, cents) of subscriptions whose next charge falls on a day from `first` to `last`."""
    query = select(func.count(Subscription.id), func.sum(Subscription.amount_cents)).where(
        Subscription.site_id == site_id, Subscription.next_charge_on.between(first, last)
    )
    number, cents = tx.execute(query).one()
    return int(number), int(cents or 0)


def by_state(tx: Tx, site_id: int) -> dict[SubscriptionState, int]:
    """How many subscriptions are in each state, as the list of members counts them: without extras."""
    is_own = Subscription.origin != literal("bump", literal_execute=True)
    query = (
        select(Subscription.state, func.count(Subscription.id))
        .where(Subscription.site_id == site_id, is_own)
        .group_by(Subscription.state)
    )
    return {state: int(number) for state, number in tx.execute(query)}


def out_of_step(tx: Tx, site_id: int, before: datetime) -> int:
    """Grants that were wanted before an instant and that Kajabi has not confirmed yet."""
    query = select(func.count(Grant.id)).where(
        Grant.site_id == site_id, Grant.applied_version < Grant.version, Grant.wanted_at < before
    )
    return int(tx.scalar(query) or 0)


def open_attention(tx: Tx, site_id: int) -> int:
    """How much waits for a person."""
    query = select(func.count(Attention.id)).where(
        Attention.site_id == site_id, Attention.solved_at.is_(None)
    )
    return int(tx.scalar(query) or 0)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list of members."""

    subscription: Subscription
    customer: Customer
    member: Member
    offer: Offer
    plan: Plan
    grant: Grant | None


def one_member(tx: Tx, site_id: int, subscription_id: int) -> Row | None:
    """One line, by number; None when it is another site's."""
    found = tx.execute(rows_of(site_id).where(Subscription.id == subscription_id)).one_or_none()
    return Row(*found) if found else None


def lines_of_person(tx: Tx, site_id: int, subscription_id: int) -> dict[int, Row]:
    """The line of this number and of everything else that its payer or its member has, oldest first.

    Empty when it is another site's. Site, mandate, plan chosen next and whom a member moved to come along.
    """
    found = tx.execute(_of_person(), {"site_id": site_id, "number": subscription_id}).all()
    for row in found:
        keep(tx, *row)
        sites.know(tx, row[6])
    return {row[0].id: Row(*row[:6]) for row in found}


@cache
def _of_person() -> Select[Any]:
    meant = select(Subscription.customer_id, Subscription.member_id, Customer.email).join(
        Customer, Customer.id == Subscription.customer_id
    )
    here = (Subscription.site_id == bindparam("site_id"), Subscription.id == bindparam("number"))
    one = meant.where(*here).cte()
    # One way at a time, as in `overview.subscriptions_of`. That it is this site's is said within: said again
    # of the lines, SQLite would walk through all of the site (20 ms of 100,000 subscriptions).
    hers = union(
        select(Subscription.id).join(one, one.c.customer_id == Subscription.customer_id),
        select(Subscription.id).join(one, one.c.member_id == Subscription.member_id),
        select(Subscription.id)
        .join(Member, Member.id == Subscription.member_id)
        .join(one, one.c.email == Member.email)
        .where(Member.site_id == bindparam("site_id")),
    )
    chosen, moved = aliased(Plan), aliased(Member)
    return (
        _rows()
        .join(Site, Site.id == Subscription.site_id)
        .outerjoin(Mandate, Mandate.id == Subscription.mandate_id)
        .outerjoin(chosen, chosen.id == Subscription.next_plan_id)
        .outerjoin(moved, moved.id == Member.moved_to_id)
        .add_columns(Site, Mandate, chosen, moved)
        .where(Subscription.id.in_(hers))
        .order_by(Subscription.id)
        .execution_options(populate_existing=True)
    )


def rows_of(site_id: int) -> Select[Subscription, Customer, Member, Offer, Plan, Grant]:
    """A query of lines of one site."""
    return _rows().where(Subscription.site_id == site_id)


def _rows() -> Select[Subscription, Customer, Member, Offer, Plan, Grant]:
    return (
        select(Subscription, Customer, Member, Offer, Plan, Grant)
        .join(Customer, Customer.id == Subscription.customer_id)
        .join(Member, Member.id == Subscription.member_id)
        .join(Offer, Offer.id == Subscription.offer_id)
        .join(Plan, Plan.id == Subscription.plan_id)
        .outerjoin(
            Grant, (Grant.member_id == Subscription.member_id) & (Grant.offer_id == Subscription.offer_id)
        )
    )


def messages(
    tx: Tx, site_id: int, *, source: str | None = None, parked: bool = False, before: int | None = None,
    limit: int = 50,
) -> Sequence[Inbox]:  # fmt: skip
    """What Mollie and Kajabi told us, newest first, beginning after the one numbered `before`."""
    query = select(Inbox).where(Inbox.site_id == site_id).order_by(Inbox.id.desc()).limit(limit)
    if source is not None:
        query = query.where(Inbox.source == source)
    if parked:
        query = query.where(Inbox.parked_at.is_not(None), Inbox.done_at.is_(None))
    if before is not None:
        query = query.where(Inbox.id < before)
    return tx.scalars(query).all()


def message(tx: Tx, site_id: int, number: int) -> Inbox | None:
    """One message of this site."""
    return tx.scalar(select(Inbox).where(Inbox.site_id == site_id, Inbox.id == number))
