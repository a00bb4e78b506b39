"""Queries behind the views for people: who has what, and what happened to whom. They only read."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import BigInteger, Select, cast, func, select, true, union

from linkpay.domain.charge import ChargeState
from linkpay.domain.plan import TRIAL_PERIOD
from linkpay.domain.snapshots import Sequence as MollieSequence
from linkpay.store.db import Tx
from linkpay.store.tables import (
    Attention,
    Charge,
    Customer,
    Event,
    Grant,
    Inbox,
    LedgerEntry,
    Mandate,
    Member,
    Offer,
    Outbox,
    Payment,
    Plan,
    Site,
    Subscription,
)


@dataclass(frozen=True, slots=True)
class Holding:
    """One subscription with everything around it that a line about it shows.

    `paid_until` is the first day that no paid period covers; `owed_cents` is what failed and is unpaid.
    """

    subscription: Subscription
    customer: Customer
    member: Member
    offer: Offer
    plan: Plan
    site: Site
    mandate: Mandate | None
    grant: Grant | None
    last_payment: Payment | None
    paid_until: date | None
    owed_cents: int


def holdings(tx: Tx, *, email: str | None = None, site: str | None = None) -> list[Holding]:
    """Every subscription, newest first within a person; of one person or one site when named."""
    last = (
        select(Charge.subscription_id, func.max(Payment.id).label("payment_id"))
        .join(Payment, Payment.charge_id == Charge.id)
        .group_by(Charge.subscription_id)
        .subquery()
    )
    money = _money().subquery()
    query = (
        select(
            Subscription, Customer, Member, Offer, Plan, Site, Mandate, Grant, Payment,
            money.c.paid_until, func.coalesce(money.c.owed_cents, 0),
        )
        .join(Customer, Customer.id == Subscription.customer_id)
        .join(Member, Member.id == Subscription.member_id)
        .join(Offer, Offer.id == Subscription.offer_id)
        .join(Plan, Plan.id == Subscription.plan_id)
        .join(Site, Site.id == Subscription.site_id)
        .outerjoin(Mandate, Mandate.id == Subscription.mandate_id)
        .outerjoin(
            Grant,
            (Grant.member_id == Subscription.member_id) & (Grant.offer_id == Subscription.offer_id),
        )
        .outerjoin(last, last.c.subscription_id == Subscription.id)
        .outerjoin(Payment, Payment.id == last.c.payment_id)
        .outerjoin(money, money.c.subscription_id == Subscription.id)
        .order_by(Site.slug, Customer.email, Subscription.id.desc())
    )  # fmt: skip
    if email is not None:
        query = query.where((Customer.email == email) | (Member.email == email))
    if site is not None:
        query = query.where(Site.slug == site)
    return [Holding(*row) for row in tx.execute(query)]


def _money() -> Select[int, date, int]:
    """Per subscription: how far its paid periods reach, and what is owed after a failure."""
    reaches = func.max(Charge.ends_on).filter(Charge.state == ChargeState.PAID)
    owed = func.sum(Charge.amount_cents - Charge.paid_cents + Charge.charged_back_cents)
    query = select(
        Charge.subscription_id,
        reaches.label("paid_until"),
        # PostgreSQL sums big integers into decimals.
        cast(owed.filter(Charge.failed_at.is_not(None)), BigInteger).label("owed_cents"),
    )
    return query.where(Charge.period >= TRIAL_PERIOD).group_by(Charge.subscription_id)


def subscriptions_of(tx: Tx, email: str, site_id: int | None = None) -> Sequence[Subscription]:
    """All subscriptions that this person pays or is let in by, on every site or on one, oldest first."""
    # One way at a time: no index answers who pays or is let in by one look.
    theirs = union(
        *(
            select(Subscription.id)
            .join(person, person.id == held)
            .where(person.email == email, true() if site_id is None else person.site_id == site_id)
            for person, held in ((Customer, Subscription.customer_id), (Member, Subscription.member_id))
        )
    ).subquery()
    query = select(Subscription).join(theirs, theirs.c.id == Subscription.id).order_by(Subscription.id)
    return tx.scalars(query if site_id is None else query.where(Subscription.site_id == site_id)).all()


def members_of(tx: Tx, email: str, site_id: int | None = None) -> Sequence[Member]:
    """This person as a member, on every site where she is one, or on one."""
    query = select(Member).where(Member.email == email).order_by(Member.id)
    return tx.scalars(query if site_id is None else query.where(Member.site_id == site_id)).all()


def payments_by_ref(tx: Tx, mollie_id: str) -> Sequence[Payment]:
    """The payments with this Mollie id; two sites never share a Mollie account in earnest."""
    return tx.scalars(select(Payment).where(Payment.mollie_id == mollie_id).order_by(Payment.id)).all()


def subscription_of(tx: Tx, payment: Payment) -> Subscription:
    """The subscription that a payment is for."""
    return tx.scalars(
        select(Subscription)
        .join(Charge, Charge.subscription_id == Subscription.id)
        .where(Charge.id == payment.charge_id)
    ).one()


def payments_of(tx: Tx, subscription_ids: Collection[int]) -> Sequence[tuple[int, Payment]]:
    """(subscription id, payment) of these subscriptions, oldest first."""
    rows = tx.execute(
        select(Charge.subscription_id, Payment)
        .join(Charge, Charge.id == Payment.charge_id)
        .where(Charge.subscription_id.in_(subscription_ids))
        .order_by(Payment.id)
    )
    return [(subscription_id, payment) for subscription_id, payment in rows]


def events_of(
    tx: Tx, subscription_ids: Collection[int], member_ids: Collection[int] = ()
) -> Sequence[Event]:  # fmt: skip
    """What happened to these subscriptions, and to these members beside their purchases, in order."""
    about = Event.subscription_id.in_(subscription_ids) | Event.member_id.in_(member_ids)
    return tx.scalars(select(Event).where(about).order_by(Event.created_at, Event.id)).all()


def entries_of(
    tx: Tx, payment_ids: Collection[int], outside_of: Collection[int] = ()
) -> Sequence[LedgerEntry]:
    """The money facts of these payments, and those of these subscriptions that are not Mollie's."""
    past_mollie = (
        select(LedgerEntry.id)
        .join(Charge, Charge.id == LedgerEntry.charge_id)
        .where(Charge.subscription_id.in_(outside_of), LedgerEntry.payment_id.is_(None))
    )
    wanted = LedgerEntry.payment_id.in_(payment_ids) | LedgerEntry.id.in_(past_mollie)
    return tx.scalars(select(LedgerEntry).where(wanted).order_by(LedgerEntry.id)).all()


def messages_about(tx: Tx, site_id: int, mollie_ids: Collection[str]) -> Sequence[Inbox]:
    """What Mollie posted about these payments, in order of arrival."""
    return tx.scalars(
        select(Inbox)
        .where(Inbox.site_id == site_id, Inbox.source == "mollie", Inbox.ref.in_(mollie_ids))
        .order_by(Inbox.id)
    ).all()


def newest_payment(tx: Tx, site_id: int, email: str, offer_id: int) -> tuple[Payment, Grant | None] | None:
    """The newest payment of this person for an offer, with the grant that it may lead to."""
    row = tx.execute(
        select(Payment, Grant)
        .join(Charge, Charge.id == Payment.charge_id)
        .join(Subscription, Subscription.id == Charge.subscription_id)
        .join(Customer, Customer.id == Subscription.customer_id)
        .outerjoin(
            Grant, (Grant.member_id == Subscription.member_id) & (Grant.offer_id == Subscription.offer_id)
        )
        .where(Customer.site_id == site_id, Customer.email == email, Subscription.offer_id == offer_id)
        .order_by(Payment.id.desc())
        .limit(1)
    ).first()
    return None if row is None else (row[0], row[1])


def parked(tx: Tx) -> Sequence[Inbox | Outbox]:
    """Messages and work that wait for a person, oldest first."""
    messages = select(Inbox).where(Inbox.parked_at.is_not(None), Inbox.done_at.is_(None))
    work = select(Outbox).where(Outbox.parked_at.is_not(None), Outbox.done_at.is_(None))
    return [*tx.scalars(messages.order_by(Inbox.id)), *tx.scalars(work.order_by(Outbox.id))]


def attention(tx: Tx) -> Sequence[Attention]:
    """Troubles that need a person, oldest first."""
    return tx.scalars(select(Attention).where(Attention.solved_at.is_(None)).order_by(Attention.id)).all()


def newest_event(tx: Tx) -> int:
    """The id of the latest event, 0 when nothing ever happened."""
    return tx.scalar(select(func.max(Event.id))) or 0


def events_after(tx: Tx, event_id: int) -> dict[str, int]:
    """How often each kind of event happened since the event with this id."""
    number = func.count().label("number")
    rows = tx.execute(select(Event.kind, number).where(Event.id > event_id).group_by(Event.kind))
    return {row.kind: row.number for row in rows}


def payments_in(tx: Tx, status: str) -> int:
    """How many payments have this status now."""
    return tx.scalar(select(func.count(Payment.id)).where(Payment.status == status)) or 0


def debits(tx: Tx) -> int:
    """How many debits were ever made."""
    return tx.scalar(select(func.count(Payment.id)).where(Payment.sequence == MollieSequence.RECURRING)) or 0


def offers(tx: Tx, site_id: int) -> Sequence[Offer]:
    """The offers of a site that can be bought, oldest first."""
    return tx.scalars(
        select(Offer).where(Offer.site_id == site_id, Offer.archived_at.is_(None)).order_by(Offer.id)
    ).all()
