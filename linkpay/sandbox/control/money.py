"""Controls over payments: what banks, cards and buyers do."""

from linkpay.errors import Conflict, InputError, NotFound
from linkpay.sandbox import checkout
from linkpay.sandbox.control.desk import Order
from linkpay.sandbox.control.views import chargeback_view, payment_view, refund_view
from linkpay.sandbox.mollie import fields, passage, refunds
from linkpay.sandbox.mollie.call import MollieError
from linkpay.sandbox.mollie.catalogue import METHODS
from linkpay.sandbox.records import Fate, Payment
from linkpay.sandbox.web import Json
from linkpay.sandbox.world import World

MOVES: dict[str, tuple[str, ...]] = {
    "open": ("paid", "failed", "canceled", "expired", "pending", "authorized"),
    "pending": ("paid", "failed", "canceled"),
    "authorized": ("paid", "failed", "canceled", "expired"),
    "paid": (),
    "failed": (),
    "canceled": (),
    "expired": (),
}
FATES = ("paid", "failed", "pending", "charged_back")
#: Banks take back for 13 months at most, and no mandate is pending for longer than a year.
_LONGEST_DAYS, _LONGEST_HOURS = 400, 366 * 24


def _payment(order: Order) -> Payment:
    payment = order.world.books.payments.get(order.params["payment"])
    if payment is None:
        raise NotFound("not_found", f"There is no payment {order.params['payment']}")
    return payment


def _reason(order: Order, method: str | None, key: str = "reason") -> str | None:
    """The reason, checked against what this method can give."""
    reason = order.optional_text(key)
    known: Json = {}
    if method in ("directdebit", None):
        known |= passage.SDD_REASONS
    if method != "directdebit":
        known |= passage.CARD_REASONS
    if reason is not None and reason not in known:
        raise InputError("invalid", f"reason is one of {', '.join(known)}", key)
    return reason


def set_status(order: Order) -> tuple[int, object]:
    """Move a payment as a bank or buyer would; a paid debit may still fail."""
    order.allow("status", "reason", "method", "issuer", "mandate_after_hours")
    with order.world.books.lock:
        payment, status = _payment(order), order.text("status")
        allowed = MOVES[payment.status]
        if payment.status == "paid" and payment.method == "directdebit":
            allowed = ("failed",)
        if status not in passage_words():
            raise InputError("invalid", f"status is one of {', '.join(passage_words())}", "status")
        if status not in allowed:
            raise Conflict(
                "not_possible", f"{payment.id} is {payment.status} and cannot be {status}", "status"
            )
        _choose_method(order, payment)
        if "mandate_after_hours" in order.body:
            hours = order.number("mandate_after_hours", least=0, most=_LONGEST_HOURS)
            payment.fate = (payment.fate or {}) | {"mandate_after_hours": hours}
        _move(order, payment, status)
        return 200, payment_view(payment)


def passage_words() -> tuple[str, ...]:
    return MOVES["open"]


def _choose_method(order: Order, payment: Payment) -> None:
    method = order.optional_text("method")
    if method is not None and method not in METHODS:
        raise InputError("invalid", f"method is one of {', '.join(METHODS)}", "method")
    if payment.status == "open" and not payment.preset_method:
        payment.method = method or (payment.methods[0] if payment.methods else "ideal")


def _move(order: Order, payment: Payment, status: str) -> None:
    world, reason = order.world, _reason(order, payment.method)
    match status:
        case "paid" if payment.status == "open":
            payment.details |= checkout.payer_details(world, payment, order.text("issuer", ""))
            passage.pay(world, payment)
        case "paid":
            passage.pay(world, payment)
        case "failed":
            passage.fail(world, payment, reason)
        case "canceled":
            passage.cancel(world, payment)
        case "expired":
            passage.expire(world, payment.id)
        case "authorized":
            passage.authorize(world, payment)
        case _:
            passage.set_pending(world, payment)


def charge_back(order: Order) -> tuple[int, object]:
    """The bank takes (a part of) a paid payment back."""
    order.allow("reason", "amount")
    with order.world.books.lock:
        payment = _payment(order)
        reason = order.optional_text("reason")
        if reason is not None and reason not in passage.SDD_REASONS:
            raise InputError("invalid", f"reason is one of {', '.join(passage.SDD_REASONS)}", "reason")
        if payment.paid_at is None:
            raise Conflict("not_possible", f"{payment.id} is {payment.status}, not paid")
        left = payment.amount_cents - payment.charged_back_cents
        cents = _cents(order, payment) if "amount" in order.body else left
        if not 0 < cents <= left:
            raise Conflict("not_possible", "More cannot be charged back than was paid", "amount")
        return 201, chargeback_view(passage.charge_back(order.world, payment, reason, cents))


def _cents(order: Order, payment: Payment) -> int:
    try:
        cents, currency = fields.amount(order.body)
    except MollieError as error:
        raise InputError("invalid", error.detail, "amount") from error
    if currency != payment.currency:
        raise InputError("invalid", f"The payment is in {payment.currency}", "amount")
    return cents


def reverse_chargeback(order: Order) -> tuple[int, object]:
    """The merchant wins a chargeback."""
    order.allow()
    with order.world.books.lock:
        chargeback = order.world.books.chargebacks.get(order.params["chargeback"])
        if chargeback is None:
            raise NotFound("not_found", f"There is no chargeback {order.params['chargeback']}")
        if chargeback.reversed_at is not None:
            raise Conflict("not_possible", "It was reversed already")
        passage.reverse_chargeback(order.world, chargeback)
        return 200, chargeback_view(chargeback)


def refund(order: Order) -> tuple[int, object]:
    """A refund from Mollie's own dashboard, which the product did not ask for."""
    order.allow("amount", "description")
    with order.world.books.lock:
        payment = _payment(order)
        left = payment.amount_cents - payment.refunded_cents - payment.charged_back_cents
        cents = _cents(order, payment) if "amount" in order.body else left
        if payment.paid_at is None or not 0 < cents <= left:
            raise Conflict("not_possible", f"{payment.id} has {left} cents left to refund", "amount")
        text = order.text("description", payment.description[:140])
        return 201, refund_view(refunds.start(order.world, payment, cents, text))


def set_refund(order: Order) -> tuple[int, object]:
    """Move a refund: queued, pending, processing, refunded, failed or canceled."""
    order.allow("status")
    status = order.text("status")
    if status not in ("queued", "pending", "processing", "refunded", "failed", "canceled"):
        raise InputError("invalid", "There is no such refund status", "status")
    with order.world.books.lock:
        found = order.world.books.refunds.get(order.params["refund"])
        if found is None:
            raise NotFound("not_found", f"There is no refund {order.params['refund']}")
        if found.status in ("failed", "canceled"):
            raise Conflict("not_possible", f"{found.id} is {found.status} for good", "status")
        refunds.set_status(order.world, found, status)
        return 200, refund_view(found)


def set_customer_fate(order: Order) -> tuple[int, object]:
    """Predetermine what the bank answers to the next debits of a customer."""
    with order.world.books.lock:
        if order.world.books.customers.get(order.params["customer"]) is None:
            raise NotFound("not_found", f"There is no customer {order.params['customer']}")
        return _set_fate(order, order.params["customer"])


def set_account_fate(order: Order) -> tuple[int, object]:
    """The same for a bank account, whoever owns it."""
    with order.world.books.lock:
        return _set_fate(order, order.params["iban"].replace(" ", "").upper())


def _set_fate(order: Order, key: str) -> tuple[int, object]:
    order.allow("next_debit", "count")
    wanted = order.body.get("next_debit")
    if wanted is None and "next_debit" in order.body:
        _drop_fate(order.world, key)
        return 200, {"for": key, "next_debit": None, "count": 0}
    if not isinstance(wanted, dict) or wanted.get("status") not in FATES:
        raise InputError("invalid", f"next_debit.status is one of {', '.join(FATES)}", "next_debit")
    inner = Order(order.world, order.life, order.request, order.params, order.query, wanted)
    inner.allow("status", "reason", "after_days")
    outcome: Json = {"status": wanted["status"], "reason": _reason(inner, None)}
    if wanted["status"] == "charged_back":
        days = inner.number("after_days", 7, least=0, most=_LONGEST_DAYS)
        outcome = {"status": "paid", "reason": outcome["reason"], "charge_back_after_days": days}
    count = order.whole("count", 1, least=1, most=100_000)
    _drop_fate(order.world, key)
    now = order.world.now()
    order.world.books.fates.add(Fate(id=key, created_at=now, outcome=outcome, remaining=count))
    return 200, {"for": key, "next_debit": outcome, "count": count}


def _drop_fate(world: World, key: str) -> None:
    known = world.books.fates.get(key)
    if known is not None:
        world.books.fates.drop(known)
