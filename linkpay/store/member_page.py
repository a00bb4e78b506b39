"""Queries behind one member's page at the desk: for one site, bounded. They only read."""

from collections.abc import Collection, Sequence

from sqlalchemy import or_, select

from linkpay.store.db import Tx
from linkpay.store.tables import Charge, Gift, Grant, Mail, Offer, Payment, Refund


def attempts(tx: Tx, subscription_id: int) -> Sequence[Payment]:
    """Every attempt to collect for a subscription, oldest first."""
    return tx.scalars(
        select(Payment)
        .join(Charge, Charge.id == Payment.charge_id)
        .where(Charge.subscription_id == subscription_id)
        .order_by(Payment.id)
    ).all()


def refunds(tx: Tx, payment_ids: Collection[int]) -> Sequence[Refund]:
    """What was sent back of these payments by us, oldest first."""
    return tx.scalars(select(Refund).where(Refund.payment_id.in_(payment_ids)).order_by(Refund.id)).all()


def mails(
    tx: Tx, site_id: int, subscription_ids: Collection[int], emails: Collection[str], limit: int
) -> Sequence[Mail]:
    """The newest mails about these subscriptions or to these addresses, newest first."""
    about = Mail.subscription_id.in_(subscription_ids)
    return tx.scalars(
        select(Mail)
        .where(Mail.site_id == site_id, or_(about, Mail.subscription_id.is_(None) & Mail.to.in_(emails)))
        .order_by(Mail.id.desc())
        .limit(limit)
    ).all()


def grants(tx: Tx, site_id: int, member_id: int) -> Sequence[tuple[Offer, Grant]]:
    """What a member is let in to, or was, with what Kajabi answered; by the offer's title."""
    query = (
        select(Offer, Grant)
        .join(Grant, Grant.offer_id == Offer.id)
        .where(Grant.member_id == member_id, Offer.site_id == site_id)
        .order_by(Offer.title)
    )
    return [(offer, grant) for offer, grant in tx.execute(query)]


def gifts(tx: Tx, site_id: int, member_id: int) -> Sequence[tuple[Offer, Gift]]:
    """What an owner gave a member and did not take back; by the offer's title."""
    query = (
        select(Offer, Gift)
        .join(Gift, Gift.offer_id == Offer.id)
        .where(Gift.site_id == site_id, Gift.member_id == member_id, Gift.taken_back_at.is_(None))
        .order_by(Offer.title)
    )
    return [(offer, gift) for offer, gift in tx.execute(query)]
