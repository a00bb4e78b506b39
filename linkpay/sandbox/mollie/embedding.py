"""``embed=payment``: puts the payment inside its refunds, chargebacks and captures."""

from collections.abc import Callable

from linkpay.sandbox.mollie import payment_view
from linkpay.sandbox.mollie.call import Call, invalid
from linkpay.sandbox.web import Json

Reader = Callable[[Call], tuple[int, Json]]


def with_payment(read: Reader) -> Reader:
    """The same reader, which also understands ``embed=payment`` and refuses every other embed."""

    def reader(call: Call) -> tuple[int, Json]:
        wanted = call.query.get("embed")
        if wanted not in (None, "payment"):
            raise invalid(f'The embed parameter does not know "{wanted}"', "embed")
        status, body = read(call)
        if wanted is not None:
            for item in _items(body):
                payment = call.world.books.payments.rows[item["paymentId"]]
                item["_embedded"] = {"payment": payment_view.view(call, payment)}
        return status, body

    return reader


def _items(body: Json) -> list[Json]:
    """The entities of an answer: itself, or those of a list."""
    if "count" not in body:
        return [body]
    (found,) = body["_embedded"].values()
    return list(found)
