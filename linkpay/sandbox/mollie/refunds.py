"""Refunds: pending for two hours, then on their way, refunded on the next banking day."""

from datetime import timedelta

from linkpay.sandbox import ids
from linkpay.sandbox.mollie import events, fields, hal, passage
from linkpay.sandbox.mollie.call import Call, MollieError, documentation, invalid, missing
from linkpay.sandbox.mollie.fields import money
from linkpay.sandbox.moments import bank_morning, banking_days_after, local_day, stamp
from linkpay.sandbox.records import Payment, Refund
from linkpay.sandbox.web import Json
from linkpay.sandbox.world import World

PENDING_FOR = timedelta(hours=2)
DUPLICATE_WITHIN = timedelta(hours=1)
ANNOUNCED = ("processing", "refunded", "failed")


def view(call: Call, refund: Refund) -> Json:
    path = f"/v2/payments/{refund.payment_id}"
    shown: Json = {
        "resource": "refund",
        "id": refund.id,
        "mode": refund.scope.split(":")[1],
        "createdAt": stamp(refund.created_at),
        "amount": money(refund.amount_cents, refund.currency),
        "description": refund.description,
        "metadata": refund.metadata,
        "status": refund.status,
        "paymentId": refund.payment_id,
    }
    if refund.currency == "EUR":
        shown["settlementAmount"] = money(-refund.amount_cents, refund.currency)
    shown["_links"] = {
        "self": call.link(f"{path}/refunds/{refund.id}"),
        "payment": call.link(path),
        "documentation": documentation("get-refund"),
    }
    return shown


def payment_of(call: Call) -> Payment:
    payment = call.world.books.payments.get(call.params["payment"])
    if payment is None or payment.scope != call.scope:
        raise missing("payment", call.params["payment"])
    return payment


def create(call: Call) -> tuple[int, Json]:
    call.allow_body(
        "amount",
        "description",
        "metadata",
        "externalReference",
        access_only=("reverseRouting", "routingReversals"),
    )
    payment = payment_of(call)
    cents, currency = fields.amount(call.body)
    description = fields.text(call.body, "description", limit=140)
    metadata = fields.metadata(call.body)
    _check(call, payment, cents, currency)
    refund = start(call.world, payment, cents, description or payment.description[:140])
    refund.metadata = metadata
    return 201, view(call, refund)


def _check(call: Call, payment: Payment, cents: int, currency: str) -> None:
    if payment.paid_at is None:
        raise invalid("The payment is not in a state that can be refunded")
    if currency != payment.currency:
        raise invalid("The currency should be that of the payment", "amount.currency")
    if cents < 1:
        raise invalid("The amount is lower than the minimum", "amount")
    for refund in call.world.books.refunds.where("payment_id", payment.id):
        recent = refund.created_at + DUPLICATE_WITHIN > call.now
        if recent and refund.amount_cents == cents and refund.status not in ("canceled", "failed"):
            raise MollieError(409, "A duplicate refund has been detected")
    if cents > payment.amount_cents - payment.refunded_cents - payment.charged_back_cents:
        raise invalid("The amount is higher than the maximum", "amount")


def start(world: World, payment: Payment, cents: int, description: str) -> Refund:
    """Send `cents` of a paid payment back."""
    now = world.now()
    refund = Refund(
        id=ids.fresh("re"),
        created_at=now,
        scope=payment.scope,
        payment_id=payment.id,
        amount_cents=cents,
        currency=payment.currency,
        description=description,
        status="pending",
    )
    payment.refunded_cents += cents
    world.books.payments.save(payment)
    world.books.refunds.add(refund)
    world.books.schedule(now + PENDING_FOR, "process_refund", refund.id, now)
    events.publish(world, payment.scope, "refund.pending", refund.id)
    return refund


def process(world: World, refund_id: str) -> None:
    """The refund leaves for the bank."""
    refund = world.books.refunds.get(refund_id)
    if refund is not None and refund.status == "pending":
        set_status(world, refund, "processing")
        now = world.now()
        done_at = bank_morning(banking_days_after(local_day(now), 1))
        world.books.schedule(done_at, "finish_refund", refund.id, now)


def finish(world: World, refund_id: str) -> None:
    """The refund arrived."""
    refund = world.books.refunds.get(refund_id)
    if refund is not None and refund.status == "processing":
        set_status(world, refund, "refunded")


def set_status(world: World, refund: Refund, status: str) -> None:
    """Move a refund; a failed or canceled one frees its amount. Some moves are announced."""
    payment = world.books.payments.rows[refund.payment_id]
    if status in ("failed", "canceled") and refund.status not in ("failed", "canceled"):
        payment.refunded_cents -= refund.amount_cents
        world.books.payments.save(payment)
    refund.status = status
    world.books.refunds.save(refund)
    events.publish(world, payment.scope, f"refund.{status}", refund.id)
    if status in ANNOUNCED:
        passage.announce_only_classic(world, payment, f"refund.{status}")


def find(call: Call) -> Refund:
    refund = call.world.books.refunds.get(call.params["refund"])
    if refund is None or refund.payment_id != payment_of(call).id:
        raise missing("refund", call.params["refund"])
    return refund


def get(call: Call) -> tuple[int, Json]:
    call.allow_query("embed")
    return 200, view(call, find(call))


def listing(call: Call) -> tuple[int, Json]:
    call.allow_query("from", "limit", "embed")
    rows = call.world.books.refunds.where("payment_id", payment_of(call).id)
    return 200, hal.page(call, rows, "refunds", view)


def listing_all(call: Call) -> tuple[int, Json]:
    call.allow_query(*hal.PAGING, "embed", *(("profileId",) if call.who.kind == "access" else ()))
    return 200, hal.page(call, call.world.books.refunds.where("scope", call.scope), "refunds", view)


def delete(call: Call) -> tuple[int, None]:
    """Only while it has not left yet."""
    call.allow_body()
    refund = find(call)
    if refund.status not in ("queued", "pending"):
        raise invalid("The refund cannot be canceled any more")
    set_status(call.world, refund, "canceled")
    return 204, None
