"""What is for sale at one address, in plain values that outlive the transaction they were read in."""

from dataclasses import dataclass

from flask import g

from linkpay.domain.plan import Terms
from linkpay.errors import NotFound
from linkpay.store import sites
from linkpay.store.db import Tx
from linkpay.store.tables import Plan, Site
from linkpay.web.i18n import settle_on

#: More ways to pay than this on one page help nobody.
_PLANS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Seller:
    """The site as its pages show it."""

    id: int
    slug: str
    name: str
    locale: str
    zone: str
    support_email: str | None


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to pay for the offer."""

    plan_id: int
    slug: str
    title: str
    terms: Terms


@dataclass(frozen=True, slots=True)
class Shop:
    """One offer with the plans by which it can be bought; there is at least one."""

    seller: Seller
    offer_slug: str
    title: str
    choices: tuple[Choice, ...]

    def choice(self, slug: str | None) -> Choice | None:
        """The plan with this name, or the first when no name is given; None when there is no such plan."""
        if not slug:
            return self.choices[0]
        return next((choice for choice in self.choices if choice.slug == slug), None)


def find_site(tx: Tx, slug: str) -> Site:
    """The site at this address; from then on the request speaks its language and wears its name.

    Raises NotFound ``site_unknown``.
    """
    site = sites.by_slug(tx, slug)
    if site is None:
        raise NotFound("site_unknown", "There is no such site.")
    g.seller = seller_of(site)
    settle_on(site.locale)
    return site


def seller_of(site: Site) -> Seller:
    """The public side of a site."""
    return Seller(site.id, site.slug, site.name, site.locale, site.zone, site.support_email)


def open_shop(tx: Tx, site_slug: str, offer_slug: str) -> Shop:
    """The shop at this address. Raises NotFound ``site_unknown`` or ``offer_unknown``."""
    site = find_site(tx, site_slug)
    offer = sites.offer(tx, site.id, offer_slug)
    plans = sites.plans(tx, offer)[:_PLANS_SHOWN] if offer else []
    if offer is None or not plans:
        raise NotFound("offer_unknown", "There is no such offer for sale.")
    return Shop(seller_of(site), offer.slug, offer.title, tuple(_choice(plan) for plan in plans))


def _choice(plan: Plan) -> Choice:
    return Choice(plan.id, plan.slug, plan.title, plan.terms)
