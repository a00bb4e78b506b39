"""What a site sells, for its owner: also what is not for sale, with how often it is used."""

from collections.abc import Sequence

from sqlalchemy import func, select

from linkpay.domain.subscription import LIVE, SubscriptionState
from linkpay.store.db import Tx
from linkpay.store.tables import Bump, Coupon, Offer, Plan, Redemption, Subscription


def offers(tx: Tx, site_id: int) -> Sequence[Offer]:
    """Every offer of a site, those for sale first, by title."""
    query = select(Offer).where(Offer.site_id == site_id)
    return tx.scalars(query.order_by(Offer.archived_at.is_not(None), Offer.title, Offer.id)).all()


def offer(tx: Tx, site_id: int, offer_id: int) -> Offer | None:
    """An offer of this site, also one that cannot be bought."""
    return tx.scalar(select(Offer).where(Offer.site_id == site_id, Offer.id == offer_id))


def offer_slugs(tx: Tx, site_id: int) -> frozenset[str]:
    """Every name that an offer of the site has in addresses, or had."""
    return frozenset(tx.scalars(select(Offer.slug).where(Offer.site_id == site_id)))


def kajabi_offer_owner(tx: Tx, site_id: int, kajabi_id: str) -> int | None:
    """The offer that is mapped to this one of Kajabi, whether it is sold or not."""
    return tx.scalar(select(Offer.id).where(Offer.site_id == site_id, Offer.kajabi_offer_id == kajabi_id))


def plans(tx: Tx, site_id: int) -> Sequence[Plan]:
    """Every plan of a site, those for sale first, in the owner's order."""
    query = select(Plan).where(Plan.site_id == site_id)
    return tx.scalars(query.order_by(Plan.archived_at.is_not(None), Plan.position, Plan.id)).all()


def plan_slugs(tx: Tx, site_id: int) -> frozenset[str]:
    """Every name that a plan of the site has, or had."""
    return frozenset(tx.scalars(select(Plan.slug).where(Plan.site_id == site_id)))


def is_bump(tx: Tx, plan_id: int) -> bool:
    """Whether a plan is sold beside an offer now."""
    query = select(Bump.id).where(Bump.plan_id == plan_id, Bump.archived_at.is_(None))
    return tx.scalar(query.limit(1)) is not None


def running(tx: Tx, site_id: int) -> dict[int, int]:
    """How many subscriptions run by each plan."""
    query = (
        select(Subscription.plan_id, func.count(Subscription.id))
        .where(Subscription.site_id == site_id, Subscription.state.in_(LIVE))
        .group_by(Subscription.plan_id)
    )
    return {plan_id: int(number) for plan_id, number in tx.execute(query)}


def anybody_runs(tx: Tx, site_id: int) -> bool:
    """Whether any subscription of a site runs, or is being paid for."""
    query = select(Subscription.id).where(
        Subscription.site_id == site_id, Subscription.state.in_({*LIVE, SubscriptionState.PENDING})
    )
    return tx.scalar(query.limit(1)) is not None


def coupons(tx: Tx, site_id: int) -> Sequence[tuple[Coupon, int]]:
    """Every coupon of a site with how often it was paid with, those that can be used first, by code."""
    used = (
        select(Redemption.coupon_id, func.count(Redemption.id).label("number"))
        .where(Redemption.site_id == site_id, Redemption.counted_at.is_not(None))
        .group_by(Redemption.coupon_id)
        .subquery()
    )
    query = (
        select(Coupon, func.coalesce(used.c.number, 0))
        .outerjoin(used, used.c.coupon_id == Coupon.id)
        .where(Coupon.site_id == site_id)
        .order_by(Coupon.archived_at.is_not(None), Coupon.code)
    )
    return [(coupon, int(number)) for coupon, number in tx.execute(query)]


def coupon(tx: Tx, site_id: int, coupon_id: int) -> Coupon | None:
    """A coupon of this site."""
    return tx.scalar(select(Coupon).where(Coupon.site_id == site_id, Coupon.id == coupon_id))
