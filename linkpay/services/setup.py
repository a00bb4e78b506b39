"""Sites, offers and plans as their owner describes them: checked whole, then made or brought up to date.

Running subscriptions keep the terms they were agreed on; a changed plan counts for new ones.
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from linkpay.domain.policy import merge
from linkpay.domain.roles import Role
from linkpay.errors import Conflict, InputError
from linkpay.ports import AccessProvider, DirectoryKey
from linkpay.services import connection, shelf
from linkpay.services.keys import MOLLIE_KEY
from linkpay.services.shelf import By
from linkpay.services.specs import BumpSpec, CouponSpec, KajabiSpec, OfferSpec, PlanSpec, SiteSpec
from linkpay.store import importing, journal, owners, sites
from linkpay.store.db import Tx
from linkpay.store.secrets import SecretBox
from linkpay.store.tables import Bump, Coupon, Offer, Plan, Site

#: Words that are addresses of our own and so cannot be a site's.
TAKEN = frozenset(
    {
        "account",
        "api",
        "embed",
        "healthz",
        "join",
        "metrics",
        "new",
        "owner",
        "readyz",
        "second-step",
        "sign-in",
        "sign-out",
        "static",
        "webhooks",
    }
)


def check(spec: SiteSpec, kajabi: AccessProvider) -> None:
    """Raise InputError with the place of what is wrong; calls nobody."""
    if spec.slug in TAKEN:
        raise InputError("slug_taken", f"{spec.slug} is an address of LinkPay itself.", "slug")
    if not MOLLIE_KEY.fullmatch(spec.mollie_key):
        raise InputError("mollie_key", "A Mollie key begins with test_ or live_.", "mollie_key")
    merge(spec.policy)
    _no_doubles([offer.slug for offer in spec.offers], "offers")
    _no_doubles([plan.slug for offer in spec.offers for plan in offer.plans], "offers.plans")
    _no_doubles([coupon.code for coupon in spec.coupons], "coupons")
    for place, offer in enumerate(spec.offers):
        with _named(f"offers.{place}.activation_url"):
            kajabi.check_url(offer.activation_url, grant=True)
        with _named(f"offers.{place}.deactivation_url"):
            kajabi.check_url(offer.deactivation_url, grant=False)
            kajabi.check_pair(offer.activation_url, offer.deactivation_url)


@contextmanager
def _named(place: str) -> Iterator[None]:
    """Say in which line of the file it is that is refused."""
    try:
        yield
    except InputError as wrong:
        raise InputError(wrong.code, f"{place}: {wrong.message}", place) from None


def _no_doubles(names: Sequence[str], place: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError("named_twice", f"{place}: {', '.join(twice)} stands there twice.", place)


def apply(tx: Tx, spec: SiteSpec, box: SecretBox, now: datetime) -> Site:
    """Make or update the site with its offers and plans. What is not named stays as it is.

    What is named is for sale, also where it was taken off sale before.
    """
    site = sites.by_slug(tx, spec.slug)
    if site is None:
        site = Site(slug=spec.slug, token=secrets.token_urlsafe(24), name=spec.name, created_at=now)
        tx.add(site)
        tx.flush()
    site.name, site.locale, site.zone = spec.name, spec.locale, spec.zone
    site.support_email, site.login_url, site.policy = spec.support_email, spec.login_url, spec.policy
    site.mollie_key_sealed = box.seal(site.id, "mollie_key", spec.mollie_key)
    site.mode = spec.mollie_key[:4]
    if "creditor_id" in spec.model_fields_set:
        site.creditor_id = spec.creditor_id
    if spec.kajabi is not None:
        _connect(tx, site, spec.kajabi, box, now)
    for offer in spec.offers:
        _put_offer(tx, site, offer, box, now)
    for place, offer in enumerate(spec.offers):
        if offer.bumps is not None:
            _put_bumps(tx, site, offer, f"offers.{place}.bumps", now)
    for place, coupon in enumerate(spec.coupons):
        _put_coupon(tx, site, coupon, f"coupons.{place}", now)
    return site


def found(tx: Tx, owner_id: int, slug: str, name: str, locale: str, by: By) -> Site:
    """A new, empty site whose owner is who makes it. Raises Conflict ``slug_taken``."""
    if slug in TAKEN or sites.by_slug(tx, slug) is not None:
        raise Conflict("slug_taken", "This name is taken.", "slug")
    site = Site(slug=slug, token=secrets.token_urlsafe(24), name=name, locale=locale, created_at=by.now)
    tx.add(site)
    tx.flush()
    owners.put_role(tx, site.id, owner_id, Role.OWNER, by.now)
    journal.record_site(tx, site.id, "site_made", by.actor, by.now)
    return site


def _connect(tx: Tx, site: Site, spec: KajabiSpec, box: SecretBox, now: datetime) -> None:
    """Keep the key of Kajabi's public API and look at once."""
    key = DirectoryKey(spec.site_id, spec.client_id, spec.client_secret)
    connection.connect(tx, site, key, box, now)
    site.kajabi_tags = spec.tags.model_dump(exclude_none=True)


def _put_offer(tx: Tx, site: Site, spec: OfferSpec, box: SecretBox, now: datetime) -> None:
    known = {offer.slug: offer for offer in sites.all_offers(tx, site.id)}
    offer = known.get(spec.slug)
    if offer is None:
        offer = Offer(site_id=site.id, slug=spec.slug, title=spec.title, created_at=now)
        tx.add(offer)
        tx.flush()
    shelf.fill_offer(offer, spec, box)
    offer.archived_at = None
    if spec.products and not sites.is_connected(site):
        offer.products = sorted(set(spec.products))
    for position, plan in enumerate(spec.plans):
        _put_plan(tx, offer, plan, position, now)


def _put_plan(tx: Tx, offer: Offer, spec: PlanSpec, position: int, now: datetime) -> None:
    plan = importing.plan(tx, offer.site_id, spec.slug)
    if plan is None:
        plan = Plan(site_id=offer.site_id, offer_id=offer.id, slug=spec.slug, created_at=now)
        tx.add(plan)
    if plan.offer_id != offer.id:
        raise InputError("plan_slug", f"The plan {spec.slug} belongs to another offer.", "slug")
    shelf.fill_plan(plan, spec)
    plan.position, plan.archived_at = position, None
    tx.flush()


def _put_bumps(tx: Tx, site: Site, spec: OfferSpec, place: str, now: datetime) -> None:
    """The bumps of an offer are those of the file; one that left it is not offered any more."""
    offer = sites.offer(tx, site.id, spec.slug)
    assert offer is not None  # noqa: S101 - it was just put
    known = {bump.plan_id: bump for bump in sites.all_bumps(tx, offer)}
    for position, one in enumerate(spec.bumps or []):
        plan = _bump_plan(tx, offer, one, f"{place}.{position}.plan")
        bump = known.pop(plan.id, None)
        if bump is None:
            bump = Bump(site_id=site.id, offer_id=offer.id, plan_id=plan.id, created_at=now)
            tx.add(bump)
        bump.title, bump.text, bump.position, bump.archived_at = one.title, one.text, position, None
    for gone in known.values():
        gone.archived_at = gone.archived_at or now
    tx.flush()


def _bump_plan(tx: Tx, offer: Offer, spec: BumpSpec, place: str) -> Plan:
    plan = sites.plan(tx, offer.site_id, spec.plan)
    if plan is None:
        raise InputError("bump_plan", f"{place}: there is no plan {spec.plan}.", place)
    if plan.offer_id == offer.id:
        raise InputError("bump_plan", f"{place}: {spec.plan} is a plan of this very offer.", place)
    if not shelf.fits_as_bump(plan, offer):
        raise InputError(
            "bump_plan", f"{place}: a bump is paid once, and {spec.plan} is not one_time.", place
        )
    return plan


def _put_coupon(tx: Tx, site: Site, spec: CouponSpec, place: str, now: datetime) -> None:
    """Who used the code before keeps what it gave her: the new values count from now on."""
    for slug in spec.plans:
        if sites.plan(tx, site.id, slug) is None:
            raise InputError("coupon_plan", f"{place}.plans: there is no plan {slug}.", place)
    coupon = sites.coupon(tx, site.id, spec.code)
    if coupon is None:
        coupon = Coupon(site_id=site.id, code=spec.code, created_at=now)
        tx.add(coupon)
    shelf.fill_coupon(coupon, spec)
    tx.flush()
