"""The passage of a payment through its states, and which of them Mollie announces.

Announced: paid, authorized, failed, canceled, expired, and later refunds and chargebacks (Mollie docs,
webhooks). Never announced: open and pending.
"""

from datetime import timedelta

from linkpay.sandbox import ids, webhooks
from linkpay.sandbox.mollie import consent, events
from linkpay.sandbox.mollie.catalogue import METHODS
from linkpay.sandbox.moments import bank_morning, banking_days_after, local_day
from linkpay.sandbox.records import Chargeback, Json, Mandate, Payment
from linkpay.sandbox.world import World

SDD_REASONS = {
    "AC01": "Account identifier incorrect (i.e. invalid IBAN)",
    "AC04": "Account closed",
    "AC06": "Account blocked",
    "AG02": "Transaction code incorrect",
    "AM04": "Insufficient funds",
    "MD01": "No valid mandate",
    "MD06": "Reversed by the account holder",
    "MD07": "Account holder deceased",
    "MS02": "Refused by the account holder",
    "MS03": "Refused, no reason given by the bank",
    "SL01": "Refused by the account holder's bank on instruction",
}
CARD_REASONS = {
    "authentication_abandoned": "The buyer left the authentication",
    "authentication_failed": "The authentication failed",
    "authentication_required": "The card needs an authentication",
    "authentication_unavailable_acs": "The card's bank could not authenticate",
    "card_declined": "The card was declined",
    "card_expired": "The card has expired",
    "inactive_card": "The card is not active",
    "insufficient_funds": "The card has insufficient funds",
    "invalid_cvv": "The security code is wrong",
    "invalid_card_holder_name": "The card holder's name is wrong",
    "invalid_card_number": "The card number is wrong",
    "invalid_card_type": "This type of card is not accepted",
    "possible_fraud": "The payment was stopped as possible fraud",
    "refused_by_issuer": "The card's bank refused",
    "unknown_reason": "The payment failed for an unknown reason",
}
CARD_AMOUNTS = {
    100_100: "invalid_card_number",
    100_200: "invalid_cvv",
    100_300: "invalid_card_holder_name",
    100_400: "card_expired",
    100_500: "invalid_card_type",
    100_600: "refused_by_issuer",
    100_700: "insufficient_funds",
    100_800: "inactive_card",
    100_900: "possible_fraud",
    101_000: "authentication_failed",
    101_100: "card_declined",
}


def announce(world: World, payment: Payment, event: str) -> None:
    """Tell the merchant that something about `payment` changed."""
    events.publish(world, payment.scope, event, payment.id)
    if payment.webhook_url is not None:
        world.courier.send(webhooks.classic(payment.id, payment.webhook_url, world.now(), event))


def pay(world: World, payment: Payment) -> None:
    """The money is there. A first payment makes its mandate valid."""
    now = world.now()
    _leave_checkout(world, payment)
    payment.status, payment.paid_at, payment.failed_at = "paid", now, None
    payment.canceled_at = payment.expired_at = None
    payment.details.pop("bankReasonCode", None)
    payment.details.pop("bankReason", None)
    payment.details.pop("failureReason", None)
    payment.details.pop("failureMessage", None)
    world.books.payments.save(payment)
    if payment.sequence_type == "first":
        _complete_mandate(world, payment)
    later = (payment.fate or {}).get("charge_back_after_days")
    if later is not None:
        world.books.schedule(now + timedelta(days=later), "charge_back", payment.id, now)
    announce(world, payment, "payment.paid")


def authorize(world: World, payment: Payment) -> None:
    """The money is reserved and waits to be captured."""
    _leave_checkout(world, payment)
    payment.status, payment.authorized_at, payment.captured_cents = "authorized", world.now(), 0
    world.books.payments.save(payment)
    announce(world, payment, "payment.authorized")


def fail(world: World, payment: Payment, reason: str | None = None) -> None:
    """The payment did not succeed; for a debit this may come after it was paid."""
    _leave_checkout(world, payment)
    payment.status, payment.failed_at, payment.paid_at = "failed", world.now(), None
    if payment.method == "directdebit":
        code = reason or "MS03"
        payment.details |= {"bankReasonCode": code, "bankReason": SDD_REASONS[code]}
        if code in consent.BREAKING_REASONS:
            consent.invalidate(world, payment.mandate_id)
    elif payment.method in ("creditcard", "applepay"):
        word = reason or "unknown_reason"
        payment.details |= {"failureReason": word, "failureMessage": CARD_REASONS[word]}
    world.books.payments.save(payment)
    announce(world, payment, "payment.failed")


def cancel(world: World, payment: Payment) -> None:
    _leave_checkout(world, payment)
    payment.status, payment.canceled_at = "canceled", world.now()
    world.books.payments.save(payment)
    announce(world, payment, "payment.canceled")


def expire(world: World, payment_id: str) -> None:
    """Nobody paid in time."""
    payment = world.books.payments.get(payment_id)
    if payment is None or payment.status not in ("open", "authorized"):
        return
    _leave_checkout(world, payment)
    payment.status, payment.expired_at = "expired", world.now()
    world.books.payments.save(payment)
    announce(world, payment, "payment.expired")


def set_pending(world: World, payment: Payment) -> None:
    """The bank is at work; not announced."""
    _leave_checkout(world, payment)
    payment.status = "pending"
    payment.paid_at = payment.failed_at = None
    world.books.payments.save(payment)
    events.publish(world, payment.scope, "payment.pending", payment.id)


def start_debit(world: World, payment: Payment) -> None:
    """Send a debit to the bank: due the next banking day, final one banking day later (help.mollie.com)."""
    now = world.now()
    payment.due_on = banking_days_after(local_day(now), 1)
    mandate = world.books.mandates.get(payment.mandate_id)
    account: Json = mandate.details if mandate is not None else {}
    number = ids.digits(14)
    payment.details = {
        "transferReference": f"SD{number[:2]}-{number[2:6]}-{number[6:10]}-{number[10:]}",
        "creditorIdentifier": f"NL08ZZZ{ids.derived_number(payment.scope, 12)}",
        "consumerName": account.get("consumerName"),
        "consumerAccount": account.get("consumerAccount"),
        "consumerBic": account.get("consumerBic"),
        "dueDate": payment.due_on.isoformat(),
        "signatureDate": mandate.signature_on.isoformat() if mandate is not None else None,
        "mandateReference": mandate.reference if mandate is not None else None,
        "endToEndIdentifier": ids.word(20),
    }
    payment.status = "pending"
    final_at = bank_morning(banking_days_after(payment.due_on, 1))
    world.books.payments.save(payment)
    world.books.schedule(final_at, "settle_debit", payment.id, now)


def settle_debit(world: World, payment_id: str) -> None:
    """The bank answers a debit, as it was told to (`fate`), otherwise with the money."""
    payment = world.books.payments.get(payment_id)
    if payment is None or payment.status != "pending":
        return
    fate = payment.fate or {"status": "paid"}
    if fate["status"] == "failed":
        fail(world, payment, fate.get("reason"))
    elif fate["status"] != "pending":
        pay(world, payment)


def charge_card(world: World, payment: Payment) -> None:
    """A card or wallet answers at once: by its fate, by the documented test amounts, or with the money."""
    fate = payment.fate or {"status": "paid"}
    reason = CARD_AMOUNTS.get(payment.amount_cents) if payment.method != "paypal" else None
    if fate["status"] == "failed":
        fail(world, payment, fate.get("reason"))
    elif fate["status"] == "pending":
        set_pending(world, payment)
    elif reason is not None:
        fail(world, payment, reason)
    else:
        pay(world, payment)


def charge_back(world: World, payment: Payment, reason: str | None, cents: int | None = None) -> Chargeback:
    """The bank takes the money back; the payment stays `paid` (Mollie docs)."""
    chargeback = Chargeback(
        id=ids.fresh("chb", 21),
        created_at=world.now(),
        scope=payment.scope,
        payment_id=payment.id,
        amount_cents=payment.amount_cents - payment.charged_back_cents if cents is None else cents,
        currency=payment.currency,
        reason={"code": reason, "description": SDD_REASONS[reason]} if reason is not None else None,
    )
    payment.charged_back_cents += chargeback.amount_cents
    world.books.chargebacks.add(chargeback)
    world.books.payments.save(payment)
    if reason in consent.BREAKING_REASONS:
        consent.invalidate(world, payment.mandate_id)
    events.publish(world, payment.scope, "chargeback.received", chargeback.id)
    announce_only_classic(world, payment, "chargeback.received")
    return chargeback


def announce_only_classic(world: World, payment: Payment, source: str) -> None:
    """The classic webhook of the payment for a change that is its refund's or chargeback's."""
    if payment.webhook_url is not None:
        world.courier.send(webhooks.classic(payment.id, payment.webhook_url, world.now(), source))


def reverse_chargeback(world: World, chargeback: Chargeback) -> None:
    """The merchant won: the money comes back."""
    chargeback.reversed_at = world.now()
    world.books.chargebacks.save(chargeback)
    payment = world.books.payments.get(chargeback.payment_id)
    if payment is not None:
        payment.charged_back_cents -= chargeback.amount_cents
        world.books.payments.save(payment)
        events.publish(world, payment.scope, "chargeback.reversed", chargeback.id)
        announce_only_classic(world, payment, "chargeback.reversed")


def _leave_checkout(world: World, payment: Payment) -> None:
    world.books.cancel_timers(payment.id)


def _complete_mandate(world: World, payment: Payment) -> None:
    """Fill in who paid, and let the mandate become valid (later, when the bank is slow with the name)."""
    mandate = world.books.mandates.get(payment.mandate_id)
    if mandate is None or mandate.revoked_at is not None:
        return
    _fill_mandate(mandate, payment)
    late = (payment.fate or {}).get("mandate_after_hours")
    if late is None:
        mandate.status = "valid"
    else:
        due_at = world.now() + timedelta(hours=late)
        world.books.schedule(due_at, "validate_mandate", mandate.id, world.now())
    world.books.mandates.save(mandate)


def _fill_mandate(mandate: Mandate, payment: Payment) -> None:
    kind = METHODS[payment.method].mandate if payment.method in METHODS else None
    mandate.method = kind or "directdebit"
    names = {
        "creditcard": ("cardHolder", "cardNumber", "cardLabel", "cardFingerprint", "cardExpiryDate"),
        "paypal": ("consumerName", "consumerAccount"),
    }.get(mandate.method, ("consumerName", "consumerAccount", "consumerBic"))
    mandate.details = {name: payment.details.get(name) for name in names}


def validate_mandate(world: World, mandate_id: str) -> None:
    """The bank delivered the account at last."""
    mandate = world.books.mandates.get(mandate_id)
    if mandate is not None and mandate.status == "pending":
        mandate.status = "valid"
        world.books.mandates.save(mandate)
