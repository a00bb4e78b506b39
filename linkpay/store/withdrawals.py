"""Declarations of withdrawal, as they came in and what became of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import String, case, cast, func, or_, select, union_all

from linkpay.store.db import FOR_CHANGE, Tx
from linkpay.store.remembering import current
from linkpay.store.tables import Charge, Member, Offer, Payment, Plan, Refund, Subscription, Withdrawal
from linkpay.store.tables.money import Stroke

#: The reason of the refunds of a withdrawal; a later one of the same payment carries a number behind it.
REASON = "withdrawal"
#: That of an extra, whose number follows.
EXTRA_REASON = "extra_withdrawal:"


def get(tx: Tx, withdrawal_id: int) -> Withdrawal:
    """The declaration as it is now; it must exist."""
    return current(tx, Withdrawal, withdrawal_id)


def by_token(tx: Tx, site_id: int, token: str) -> Withdrawal | None:
    """The declaration whose page carries this secret, as it is now."""
    query = select(Withdrawal).where(Withdrawal.site_id == site_id, Withdrawal.token == token)
    return tx.scalar(query.execution_options(populate_existing=True))


def lock(tx: Tx, withdrawal_id: int) -> Withdrawal:
    """The declaration, held against others who would act on it."""
    return tx.scalars(
        select(Withdrawal)
        .where(Withdrawal.id == withdrawal_id)
        .with_for_update(**FOR_CHANGE)
        .execution_options(populate_existing=True)
    ).one()


def unproven_since(tx: Tx, site_id: int, email: str, since: datetime) -> Sequence[Withdrawal]:
    """What was declared in the name of an address and not proven yet, oldest first."""
    return tx.scalars(
        select(Withdrawal)
        .where(
            Withdrawal.site_id == site_id, Withdrawal.email == email, Withdrawal.received_at > since,
            Withdrawal.proven_at.is_(None),
        )
        .order_by(Withdrawal.id)
    ).all()  # fmt: skip


def of_subscription(tx: Tx, subscription_id: int) -> Withdrawal | None:
    """The declaration by which a contract was withdrawn from."""
    return tx.scalar(
        select(Withdrawal)
        .where(Withdrawal.subscription_id == subscription_id, Withdrawal.done_at.is_not(None))
        .order_by(Withdrawal.id)
        .limit(1)
    )


@dataclass(frozen=True, slots=True)
class Line:
    """A declaration with what it was about, as far as that is known, and what was owed back for it so far.

    `sent_cents` is what Mollie has taken on, of the `owed_cents` that were decided on.
    """

    withdrawal: Withdrawal
    subscription: Subscription | None
    member: Member | None
    offer: Offer | None
    plan: Plan | None
    owed_cents: int
    sent_cents: int


def page(tx: Tx, site_id: int, *, before: int | None = None, limit: int = 50) -> Sequence[Line]:
    """Declarations of a site, newest first, beginning behind the one numbered `before`."""
    query = (
        select(Withdrawal, Subscription, Member, Offer, Plan)
        .outerjoin(Subscription, Subscription.id == Withdrawal.subscription_id)
        .outerjoin(Member, Member.id == Subscription.member_id)
        .outerjoin(Offer, Offer.id == Subscription.offer_id)
        .outerjoin(Plan, Plan.id == Subscription.plan_id)
        .where(Withdrawal.site_id == site_id)
        .order_by(Withdrawal.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(Withdrawal.id < before)
    rows = tx.execute(query).all()
    owed = _owed(tx, {row[1].id for row in rows if row[1] is not None})
    return [
        Line(made, held, member, offer, plan, *owed.get(held.id if held else 0, (0, 0)))
        for made, held, member, offer, plan in rows
    ]


def _owed(tx: Tx, subscription_ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """(cents owed back, cents of them that Mollie has taken on) for withdrawing, by subscription."""
    known = case((Refund.stroke == Stroke.KNOWN, Refund.amount_cents), else_=0)
    sums = (func.sum(Refund.amount_cents), func.sum(known))
    own = (
        select(Charge.subscription_id, *sums)
        .join(Payment, Payment.charge_id == Charge.id)
        .join(Refund, Refund.payment_id == Payment.id)
        .where(
            Charge.subscription_id.in_(subscription_ids), Refund.stroke != Stroke.REFUSED,
            or_(Refund.reason == REASON, Refund.reason.startswith(f"{REASON}:")),
        )
        .group_by(Charge.subscription_id)
    )  # fmt: skip
    extra = (
        select(Subscription.id, *sums)
        .join(Payment, Payment.charge_id == Subscription.paid_within_id)
        .join(Refund, Refund.payment_id == Payment.id)
        .where(
            Subscription.id.in_(subscription_ids), Refund.stroke != Stroke.REFUSED,
            Refund.reason == EXTRA_REASON + cast(Subscription.id, String),
        )
        .group_by(Subscription.id)
    )  # fmt: skip
    return {number: (int(owed), int(sent)) for number, owed, sent in tx.execute(union_all(own, extra))}
