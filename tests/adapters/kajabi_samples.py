"""What Kajabi's webhooks carry. The first is real: Kajabi's own test message, as two sites received it."""

from typing import Any

CAPTURED_TEST: dict[str, Any] = {
    "id": "f36e8f76-e02e-11f0-921d-4b2732f24088",
    "event": "purchase.created",
    "payload": {
        "affiliate_conversion_id": 0,
        "affiliate_user_id": 0,
        "affiliate_user_name": "Kajabi Test Affiliate",
        "affiliate_user_email": "nobody.affiliate@kajabi.com",
        "contact_address_line_1": "100 Example Drive",
        "contact_address_line_2": "Suite 200G",
        "contact_address_city": "Irvine",
        "contact_address_country": "US",
        "contact_address_country_name": "United States of America",
        "contact_address_state": "CA",
        "contact_address_zip": "92620",
        "contact_phone_number": "949-555-1212",
        "offer_id": 0,
        "offer_title": "Kajabi Test Offer",
        "offer_reference": "kajabi_offer_0",
        "opt_in": False,
        "trial": False,
        "member_id": 0,
        "member_email": "nobody@kajabi.com",
        "member_name": "Kajabi Test",
        "member_first_name": "Kajabi",
        "member_last_name": "Test",
        "transaction_id": 1234567890,
        "transaction_created_at": "2025-12-23T18:41:10.547+00:00",
        "offer_type": "subscription",
        "subtotal": 1250,
        "subtotal_decimal": 12.5,
        "discount_amount": 0,
        "discount_amount_decimal": 0,
        "amount_paid": 1250,
        "amount_paid_decimal": 12.5,
        "currency": "USD",
        "payment_method": "visa",
        "payment_processor": "Kajabi Payments",
        "coupon_code": "10OFF",
        "subscription_id": 1234567890,
        "subscription_created_at": "2025-12-23T18:41:10.547+00:00",
        "interval_payment_amount": 1250,
        "interval_payment_amount_decimal": 12.5,
        "interval_count": 1,
        "interval": "month",
        "trial_period_days": None,
        "setup_fee": 0,
        "setup_fee_decimal": 0,
        "quantity": 1,
    },
}


def purchase(**changes: Any) -> dict[str, Any]:
    """The captured message as a real purchase of offer 1234567 by Anna would have it."""
    payload = CAPTURED_TEST["payload"] | {
        "offer_id": 1234567,
        "member_id": 7654321,
        "member_email": "Anna@Example.com",
        "member_name": "Anna de Vries",
    }
    return CAPTURED_TEST | {"payload": payload | changes}


def grouped(**changes: Any) -> dict[str, Any]:
    """The second shape: an object per thing, at the top."""
    return {
        "id": "789",
        "event": "payment.succeeded",
        "offer": {"id": "1234567", "title": "Members", "internal_title": None, "type": "subscription"},
        "member": {"id": "456", "email": "anna@example.com", "name": "Anna de Vries"},
        "payment_transaction": {"id": "789", "amount_paid": 1250, "currency": "EUR", "quantity": 1},
    } | changes


def resources(external_user_id: str | None = None) -> dict[str, Any]:
    """The third shape: JSON:API resources in a list."""
    offer = {"data": {"id": "1234567", "type": "offers"}}
    customer = {"name": "Anna de Vries", "email": "anna@example.com", "external_user_id": external_user_id}
    return {
        "id": "hash_id",
        "event": "purchase",
        "payload": [
            {
                "id": "31",
                "type": "purchases",
                "attributes": {"quantity": 1},
                "relationships": {"offer": offer},
            },
            {"id": "1234567", "type": "offers", "attributes": {"title": "Members"}},
            {"id": "456", "type": "customers", "attributes": customer},
        ],
    }
