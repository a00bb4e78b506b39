"""The hosted pages: where a buyer pays, and where a tester changes what became of a payment."""

from dataclasses import dataclass

from linkpay.sandbox import ids
from linkpay.sandbox.mollie import passage, refunds
from linkpay.sandbox.mollie.catalogue import ISSUERS
from linkpay.sandbox.mollie.fields import money
from linkpay.sandbox.mollie.orders import offered
from linkpay.sandbox.pages import page, redirect
from linkpay.sandbox.records import Payment
from linkpay.sandbox.web import Json, Request, Response
from linkpay.sandbox.world import World

OUTCOMES = {
    "paid": "Paid",
    "failed": "Failed",
    "canceled": "Canceled by the buyer",
    "expired": "Expired",
    "open": "Leave it open (go back without paying)",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """What the buyer filled in."""

    method: str
    issuer: str
    outcome: str


def answer(world: World, request: Request) -> Response:
    """Any address below ``/checkout``."""
    parts = request.path.strip("/").split("/")
    with world.books.lock:
        payment = world.books.payments.first("checkout_token", parts[1] if len(parts) > 1 else "")
        if payment is None or len(parts) > 3 or (len(parts) == 3 and parts[2] != "state"):
            return page("message.html", 404, title="Not found", text="There is no such payment.")
        if request.method not in ("GET", "HEAD", "POST"):
            return page("message.html", 405, title="Not possible", text="This page can be read and posted.")
        posted = request.form() if request.method == "POST" else None
        if len(parts) == 3:
            return _state_page(payment) if posted is None else _change(world, payment, posted)
        return _checkout(world, payment, posted)


def dashboard(world: World, request: Request) -> Response:
    """What stands in for Mollie's dashboard: a payment's page leads to where its state can be changed."""
    payment = world.books.payments.get(request.path.rstrip("/").rpartition("/")[2])
    if payment is None:
        return page("message.html", 404, title="Not found", text="The dashboard knows payments only.")
    return redirect(f"/checkout/{payment.checkout_token}/state")


def _checkout(world: World, payment: Payment, posted: dict[str, str] | None) -> Response:
    if payment.status != "open":
        return _finished(payment)
    return _show(world, payment) if posted is None else _pay(world, payment, posted)


def _finished(payment: Payment) -> Response:
    return page(
        "message.html",
        title=f"This payment is {payment.status}",
        text="Nothing is left to do here.",
        link=payment.redirect_url,
    )


def _methods(world: World, payment: Payment) -> list[Json]:
    organization = world.books.organizations.rows[payment.scope.split(":")[0]]
    found = offered(payment.methods, payment, organization.disabled_methods)
    return [{"id": method.id, "name": method.description} for method in found]


def _show(world: World, payment: Payment, problem: str = "") -> Response:
    return page(
        "checkout.html",
        422 if problem else 200,
        payment=payment,
        amount=money(payment.amount_cents, payment.currency),
        methods=_methods(world, payment),
        issuers=ISSUERS,
        outcomes=OUTCOMES,
        problem=problem,
    )


def _pay(world: World, payment: Payment, posted: dict[str, str]) -> Response:
    methods = [method["id"] for method in _methods(world, payment)]
    preset = payment.method if payment.preset_method else None
    choice = Choice(
        method=preset or posted.get("method") or methods[0],
        issuer=posted.get("issuer", ""),
        outcome=posted.get("status", ""),
    )
    if choice.method not in methods:
        return _show(world, payment, "Choose one of the methods.")
    if choice.outcome not in OUTCOMES:
        return _show(world, payment, "Choose what should become of the payment.")
    if choice.issuer and choice.issuer not in ISSUERS:
        return _show(world, payment, "Choose one of the banks.")
    if choice.outcome != "open":
        payment.method = choice.method
        _end(world, payment, choice)
    back = payment.cancel_url if choice.outcome == "canceled" else None
    return redirect(back or payment.redirect_url or "/")


def _end(world: World, payment: Payment, choice: Choice) -> None:
    if choice.outcome == "paid":
        settle(world, payment, choice.issuer)
    elif choice.outcome == "failed":
        passage.fail(world, payment)
    elif choice.outcome == "canceled":
        passage.cancel(world, payment)
    else:
        passage.expire(world, payment.id)


def settle(world: World, payment: Payment, issuer: str = "") -> None:
    """Pay an open payment with the method it has, as the buyer's bank or card would."""
    payment.details |= payer_details(world, payment, issuer)
    reason = passage.CARD_AMOUNTS.get(payment.amount_cents)
    if payment.method in ("creditcard", "applepay") and reason is not None:
        passage.fail(world, payment, reason)
    elif payment.capture_mode == "manual" and payment.method in ("creditcard", "klarna"):
        passage.authorize(world, payment)
    else:
        passage.pay(world, payment)


def payer_details(world: World, payment: Payment, issuer: str = "") -> Json:
    """Who paid: the customer's name with a made-up account or card, always the same for a customer."""
    customer = world.books.customers.get(payment.customer_id)
    name = (customer.name if customer is not None else None) or "T. Test"
    seed = payment.customer_id or payment.id
    if payment.method in ("creditcard", "applepay"):
        return {
            "cardNumber": f"{ids.derived_number(f'card:{seed}', 4)}",
            "cardHolder": name,
            "cardAudience": "consumer",
            "cardLabel": "Mastercard",
            "cardCountryCode": "NL",
            "cardSecurity": "3dsecure",
            "cardFingerprint": ids.derived("card", seed, 20).removeprefix("card_"),
            "cardExpiryDate": f"{world.now().year + 3}-12-31",
            "feeRegion": "intra-eu",
        }
    if payment.method == "paypal":
        email = customer.email if customer is not None else None
        return {"consumerName": name, "consumerAccount": email or "payer@example.com"}
    bank = issuer.removeprefix("ideal_")[:4] if issuer else None
    iban = ids.iban_for(seed, bank)
    bic = issuer.removeprefix("ideal_") if issuer else ids.bic_of(iban)
    return {"consumerName": name, "consumerAccount": iban, "consumerBic": bic}


def _state_page(payment: Payment, problem: str = "") -> Response:
    return page(
        "state.html",
        422 if problem else 200,
        payment=payment,
        amount=money(payment.amount_cents, payment.currency),
        reasons=passage.SDD_REASONS if payment.method == "directdebit" else passage.CARD_REASONS,
        problem=problem,
    )


def _change(world: World, payment: Payment, posted: dict[str, str]) -> Response:
    """What a tester may do at ``changePaymentState``: pay, fail or cancel; refund or charge back."""
    wanted, reason = posted.get("status", ""), posted.get("reason") or None
    known = passage.SDD_REASONS if payment.method == "directdebit" else passage.CARD_REASONS
    if reason is not None and reason not in known:
        return _state_page(payment, "Choose one of the reasons.")
    left = payment.amount_cents - payment.refunded_cents - payment.charged_back_cents
    match payment.status, wanted:
        case (("pending" | "authorized"), "paid"):
            passage.pay(world, payment)
        case (("pending" | "authorized"), "failed"):
            passage.fail(world, payment, reason)
        case (("pending" | "authorized"), "canceled"):
            passage.cancel(world, payment)
        case "paid", "chargeback" if left > 0:
            passage.charge_back(world, payment, reason if payment.method == "directdebit" else None, left)
        case "paid", "refund" if left > 0:
            refunds.start(world, payment, left, payment.description[:140])
        case _:
            return _state_page(payment, "That is not possible in the present state.")
    return page("message.html", title="Done", text=f"{payment.id} is {payment.status}.")
