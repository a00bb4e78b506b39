"""What one person has and paid on one site, in a fixed number of queries however much it is."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from linkpay.domain.plan import TRIAL_PERIOD
from linkpay.store import foresight, grants
from linkpay.store.db import Tx
from linkpay.store.remembering import answers, asked_once, keep
from linkpay.store.tables import (
    Charge,
    Customer,
    Grant,
    Mandate,
    Member,
    Offer,
    Payment,
    Plan,
    Subscription,
)


@dataclass(frozen=True, slots=True)
class Held:
    """One subscription with what a page about it shows."""

    subscription: Subscription
    offer: Offer
    plan: Plan
    member: Member
    mandate: Mandate | None
    grant: Grant | None


def of_payer(tx: Tx, site_id: int, customer_id: int, limit: int) -> list[Held]:
    """The newest subscriptions that this customer pays, newest first."""
    query = (
        select(Subscription, Offer, Plan, Member, Mandate, Grant)
        .join(Offer, Offer.id == Subscription.offer_id)
        .join(Plan, Plan.id == Subscription.plan_id)
        .join(Member, Member.id == Subscription.member_id)
        .outerjoin(Mandate, Mandate.id == Subscription.mandate_id)
        .outerjoin(
            Grant, (Grant.member_id == Subscription.member_id) & (Grant.offer_id == Subscription.offer_id)
        )
        .where(Subscription.site_id == site_id, Subscription.customer_id == customer_id)
        .order_by(Subscription.id.desc())
        .limit(limit)
    )
    return [Held(*row) for row in tx.execute(query)]


def purchase(tx: Tx, site_id: int, token: str) -> Subscription | None:
    """The subscription whose pages carry this secret, with all that its order page asks about it foreseen."""
    query = (
        select(Subscription, Offer, Customer, Member, Mandate, Grant)
        .join(Offer, Offer.id == Subscription.offer_id)
        .join(Customer, Customer.id == Subscription.customer_id)
        .join(Member, Member.id == Subscription.member_id)
        .outerjoin(Mandate, Mandate.id == Subscription.mandate_id)
        .outerjoin(
            Grant, (Grant.member_id == Subscription.member_id) & (Grant.offer_id == Subscription.offer_id)
        )
        .where(Subscription.site_id == site_id, Subscription.token == token)
    )
    found = tx.execute(query).one_or_none()
    if found is None:
        return None
    keep(tx, *found)
    bought: Subscription = found[0]
    if (known := answers(tx)) is not None:
        known[grants.find, bought.member_id, bought.offer_id] = found[5]
    foresight.prices(tx, [bought])
    foresight.collections(tx, [bought])
    return bought


def of_reader(tx: Tx, site_id: int, email: str) -> list[tuple[Offer, Grant]]:
    """What somebody is let in to, whoever pays for it."""
    query = (
        select(Offer, Grant)
        .join(Grant, Grant.offer_id == Offer.id)
        .join(Member, Member.id == Grant.member_id)
        .where(Member.site_id == site_id, Member.email == email)
        .order_by(Offer.title)
    )
    return [(offer, grant) for offer, grant in tx.execute(query)]


def charges_of(tx: Tx, subscription_ids: Collection[int], limit: int) -> Sequence[Charge]:
    """The newest charges of these subscriptions that ask for money, newest first."""
    return tx.scalars(
        select(Charge)
        .where(
            Charge.subscription_id.in_(subscription_ids), Charge.period >= TRIAL_PERIOD,
            Charge.amount_cents > 0,
        )
        .order_by(Charge.due_on.desc(), Charge.id.desc())
        .limit(limit)
    ).all()  # fmt: skip


def last_payments(tx: Tx, charge_ids: Collection[int]) -> dict[int, Payment]:
    """The last attempt that brought money, by charge."""
    newest = (
        select(func.max(Payment.id))
        .where(Payment.charge_id.in_(charge_ids), Payment.paid_at.is_not(None))
        .group_by(Payment.charge_id)
    )
    return {paid.charge_id: paid for paid in tx.scalars(select(Payment).where(Payment.id.in_(newest)))}


@asked_once
def plans_to_switch_to(tx: Tx, site_id: int, offer_ids: tuple[int, ...]) -> Sequence[Plan]:
    """The plans by which these offers can be bought now."""
    return tx.scalars(
        select(Plan)
        .where(Plan.site_id == site_id, Plan.offer_id.in_(offer_ids), Plan.archived_at.is_(None))
        .order_by(Plan.position, Plan.id)
    ).all()


def charge_of(tx: Tx, site_id: int, customer_id: int, token: str) -> tuple[Charge, Held] | None:
    """One charge of this customer by its secret, with its subscription."""
    row = tx.execute(
        select(Charge, Subscription, Offer, Plan, Member, Mandate, Grant)
        .join(Subscription, Subscription.id == Charge.subscription_id)
        .join(Offer, Offer.id == Subscription.offer_id)
        .join(Plan, Plan.id == Subscription.plan_id)
        .join(Member, Member.id == Subscription.member_id)
        .outerjoin(Mandate, Mandate.id == Subscription.mandate_id)
        .outerjoin(
            Grant, (Grant.member_id == Subscription.member_id) & (Grant.offer_id == Subscription.offer_id)
        )
        .where(Charge.site_id == site_id, Charge.token == token, Subscription.customer_id == customer_id)
    ).one_or_none()
    return None if row is None else (row[0], Held(*row[1:]))
