"""Somebody orders: her choice becomes a sign-up with its first charge, its coupon and its extras.

A choice that changed before it was paid becomes a sign-up of its own, and the old one is let go. Its
charge may have a payment page open at Mollie, which shows the old amount and cannot be closed; so no
charge ever changes under a payment, and whichever is paid first is the one that starts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from linkpay.domain import pricing, proof
from linkpay.domain.calendar import local_day
from linkpay.domain.pricing import Line, LineKind
from linkpay.errors import Conflict, InputError
from linkpay.services import access, charging, checkout, coupons, letters, lifecycle, standing
from linkpay.store import charges, journal, people, sites, subscriptions
from linkpay.store.db import FOR_CHANGE, Tx
from linkpay.store.tables import Charge, Customer, Offer, Plan, Site, Subscription
from linkpay.store.tables.terms import agreed


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who buys. `email` is normalised; `locale` is ``nl`` or ``en``."""

    name: str
    email: str
    locale: str
    browser: str | None = None  # as its signed cookie names it


@dataclass(frozen=True, slots=True)
class Order:
    """What she chose. `bumps` are plans' short names; `method` proves her account where nothing is due.

    `skips_trial` buys a plan without its trial, as somebody who had it before.
    """

    plan: Plan
    coupon: str = ""
    bumps: tuple[str, ...] = ()
    method: str = ""
    skips_trial: bool = False


@dataclass(frozen=True, slots=True)
class Agreement:
    """What she agreed to, in the words she read: to collections, and to a start at once."""

    collections: str = ""
    start_at_once: str = ""


def begin(
    tx: Tx, site: Site, order: Order, buyer: Buyer, agreement: Agreement, now: datetime
) -> tuple[Subscription, Charge]:
    """The buyer's sign-up for her choice with its first charge: new, or the one already under way.

    Raises Conflict ``already_running`` when she has a running subscription for what she chose, or had
    its trial before; she is then mailed, since a page must not tell a stranger who is a customer, and the
    caller commits. Raises InputError or Conflict for a coupon, bump or method that cannot be; the caller
    then commits nothing.
    """
    customer = people.customer_for(tx, site.id, buyer.email, buyer.name, buyer.locale, now)
    tx.refresh(customer, with_for_update=FOR_CHANGE)
    extras = _extras(tx, order)
    _refuse_what_she_has(tx, site, customer, order, extras, now)
    if not subscriptions.has_begun(tx, customer.id):  # whoever types her address changes nothing of hers
        customer.locale = buyer.locale
    subscription = subscriptions.pending_for(tx, customer.id, order.plan.offer_id)
    if subscription is None or not _is_same(tx, site, subscription, order, extras, now):
        subscription = _sign_up(tx, site, order, customer, subscription, now)
        subscription.ordered_by = buyer.browser
    elif subscription.ordered_by != buyer.browser:
        subscription.ordered_by = None  # two who type one address need not be one person
    _keep_agreement(tx, site, subscription, agreement, buyer.locale, now)
    charge = _first_charge(tx, site, subscription, order, extras, now)
    return subscription, charge


def _extras(tx: Tx, order: Order) -> list[Plan]:
    """The plans of the chosen bumps. Raises InputError ``bump_unknown``."""
    if not order.bumps:
        return []
    offered = {plan.slug: plan for _, plan in sites.bumps(tx, tx.get_one(Offer, order.plan.offer_id))}
    if not offered.keys() >= set(order.bumps):
        raise InputError("bump_unknown", "This extra is not offered (any more).", "bump")
    return [plan for slug, plan in offered.items() if slug in order.bumps]


def _refuse_what_she_has(
    tx: Tx, site: Site, customer: Customer, order: Order, extras: Sequence[Plan], now: datetime
) -> None:
    day = local_day(now, site.zone)
    member = people.by_email(tx, site.id, customer.email)
    if member is not None and member.blocked_at is not None:
        offer = tx.get_one(Offer, order.plan.offer_id)
        reader, step = letters.Reader(customer.email, customer.locale), f"member:{member.id}:blocked:{day}"
        letters.owe_to(
            tx, "cannot_order", site.id, reader, step=step, now=now, path="portal", offer_title=offer.title
        )
        raise Conflict("already_running", "She is blocked; a mail was sent about it.")
    for plan in (order.plan, *extras):
        running = running_for(tx, customer, plan)
        if running is not None:
            step = f"subscription:{running.id}:running:{day}"
            letters.owe(tx, "already_running", running, now=now, step=step)
            raise Conflict("already_running", "She has this already; a mail was sent about it.")
    tried = None if order.skips_trial or not order.plan.trial_days else had_trial(tx, customer, order.plan)
    if tried is not None:
        step = f"subscription:{tried.id}:tried:{day}"
        letters.owe(tx, "trial_used", tried, now=now, step=step, plan=order.plan.slug)
        raise Conflict("already_running", "She had this trial before; a mail was sent about it.")


def running_for(tx: Tx, customer: Customer, plan: Plan) -> Subscription | None:
    """A subscription that makes buying the same again a mistake: it runs, or its access is for ever."""
    found = subscriptions.of_customer(tx, customer.id, plan.offer_id)
    return next((owned for owned in found if standing.is_hers(tx, owned)), None)


def had_trial(tx: Tx, customer: Customer, plan: Plan) -> Subscription | None:
    """The subscription with which this customer tried the plan's offer: a trial is given once."""
    owned = subscriptions.of_customer(tx, customer.id, plan.offer_id)
    return next((one for one in owned if one.started_at is not None and one.trial_days), None)


def _is_same(
    tx: Tx, site: Site, subscription: Subscription, order: Order, extras: Sequence[Plan], now: datetime
) -> bool:
    """Whether a sign-up under way is this choice at today's terms, so that going back makes no second."""
    if subscription.paid_within_id is not None:
        return False  # added to another purchase, which still waits to be paid
    if subscription.plan_id != order.plan.id or agreed(subscription) != _terms(order):
        return False
    if not coupons.is_unchanged(tx, site, subscription, order.coupon, now):
        return False
    added = {one.plan_id: one for one in subscriptions.paid_within(tx, subscription.id)}
    if {plan.id: agreed(plan) for plan in extras} != {key: agreed(one) for key, one in added.items()}:
        return False
    made = charges.of_subscription(tx, subscription.id)
    lines = pricing.from_plain(made[0].lines) if made else []
    return not proof.only_checks(lines) or proof.method_of(lines) == order.method


def _terms(order: Order) -> dict[str, Any]:
    return checkout.terms_of(order.plan, without_trial=order.skips_trial)


def _sign_up(
    tx: Tx, site: Site, order: Order, customer: Customer, instead_of: Subscription | None, now: datetime
) -> Subscription:
    """A new sign-up. Where Kajabi had let her in already, it waits for her mandate no longer than before."""
    waited_for = instead_of is not None and instead_of.origin == "kajabi"
    if instead_of is not None:
        lifecycle.let_go(tx, instead_of, now)
        journal.record(tx, "choice_changed", "buyer", now, subscription=instead_of, plan=order.plan.slug)
    member = people.member_for(tx, site.id, customer.email, customer.name, None, now)
    origin = "kajabi" if waited_for else "checkout"
    subscription = checkout.open_subscription(
        tx, order.plan, customer, member, origin, now, without_trial=order.skips_trial
    )
    if waited_for and instead_of is not None and instead_of.signup_ends_at is not None:
        checkout.wait_for_mandate(tx, subscription, instead_of.signup_ends_at, now)
    data: dict[str, Any] = {"plan": order.plan.slug}
    if order.coupon:
        coupons.take(tx, site, subscription, order.coupon, order.plan.slug, now)
        data["coupon"] = order.coupon.upper()
    journal.record(tx, "signed_up", "buyer", now, subscription=subscription, **data)
    return subscription


def _keep_agreement(
    tx: Tx, site: Site, subscription: Subscription, agreement: Agreement, locale: str, now: datetime
) -> None:
    policy = sites.policy_of(site, subscription.policy)
    facts: dict[str, Any] = {
        "notice_days": policy.agreed_notice_days,
        "starts_at_once": bool(agreement.start_at_once),
    }
    checkout.agree(tx, subscription, agreement.collections, locale, now, **facts)
    checkout.agree(
        tx, subscription, agreement.start_at_once, locale, now, kind="start_at_once",
        days=policy.withdrawal_days, refund=policy.withdrawal_refund,
    )  # fmt: skip


def _first_charge(
    tx: Tx, site: Site, subscription: Subscription, order: Order, extras: Sequence[Plan], now: datetime
) -> Charge:
    made = charges.of_subscription(tx, subscription.id)
    if made:
        return made[0]
    lines = [extra_line(plan) for plan in extras]
    charge = checkout.first_charge(tx, site, subscription, now, lines, order.method)
    for plan in extras:
        _add_extra(tx, plan, subscription, charge, now)
    if charge.amount_cents == 0 and not subscription.terms.needs_mandate:
        # All of it was taken off and nothing follows: it is hers, and no bank has to hear of it.
        charging.raised(tx, subscription, charge)
        lifecycle.charge_paid(tx, subscription, charge, None, now)
        access.review_purchase(tx, subscription, now)
    elif charge.amount_cents == 0 and order.method not in proof.PROOF_CENTS:
        raise InputError("method_missing", "Choose how to prove your account or card.", "method")
    return charge


def extra_line(plan: Plan) -> Line:
    """What a bump adds to a charge, with its own VAT."""
    return Line(LineKind.BUMP, plan.amount_cents, plan.vat_basis_points, plan.offer.title)


def _add_extra(
    tx: Tx, plan: Plan, subscription: Subscription, charge: Charge, now: datetime
) -> None:  # fmt: skip
    """An extra as a subscription of its own, paid within the charge. One sign-up of an offer at a time."""
    other = subscriptions.pending_for(tx, subscription.customer_id, plan.offer_id)
    if other is not None:
        lifecycle.let_go(tx, other, now)
    extra = Subscription(
        **checkout.signup_values(plan, subscription.customer_id, subscription.member_id, now),
        origin="bump", paid_within_id=charge.id,
    )  # fmt: skip
    tx.add(extra)
    tx.flush()
    journal.record(tx, "signed_up", "buyer", now, subscription=extra, plan=plan.slug)
