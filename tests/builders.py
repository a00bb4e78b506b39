"""Rows with sensible defaults for tests: name what the test is about, the rest is filled in.

Every builder flushes, so ids are there; `values` go to the row as they are. Parents that are not
given are made. Nothing here moves money or access: what a builder writes is what the test finds.
"""

import base64
import itertools
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from linkpay.domain.calendar import Unit, local_day, period
from linkpay.domain.charge import ChargeState
from linkpay.domain.ledger import EntryKind
from linkpay.domain.plan import PlanKind
from linkpay.domain.snapshots import MandateStatus, PaymentStatus, Sequence
from linkpay.domain.subscription import OVER, SubscriptionState
from linkpay.store.db import Tx
from linkpay.store.secrets import SecretBox
from linkpay.store.tables import (
    Base,
    Charge,
    Consent,
    Customer,
    Gift,
    Grant,
    Inbox,
    LedgerEntry,
    Mail,
    Mandate,
    Member,
    Offer,
    Outbox,
    Payment,
    Plan,
    Refund,
    Site,
    Subscription,
)
from linkpay.store.tables.money import Stroke
from linkpay.store.tables.people import Access
from linkpay.store.tables.terms import agreed

#: A quiet Sunday morning; rows are made at this moment unless told otherwise.
NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
#: The keys by which builders seal secrets.
ENCRYPTION_KEYS = (base64.urlsafe_b64encode(b"a made-up key that opens nothing"[:32]).decode(),)
BOX = SecretBox(ENCRYPTION_KEYS)
MOLLIE_KEY = "test_madeupkeythatopensnothing0000"

_numbers = itertools.count(1)
Row = TypeVar("Row", bound=Base)


def _put(tx: Tx, row: Row) -> Row:
    tx.add(row)
    tx.flush()
    return row


def make_site(tx: Tx, **values: Any) -> Site:
    """A site in Europe/Amsterdam in test mode, whose Mollie key is MOLLIE_KEY sealed by BOX."""
    number = next(_numbers)
    defaults = {
        "slug": f"yoga-{number}",
        "token": uuid.uuid4().hex,
        "name": "Yoga at home",
        "created_at": NOW,
    }
    site = _put(tx, Site(**defaults | values))
    site.mollie_key_sealed = site.mollie_key_sealed or BOX.seal(site.id, "mollie_key", MOLLIE_KEY)
    tx.flush()
    return site


def make_offer(tx: Tx, site: Site | None = None, *, hook: str | None = None, **values: Any) -> Offer:
    """An offer whose Kajabi addresses are `hook` plus /activate and /deactivate, sealed by BOX."""
    site, number = site or make_site(tx), next(_numbers)
    hook = hook or f"https://site.example.test/webhooks/offers/madeuptoken{number}/{number}"
    defaults = {
        "site_id": site.id, "slug": f"course-{number}", "title": "A calm back", "created_at": NOW,
        "kajabi_offer_id": str(2150000000 + number),
        "activation_url_sealed": BOX.seal(site.id, "activation_url", f"{hook}/activate"),
        "deactivation_url_sealed": BOX.seal(site.id, "deactivation_url", f"{hook}/deactivate"),
    }  # fmt: skip
    return _put(tx, Offer(**defaults | values))


def make_plan(
    tx: Tx, offer: Offer | None = None, *, kind: PlanKind = PlanKind.MEMBERSHIP, **values: Any
) -> Plan:
    """50 euro a month; instalments are three, a one-time plan has its one period."""
    offer = offer or make_offer(tx)
    periods = {PlanKind.ONE_TIME: 1, PlanKind.INSTALMENTS: 3, PlanKind.MEMBERSHIP: None}
    defaults = {
        "site_id": offer.site_id, "offer_id": offer.id, "slug": f"plan-{next(_numbers)}",
        "title": "Every month", "kind": kind, "amount_cents": 5000, "currency": "EUR",
        "interval_unit": Unit.MONTH, "interval_count": 1, "periods": periods[kind], "created_at": NOW,
    }  # fmt: skip
    return _put(tx, Plan(**defaults | values))


def make_customer(tx: Tx, site: Site | None = None, **values: Any) -> Customer:
    """Somebody who pays and is known at Mollie."""
    site, number = site or make_site(tx), next(_numbers)
    defaults = {
        "site_id": site.id, "email": f"anna{number}@example.com", "name": "Anna de Vries",
        "mollie_id": f"cst_madeup{number}", "idempotency_key": str(uuid.uuid4()), "created_at": NOW,
    }  # fmt: skip
    return _put(tx, Customer(**defaults | values))


def make_member(tx: Tx, site: Site | None = None, **values: Any) -> Member:
    """Somebody who is let in, known at Kajabi by her e-mail."""
    site = site or make_site(tx)
    email = values.get("email") or f"anna{next(_numbers)}@example.com"
    defaults = {
        "site_id": site.id, "email": email, "name": "Anna de Vries", "external_user_id": email,
        "created_at": NOW,
    }  # fmt: skip
    return _put(tx, Member(**defaults | values))


def make_mandate(tx: Tx, customer: Customer | None = None, **values: Any) -> Mandate:
    """A valid SEPA mandate."""
    customer = customer or make_customer(tx)
    defaults = {
        "site_id": customer.site_id, "customer_id": customer.id, "mollie_id": f"mdt_madeup{next(_numbers)}",
        "status": MandateStatus.VALID, "method": "directdebit", "account_hint": "1234", "created_at": NOW,
    }  # fmt: skip
    return _put(tx, Mandate(**defaults | values))


def make_subscription(
    tx: Tx,
    plan: Plan | None = None,
    customer: Customer | None = None,
    *,
    member: Member | None = None,
    state: SubscriptionState = SubscriptionState.ACTIVE,
    **values: Any,
) -> Subscription:
    """A customer on a plan, from today on. Unless pending, it has a valid mandate, and its period 0
    counts as raised (`make_charge` makes the row): the next one is due an interval after NOW."""
    plan = plan or make_plan(tx)
    site = tx.get_one(Site, plan.site_id)
    customer = customer or make_customer(tx, site)
    member = member or make_member(tx, site, email=customer.email, name=customer.name)
    terms = plan.terms
    defaults = {
        "site_id": site.id, "token": uuid.uuid4().hex, "customer_id": customer.id, "member_id": member.id,
        "offer_id": plan.offer_id, "plan_id": plan.id, "state": state, "origin": "checkout",
        "created_at": NOW, **agreed(plan),
    }  # fmt: skip
    if state is not SubscriptionState.PENDING:
        anchor = values.get("anchor_on") or local_day(NOW, site.zone)
        next_on = period(anchor, terms.interval, 1).starts_on
        goes_on = state not in OVER and terms.has_period(1)
        defaults |= {
            "started_at": NOW, "anchor_on": anchor, "next_index": 1,
            "next_charge_on": next_on if goes_on else None,
            "ended_at": NOW if state is SubscriptionState.ENDED else None,
        }  # fmt: skip
        if "mandate_id" not in values and terms.needs_mandate:
            defaults["mandate_id"] = make_mandate(tx, customer).id
    return _put(tx, Subscription(**defaults | values))


def make_charge(
    tx: Tx,
    subscription: Subscription | None = None,
    *,
    period_index: int = 0,
    state: ChargeState = ChargeState.SCHEDULED,
    **values: Any,
) -> Charge:
    """The charge of one period. A paid one carries the sum; `make_paid_charge` adds what proves it."""
    subscription = subscription or make_subscription(tx)
    anchor = subscription.anchor_on or local_day(NOW, tx.get_one(Site, subscription.site_id).zone)
    days = period(anchor, subscription.terms.interval, period_index, anchor_index=subscription.anchor_index)
    paid = state is ChargeState.PAID
    defaults = {
        "site_id": subscription.site_id, "subscription_id": subscription.id, "token": uuid.uuid4().hex,
        "period": period_index, "starts_on": days.starts_on, "ends_on": days.ends_on,
        "due_on": days.starts_on, "amount_cents": subscription.amount_cents,
        "currency": subscription.currency, "state": state, "created_at": NOW,
        "paid_cents": subscription.amount_cents if paid else 0, "paid_at": NOW if paid else None,
        "failed_at": NOW if state is ChargeState.FAILED else None,
        "dunning_round": 1 if state is ChargeState.FAILED else 0,
    }  # fmt: skip
    return _put(tx, Charge(**defaults | values))


def make_payment(
    tx: Tx,
    charge: Charge | None = None,
    *,
    status: PaymentStatus | None = PaymentStatus.OPEN,
    sequence: Sequence = Sequence.RECURRING,
    **values: Any,
) -> Payment:
    """An attempt that Mollie answered with `status`; with None, one that was only prepared."""
    charge = charge or make_charge(tx)
    subscription = tx.get_one(Subscription, charge.subscription_id)
    waits = status in (None, PaymentStatus.OPEN, PaymentStatus.PENDING, PaymentStatus.AUTHORIZED)
    defaults = {
        "site_id": charge.site_id, "charge_id": charge.id, "customer_id": subscription.customer_id,
        "uid": str(uuid.uuid4()), "sequence": sequence, "amount_cents": charge.amount_cents,
        "currency": charge.currency, "idempotency_key": str(uuid.uuid4()), "status": status,
        "stroke": Stroke.KNOWN if status else Stroke.PREPARED, "is_open": waits,
        "mollie_id": f"tr_madeup{next(_numbers)}" if status else None,
        "key_used_at": NOW if status else None, "claimed_at": NOW if status else None,
        "paid_at": NOW if status is PaymentStatus.PAID else None, "created_at": NOW,
    }  # fmt: skip
    if sequence is Sequence.RECURRING:
        defaults["mandate_id"] = subscription.mandate_id
    return _put(tx, Payment(**defaults | values))


def make_entry(
    tx: Tx, payment: Payment, *, kind: EntryKind = EntryKind.PAYMENT, **values: Any
) -> LedgerEntry:
    """One money fact of a payment, with the sign of its kind; its reference is the payment's for PAYMENT."""
    brings = kind in (EntryKind.PAYMENT, EntryKind.REFUND_UNDONE, EntryKind.CHARGEBACK_UNDONE)
    ref = payment.mollie_id if kind is EntryKind.PAYMENT else f"{kind}_madeup{next(_numbers)}"
    defaults = {
        "site_id": payment.site_id, "charge_id": payment.charge_id, "payment_id": payment.id, "kind": kind,
        "ref": ref, "amount_cents": payment.amount_cents if brings else -payment.amount_cents,
        "currency": payment.currency, "occurred_at": NOW, "created_at": NOW,
    }  # fmt: skip
    return _put(tx, LedgerEntry(**defaults | values))


def make_paid_charge(
    tx: Tx,
    subscription: Subscription | None = None,
    *,
    period_index: int = 0,
    sequence: Sequence | None = None,
    **values: Any,
) -> Charge:
    """A charge with its paid payment and the ledger entry; `values` go to the payment.

    Period 0 was paid by the buyer, later ones by debit, unless `sequence` says otherwise.
    """
    charge = make_charge(tx, subscription, period_index=period_index, state=ChargeState.PAID)
    sequence = sequence or (Sequence.FIRST if period_index == 0 else Sequence.RECURRING)
    payment = make_payment(tx, charge, status=PaymentStatus.PAID, sequence=sequence, **values)
    make_entry(tx, payment)
    return charge


def make_refund(tx: Tx, payment: Payment, **values: Any) -> Refund:
    """A refund of the whole payment, prepared and not sent."""
    defaults = {
        "site_id": payment.site_id, "payment_id": payment.id, "uid": str(uuid.uuid4()),
        "reason": "paid_twice", "amount_cents": payment.amount_cents, "currency": payment.currency,
        "idempotency_key": str(uuid.uuid4()), "created_at": NOW,
    }  # fmt: skip
    return _put(tx, Refund(**defaults | values))


def make_grant(
    tx: Tx, subscription: Subscription | None = None, *, wanted: Access = Access.GRANTED, **values: Any
) -> Grant:
    """What the subscription's member should have of its offer; not applied yet."""
    subscription = subscription or make_subscription(tx)
    defaults = {
        "site_id": subscription.site_id, "member_id": subscription.member_id,
        "offer_id": subscription.offer_id, "wanted": wanted, "reason": "paid", "wanted_at": NOW,
        "created_at": NOW,
    }  # fmt: skip
    return _put(tx, Grant(**defaults | values))


def make_gift(tx: Tx, grant: Grant, **values: Any) -> Gift:
    """What an owner gave the grant's member, for ever."""
    defaults = {
        "site_id": grant.site_id, "member_id": grant.member_id, "offer_id": grant.offer_id,
        "given_by": "owner", "created_at": NOW,
    }  # fmt: skip
    return _put(tx, Gift(**defaults | values))


def make_consent(tx: Tx, subscription: Subscription, **values: Any) -> Consent:
    """The customer's consent to monthly debits."""
    defaults = {
        "site_id": subscription.site_id, "customer_id": subscription.customer_id,
        "subscription_id": subscription.id, "kind": "mandate", "locale": "nl",
        "text": "Ik ga akkoord met de maandelijkse afschrijving.", "created_at": NOW,
    }  # fmt: skip
    return _put(tx, Consent(**defaults | values))


def make_mail(tx: Tx, subscription: Subscription | None = None, **values: Any) -> Mail:
    """A mail that is owed and not written yet."""
    subscription = subscription or make_subscription(tx)
    defaults = {
        "site_id": subscription.site_id, "subscription_id": subscription.id, "kind": "welcome",
        "step": f"subscription:{subscription.id}:welcome", "created_at": NOW,
    }  # fmt: skip
    return _put(tx, Mail(**defaults | values))


def make_inbox(tx: Tx, site: Site | None = None, **values: Any) -> Inbox:
    """A webhook call of Mollie that nobody handled yet."""
    site = site or make_site(tx)
    defaults = {
        "site_id": site.id, "source": "mollie", "ref": "tr_madeup", "body": b"id=tr_madeup",
        "content_type": "application/x-www-form-urlencoded", "run_at": NOW, "created_at": NOW,
    }  # fmt: skip
    return _put(tx, Inbox(**defaults | values))


def make_outbox(tx: Tx, site: Site | None = None, **values: Any) -> Outbox:
    """A piece of work that is due at NOW and that nobody holds."""
    site, number = site or make_site(tx), next(_numbers)
    defaults = {
        "site_id": site.id, "kind": "apply_grant", "ref": f"{number}:1", "target_id": number, "run_at": NOW,
        "created_at": NOW,
    }  # fmt: skip
    return _put(tx, Outbox(**defaults | values))


def later(**parts: float) -> datetime:
    """NOW plus ``days=3``, ``minutes=45`` and so on."""
    return NOW + timedelta(**parts)


def site_of(tx: Tx, row: Any) -> Site:
    """The site that a row belongs to."""
    return tx.get_one(Site, row.site_id)


def people_of(tx: Tx, subscription: Subscription) -> tuple[Customer, Member]:
    """Who pays, and who is let in."""
    return tx.get_one(Customer, subscription.customer_id), tx.get_one(Member, subscription.member_id)
