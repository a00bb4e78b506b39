"""The three shapes in which Kajabi tells of a purchase, and the samples of its hooks.

A is the purchase webhook of the dashboard (flat), B the newer dashboard webhooks (objects), C the API's
hooks (JSON:API resources in a list).
"""

import uuid
from datetime import datetime
from typing import NamedTuple

from linkpay.sandbox.kajabi import resources
from linkpay.sandbox.kajabi.records import Member, Offer, Purchase
from linkpay.sandbox.web import Json

_AFFILIATE = (
    "affiliate_conversion_id",
    "affiliate_user_id",
    "affiliate_user_name",
    "affiliate_user_email",
)


class Sale(NamedTuple):
    """A purchase in Kajabi's own shop."""

    purchase: Purchase
    offer: Offer
    member: Member
    base: str


def _names(name: str) -> tuple[str, str]:
    first, _, last = name.partition(" ")
    return first, last


def shape_a(sale: Sale) -> Json:
    """``purchase.created``, flat keys, amounts in cents with a decimal twin."""
    cents, now = sale.purchase.amount_cents, sale.purchase.created_at.isoformat(timespec="milliseconds")
    first, last = _names(sale.member.name)
    return {
        "id": str(uuid.uuid4()),
        "event": "purchase.created",
        "payload": {
            **dict.fromkeys(_AFFILIATE),
            "offer_id": int(sale.offer.id),
            "offer_title": sale.offer.title,
            "offer_reference": f"kajabi_offer_{sale.offer.id}",
            "opt_in": False,
            "trial": False,
            "member_id": int(sale.member.customer_id or 0),
            "member_email": sale.member.email,
            "member_name": sale.member.name,
            "member_first_name": first,
            "member_last_name": last,
            "transaction_id": int(sale.purchase.id),
            "transaction_created_at": now,
            "offer_type": sale.purchase.payment_type,
            "subtotal": cents,
            "subtotal_decimal": cents / 100,
            "discount_amount": 0,
            "discount_amount_decimal": 0,
            "amount_paid": cents,
            "amount_paid_decimal": cents / 100,
            "currency": sale.purchase.currency,
            "payment_method": "visa",
            "payment_processor": "Kajabi Payments",
            "coupon_code": None,
            **_terms(sale, now),
            "trial_period_days": None,
            "setup_fee": 0,
            "setup_fee_decimal": 0,
            "quantity": 1,
        },
    }


def _terms(sale: Sale, now: str) -> Json:
    """The keys of a subscription, all null for other purchases."""
    cents = sale.purchase.amount_cents
    terms: Json = {
        "subscription_id": int(sale.purchase.id),
        "subscription_created_at": now,
        "interval_payment_amount": cents,
        "interval_payment_amount_decimal": cents / 100,
        "interval_count": 1,
        "interval": "month",
    }
    return terms if sale.purchase.payment_type == "subscription" else dict.fromkeys(terms)


def trial_a(now: datetime) -> Json:
    """What the dashboard's test button sends: nobody bought nothing (offer and member 0)."""
    nobody = Member(
        id="0",
        created_at=now,
        site_id="0",
        email="nobody@kajabi.example.com",
        name="Kajabi Test",
        customer_id="0",
    )
    offer = Offer(
        id="0", created_at=now, site_id="0", title="Kajabi Test Offer", products=[], token="", public_token=""
    )
    purchase = Purchase(
        id="1234567890",
        created_at=now,
        site_id="0",
        member_id="0",
        offer_id="0",
        amount_cents=1250,
        currency="USD",
        payment_type="subscription",
    )
    return shape_a(Sale(purchase, offer, nobody, ""))


def shape_b(sale: Sale, event: str) -> Json:
    """``payment.succeeded`` and ``order.created``, one object per thing."""
    first, last = _names(sale.member.name)
    return {
        "id": str(uuid.uuid4()),
        "event": event,
        "offer": {
            "id": sale.offer.id,
            "title": sale.offer.title,
            "internal_title": None,
            "type": sale.purchase.payment_type,
        },
        "member": {
            "id": sale.member.customer_id,
            "email": sale.member.email,
            "name": sale.member.name,
            "first_name": first,
            "last_name": last,
        },
        "payment_transaction": {
            "id": f"9{sale.purchase.id}",
            "amount_paid": sale.purchase.amount_cents,
            "currency": sale.purchase.currency,
            "quantity": 1,
        },
    }


def shape_c(sale: Sale, event: str) -> Json:
    """``purchase``, ``payment_succeeded`` and ``order_created`` of the API's hooks."""
    purchase = resources.purchase_document(sale.purchase, sale.member)
    transaction = resources.transaction_document(sale.purchase, sale.member)
    customer = resources.customer_document(sale.member)
    offer = resources.offer_document(sale.offer, sale.base)
    order = {
        "id": f"8{sale.purchase.id}",
        "type": "orders",
        "attributes": {
            "total_in_cents": sale.purchase.amount_cents,
            "currency": sale.purchase.currency,
            "created_at": resources.stamp(sale.purchase.created_at),
        },
    }
    item = {"id": f"7{sale.purchase.id}", "type": "order_items", "attributes": {"quantity": 1}}
    payload = {
        "purchase": [purchase, offer, customer],
        "payment_succeeded": [transaction, customer],
        "order_created": [transaction, customer, order, item],
    }[event]
    return {"id": purchase["id"], "event": event, "payload": payload}
