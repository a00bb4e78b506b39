"""Sites, offers and plans as their owner describes them: checked whole, then made or brought up to date.

Running subscriptions keep the terms they were agreed on; a changed plan counts for new ones.
"""

import re
import secrets
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from linkpay.domain.calendar import Interval, Unit
from linkpay.domain.money import Money
from linkpay.domain.plan import PlanKind, Terms
from linkpay.domain.policy import merge
from linkpay.errors import InputError
from linkpay.ports import AccessProvider
from linkpay.store import sites
from linkpay.store.db import Tx
from linkpay.store.secrets import SecretBox
from linkpay.store.tables import Offer, Plan, Site

Slug = Annotated[str, Field(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?$")]
Title = Annotated[str, Field(min_length=1, max_length=120)]
#: Words that are addresses of our own and so cannot be a site's.
_TAKEN = frozenset({"api", "healthz", "metrics", "owner", "readyz", "static", "webhooks"})
_MOLLIE_KEY = re.compile(r"(test|live)_\w{6,}", re.ASCII)


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class PlanSpec(_Spec):
    """How an offer is paid. `amount_cents` per period; `periods` for instalments only."""

    slug: Slug
    title: Title
    kind: PlanKind = PlanKind.MEMBERSHIP
    amount_cents: Annotated[int, Field(gt=0, le=10_000_000)]
    currency: Literal["EUR"] = "EUR"
    interval_unit: Unit = Unit.MONTH
    interval_count: Annotated[int, Field(ge=1, le=365)] = 1
    periods: int | None = None
    vat_basis_points: Annotated[int, Field(ge=0, le=10_000)] = 2100
    policy: dict[str, Any] = {}

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        self.terms  # noqa: B018 - raises for terms that cannot be
        merge(self.policy)
        return self

    @property
    def terms(self) -> Terms:
        """The plan as the rules see it."""
        periods = 1 if self.kind is PlanKind.ONE_TIME else self.periods
        interval = Interval(self.interval_unit, self.interval_count)
        return Terms(self.kind, Money(self.amount_cents, self.currency), interval, periods)


class OfferSpec(_Spec):
    """What is sold. Both Kajabi addresses come from the offer's own page in Kajabi."""

    slug: Slug
    title: Title
    kajabi_offer_id: str | None = None
    activation_url: str
    deactivation_url: str
    course_url: str | None = None
    plans: Annotated[list[PlanSpec], Field(min_length=1)]


class SiteSpec(_Spec):
    """One Kajabi site: the tenant."""

    slug: Slug
    name: Title
    mollie_key: str
    locale: Literal["nl", "en"] = "nl"
    zone: str = "Europe/Amsterdam"
    support_email: str | None = None
    login_url: str | None = None
    policy: dict[str, Any] = {}
    offers: list[OfferSpec] = []


def check(spec: SiteSpec, kajabi: AccessProvider) -> None:
    """Raise InputError with the place of what is wrong; calls nobody."""
    if spec.slug in _TAKEN:
        raise InputError("slug_taken", f"{spec.slug} is an address of LinkPay itself.", "slug")
    if not _MOLLIE_KEY.fullmatch(spec.mollie_key):
        raise InputError("mollie_key", "A Mollie key begins with test_ or live_.", "mollie_key")
    merge(spec.policy)
    for offer in spec.offers:
        kajabi.check_url(offer.activation_url, grant=True)
        kajabi.check_url(offer.deactivation_url, grant=False)
        kajabi.check_pair(offer.activation_url, offer.deactivation_url)


def apply(tx: Tx, spec: SiteSpec, box: SecretBox, now: datetime) -> Site:
    """Make or update the site with its offers and plans. What is not named stays as it is."""
    site = sites.by_slug(tx, spec.slug)
    if site is None:
        site = Site(slug=spec.slug, token=secrets.token_urlsafe(24), name=spec.name, created_at=now)
        tx.add(site)
        tx.flush()
    site.name, site.locale, site.zone = spec.name, spec.locale, spec.zone
    site.support_email, site.login_url, site.policy = spec.support_email, spec.login_url, spec.policy
    site.mollie_key_sealed = box.seal(site.id, "mollie_key", spec.mollie_key)
    site.mode = spec.mollie_key[:4]
    for offer in spec.offers:
        _put_offer(tx, site, offer, box, now)
    return site


def _put_offer(tx: Tx, site: Site, spec: OfferSpec, box: SecretBox, now: datetime) -> None:
    offer = sites.offer(tx, site.id, spec.slug)
    if offer is None:
        offer = Offer(site_id=site.id, slug=spec.slug, title=spec.title, created_at=now)
        tx.add(offer)
        tx.flush()
    offer.title, offer.course_url, offer.kajabi_offer_id = spec.title, spec.course_url, spec.kajabi_offer_id
    offer.activation_url_sealed = box.seal(site.id, "activation_url", spec.activation_url)
    offer.deactivation_url_sealed = box.seal(site.id, "deactivation_url", spec.deactivation_url)
    for position, plan in enumerate(spec.plans):
        _put_plan(tx, offer, plan, position, now)


def _put_plan(tx: Tx, offer: Offer, spec: PlanSpec, position: int, now: datetime) -> None:
    plan = sites.plan(tx, offer.site_id, spec.slug)
    if plan is None:
        plan = Plan(site_id=offer.site_id, offer_id=offer.id, slug=spec.slug, created_at=now)
        tx.add(plan)
    if plan.offer_id != offer.id:
        raise InputError("plan_slug", f"The plan {spec.slug} belongs to another offer.", "slug")
    terms = spec.terms
    plan.title, plan.kind, plan.periods = spec.title, terms.kind, terms.periods
    plan.amount_cents, plan.currency = terms.amount.cents, terms.amount.currency
    plan.interval_unit, plan.interval_count = terms.interval.unit, terms.interval.count
    plan.vat_basis_points, plan.policy, plan.position = spec.vat_basis_points, spec.policy, position
    tx.flush()
