"""A person pays: the first payment of a sign-up, or an open charge by a pay link.

The buyer waits for the bank's address, so the three strokes run inside her request. Whatever goes
wrong in between, pressing again continues with the same charge, the same attempt and the same key.
"""

import secrets
from collections.abc import Sequence as ListOf
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from linkpay.domain import pricing, proof
from linkpay.domain.calendar import local_day
from linkpay.domain.charge import ChargeState
from linkpay.domain.pricing import Line, LineKind
from linkpay.domain.snapshots import MandateSnapshot, PaymentSnapshot, PaymentStatus, Sequence
from linkpay.domain.strokes import Move, too_late
from linkpay.domain.subscription import SubscriptionState
from linkpay.errors import Conflict, Missing, OutcomeUnknown, Permanent, Retryable, TooLate
from linkpay.services import charging, coupons, debits, lifecycle, settlement
from linkpay.services.parts import Parts
from linkpay.store import charges, people, sites, subscriptions, work
from linkpay.store.db import FOR_CHANGE, Tx
from linkpay.store.tables import Charge, Consent, Customer, Member, Payment, Plan, Site, Subscription
from linkpay.store.tables.money import Stroke
from linkpay.store.tables.terms import agreed


def open_subscription(
    tx: Tx, plan: Plan, customer: Customer, member: Member, origin: str, now: datetime,
    *, without_trial: bool = False,
) -> Subscription:  # fmt: skip
    """A pending subscription with the plan's terms frozen into it."""
    values = signup_values(plan, customer.id, member.id, now) | terms_of(plan, without_trial=without_trial)
    subscription = Subscription(**values, origin=origin)
    tx.add(subscription)
    tx.flush()
    return subscription


def signup_values(plan: Plan, customer_id: int, member_id: int, now: datetime) -> dict[str, Any]:
    """The columns of a sign-up for a plan, all but where it came from."""
    return {
        "site_id": plan.site_id, "token": secrets.token_urlsafe(24), "customer_id": customer_id,
        "member_id": member_id, "offer_id": plan.offer_id, "plan_id": plan.id, "created_at": now,
        "state": SubscriptionState.PENDING, **agreed(plan),
    }  # fmt: skip


def terms_of(plan: Plan, *, without_trial: bool) -> dict[str, Any]:
    """The columns that are agreed when this plan is bought now."""
    return agreed(plan) | ({"trial_days": 0, "trial_cents": 0} if without_trial else {})


def wait_for_mandate(tx: Tx, subscription: Subscription, until: datetime, now: datetime) -> None:
    """Kajabi let somebody in who has not paid: without a mandate in time it ends."""
    subscription.signup_ends_at = until
    work.add(
        tx, site_id=subscription.site_id, kind="expire_signup", ref=str(subscription.id),
        target_id=subscription.id, run_at=until, now=now,
    )  # fmt: skip


def first_charge(
    tx: Tx, site: Site, subscription: Subscription, now: datetime, extras: ListOf[Line] = (),
    method: str = "",
) -> Charge:  # fmt: skip
    """The charge of the first payment; its days move to the day on which it is paid.

    Where nothing is due and something follows, `method` says how the account or card is proven; without
    one it is a card until somebody chooses (`choose_method`).
    """
    made = charges.of_subscription(tx, subscription.id)
    if made:
        return made[0]
    today = local_day(now, site.zone)
    first = lifecycle.first_days(subscription.terms, today)
    lines = charging.lines(tx, subscription, first.index, today, extras)
    charge = charges.raise_once(
        tx, site_id=site.id, subscription_id=subscription.id, token=secrets.token_urlsafe(24),
        period=first.index, starts_on=first.starts_on, ends_on=first.ends_on, due_on=today, created_at=now,
        state=ChargeState.OPEN, **charging.values(_proven(lines, subscription, method), subscription),
    )  # fmt: skip
    return charge or charges.of_subscription(tx, subscription.id)[0]


def choose_method(tx: Tx, subscription: Subscription, charge: Charge, method: str) -> None:
    """Prove the account by another method, as long as nobody was asked for it. Caller holds the lock."""
    lines = pricing.from_plain(charge.lines)
    if subscription.started_at is not None or method not in proof.PROOF_CENTS or not proof.only_checks(lines):
        return
    if charges.open_payment(tx, charge.id) is not None or proof.method_of(lines) == method:
        return
    lines = [line for line in lines if line.kind is not LineKind.CHECK]
    for name, value in charging.values(_proven(lines, subscription, method), subscription).items():
        setattr(charge, name, value)
    tx.flush()


def _proven(lines: list[Line], subscription: Subscription, method: str) -> list[Line]:
    """The lines with the one that proves an account, where nothing else asks for a payment."""
    check = proof.check_line(method) if method in proof.PROOF_CENTS else None
    needs_one = pricing.total(lines) == 0 and subscription.terms.needs_mandate
    return [*lines, check] if check is not None and needs_one else lines


def agree(
    tx: Tx, subscription: Subscription, text: str, locale: str, now: datetime, *, kind: str = "mandate",
    **facts: Any,
) -> Consent | None:  # fmt: skip
    """Keep what the customer agreed to, in the words she read; the same words only once.

    `facts` is what the words meant in figures. `text` is empty where there is nothing to agree to, as
    with a plan that is paid once.
    """
    given = next((one for one in people.consents(tx, subscription.id) if one.text == text), None)
    if given is not None or not text:
        return given
    given = Consent(
        site_id=subscription.site_id, customer_id=subscription.customer_id, kind=kind, data=facts,
        subscription_id=subscription.id, locale=locale, text=text, created_at=now,
    )  # fmt: skip
    tx.add(given)
    tx.flush()
    return given


class Result:
    """What came of asking for money: one of the classes below."""


@dataclass(frozen=True, slots=True)
class Redirect(Result):
    """Send the buyer here to pay."""

    url: str


@dataclass(frozen=True, slots=True)
class NothingOwed(Result):
    """The charge is paid."""


@dataclass(frozen=True, slots=True)
class DebitRuns(Result):
    """The money is under way already; a second payment now could be paid twice."""


@dataclass(frozen=True, slots=True)
class AskAgain(Result):
    """Mollie did not answer clearly: asking again in a few seconds continues where this stopped."""


@dataclass(frozen=True, slots=True)
class CouponGone(Result):
    """The sign-up was left for so long that others used its coupon up: it has to be ordered anew."""


def pay(parts: Parts, charge_id: int) -> Result:
    """Get the buyer an address to pay the charge at, making or reusing its one open payment.

    Raises `Permanent` when Mollie refuses, e.g. because of the site's key or amount.
    """
    with parts.database.write() as tx:
        ready = _ready(tx, parts, charge_id)
    if isinstance(ready, Result):
        return ready
    try:
        if ready.stroke is Stroke.KNOWN:
            return _refresh(parts, ready, charge_id)
        return _send(parts, ready.id)
    except (Retryable, OutcomeUnknown, TooLate):
        with parts.database.write() as tx:
            debits.outcome_unknown(tx, ready.id)
        return AskAgain()


def _ready(tx: Tx, parts: Parts, charge_id: int) -> Result | Payment:
    """The open attempt to go on with, made when there is none, or a result that needs no call."""
    now = parts.clock.now()
    subscription = subscriptions.lock(tx, charges.get(tx, charge_id).subscription_id)
    charge = charges.get(tx, charge_id)
    if not charging.awaits_payer(subscription, charge):
        return NothingOwed()
    if sites.get(tx, charge.site_id).catch_up_from is not None and subscription.started_at is not None:
        return AskAgain()  # she may have been charged for it already, by what our books do not hold yet
    payment = charges.open_payment(tx, charge_id)
    if payment is None:
        if subscription.started_at is None and not coupons.still_held(tx, subscription, now):
            return CouponGone()
        sequence = Sequence.FIRST if subscription.terms.needs_mandate else Sequence.ONEOFF
        payment = debits.new_payment(tx, subscription, charge, sequence, now)
        debits.owe_poll(tx, payment, now)
        return payment
    if charges.debit_runs(payment):
        return DebitRuns()
    fresh = payment.expires_at is None or payment.expires_at > now
    if payment.stroke is Stroke.KNOWN and payment.checkout_url and fresh:
        return Redirect(payment.checkout_url)
    return payment


def _refresh(parts: Parts, payment: Payment, charge_id: int) -> Result:
    """Our copy says that the address is stale: look, book what is there, and begin again once."""
    key = site_key(parts, payment.site_id)
    try:
        seen = look(parts, key, payment.mollie_id or "", "checkout")
    except Missing:
        # For a moment Mollie may not show what it has just made; where it stays so, the poller says it.
        return AskAgain()
    with parts.database.write() as tx:
        settlement.settle(tx, payment.id, seen, parts.clock.now())
        still_open = charges.payment(tx, payment.id).is_open
    if still_open:
        return Redirect(seen.payment.checkout_url) if seen.payment.checkout_url else AskAgain()
    return pay(parts, charge_id)


def _send(parts: Parts, payment_id: int) -> Result:
    with parts.database.read() as tx:
        site_id = charges.payment(tx, payment_id).site_id
    key = site_key(parts, site_id)
    _ensure_customer(parts, payment_id, key)
    with parts.database.write() as tx:
        sending = debits.claim(tx, payment_id, key=key, base_url=parts.base_url, now=parts.clock.now())
    if sending is None or sending.next.move is not Move.SEND:
        return AskAgain()
    if too_late(sending.claimed_at, parts.clock.now()):
        raise TooLate("too much time passed before the call")
    try:
        snapshot = parts.payments.create_payment(key, sending.order)
    except Permanent as problem:
        if sending.repeated:
            # Refused now says nothing of the time before; the poller finds out.
            raise OutcomeUnknown(problem.detail, status=problem.status) from problem
        with parts.database.write() as tx:
            settlement.attempt_refused(tx, payment_id, None, parts.clock.now())
        raise
    with parts.database.write() as tx:
        seen = settlement.Sighting(snapshot, None, "checkout")
        settlement.settle(tx, payment_id, seen, parts.clock.now())
    return Redirect(snapshot.checkout_url) if snapshot.checkout_url else AskAgain()


def _ensure_customer(parts: Parts, payment_id: int, key: str) -> None:
    """Make the Mollie customer once; its idempotency key is stored since the row exists."""
    with parts.database.read() as tx:
        customer = tx.get_one(Customer, charges.payment(tx, payment_id).customer_id)
        if customer.mollie_id is not None:
            return
    mollie_id = parts.payments.create_customer(
        key, idempotency_key=customer.idempotency_key, name=customer.name, email=customer.email,
        locale=None, metadata={"linkpay": str(customer.id)},
    )  # fmt: skip
    with parts.database.write() as tx:
        known = tx.get_one(Customer, customer.id, with_for_update=FOR_CHANGE)
        known.mollie_id = known.mollie_id or mollie_id


def site_key(parts: Parts, site_id: int) -> str:
    """The site's Mollie key. Raises Conflict ``not_connected`` while it has none."""
    with parts.database.read() as tx:
        return key_of(tx, parts, site_id)


def key_of(tx: Tx, parts: Parts, site_id: int) -> str:
    """The same within a transaction."""
    key = sites.mollie_key_of(tx, site_id, parts.box)
    if key is None:
        raise Conflict("not_connected", "This site is not connected to Mollie yet.")
    return key


def look(parts: Parts, key: str, mollie_id: str, actor: str) -> settlement.Sighting:
    """Read a payment from Mollie, and its mandate where that has just changed with it."""
    snapshot = parts.payments.fetch_payment(key, mollie_id)
    return settlement.Sighting(snapshot, _changed_mandate(parts, key, snapshot), actor)


def _changed_mandate(parts: Parts, key: str, seen: PaymentSnapshot) -> MandateSnapshot | None:
    """The mandate that a paid first payment made, or that a failed debit may have cost."""
    made = seen.status is PaymentStatus.PAID and seen.sequence is Sequence.FIRST
    strained = seen.status is PaymentStatus.FAILED and seen.sequence is Sequence.RECURRING
    if not (made or strained) or seen.mandate_id is None or seen.customer_id is None:
        return None
    try:
        return parts.payments.fetch_mandate(key, seen.customer_id, seen.mandate_id)
    except Missing:
        if made:
            raise
        return None  # she revoked it: the next debit finds that out
