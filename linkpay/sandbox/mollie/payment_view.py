"""A payment as Mollie shows it: keys that do not apply are absent."""

from linkpay.sandbox.mollie import captures, chargebacks, refunds
from linkpay.sandbox.mollie.call import Call, documentation, invalid
from linkpay.sandbox.mollie.fields import money
from linkpay.sandbox.moments import local_day, stamp
from linkpay.sandbox.records import Payment
from linkpay.sandbox.web import Json

EMBEDS = ("refunds", "chargebacks", "captures")
_MOMENTS = (
    ("authorized_at", "authorizedAt"),
    ("paid_at", "paidAt"),
    ("canceled_at", "canceledAt"),
    ("expired_at", "expiredAt"),
    ("failed_at", "failedAt"),
)


def view(call: Call, payment: Payment) -> Json:
    organization, mode = payment.scope.split(":")
    shown: Json = {
        "resource": "payment",
        "id": payment.id,
        "mode": mode,
        "createdAt": stamp(payment.created_at),
        "amount": money(payment.amount_cents, payment.currency),
        "description": payment.description,
        "method": payment.method,
        "metadata": payment.metadata,
        "status": payment.status,
    }
    _add_moments(call, payment, shown)
    _add_amounts(payment, shown)
    if payment.locale is not None:
        shown["locale"] = payment.locale
    shown["profileId"] = payment.profile_id
    for key, value in (
        ("customerId", payment.customer_id),
        ("mandateId", payment.mandate_id),
        ("subscriptionId", payment.subscription_id),
        ("webhookUrl", payment.webhook_url),
        ("cancelUrl", payment.cancel_url),
    ):
        if value is not None:
            shown[key] = value
    shown["sequenceType"] = payment.sequence_type
    shown["redirectUrl"] = payment.redirect_url
    if payment.details:
        shown["details"] = payment.details
    shown.update(payment.extra)
    shown["_links"] = _links(call, payment, organization)
    return shown


def _add_moments(call: Call, payment: Payment, shown: Json) -> None:
    if payment.status in ("open", "pending", "authorized"):
        shown["isCancelable"] = is_cancelable(call, payment)
    for name, key in _MOMENTS:
        at = getattr(payment, name)
        if at is not None:
            shown[key] = stamp(at)
    if payment.status == "open" and payment.expires_at is not None:
        shown["expiresAt"] = stamp(payment.expires_at)


def _add_amounts(payment: Payment, shown: Json) -> None:
    currency = payment.currency
    if payment.paid_at is not None:
        kept = payment.amount_cents - payment.refunded_cents - payment.charged_back_cents
        shown["amountRefunded"] = money(payment.refunded_cents, currency)
        shown["amountRemaining"] = money(max(0, kept), currency)
        if payment.charged_back_cents:
            shown["amountChargedBack"] = money(payment.charged_back_cents, currency)
    if payment.captured_cents is not None:
        shown["amountCaptured"] = money(payment.captured_cents, currency)
        shown["captureMode"] = payment.capture_mode
    if currency == "EUR" and (payment.paid_at is not None or payment.status == "pending"):
        shown["settlementAmount"] = money(payment.amount_cents, currency)


def is_cancelable(call: Call, payment: Payment) -> bool:
    """A debit until its due day begins, a bank transfer until it is paid; nothing else."""
    if payment.status == "authorized":
        return True
    if payment.method == "directdebit" and payment.status == "pending":
        return payment.due_on is not None and local_day(call.now) < payment.due_on
    return payment.method == "banktransfer" and payment.status == "open"


def _links(call: Call, payment: Payment, organization: str) -> Json:
    path = f"/v2/payments/{payment.id}"
    links: Json = {"self": call.link(path)}
    if payment.status == "open" and payment.sequence_type != "recurring":
        links["checkout"] = call.page(f"/checkout/{payment.checkout_token}")
    links["dashboard"] = call.page(f"/dashboard/{organization}/payments/{payment.id}")
    if payment.scope.endswith(":test") and payment.status in ("pending", "paid", "authorized"):
        links["changePaymentState"] = call.page(f"/checkout/{payment.checkout_token}/state")
    if payment.customer_id is not None:
        customer = f"/v2/customers/{payment.customer_id}"
        links["customer"] = call.link(customer)
        if payment.mandate_id is not None:
            links["mandate"] = call.link(f"{customer}/mandates/{payment.mandate_id}")
        if payment.subscription_id is not None:
            links["subscription"] = call.link(f"{customer}/subscriptions/{payment.subscription_id}")
    books = call.world.books
    for name, table in (
        ("refunds", books.refunds),
        ("chargebacks", books.chargebacks),
        ("captures", books.captures),
    ):
        if table.first("payment_id", payment.id) is not None:
            links[name] = call.link(f"{path}/{name}")
    links["documentation"] = documentation("get-payment")
    return links


def embeds_of(call: Call) -> list[str]:
    """The `embed` query as a list; 422 for one that does not exist."""
    wanted = [each for each in str(call.query.get("embed", "")).split(",") if each]
    for each in wanted:
        if each not in EMBEDS:
            raise invalid(f'The embed parameter does not know "{each}"', "embed")
    return wanted


def embed(call: Call, payment: Payment, shown: Json, wanted: list[str]) -> Json:
    """Put refunds, chargebacks or captures inside the payment."""
    books = call.world.books
    inside: Json = {}
    if "refunds" in wanted:
        inside["refunds"] = [
            refunds.view(call, each) for each in books.refunds.where("payment_id", payment.id)
        ]
    if "chargebacks" in wanted:
        rows = books.chargebacks.where("payment_id", payment.id)
        inside["chargebacks"] = [chargebacks.view(call, each) for each in rows]
    if "captures" in wanted:
        rows_captured = books.captures.where("payment_id", payment.id)
        inside["captures"] = [captures.view(call, each) for each in rows_captured]
    if inside:
        shown["_embedded"] = inside
    return shown
