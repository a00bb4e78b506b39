"""Selling by one click: what would be bought and from which account, and buying it on a stored consent.

A link sells once to one customer. What cannot be sold so is bought at the ordinary checkout.
"""

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from linkpay.domain.calendar import add_intervals, local_day
from linkpay.domain.plan import Terms
from linkpay.domain.policy import Policy
from linkpay.domain.quote import Quote, quote
from linkpay.domain.snapshots import MandateStatus
from linkpay.domain.subscription import SubscriptionEvent, move
from linkpay.domain.upsell import Click, Refusal, at_stake, refusal
from linkpay.errors import Conflict, NotFound
from linkpay.services import (
    access,
    billing,
    checkout,
    doors,
    letters,
    lifecycle,
    notices,
    ordering,
    portal,
    throttle,
)
from linkpay.services.ordering import Agreement
from linkpay.services.portal import Account
from linkpay.store import charges, journal, mandates, people, sites, subscriptions, upsells, visits
from linkpay.store.db import FOR_CHANGE, Tx
from linkpay.store.tables import Customer, Mandate, Offer, Plan, Site, Subscription, Upsell

_LINKS_AT_ONCE = 3


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the page of a link shows. `refusal` says why it is not sold by a click, `bought` is the secret of
    the order that came of the link. `due_on` is the day on which the first amount is asked for."""

    plan_slug: str
    plan_title: str
    offer_slug: str
    offer_title: str
    terms: Terms
    policy: Policy
    quote: Quote
    account: Account | None
    reference: str | None
    due_on: date
    customer_name: str
    customer_email: str
    locale: str
    refusal: Refusal | None
    bought: str | None
    is_old: bool


def look(tx: Tx, site: Site, secret: str, now: datetime) -> Proposal:
    """What a link sells, as things stand. Raises NotFound ``link_unknown``."""
    link = _link(tx, site, secret)
    plan, customer = tx.get_one(Plan, link.plan_id), tx.get_one(Customer, link.customer_id)
    offer, mandate = tx.get_one(Offer, plan.offer_id), _mandate(tx, customer, link)
    name = customer.name if link.mandate_id is None else ""  # who ordered need not be she
    bought = subscriptions.get(tx, link.subscription_id).token if link.subscription_id else None
    today = local_day(now, site.zone)
    return Proposal(
        plan.slug, plan.title, offer.slug, offer.title, plan.terms, sites.policy_of(site, plan.policy),
        quote(plan.terms, today, vat_basis_points=plan.vat_basis_points), portal.account(mandate),
        mandate.reference if mandate else None, today, name, customer.email, customer.locale,
        _refusal(tx, site, plan, link, now), bought, link.expires_at <= now,
    )  # fmt: skip


def buy(
    tx: Tx, site: Site, secret: str, agreement: Agreement, locale: str, now: datetime
) -> Subscription:  # fmt: skip
    """Buy what a link sells, on the customer's valid mandate; pressed again, it is what was bought before.

    `agreement` is kept in the words that she read. Raises NotFound, and Conflict with one of `Refusal`,
    ``link_old`` or ``not_charged``; the caller then commits nothing.
    """
    link = _link(tx, site, secret, held=True)
    if link.subscription_id is not None:
        return subscriptions.get(tx, link.subscription_id)
    if link.expires_at <= now:
        raise Conflict("link_old", "This link is too old.")
    customer, plan = tx.get_one(Customer, link.customer_id), tx.get_one(Plan, link.plan_id)
    tx.refresh(customer, with_for_update=FOR_CHANGE)
    why = _refusal(tx, site, plan, link, now)
    mandate = _mandate(tx, customer, link)
    if why is not None or mandate is None:
        raise Conflict(why or Refusal.NO_MANDATE, "This cannot be bought by one click; use the checkout.")
    subscription = _open(tx, site, plan, customer, mandate, now)
    _keep(tx, site, subscription, mandate, agreement, locale, now)
    link.subscription_id = subscription.id
    if not billing.raise_next(tx, subscription.id, now):
        raise Conflict("not_charged", "Nothing can be charged at this site at the moment.")
    (charge,) = charges.of_subscription(tx, subscription.id)
    policy = sites.policy_of(site, subscription.policy)
    letters.owe(
        tx, "upsell_agreed", subscription, step=f"subscription:{subscription.id}:upsell", now=now,
        charge_id=charge.id, starts_on=charge.due_on.isoformat(), at_once=policy.upsell_access == "at_once",
    )  # fmt: skip
    tx.flush()
    access.review_purchase(tx, subscription, now)
    return subscription


def _open(
    tx: Tx, site: Site, plan: Plan, customer: Customer, mandate: Mandate, now: datetime
) -> Subscription:
    """A subscription that runs from today on her mandate; its first charge is due today."""
    waiting = subscriptions.pending_for(tx, customer.id, plan.offer_id)
    if waiting is not None:
        lifecycle.let_go(tx, waiting, now)
        journal.record(tx, "choice_changed", "member", now, subscription=waiting, plan=plan.slug)
    member = people.member_for(tx, site.id, customer.email, customer.name, None, now)
    subscription = checkout.open_subscription(tx, plan, customer, member, "upsell", now)
    today, terms = local_day(now, site.zone), subscription.terms
    subscription.mandate_id, subscription.started_at = mandate.id, now
    subscription.state = move(subscription.state, SubscriptionEvent.FIRST_PAID)
    subscription.anchor_on, subscription.next_charge_on = today, today
    if terms.minimum_periods:
        subscription.bound_until = add_intervals(today, terms.interval, terms.minimum_periods)
    journal.record(tx, "upsold", "member", now, subscription=subscription, plan=plan.slug)
    tx.flush()
    return subscription


def _keep(
    tx: Tx, site: Site, subscription: Subscription, mandate: Mandate, agreement: Agreement, locale: str,
    now: datetime,
) -> None:  # fmt: skip
    """The consent names amount, day, account and reference, so it is notice of the first debit."""
    policy = sites.policy_of(site, subscription.policy)
    agreed = checkout.agree(
        tx, subscription, agreement.collections, locale, now, kind="upsell",
        notice_days=policy.agreed_notice_days, amount_cents=_first_cents(subscription),
        due_on=local_day(now, site.zone).isoformat(), account=mandate.account_hint,
        reference=mandate.reference, starts_at_once=bool(agreement.start_at_once),
    )  # fmt: skip
    notices.agreed_to(tx, subscription, agreed)
    checkout.agree(
        tx, subscription, agreement.start_at_once, locale, now, kind="start_at_once",
        days=policy.withdrawal_days, refund=policy.withdrawal_refund,
    )  # fmt: skip


def _first_cents(subscription: Subscription) -> int:
    terms = subscription.terms
    return terms.price_cents(terms.first_period) + terms.setup_fee_cents


def _refusal(tx: Tx, site: Site, plan: Plan, link: Upsell, now: datetime) -> Refusal | None:
    customer = tx.get_one(Customer, link.customer_id)
    policy, mandate = sites.policy_of(site, plan.policy), _mandate(tx, customer, link)
    member = people.by_email(tx, site.id, customer.email)
    since = now - timedelta(days=policy.upsell_young_days)
    sold = upsells.sold_on(tx, mandate.id, since) if mandate else ()
    offer = tx.get_one(Offer, plan.offer_id)
    click = Click(
        plan.terms, local_day(now, site.zone), _signed_on(mandate, site) if mandate else None,
        sum(at_stake(one.terms) for one in sold),
        has_it=ordering.running_for(tx, customer, plan) is not None,
        blocked=member is not None and member.blocked_at is not None,
        archived=plan.archived_at is not None or offer.archived_at is not None,
    )  # fmt: skip
    return refusal(click, policy)


def _signed_on(mandate: Mandate, site: Site) -> date:
    """Since when there is this mandate; what was taken over may be older than our row of it."""
    made_on = local_day(mandate.created_at, site.zone)
    return min(mandate.signed_on or made_on, made_on)


def _mandate(tx: Tx, customer: Customer, link: Upsell) -> Mandate | None:
    """The newest mandate that may be charged at once, or the only one that the link may charge."""
    found = [
        one
        for one in mandates.of_customer(tx, customer.id)
        if one.may_be_tried and one.status is MandateStatus.VALID and link.mandate_id in (None, one.id)
    ]
    return found[-1] if found else None


def _link(tx: Tx, site: Site, secret: str, *, held: bool = False) -> Upsell:
    link = upsells.find(tx, site.id, secret, held=held)
    if link is None:
        raise NotFound("link_unknown", "There is no such link.")
    return link


# How somebody comes by a link ------------------------------------------------------------------------


def plan_of(tx: Tx, site: Site, offer_slug: str, plan_slug: str | None) -> Plan:
    """The plan of an offer that a link is to sell: the named one, or the first. Raises NotFound."""
    offer = sites.offer(tx, site.id, offer_slug)
    plans = sites.plans(tx, offer) if offer else []
    found = next((plan for plan in plans if not plan_slug or plan.slug == plan_slug), None)
    if found is None:
        raise NotFound("offer_unknown", "There is no such offer or plan for sale.")
    return found


def link_for(tx: Tx, site: Site, email: str, plan: Plan, now: datetime) -> str:
    """The secret of a new link for a customer. Raises NotFound ``customer_unknown``."""
    customer = people.customer_by_email(tx, site.id, email)
    if customer is None:
        raise NotFound("customer_unknown", f"Nobody with the address {email} ever bought at this site.")
    return upsells.make(tx, site_id=site.id, customer_id=customer.id, plan_id=plan.id, now=now)


def order_of(tx: Tx, site: Site, order_token: str, browser: str) -> Subscription | None:
    """The order that began, if this browser made it and no other took part in it.

    Anybody can type a member's address and order in her name. Who paid shows for what she paid with only.
    """
    found = subscriptions.by_token(tx, site.id, order_token)
    is_its_own = found is not None and found.started_at is not None and found.ordered_by == browser
    return found if is_its_own else None


def link_on(tx: Tx, order: Subscription, plan: Plan, now: datetime) -> str:
    """The secret of a new link that charges the mandate of an order and no other."""
    return upsells.make(
        tx, site_id=order.site_id, customer_id=order.customer_id, plan_id=plan.id, now=now,
        mandate_id=order.mandate_id,
    )  # fmt: skip


def ask(tx: Tx, site: Site, plan: Plan, email: str, locale: str, address: str, now: datetime) -> None:
    """Owe a mail with a link to this address (normalised), which leaves if a customer has it; the same is
    done for everybody. Raises SlowDown for an `address` from which too many come."""
    subjects = {"person": f"upsell:{site.id}:{email}", "address": f"upsell:{site.id}:{address}"}
    throttle.check(tx, subjects, now)
    throttle.failed(tx, subjects, now)
    if visits.mailed_since(tx, site.id, email, "upsell_link", now - doors.LIFE) >= _LINKS_AT_ONCE:
        return
    letters.owe_to(
        tx, "upsell_link", site.id, letters.Reader(email, locale), step=f"upsell_link:{uuid.uuid4()}",
        now=now, plan_id=plan.id, offer_title=tx.get_one(Offer, plan.offer_id).title,
    )  # fmt: skip
