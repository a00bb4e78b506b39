"""What a site sells, as its owner changes it at the desk: offers, plans, what is sold beside them, coupons.

Running subscriptions keep the terms that they were agreed on: whatever is changed, copied or archived
here counts for who orders afterwards. Every change is told to the journal with who made it.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from linkpay.domain.plan import PlanKind
from linkpay.errors import Conflict, InputError, NotFound
from linkpay.services.specs import CouponSpec, OfferFacts, PlanSpec
from linkpay.store import journal, shelf, sites
from linkpay.store.db import Tx
from linkpay.store.secrets import SecretBox
from linkpay.store.tables import Bump, Coupon, Offer, Plan, Site
from linkpay.store.tables.terms import agreed

MOST_BUMPS = 3
_LONGEST = 40  # characters of a name in an address, so that a number still fits behind it


@dataclass(frozen=True, slots=True)
class By:
    """Who changes something, and when."""

    actor: str
    now: datetime


def slug_of(title: str) -> str:
    """A name for an address: "In één keer" is ``in-een-keer``; ``offer`` where no letter is left."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST].strip("-") or "offer"


def free_offer_slug(tx: Tx, site_id: int, title: str) -> str:
    """A name for an offer's address that no offer of the site ever had."""
    return _free(slug_of(title), shelf.offer_slugs(tx, site_id))


def free_plan_slug(tx: Tx, site_id: int, title: str) -> str:
    """A name for a plan that no plan of the site ever had."""
    return _free(slug_of(title), shelf.plan_slugs(tx, site_id))


def _free(wanted: str, taken: frozenset[str]) -> str:
    number, name = 2, wanted
    while name in taken:
        number, name = number + 1, f"{wanted}-{number}"
    return name


def offer_of(tx: Tx, site_id: int, offer_id: int) -> Offer:
    """An offer of this site, also one that is sold no more. Raises NotFound ``offer_unknown``."""
    found = shelf.offer(tx, site_id, offer_id)
    if found is None:
        raise NotFound("offer_unknown", "There is no such offer.")
    return found


def plan_of(tx: Tx, site_id: int, plan_id: int) -> Plan:
    """A plan of this site, also one that is sold no more. Raises NotFound ``plan_unknown``."""
    found = sites.plan_by_id(tx, site_id, plan_id)
    if found is None:
        raise NotFound("plan_unknown", "There is no such plan.")
    return found


def coupon_of(tx: Tx, site_id: int, coupon_id: int) -> Coupon:
    """A coupon of this site. Raises NotFound ``coupon_unknown``."""
    found = shelf.coupon(tx, site_id, coupon_id)
    if found is None:
        raise NotFound("coupon_unknown", "There is no such coupon.")
    return found


def fill_offer(offer: Offer, facts: OfferFacts, box: SecretBox) -> None:
    """Let the row say what the owner said; the addresses are kept sealed."""
    offer.title, offer.course_url = facts.title, facts.course_url
    offer.kajabi_offer_id = facts.kajabi_offer_id
    offer.activation_url_sealed = box.seal(offer.site_id, "activation_url", facts.activation_url)
    offer.deactivation_url_sealed = box.seal(offer.site_id, "deactivation_url", facts.deactivation_url)


def fill_plan(plan: Plan, spec: PlanSpec) -> None:
    """Let the row say what the owner said."""
    terms, trial = spec.terms, spec.terms.trial
    plan.title, plan.kind, plan.periods = spec.title, terms.kind, terms.periods
    plan.amount_cents, plan.currency = terms.amount.cents, terms.amount.currency
    plan.interval_unit, plan.interval_count = terms.interval.unit, terms.interval.count
    plan.term_cents, plan.minimum_periods = list(terms.term_cents), terms.minimum_periods
    plan.trial_days, plan.trial_cents = (trial.days, trial.amount_cents) if trial else (0, 0)
    plan.setup_fee_cents = terms.setup_fee_cents
    plan.vat_basis_points, plan.policy = spec.vat_basis_points, spec.policy
    plan.for_business = spec.for_business


def fill_coupon(coupon: Coupon, spec: CouponSpec) -> None:
    """Let the row say what the owner said, and let the code be used."""
    discount = spec.discount
    coupon.kind, coupon.value = discount.kind.value, discount.value
    coupon.duration, coupon.periods = discount.duration.value, discount.periods
    coupon.max_uses, coupon.plan_slugs = spec.max_uses, list(spec.plans)
    coupon.starts_on, coupon.ends_on, coupon.archived_at = spec.starts_on, spec.ends_on, None


def make_offer(tx: Tx, site: Site, facts: OfferFacts, box: SecretBox, by: By) -> Offer:
    """A new offer. Raises Conflict ``kajabi_offer_taken``."""
    _check_kajabi_offer(tx, site.id, facts.kajabi_offer_id, None)
    offer = Offer(site_id=site.id, slug=facts.slug, title=facts.title, created_at=by.now)
    fill_offer(offer, facts, box)
    tx.add(offer)
    tx.flush()
    journal.record_site(tx, site.id, "offer_made", by.actor, by.now, offer=offer.title)
    return offer


def change_offer(tx: Tx, offer: Offer, facts: OfferFacts, box: SecretBox, by: By) -> None:
    """Another title, other addresses; its name in addresses stays. Raises Conflict ``kajabi_offer_taken``."""
    _check_kajabi_offer(tx, offer.site_id, facts.kajabi_offer_id, offer.id)
    fill_offer(offer, facts, box)
    journal.record_site(tx, offer.site_id, "offer_changed", by.actor, by.now, offer=offer.title)


def _check_kajabi_offer(tx: Tx, site_id: int, kajabi_id: str | None, own: int | None) -> None:
    if kajabi_id and shelf.kajabi_offer_owner(tx, site_id, kajabi_id) not in (None, own):
        raise Conflict("kajabi_offer_taken", "Another offer has this Kajabi number.", "kajabi_offer_id")


def archive_offer(tx: Tx, offer: Offer, by: By) -> None:
    """Sell it no more. Who has it keeps it and goes on paying."""
    if offer.archived_at is None:
        offer.archived_at = by.now
        journal.record_site(tx, offer.site_id, "offer_archived", by.actor, by.now, offer=offer.title)


def restore_offer(tx: Tx, offer: Offer, by: By) -> None:
    """Sell it (again). Raises Conflict ``no_kajabi`` while it opens nothing."""
    if offer.activation_url_sealed is None or offer.deactivation_url_sealed is None:
        raise Conflict("no_kajabi", "Fill in both Kajabi addresses first.", "activation_url")
    if offer.archived_at is not None:
        offer.archived_at = None
        journal.record_site(tx, offer.site_id, "offer_restored", by.actor, by.now, offer=offer.title)


def copy_offer(tx: Tx, offer: Offer, title: str, by: By) -> Offer:
    """A new offer with the same plans, not for sale until it has Kajabi addresses of its own.

    Two offers with one address would close each other's access.
    """
    made = Offer(
        site_id=offer.site_id, slug=free_offer_slug(tx, offer.site_id, title), title=title,
        course_url=offer.course_url, created_at=by.now, archived_at=by.now,
    )  # fmt: skip
    tx.add(made)
    tx.flush()
    for plan in sites.plans(tx, offer):
        _copy_plan(tx, plan, made, plan.title, by).archived_at = None
    journal.record_site(tx, offer.site_id, "offer_copied", by.actor, by.now, offer=offer.title, copy=title)
    return made


def make_plan(tx: Tx, offer: Offer, spec: PlanSpec, by: By) -> Plan:
    """One more way to pay for an offer, the last in its list."""
    plan = Plan(site_id=offer.site_id, offer_id=offer.id, slug=spec.slug, created_at=by.now)
    fill_plan(plan, spec)
    plan.position = len(sites.plans(tx, offer))
    tx.add(plan)
    tx.flush()
    journal.record_site(tx, offer.site_id, "plan_made", by.actor, by.now, offer=offer.title, plan=plan.title)
    return plan


def change_plan(tx: Tx, plan: Plan, spec: PlanSpec, by: By) -> None:
    """Other terms for who orders from now on. Its policy stays as it is.

    Raises Conflict ``is_bump`` for a plan that is sold beside an offer and would not be paid once any more.
    """
    if spec.kind is not PlanKind.ONE_TIME and shelf.is_bump(tx, plan.id):
        raise Conflict("is_bump", "It is sold beside an offer, and so is paid once.", "kind")
    fill_plan(plan, spec.model_copy(update={"policy": plan.policy}))
    journal.record_site(
        tx, plan.site_id, "plan_changed", by.actor, by.now, offer=plan.offer.title, plan=plan.title
    )


def copy_plan(tx: Tx, plan: Plan, title: str, by: By) -> Plan:
    """The same terms once more, not for sale until the owner says so."""
    made = _copy_plan(tx, plan, plan.offer, title, by)
    journal.record_site(
        tx, plan.site_id, "plan_copied", by.actor, by.now, offer=plan.offer.title, plan=plan.title, copy=title
    )
    return made


def _copy_plan(tx: Tx, plan: Plan, offer: Offer, title: str, by: By) -> Plan:
    made = Plan(
        site_id=plan.site_id, offer_id=offer.id, slug=free_plan_slug(tx, plan.site_id, title), title=title,
        position=plan.position, created_at=by.now, archived_at=by.now, for_business=plan.for_business,
        **agreed(plan),
    )  # fmt: skip
    tx.add(made)
    tx.flush()
    return made


def archive_plan(tx: Tx, plan: Plan, by: By) -> None:
    """Nobody can choose it any more. Who pays by it goes on."""
    if plan.archived_at is None:
        plan.archived_at = by.now
        journal.record_site(
            tx, plan.site_id, "plan_archived", by.actor, by.now, offer=plan.offer.title, plan=plan.title
        )


def restore_plan(tx: Tx, plan: Plan, by: By) -> None:
    """Let it be chosen (again)."""
    if plan.archived_at is not None:
        plan.archived_at = None
        journal.record_site(
            tx, plan.site_id, "plan_restored", by.actor, by.now, offer=plan.offer.title, plan=plan.title
        )


def fits_as_bump(plan: Plan, offer: Offer) -> bool:
    """Whether a plan can be sold beside an offer: paid once, and of another offer."""
    return plan.offer_id != offer.id and plan.kind is PlanKind.ONE_TIME


def put_bump(tx: Tx, offer: Offer, plan: Plan, title: str, text: str, by: By) -> None:
    """Offer a plan beside an offer. Raises InputError ``bump_plan``, Conflict ``too_many_bumps``."""
    if not fits_as_bump(plan, offer):
        raise InputError("bump_plan", "What is sold beside an offer is paid once and another's.", "plan")
    known = {bump.plan_id: bump for bump in sites.all_bumps(tx, offer)}
    shown = [bump for bump in known.values() if bump.archived_at is None]
    if len(shown) >= MOST_BUMPS and plan.id not in {bump.plan_id for bump in shown}:
        raise Conflict("too_many_bumps", f"At most {MOST_BUMPS} things are sold beside an offer.", "plan")
    bump = known.get(plan.id)
    if bump is None:
        bump = Bump(site_id=offer.site_id, offer_id=offer.id, plan_id=plan.id, created_at=by.now)
        tx.add(bump)
    bump.title, bump.text, bump.position, bump.archived_at = title, text, len(shown), None
    tx.flush()
    journal.record_site(tx, offer.site_id, "bump_put", by.actor, by.now, offer=offer.title, plan=title)


def drop_bump(tx: Tx, offer: Offer, bump_id: int, by: By) -> None:
    """Offer it no more. Raises NotFound ``bump_unknown``."""
    bump = next((one for one in sites.all_bumps(tx, offer) if one.id == bump_id), None)
    if bump is None:
        raise NotFound("bump_unknown", "There is no such thing beside this offer.")
    if bump.archived_at is None:
        bump.archived_at = by.now
        journal.record_site(
            tx, offer.site_id, "bump_dropped", by.actor, by.now, offer=offer.title, plan=bump.title
        )
