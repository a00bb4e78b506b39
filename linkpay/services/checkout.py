"""A person pays: the first month at the checkout, or an open charge by a pay link.

The buyer waits for the bank's address, so the three strokes run inside her request. Whatever goes
wrong in between, pressing again continues with the same charge, the same attempt and the same key.
"""

import secrets
from collections.abc import Sequence as ListOf
from dataclasses import dataclass
from datetime import datetime

from linkpay.domain.calendar import local_day
from linkpay.domain.charge import ChargeState
from linkpay.domain.pricing import Line
from linkpay.domain.snapshots import PaymentStatus, Sequence
from linkpay.domain.strokes import Move, too_late
from linkpay.domain.subscription import LIVE, SubscriptionState
from linkpay.errors import Conflict, OutcomeUnknown, Permanent, Retryable, TooLate
from linkpay.services import charging, debits, letters, lifecycle, settlement
from linkpay.services.parts import Parts
from linkpay.store import charges, grants, journal, people, sites, subscriptions
from linkpay.store.db import Tx
from linkpay.store.tables import Charge, Consent, Customer, Member, Payment, Plan, Site, Subscription
from linkpay.store.tables.money import Stroke
from linkpay.store.tables.people import Access
from linkpay.store.tables.terms import agreed


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who buys. `email` is normalised; `locale` is ``nl`` or ``en``."""

    name: str
    email: str
    locale: str


def begin(
    tx: Tx, site: Site, plan: Plan, buyer: Buyer, consent: str, now: datetime
) -> tuple[Subscription, Charge]:
    """The buyer's sign-up for this plan with its first charge: new, or the one already under way.

    `consent` is the text she agreed to, kept as read. Raises Conflict ``already_running`` when she
    has a running subscription for the offer; she is then mailed, since a page must not tell a
    stranger who is a customer. The caller commits in that case too.
    """
    customer = people.customer_for(tx, site.id, buyer.email, buyer.name, buyer.locale, now)
    tx.refresh(customer, with_for_update=True)
    running = _running(tx, customer, plan)
    if running is not None:
        day = local_day(now, site.zone)
        letters.owe(tx, "already_running", running, now=now, step=f"subscription:{running.id}:running:{day}")
        raise Conflict("already_running", "There is a running subscription; a mail was sent about it.")
    customer.locale = buyer.locale
    subscription = subscriptions.pending_for(tx, customer.id, plan.offer_id)
    if subscription is not None and subscription.plan_id != plan.id:
        _abandon(subscription, now)
        tx.flush()
        subscription = None
    if subscription is None:
        member = people.member_for(tx, site.id, buyer.email, buyer.name, None, now)
        subscription = open_subscription(tx, plan, customer, member, "checkout", now)
        journal.record(tx, "signed_up", "buyer", now, subscription=subscription, plan=plan.slug)
    agree(tx, subscription, consent, buyer.locale, now)
    return subscription, first_charge(tx, site, subscription, now)


def _running(tx: Tx, customer: Customer, plan: Plan) -> Subscription | None:
    """A subscription that makes buying the same again a mistake: it runs, or its access is for ever."""
    for owned in subscriptions.of_customer(tx, customer.id, plan.offer_id):
        if owned.state in LIVE:
            return owned
        grant = grants.find(tx, owned.member_id, owned.offer_id)
        if owned.state is SubscriptionState.COMPLETED and grant and grant.wanted is Access.GRANTED:
            return owned
    return None


def _abandon(subscription: Subscription, now: datetime) -> None:
    """The buyer chose another plan. If the first one's payment comes in after all, it is noticed."""
    subscription.state, subscription.ended_at = SubscriptionState.ENDED, now


def open_subscription(
    tx: Tx, plan: Plan, customer: Customer, member: Member, origin: str, now: datetime
) -> Subscription:
    """A pending subscription with the plan's terms frozen into it."""
    subscription = Subscription(
        site_id=plan.site_id, token=secrets.token_urlsafe(24), customer_id=customer.id,
        member_id=member.id, offer_id=plan.offer_id, plan_id=plan.id, origin=origin, created_at=now,
        state=SubscriptionState.PENDING, **agreed(plan),
    )  # fmt: skip
    tx.add(subscription)
    tx.flush()
    return subscription


def first_charge(
    tx: Tx, site: Site, subscription: Subscription, now: datetime, extras: ListOf[Line] = ()
) -> Charge:
    """The charge of the first payment; its days move to the day on which it is paid."""
    made = charges.of_subscription(tx, subscription.id)
    if made:
        return made[0]
    today = local_day(now, site.zone)
    first = lifecycle.first_days(subscription.terms, today)
    lines = charging.lines(tx, subscription, first.index, today, extras)
    charge = charges.raise_once(
        tx, site_id=site.id, subscription_id=subscription.id, token=secrets.token_urlsafe(24),
        period=first.index, starts_on=first.starts_on, ends_on=first.ends_on, due_on=today, created_at=now,
        state=ChargeState.OPEN, **charging.values(lines, subscription),
    )  # fmt: skip
    return charge or charges.of_subscription(tx, subscription.id)[0]


def agree(tx: Tx, subscription: Subscription, text: str, locale: str, now: datetime) -> None:
    """Keep what the customer agreed to, in the words she read; the same words only once.

    `text` is empty where there is nothing to agree to, as with a plan that is paid once.
    """
    if not text or any(consent.text == text for consent in people.consents(tx, subscription)):
        return
    tx.add(
        Consent(
            site_id=subscription.site_id, customer_id=subscription.customer_id, kind="mandate",
            subscription_id=subscription.id, locale=locale, text=text, created_at=now,
        )
    )  # fmt: skip


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
    if charge.asked_cents == 0:
        return NothingOwed()
    payment = charges.open_payment(tx, charge_id)
    if payment is None:
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
    seen = look(parts, key, payment.mollie_id or "", "checkout")
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
        known = tx.get_one(Customer, customer.id, with_for_update=True)
        known.mollie_id = known.mollie_id or mollie_id


def site_key(parts: Parts, site_id: int) -> str:
    """The site's Mollie key. Raises Conflict ``not_connected`` while it has none."""
    with parts.database.read() as tx:
        key = sites.mollie_key(sites.get(tx, site_id), parts.box)
    if key is None:
        raise Conflict("not_connected", "This site is not connected to Mollie yet.")
    return key


def look(parts: Parts, key: str, mollie_id: str, actor: str) -> settlement.Sighting:
    """Read a payment, and the mandate it names once it is paid, from Mollie."""
    snapshot = parts.payments.fetch_payment(key, mollie_id)
    mandate = None
    paid_first = snapshot.status is PaymentStatus.PAID and snapshot.sequence is Sequence.FIRST
    if paid_first and snapshot.mandate_id and snapshot.customer_id:
        mandate = parts.payments.fetch_mandate(key, snapshot.customer_id, snapshot.mandate_id)
    return settlement.Sighting(snapshot, mandate, actor)
