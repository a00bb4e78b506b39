"""Chargebacks: read only for merchants; the bank makes them (see the control addresses)."""

from linkpay.sandbox.mollie import hal, refunds
from linkpay.sandbox.mollie.call import Call, documentation, missing
from linkpay.sandbox.mollie.fields import money
from linkpay.sandbox.moments import stamp
from linkpay.sandbox.records import Chargeback
from linkpay.sandbox.web import Json


def view(call: Call, chargeback: Chargeback) -> Json:
    path = f"/v2/payments/{chargeback.payment_id}"
    shown: Json = {
        "resource": "chargeback",
        "id": chargeback.id,
        "amount": money(chargeback.amount_cents, chargeback.currency),
        "paymentId": chargeback.payment_id,
        "createdAt": stamp(chargeback.created_at),
        "reason": chargeback.reason,
        "reversedAt": stamp(chargeback.reversed_at) if chargeback.reversed_at is not None else None,
    }
    if chargeback.currency == "EUR":
        shown["settlementAmount"] = money(-chargeback.amount_cents, chargeback.currency)
    shown["_links"] = {
        "self": call.link(f"{path}/chargebacks/{chargeback.id}"),
        "payment": call.link(path),
        "documentation": documentation("get-chargeback"),
    }
    return shown


def get(call: Call) -> tuple[int, Json]:
    call.allow_query("embed")
    chargeback = call.world.books.chargebacks.get(call.params["chargeback"])
    if chargeback is None or chargeback.payment_id != refunds.payment_of(call).id:
        raise missing("chargeback", call.params["chargeback"])
    return 200, view(call, chargeback)


def listing(call: Call) -> tuple[int, Json]:
    call.allow_query("from", "limit", "embed")
    rows = call.world.books.chargebacks.where("payment_id", refunds.payment_of(call).id)
    return 200, hal.page(call, rows, "chargebacks", view)


def listing_all(call: Call) -> tuple[int, Json]:
    call.allow_query(*hal.PAGING, "embed", *(("profileId",) if call.who.kind == "access" else ()))
    return 200, hal.page(call, call.world.books.chargebacks.where("scope", call.scope), "chargebacks", view)
