"""Captures of authorized payments."""

from linkpay.sandbox import ids
from linkpay.sandbox.mollie import events, fields, hal, passage, refunds
from linkpay.sandbox.mollie.call import Call, documentation, invalid, missing
from linkpay.sandbox.mollie.fields import money
from linkpay.sandbox.moments import stamp
from linkpay.sandbox.records import Capture, Payment
from linkpay.sandbox.web import Json


def view(call: Call, capture: Capture) -> Json:
    path = f"/v2/payments/{capture.payment_id}"
    return {
        "resource": "capture",
        "id": capture.id,
        "mode": capture.scope.split(":")[1],
        "description": capture.description,
        "amount": money(capture.amount_cents, capture.currency),
        "status": "succeeded",
        "metadata": capture.metadata,
        "paymentId": capture.payment_id,
        "createdAt": stamp(capture.created_at),
        "_links": {
            "self": call.link(f"{path}/captures/{capture.id}"),
            "payment": call.link(path),
            "documentation": documentation("get-capture"),
        },
    }


def create(call: Call) -> tuple[int, Json]:
    """Take (part of) an authorized payment; without an amount all of what is left."""
    call.allow_body("amount", "description", "metadata")
    payment = refunds.payment_of(call)
    if payment.status != "authorized" or payment.captured_cents is None:
        raise invalid("The payment is not authorized")
    left = payment.amount_cents - payment.captured_cents
    cents, currency = fields.amount(call.body) if "amount" in call.body else (left, payment.currency)
    if currency != payment.currency or not 0 < cents <= left:
        raise invalid("The amount is higher than the maximum", "amount")
    capture = Capture(
        id=ids.fresh("cpt"),
        created_at=call.now,
        scope=payment.scope,
        payment_id=payment.id,
        amount_cents=cents,
        currency=currency,
        description=fields.text(call.body, "description", limit=255) or "",
        metadata=fields.metadata(call.body),
    )
    call.world.books.captures.add(capture)
    events.publish(call.world, payment.scope, "capture.succeeded", capture.id)
    _settle(call, payment, cents)
    return 201, view(call, capture)


def _settle(call: Call, payment: Payment, cents: int) -> None:
    payment.captured_cents = (payment.captured_cents or 0) + cents
    passage.pay(call.world, payment)


def get(call: Call) -> tuple[int, Json]:
    call.allow_query("embed")
    capture = call.world.books.captures.get(call.params["capture"])
    if capture is None or capture.payment_id != refunds.payment_of(call).id:
        raise missing("capture", call.params["capture"])
    return 200, view(call, capture)


def listing(call: Call) -> tuple[int, Json]:
    call.allow_query("from", "limit", "embed")
    rows = call.world.books.captures.where("payment_id", refunds.payment_of(call).id)
    return 200, hal.page(call, rows, "captures", view)
