"""Kajabi's resources as its API shows them (attributes of the public specification 1.1)."""

from datetime import UTC, datetime

from linkpay.sandbox.kajabi.records import KajabiHook, Member, Offer, Product, Purchase, Site, Tag
from linkpay.sandbox.kajabi.wire import ApiCall, related
from linkpay.sandbox.web import Json


def stamp(at: datetime) -> str:
    """An instant as Kajabi writes it: milliseconds and ``Z``."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def site(call: ApiCall, row: Site) -> Json:
    return {
        "id": row.id,
        "type": "sites",
        "attributes": {"title": row.name, "created_at": stamp(row.created_at)},
    }


def offer(call: ApiCall, row: Offer) -> Json:
    return offer_document(row, call.request.base)


def offer_document(row: Offer, base: str) -> Json:
    free = row.price_cents == 0
    price = f"{row.price_cents / 100:.2f} {row.currency}"
    return {
        "id": row.id,
        "type": "offers",
        "attributes": {
            "title": row.title,
            "description": None,
            "internal_title": None,
            "currency": row.currency,
            "price_in_cents": row.price_cents,
            "payment_type": "free" if free else "single",
            "token": row.public_token,
            "image_url": None,
            "payment_method": "stripe_and_paypal",
            "price_description": "Free" if free else price,
            "checkout_url": f"{base}/kajabi/offers/{row.public_token}",
            "recurring_offer": False,
            "subscription": False,
            "one_time": True,
            "single": not free,
            "free": free,
        },
        "relationships": {
            "site": related("sites", row.site_id),
            "products": {"data": [{"type": "products", "id": each} for each in row.products]},
            "forms": {"data": []},
        },
    }


def product(call: ApiCall, row: Product) -> Json:
    return {
        "id": row.id,
        "type": "products",
        "attributes": {"title": row.title, "status": "ready", "created_at": stamp(row.created_at)},
        "relationships": {"site": related("sites", row.site_id)},
    }


def granted(row: Member) -> list[Json]:
    return [
        {"type": "offers", "id": offer_id}
        for offer_id, given in row.grants.items()
        if given["state"] == "granted"
    ]


def contact(call: ApiCall, row: Member) -> Json:
    return {
        "id": row.id,
        "type": "contacts",
        "attributes": {
            "name": row.name,
            "email": row.email,
            "address_line_1": None,
            "address_line_2": None,
            "address_city": None,
            "address_country": None,
            "address_state": None,
            "address_zip": None,
            "phone_number": None,
            "business_number": None,
            "subscribed": True,
            "external_user_id": row.external_id if row.customer_id is not None else None,
            "created_at": stamp(row.created_at),
            "updated_at": stamp(row.created_at),
        },
        "relationships": {
            "site": related("sites", row.site_id),
            "customer": related("customers", row.customer_id),
            "offers": {"data": granted(row)},
            "products": {"data": [{"type": "products", "id": each} for each in row.products]},
            "tags": {"data": [{"type": "contact_tags", "id": each} for each in row.tags]},
        },
    }


def customer(call: ApiCall, row: Member) -> Json:
    return customer_document(row)


def customer_document(row: Member) -> Json:
    return {
        "id": row.customer_id,
        "type": "customers",
        "attributes": {
            "name": row.name,
            "email": row.email,
            "avatar": None,
            "external_user_id": row.external_id,
            "public_bio": None,
            "public_location": None,
            "public_website": None,
            "socials": None,
            "net_revenue": "0.0",
            "sign_in_count": 0,
            "last_request_at": None,
            "bounced_at": None,
            "created_at": stamp(row.created_at),
            "updated_at": stamp(row.created_at),
        },
        "relationships": {
            "site": related("sites", row.site_id),
            "contact": related("contacts", row.id),
            "offers": {"data": granted(row)},
            "products": {"data": [{"type": "products", "id": each} for each in row.products]},
        },
    }


def purchase(call: ApiCall, row: Purchase) -> Json:
    return purchase_document(row, call.world.books.members.rows[row.member_id])


def purchase_document(row: Purchase, member: Member) -> Json:
    ended = stamp(row.deactivated_at) if row.deactivated_at is not None else None
    return {
        "id": row.id,
        "type": "purchases",
        "attributes": {
            "amount_in_cents": row.amount_cents,
            "payment_type": row.payment_type,
            "multipay_payments_made": None,
            "opt_in": False,
            "raw_extra_contact_information": {},
            "currency": row.currency,
            "effective_start_at": stamp(row.created_at),
            "cardholder_name": None,
            "billing_address_zip": None,
            "deactivated_at": ended,
            "deactivation_reason": row.deactivation_reason,
            "coupon_code": None,
            "source": None,
            "referrer": None,
            "quantity": 1,
            "created_at": stamp(row.created_at),
            "updated_at": stamp(row.created_at),
        },
        "relationships": {
            "customer": related("customers", member.customer_id),
            "offer": related("offers", row.offer_id),
            "products": {"data": []},
        },
    }


def transaction_document(row: Purchase, member: Member) -> Json:
    """The charge behind a purchase."""
    return {
        "id": f"9{row.id}",
        "type": "transactions",
        "attributes": {
            "action": "charge",
            "state": "succeeded",
            "payment_type": "charge",
            "amount_in_cents": row.amount_cents,
            "sales_tax_in_cents": 0,
            "currency": row.currency,
            "currency_symbol": {"EUR": "€", "USD": "$"}.get(row.currency, row.currency),
            "formatted_amount": f"{row.amount_cents / 100:.2f}",
            "created_at": stamp(row.created_at),
        },
        "relationships": {
            "customer": related("customers", member.customer_id),
            "offer": related("offers", row.offer_id),
        },
    }


def transaction(call: ApiCall, row: Purchase) -> Json:
    return transaction_document(row, call.world.books.members.rows[row.member_id])


def hook(call: ApiCall, row: KajabiHook) -> Json:
    return {
        "id": row.id,
        "type": "hooks",
        "attributes": {
            "target_url": row.target_url,
            "event": row.event,
            "resource_id": row.resource_id,
            "created_at": stamp(row.created_at),
        },
        "relationships": {"site": related("sites", row.site_id)},
    }


def tag(call: ApiCall, row: Tag) -> Json:
    return {
        "id": row.id,
        "type": "contact_tags",
        "attributes": {"name": row.name},
        "relationships": {"site": related("sites", row.site_id)},
    }
