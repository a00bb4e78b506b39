"""Payments: created, read, changed and canceled by the merchant."""

from datetime import timedelta

from linkpay.sandbox.mollie import customers, fields, hal, passage
from linkpay.sandbox.mollie.call import Call, MollieError, invalid
from linkpay.sandbox.mollie.catalogue import DEFAULT_EXPIRY_SECONDS, METHODS
from linkpay.sandbox.mollie.orders import order
from linkpay.sandbox.mollie.payment_view import embed, embeds_of, is_cancelable, view
from linkpay.sandbox.mollie.refunds import payment_of
from linkpay.sandbox.records import Payment
from linkpay.sandbox.web import Json
from linkpay.sandbox.world import World

CREATE_KEYS = (
    "amount",
    "description",
    "redirectUrl",
    "cancelUrl",
    "webhookUrl",
    "lines",
    "billingAddress",
    "shippingAddress",
    "locale",
    "method",
    "issuer",
    "restrictPaymentMethodsToCountry",
    "metadata",
    "captureMode",
    "captureDelay",
    "customerId",
    "customerReference",
    "sequenceType",
    "mandateId",
    "dueDate",
    "billingEmail",
    "consumerName",
    "consumerAccount",
    "cardToken",
    "applePayPaymentToken",
    "terminalId",
    "digitalGoods",
    "extraMerchantData",
    "storeCredentials",
)
ACCESS_KEYS = ("profileId", "applicationFee", "routing")
UPDATE_KEYS = (
    "description",
    "redirectUrl",
    "cancelUrl",
    "webhookUrl",
    "metadata",
    "method",
    "locale",
    "dueDate",
    "restrictPaymentMethodsToCountry",
    "issuer",
    "billingAddress",
    "shippingAddress",
    "billingEmail",
)


def create(call: Call) -> tuple[int, Json]:
    include = call.query.pop("include", None)
    if include not in (None, "details.qrCode"):
        raise invalid("The include parameter is invalid", "include")
    call.allow_body(*CREATE_KEYS, access_only=ACCESS_KEYS)
    if call.who.organization.suspended:
        raise invalid("Your account is currently suspended")
    payment = order(call)
    begin(call.world, payment)
    return 201, view(call, payment)


def create_for_customer(call: Call) -> tuple[int, Json]:
    customer = customers.find(call, call.params["customer"])
    if call.body.get("customerId") not in (None, customer.id):
        raise invalid("The customer ID is that of another customer", "customerId")
    call.body["customerId"] = customer.id
    return create(call)


def begin(world: World, payment: Payment) -> None:
    """Take the payment into the books and let it start: to the checkout, the bank or the card."""
    world.books.payments.add(payment)
    if payment.sequence_type != "recurring":
        expires_at = payment.created_at + timedelta(seconds=expiry_seconds(payment))
        payment.expires_at = expires_at
        world.books.schedule(expires_at, "expire_payment", payment.id, world.now())
    elif payment.method == "directdebit":
        passage.start_debit(world, payment)
    else:
        passage.charge_card(world, payment)


def expiry_seconds(payment: Payment) -> int:
    if payment.method in METHODS:
        return METHODS[payment.method].expires_seconds
    return DEFAULT_EXPIRY_SECONDS


def get(call: Call) -> tuple[int, Json]:
    payment = payment_of(call)
    if not call.query:
        return 200, view(call, payment)
    call.allow_query("embed", "include")
    return 200, embed(call, payment, view(call, payment), embeds_of(call))


def listing(call: Call) -> tuple[int, Json]:
    call.allow_query(*hal.PAGING, *(("profileId",) if call.who.kind == "access" else ()))
    rows = call.world.books.payments.where("scope", call.scope)
    profile = call.query.get("profileId")
    if profile is not None:
        rows = [row for row in rows if row.profile_id == profile]
    return 200, hal.page(call, rows, "payments", view)


def listing_of_customer(call: Call) -> tuple[int, Json]:
    call.allow_query(*hal.PAGING, *(("profileId",) if call.who.kind == "access" else ()))
    customer = customers.find(call, call.params["customer"])
    rows = call.world.books.payments.where("customer_id", customer.id)
    return 200, hal.page(call, rows, "payments", view)


def update(call: Call) -> tuple[int, Json]:
    """Changes what may still change; triggers no webhook (Mollie docs)."""
    call.allow_body(*UPDATE_KEYS)
    payment = payment_of(call)
    body = call.body
    final = payment.status not in ("open", "pending")
    for name, key in (("redirect_url", "redirectUrl"), ("cancel_url", "cancelUrl")):
        if key in body:
            if final:
                detail = f"The {key.removesuffix('Url')} URL cannot be updated when the payment is finalized"
                raise invalid(detail, key)
            setattr(payment, name, fields.address(body, key))
    if "webhookUrl" in body:
        payment.webhook_url = fields.address(body, "webhookUrl")
    if "description" in body:
        payment.description = fields.required_text(body, "description")[:255]
    if "metadata" in body:
        payment.metadata = fields.metadata(body)
    if "locale" in body:
        payment.locale = fields.locale(body)
    if "method" in body:
        _change_method(payment, body)
    call.world.books.payments.save(payment)
    return 200, view(call, payment)


def _change_method(payment: Payment, body: Json) -> None:
    method = fields.choice(body, "method", METHODS)
    if payment.status != "open":
        raise invalid("The method cannot be updated when the payment is finalized", "method")
    payment.method, payment.preset_method = method, method is not None


def cancel(call: Call) -> tuple[int, Json]:
    call.allow_body()
    payment = payment_of(call)
    if not is_cancelable(call, payment):
        raise MollieError(422, "The payment cannot be cancelled")
    passage.cancel(call.world, payment)
    return 200, view(call, payment)
