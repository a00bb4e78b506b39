"""Turns the body of a create call into a payment, or refuses it as Mollie does."""

from collections.abc import Callable
from typing import Any

from linkpay.sandbox import ids
from linkpay.sandbox.mollie import consent, fields
from linkpay.sandbox.mollie.call import Call, MollieError, invalid
from linkpay.sandbox.mollie.catalogue import ALL_IDS, METHODS, Method, fits
from linkpay.sandbox.moments import local_day
from linkpay.sandbox.records import Customer, Json, Mandate, Payment
from linkpay.sandbox.world import World

_ECHOED: dict[str, Callable[[Json, str], Any]] = {
    "lines": fields.listing,
    "billingAddress": fields.mapping,
    "shippingAddress": fields.mapping,
    "restrictPaymentMethodsToCountry": fields.text,
    "billingEmail": fields.text,
    "captureDelay": fields.text,
    "applicationFee": fields.mapping,
    "routing": fields.listing,
}


def order(call: Call) -> Payment:
    """The payment that `call` asks for, not yet in the books."""
    body = call.body
    cents, currency = fields.amount(body)
    description = fields.required_text(body, "description")
    sequence = fields.choice(body, "sequenceType", ("oneoff", "first", "recurring"), "oneoff") or "oneoff"
    customer = _customer(call, sequence)
    methods = _methods(body)
    payment = Payment(
        id=ids.fresh("tr", 22),
        created_at=call.now,
        scope=call.scope,
        profile_id=profile_of(call),
        amount_cents=cents,
        currency=currency,
        description=description[:255],
        sequence_type=sequence,
        status="open",
        checkout_token=f"3.{ids.word(20)}",
        metadata=fields.metadata(body),
        locale=fields.locale(body),
        redirect_url=fields.address(body, "redirectUrl", required=sequence != "recurring"),
        cancel_url=fields.address(body, "cancelUrl"),
        webhook_url=fields.address(body, "webhookUrl"),
        customer_id=customer.id if customer is not None else None,
        capture_mode=fields.choice(body, "captureMode", ("automatic", "manual"), "automatic") or "automatic",
    )
    for key, read in _ECHOED.items():
        if body.get(key) is not None:
            payment.extra[key] = read(body, key)
    if customer is not None and sequence == "recurring":
        prepare_recurring(call.world, payment, fields.text(body, "mandateId"), methods)
    else:
        _prepare_checkout(call, payment, methods)
    return payment


def _customer(call: Call, sequence: str) -> Customer | None:
    customer_id = fields.text(call.body, "customerId", required=sequence != "oneoff")
    if customer_id is None:
        return None
    customer = call.world.books.customers.get(customer_id)
    if customer is None or customer.scope != call.scope or customer.deleted_at is not None:
        raise invalid("The customer ID is invalid", "customerId")
    return customer


def profile_of(call: Call) -> str:
    """The caller's profile: that of the key, or the one an access token must name."""
    profiles = call.world.books.profiles.where("organization_id", call.who.organization.id)
    if call.who.kind == "api_key":
        return profiles[0].id
    named = fields.required_text(call.body, "profileId")
    if all(profile.id != named for profile in profiles):
        raise invalid("The profile ID is invalid", "profileId")
    return named


def _methods(body: Json) -> list[str]:
    """The requested methods; empty when the buyer chooses from all."""
    value: Any = body.get("method")
    wanted = value if isinstance(value, list) else [] if value is None else [value]
    for each in wanted:
        if not isinstance(each, str) or each not in ALL_IDS:
            raise invalid("The method is invalid", "method")
    return list(dict.fromkeys(wanted))


def offered(call_methods: list[str], payment: Payment, disabled: list[str]) -> list[Method]:
    """The active methods that fit the payment, in the catalogue's order."""
    return [
        method
        for method in METHODS.values()
        if method.id not in disabled
        and (not call_methods or method.id in call_methods)
        and fits(method, payment.sequence_type, payment.amount_cents, payment.currency)
    ]


def _prepare_checkout(call: Call, payment: Payment, methods: list[str]) -> None:
    """A first or one-off payment goes to the hosted page; a first one makes a pending mandate now."""
    if len(methods) == 1:
        _check_limits(payment, METHODS.get(methods[0]))
    if not offered(methods, payment, call.who.organization.disabled_methods):
        raise invalid("No suitable payment methods found", "method" if methods else None)
    payment.methods = methods
    payment.preset_method = len(methods) == 1
    payment.method = methods[0] if payment.preset_method else None
    if payment.sequence_type == "first" and payment.customer_id is not None:
        payment.mandate_id = _pending_mandate(call.world, payment).id


def _check_limits(payment: Payment, method: Method | None) -> None:
    """The clearer refusals for an amount that one method cannot take."""
    if method is None or payment.currency not in method.currencies:
        return
    zero_allowed = method.zero_first and payment.sequence_type == "first"
    if payment.amount_cents < method.minimum_cents and not (payment.amount_cents == 0 and zero_allowed):
        raise invalid("The amount is lower than the minimum", "amount")
    if method.maximum_cents is not None and payment.amount_cents > method.maximum_cents:
        raise invalid("The amount is higher than the maximum", "amount")


def _pending_mandate(world: World, payment: Payment) -> Mandate:
    kind = METHODS[payment.method].mandate if payment.method is not None else None
    method = kind or "directdebit"
    names = ("cardHolder", "cardNumber") if method == "creditcard" else ("consumerName", "consumerAccount")
    return world.books.mandates.add(
        Mandate(
            id=ids.fresh("mdt"),
            created_at=payment.created_at,
            scope=payment.scope,
            customer_id=payment.customer_id or "",
            status="pending",
            method=method,
            details=dict.fromkeys(names),
            reference=f"SANDBOX-MD{ids.digits(8)}",
            signature_on=local_day(payment.created_at),
            payment_id=payment.id,
        )
    )


def prepare_recurring(world: World, payment: Payment, mandate_id: str | None, methods: list[str]) -> None:
    """Choose the mandate and take the customer's predetermined fate. 422 without a valid mandate."""
    mandate = _mandate(world, payment, mandate_id, methods)
    method = METHODS[mandate.method]
    organization = world.books.organizations.rows[payment.scope.split(":")[0]]
    if method.id in organization.disabled_methods:
        raise invalid("The recurring payment method is inactive", "method")
    _check_limits(payment, method)
    if not fits(method, "recurring", payment.amount_cents, payment.currency):
        raise invalid("No suitable payment methods found", "amount")
    payment.method, payment.mandate_id, payment.redirect_url = mandate.method, mandate.id, None
    account = str(mandate.details.get("consumerAccount") or "")
    payment.fate = _take_fate(world, payment.customer_id or "") or _take_fate(world, account)


def _mandate(world: World, payment: Payment, mandate_id: str | None, methods: list[str]) -> Mandate:
    customer_id = payment.customer_id or ""
    found = consent.usable(world, customer_id, methods[0] if methods else None)
    if mandate_id is not None:
        found = world.books.mandates.get(mandate_id)
        fine = found is not None and found.customer_id == customer_id and found.status == "valid"
        if found is None or not fine or (methods and found.method not in methods):
            found = None
    if found is None:
        raise MollieError(422, "No suitable mandates found for customer")
    return found


def _take_fate(world: World, key: str) -> Json | None:
    fate = world.books.fates.get(key)
    if fate is None:
        return None
    fate.remaining -= 1
    if fate.remaining <= 0:
        world.books.fates.drop(fate)
    else:
        world.books.fates.save(fate)
    return fate.outcome
