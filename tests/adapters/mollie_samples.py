"""Mollie's objects as its specification shows them, with made-up values."""

import copy
from typing import Any

KEY = "test_0123456789abcdefABCDEF"
PAYMENT_ID = "tr_5B8cwPMGnU6qLbRvo7qEZo"

PAYMENT: dict[str, Any] = {
    "resource": "payment",
    "id": PAYMENT_ID,
    "mode": "test",
    "createdAt": "2026-01-04T13:44:39+01:00",
    "amount": {"value": "50.00", "currency": "EUR"},
    "description": "Membership, January",
    "method": "directdebit",
    "metadata": {"payment": "17", "attempt": 2, "odd": {"nested": True}},
    "status": "pending",
    "isCancelable": True,
    "profileId": "pfl_85dxyKqNHa",
    "customerId": "cst_tKt44u85MM",
    "mandateId": "mdt_uDPFVsxjR4",
    "sequenceType": "recurring",
    "redirectUrl": None,
    "details": {
        "consumerName": "Jane Doe",
        "consumerAccount": "NL55INGB0000001234",
        "dueDate": "2026-01-05",
        "bankReasonCode": "AM04",
    },
    "aFieldOfTomorrow": {"anything": [1, 2, 3]},
    "_links": {
        "self": {"href": "https://api.example.com/v2/payments/x", "type": "application/hal+json"},
        "checkout": {"href": "https://pay.example.com/checkout/abc", "type": "text/html"},
    },
}
REFUND: dict[str, Any] = {
    "resource": "refund",
    "id": "re_4qqhO89gsT",
    "mode": "test",
    "description": "Order",
    "amount": {"currency": "EUR", "value": "5.95"},
    "status": "pending",
    "metadata": '{"bookkeeping_id": 12345}',
    "paymentId": PAYMENT_ID,
    "createdAt": "2026-03-14T17:09:02+00:00",
    "_links": {},
}
CHARGEBACK: dict[str, Any] = {
    "resource": "chargeback",
    "id": "chb_xFzwUN4ci8HAmSGUACS4J",
    "amount": {"currency": "EUR", "value": "50.00"},
    "settlementAmount": {"currency": "EUR", "value": "-50.00"},
    "reason": {"code": "MD06", "description": "Reversed by the customer"},
    "paymentId": PAYMENT_ID,
    "createdAt": "2026-03-14T17:09:02+00:00",
    "reversedAt": None,
    "_links": {},
}
MANDATE: dict[str, Any] = {
    "resource": "mandate",
    "id": "mdt_h3gAaD5zP",
    "mode": "test",
    "status": "valid",
    "method": "directdebit",
    "details": {"consumerName": "John Doe", "consumerAccount": "NL55 INGB 0000 0056 78", "consumerBic": "X"},
    "mandateReference": "EXAMPLE-MD13804",
    "signatureDate": "2026-05-07",
    "customerId": "cst_4qqhO89gsT",
    "createdAt": "2026-05-07T10:49:08+00:00",
    "_links": {},
}
CUSTOMER: dict[str, Any] = {"resource": "customer", "id": "cst_4qqhO89gsT", "name": "John", "_links": {}}


def without(sample: dict[str, Any], name: str) -> dict[str, Any]:
    """The sample lacking one field."""
    return {key: value for key, value in copy.deepcopy(sample).items() if key != name}


def page(name: str, items: list[dict[str, Any]], cursor: str | None = None) -> dict[str, Any]:
    """A list, with a link to the next page that starts at `cursor`."""
    following = {"href": f"https://elsewhere.example.com/v2/{name}?from={cursor}&limit=2"} if cursor else None
    return {"count": len(items), "_embedded": {name: items}, "_links": {"next": following, "previous": None}}


def error(status: int, detail: str = "Something is wrong", **more: str) -> dict[str, Any]:
    """Mollie's error object."""
    return {"status": status, "title": "Title", "detail": detail, **more, "_links": {"documentation": {}}}


SUBSCRIPTION: dict[str, Any] = {
    "id": "sub_rVKGtNd6s3", "mode": "live", "createdAt": "2023-04-06T13:10:19+00:00", "status": "active",
    "amount": {"currency": "EUR", "value": "25.00"}, "times": 4, "timesRemaining": 3, "interval": "3 months",
    "startDate": "2023-06-01", "nextPaymentDate": "2023-09-01", "description": "Quarterly", "method": None,
    "customerId": "cst_stTC2WHAuS", "mandateId": "mdt_38HS4fsS",
}  # fmt: skip
