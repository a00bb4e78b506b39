"""What is for sale at one address, in plain values that outlive the transaction they were read in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from flask import g

from linkpay.domain.calendar import local_day
from linkpay.domain.coupon import Discount, Refusal
from linkpay.domain.plan import Terms
from linkpay.domain.policy import Policy
from linkpay.domain.pricing import Line
from linkpay.domain.quote import Quote, quote
from linkpay.errors import NotFound
from linkpay.services import coupons, ordering
from linkpay.store import sites
from linkpay.store.db import Tx
from linkpay.store.tables import Bump, Plan, Site
from linkpay.web.i18n import settle_on

#: More ways to pay than this on one page help nobody.
_PLANS_SHOWN = 12
_EXTRAS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Seller:
    """The site as its pages show it."""

    id: int
    slug: str
    name: str
    locale: str
    zone: str
    support_email: str | None
    accent: str | None = None
    logo_digest: str | None = None
    embed_parents: tuple[str, ...] = ()
    methods: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to pay for the offer, with what it costs today. `refusal` is why the code does not count."""

    plan_id: int
    slug: str
    title: str
    terms: Terms
    policy: Policy
    quote: Quote
    discount: Discount | None
    refusal: Refusal | None
    for_business: bool = False


@dataclass(frozen=True, slots=True)
class Extra:
    """Something that can be added: a bump. `line` is what it adds to the charge."""

    slug: str
    title: str
    text: str
    line: Line


@dataclass(frozen=True, slots=True)
class Wish:
    """What a visitor brought along: a coupon's code, and whether she does without a trial."""

    coupon: str = ""
    skips_trial: bool = False


@dataclass(frozen=True, slots=True)
class Shop:
    """One offer with the plans by which it can be bought; there is at least one."""

    seller: Seller
    offer_slug: str
    title: str
    choices: tuple[Choice, ...]
    extras: tuple[Extra, ...]
    wish: Wish
    takes_coupons: bool

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
    return Seller(
        site.id, site.slug, site.name, site.locale, site.zone, site.support_email, site.accent,
        site.logo_digest, tuple(site.embed_parents), site.methods,
    )  # fmt: skip


def open_shop(tx: Tx, site_slug: str, offer_slug: str, wish: Wish, now: datetime) -> Shop:
    """The shop at this address. Raises NotFound ``site_unknown`` or ``offer_unknown``."""
    site = find_site(tx, site_slug)
    offer = sites.offer(tx, site.id, offer_slug)
    plans = sites.plans(tx, offer)[:_PLANS_SHOWN] if offer else []
    if offer is None or not plans:
        raise NotFound("offer_unknown", "There is no such offer for sale.")
    given = coupons.look(tx, site, wish.coupon, [one.slug for one in plans], now) if wish.coupon else {}
    return Shop(
        seller_of(site), offer.slug, offer.title,
        tuple(_choice(site, plan, wish, given.get(plan.slug), now) for plan in plans),
        tuple(_extra(bump, plan) for bump, plan in sites.bumps(tx, offer)[:_EXTRAS_SHOWN]),
        wish, takes_coupons=sites.has_coupons(tx, site.id),
    )  # fmt: skip


def _choice(
    site: Site, plan: Plan, wish: Wish, given: Discount | Refusal | None, now: datetime
) -> Choice:  # fmt: skip
    terms = replace(plan.terms, trial=None) if wish.skips_trial else plan.terms
    discount = given if isinstance(given, Discount) else None
    return Choice(
        plan.id, plan.slug, plan.title, terms, sites.policy_of(site, plan.policy),
        quote(
            terms, local_day(now, site.zone), vat_basis_points=plan.vat_basis_points, discount=discount
        ),
        discount, given if isinstance(given, Refusal) else None, plan.for_business,
    )  # fmt: skip


def _extra(bump: Bump, plan: Plan) -> Extra:
    return Extra(plan.slug, bump.title, bump.text, ordering.extra_line(plan))
