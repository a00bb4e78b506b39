"""Queries behind one member's page at the desk: for one site, bounded. They only read."""

from collections.abc import Collection, Sequence

from sqlalchemy import and_, or_, select

from linkpay.store import people, sites
from linkpay.store.db import Tx
from linkpay.store.remembering import answers
from linkpay.store.tables import Gift, Grant, Mail, Offer


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


def offers(tx: Tx, site_id: int, member_id: int) -> Sequence[tuple[Offer, Grant | None, Gift | None]]:
    """Every offer of the site by its title: whether a member is let in or was, and what she was given of it.

    A gift that was taken back is none. All that is asked later about offers and her gifts is foreseen.
    """
    query = (
        select(Offer, Grant, Gift)
        .outerjoin(Grant, and_(Grant.offer_id == Offer.id, Grant.member_id == member_id))
        .outerjoin(
            Gift,
            and_(Gift.offer_id == Offer.id, Gift.member_id == member_id, Gift.taken_back_at.is_(None)),
        )
        .where(Offer.site_id == site_id)
        .order_by(Offer.title)
    )
    found: list[tuple[Offer, Grant | None, Gift | None]] = [(o, g, p) for o, g, p in tx.execute(query)]
    if (known := answers(tx)) is not None:
        known[sites.all_offers, site_id] = sorted((offer for offer, _, _ in found), key=lambda one: one.id)
        known[people.gifts_of, member_id] = [gift for _, _, gift in found if gift is not None]
        for offer, _, gift in found:
            known[people.gifts, member_id, offer.id] = [gift] if gift is not None else []
    return found
