"""Sites and what they sell."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import bindparam, select

from linkpay.domain.policy import Policy, merge
from linkpay.ports import DirectoryKey
from linkpay.store.db import Tx, core
from linkpay.store.remembering import asked_once, current
from linkpay.store.secrets import SecretBox
from linkpay.store.tables import Bump, Coupon, Member, Offer, Plan, Site

_BY_API = "kajabi:"


def by_slug(tx: Tx, slug: str) -> Site | None:
    """The site with this public name."""
    found = tx.scalar(select(Site).where(Site.slug == slug))
    if found is not None:
        know(tx, found)
    return found


def get(tx: Tx, site_id: int) -> Site:
    """The site; it must exist."""
    known = tx.info.get(("site", site_id))
    if known is None:
        # The session only keeps what somebody refers to, and one settlement asks five times.
        known = tx.info[("site", site_id)] = current(tx, Site, site_id)
    return cast("Site", known)


def know(tx: Tx, site: Site) -> None:
    """The site was just read along with something else: `get` gives it."""
    tx.info[("site", site.id)] = site


def all_sites(tx: Tx) -> Sequence[Site]:
    """Every site, oldest first."""
    return tx.scalars(_ALL).all()


def zones(tx: Tx) -> Sequence[str]:
    """The time zones of all sites."""
    return tx.scalars(_ZONES).all()


# The clock asks for both at every turn; to put a statement together takes longer than to run it.
_ALL, _ZONES = select(Site).order_by(Site.id), select(Site.zone).distinct()


def id_by_token(tx: Tx, token: str) -> int | None:
    """The site whose webhook addresses carry this secret."""
    return tx.scalar(select(Site.id).where(Site.token == token))


def mollie_key(site: Site, box: SecretBox) -> str | None:
    """The site's Mollie key in clear, or None while it has none."""
    return _opened(site.id, site.mollie_key_sealed, box)


def mollie_key_of(tx: Tx, site_id: int, box: SecretBox) -> str | None:
    """The same by id: every job needs the key, and hardly one the many other columns of a site."""
    known = cast("Site | None", tx.info.get(("site", site_id)))
    if known is not None:
        return mollie_key(known, box)
    return _opened(site_id, tx.scalar(_SEALED_KEY, {"site_id": site_id}), box)


_SEALED_KEY = select(core(Site).c.mollie_key_sealed).where(core(Site).c.id == bindparam("site_id"))


def _opened(site_id: int, sealed: str | None, box: SecretBox) -> str | None:
    return None if sealed is None else box.open(site_id, "mollie_key", sealed)


def is_connected(site: Site) -> bool:
    """Whether Kajabi's public API can be asked about this site."""
    return None not in (site.kajabi_site_id, site.kajabi_client_id, site.kajabi_client_secret_sealed)


def directory_key(site: Site, box: SecretBox) -> DirectoryKey | None:
    """The site's key for Kajabi's public API in clear, or None while it has none."""
    sealed = site.kajabi_client_secret_sealed
    if site.kajabi_site_id is None or site.kajabi_client_id is None or sealed is None:
        return None
    secret = box.open(site.id, "kajabi_client_secret", sealed)
    return DirectoryKey(site.kajabi_site_id, site.kajabi_client_id, secret)


def note_products(offer: Offer, ids: Sequence[str]) -> None:
    """What the API shows that an offer opens; marked, so that ids and an owner's names never mix."""
    offer.products = [f"{_BY_API}{product}" for product in sorted(ids)]


def known_products(offer: Offer) -> frozenset[str] | None:
    """Ids of the products that an offer opens, where the API told them."""
    if not offer.products or not all(product.startswith(_BY_API) for product in offer.products):
        return None
    return frozenset(product.removeprefix(_BY_API) for product in offer.products)


def members(tx: Tx, site_id: int) -> Sequence[Member]:
    """Everybody whom this site lets in or did."""
    return tx.scalars(select(Member).where(Member.site_id == site_id).order_by(Member.id)).all()


def offer(tx: Tx, site_id: int, slug: str) -> Offer | None:
    """An offer of this site that can be bought."""
    return tx.scalar(
        select(Offer).where(Offer.site_id == site_id, Offer.slug == slug, Offer.archived_at.is_(None))
    )


@asked_once
def all_offers(tx: Tx, site_id: int) -> Sequence[Offer]:
    """Every offer of this site, also those that are sold no more, oldest first."""
    return tx.scalars(select(Offer).where(Offer.site_id == site_id).order_by(Offer.id)).all()


def plan_titles(tx: Tx, site_id: int) -> dict[int, str]:
    """What can be bought now, by number, offer by offer in the owner's order."""
    query = select(Plan.id, Plan.title).where(Plan.site_id == site_id, Plan.archived_at.is_(None))
    rows = tx.execute(query.order_by(Plan.offer_id, Plan.position, Plan.id))
    return {row.id: row.title for row in rows}


def offer_by_kajabi_id(tx: Tx, site_id: int, kajabi_offer_id: str) -> Offer | None:
    """The offer that the owner mapped to this Kajabi offer."""
    return tx.scalar(
        select(Offer).where(
            Offer.site_id == site_id,
            Offer.kajabi_offer_id == kajabi_offer_id,
            Offer.archived_at.is_(None),
        )
    )


def kajabi_url(offer: Offer, box: SecretBox, *, grant: bool) -> str | None:
    """The offer's activation or deactivation address in clear."""
    column = "activation_url" if grant else "deactivation_url"
    sealed = offer.activation_url_sealed if grant else offer.deactivation_url_sealed
    return None if sealed is None else box.open(offer.site_id, column, sealed)


def plans(tx: Tx, offer: Offer) -> Sequence[Plan]:
    """The plans by which an offer can be bought now, in the owner's order."""
    return tx.scalars(
        select(Plan)
        .where(Plan.site_id == offer.site_id, Plan.offer_id == offer.id, Plan.archived_at.is_(None))
        .order_by(Plan.position, Plan.id)
    ).all()


def plan(tx: Tx, site_id: int, slug: str) -> Plan | None:
    """A plan of this site that can be bought."""
    return tx.scalar(
        select(Plan).where(Plan.site_id == site_id, Plan.slug == slug, Plan.archived_at.is_(None))
    )


@asked_once
def plan_by_id(tx: Tx, site_id: int, plan_id: int) -> Plan | None:
    """A plan of this site, also one that cannot be bought any more."""
    return tx.scalar(select(Plan).where(Plan.site_id == site_id, Plan.id == plan_id))


def all_bumps(tx: Tx, offer: Offer) -> Sequence[Bump]:
    """What was ever offered beside an offer, also what is not any more, in the owner's order."""
    return tx.scalars(
        select(Bump)
        .where(Bump.site_id == offer.site_id, Bump.offer_id == offer.id)
        .order_by(Bump.position, Bump.id)
    ).all()


def bumps(tx: Tx, offer: Offer) -> Sequence[tuple[Bump, Plan]]:
    """What can be added to an offer now, each with the plan that is added, in the owner's order."""
    rows = tx.execute(
        select(Bump, Plan)
        .join(Plan, Plan.id == Bump.plan_id)
        .join(Offer, Offer.id == Plan.offer_id)
        .where(
            Bump.site_id == offer.site_id, Bump.offer_id == offer.id, Bump.archived_at.is_(None),
            Plan.archived_at.is_(None), Offer.archived_at.is_(None),
        )
        .order_by(Bump.position, Bump.id)
    )  # fmt: skip
    return [(bump, plan) for bump, plan in rows]


def has_coupons(tx: Tx, site_id: int) -> bool:
    """Whether there is any code that somebody may have."""
    known = select(Coupon.id).where(Coupon.site_id == site_id, Coupon.archived_at.is_(None))
    return tx.scalar(known.limit(1)) is not None


def coupon(tx: Tx, site_id: int, code: str) -> Coupon | None:
    """The site's coupon with this code (upper case), whether it can be used or not."""
    return tx.scalar(select(Coupon).where(Coupon.site_id == site_id, Coupon.code == code))


def policy_of(site: Site, plan_policy: dict[str, object]) -> Policy:
    """The site's policy with the plan's own values over it."""
    return merge(site.policy, plan_policy)


def halt(tx: Tx, site_id: int, now: datetime) -> None:
    """Stop charging for this site until its key is seen to work again."""
    site = get(tx, site_id)
    site.halted_at = site.halted_at or now


def resume(tx: Tx, site_id: int) -> None:
    """The key works: charge again."""
    get(tx, site_id).halted_at = None


def learn_creditor_id(tx: Tx, site_id: int, creditor_id: str | None) -> None:
    """Under which id banks know who collects: only a debit shows it, and pre-notifications tell it then."""
    site = get(tx, site_id)
    if creditor_id is not None and site.creditor_id is None:
        site.creditor_id = creditor_id[:35]
