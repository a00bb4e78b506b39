"""Subscriptions: made, read, changed and canceled by the merchant."""

from linkpay.sandbox import ids
from linkpay.sandbox.mollie import consent, customers, fields, hal, payment_view, renewals
from linkpay.sandbox.mollie.call import Call, documentation, invalid, missing
from linkpay.sandbox.mollie.catalogue import METHODS, fits
from linkpay.sandbox.mollie.orders import profile_of
from linkpay.sandbox.moments import local_day, stamp
from linkpay.sandbox.records import Customer, Mandate, Subscription
from linkpay.sandbox.web import Json

_CREATE_KEYS = (
    "amount",
    "times",
    "interval",
    "startDate",
    "description",
    "method",
    "mandateId",
    "webhookUrl",
    "metadata",
)
_UPDATE_KEYS = tuple(key for key in _CREATE_KEYS if key != "method")
_METHODS = ("creditcard", "directdebit", "paypal")
_LIVING = ("active", "pending", "suspended")


def view(call: Call, subscription: Subscription) -> Json:
    customer = f"/v2/customers/{subscription.customer_id}"
    path = f"{customer}/subscriptions/{subscription.id}"
    times, charged = subscription.times, subscription.charged
    shown: Json = {
        "resource": "subscription",
        "id": subscription.id,
        "mode": subscription.scope.split(":")[1],
        "createdAt": stamp(subscription.created_at),
        "status": subscription.status,
        "amount": fields.money(subscription.amount_cents, subscription.currency),
        "times": times,
        "timesRemaining": times - charged if times is not None else None,
        "interval": subscription.interval,
        "startDate": subscription.start_on.isoformat(),
        "nextPaymentDate": subscription.next_on.isoformat() if subscription.next_on is not None else None,
        "description": subscription.description,
        "method": subscription.method,
        "metadata": subscription.metadata,
        "webhookUrl": subscription.webhook_url,
        "customerId": subscription.customer_id,
    }
    if subscription.mandate_id is not None:
        shown["mandateId"] = subscription.mandate_id
    if subscription.canceled_at is not None:
        shown["canceledAt"] = stamp(subscription.canceled_at)
    if subscription.application_fee is not None:
        shown["applicationFee"] = subscription.application_fee
    links = {"self": call.link(path), "customer": call.link(customer)}
    links["profile"] = call.link(f"/v2/profiles/{subscription.profile_id}")
    links["payments"] = call.link(f"{path}/payments")
    if subscription.mandate_id is not None:
        links["mandate"] = call.link(f"{customer}/mandates/{subscription.mandate_id}")
    shown["_links"] = {**links, "documentation": documentation("get-subscription")}
    return shown


def create(call: Call) -> tuple[int, Json]:
    call.allow_body(*_CREATE_KEYS, access_only=("profileId", "applicationFee"))
    customer = customers.find(call, call.params["customer"])
    body = call.body
    cents, currency = fields.amount(body)
    mandate = _mandate(call, customer)
    interval = fields.required_text(body, "interval")
    renewals.parse(interval)
    today = local_day(call.now)
    start_on = fields.day(body, "startDate") or today
    if start_on < today:
        raise invalid("The start date cannot be in the past", "startDate")
    _check_amount(mandate.method, cents, currency)
    subscription = Subscription(
        id=ids.fresh("sub"),
        created_at=call.now,
        scope=call.scope,
        customer_id=customer.id,
        profile_id=profile_of(call),
        amount_cents=cents,
        currency=currency,
        interval=interval,
        description=_description(call, customer, None),
        status="active" if mandate.status == "valid" else "pending",
        start_on=start_on,
        next_on=start_on,
        anchor_on=start_on,
        times=fields.whole(body, "times"),
        method=fields.choice(body, "method", _METHODS),
        mandate_id=fields.text(body, "mandateId"),
        metadata=fields.metadata(body),
        webhook_url=fields.address(body, "webhookUrl"),
        application_fee=fields.mapping(body, "applicationFee"),
    )
    call.world.books.subscriptions.add(subscription)
    renewals.plan(call.world, subscription, call.now)
    return 201, view(call, subscription)


def _mandate(call: Call, customer: Customer) -> Mandate:
    """The mandate to stand on, pending or valid; by name or by method, not both."""
    method, mandate_id = call.body.get("method"), fields.text(call.body, "mandateId")
    if method is not None and mandate_id is not None:
        raise invalid("The method and the mandate ID cannot be combined", "method")
    fields.choice(call.body, "method", _METHODS)
    for mandate in reversed(call.world.books.mandates.where("customer_id", customer.id)):
        named = mandate_id in (None, mandate.id) and method in (None, mandate.method)
        if named and mandate.status in ("valid", "pending"):
            return mandate
    raise invalid("No suitable mandates found for customer")


def _check_amount(method: str, cents: int, currency: str) -> None:
    if not fits(METHODS[method], "recurring", cents, currency):
        highest = METHODS[method].maximum_cents
        too_high = highest is not None and cents > highest
        raise invalid(f"The amount is {'higher' if too_high else 'lower'} than allowed", "amount")


def _description(call: Call, customer: Customer, own: Subscription | None) -> str:
    description = fields.required_text(call.body, "description", 255)
    for other in call.world.books.subscriptions.where("customer_id", customer.id):
        if other is not own and other.description == description and other.status in _LIVING:
            detail = "A subscription with the same description already exists for this customer"
            raise invalid(detail, "description")
    return description


def find(call: Call) -> Subscription:
    customer = customers.find(call, call.params["customer"])
    subscription = call.world.books.subscriptions.get(call.params["subscription"])
    if subscription is None or subscription.customer_id != customer.id:
        raise missing("subscription", call.params["subscription"])
    return subscription


def _living(call: Call) -> Subscription:
    subscription = find(call)
    if subscription.status == "canceled":
        raise invalid("The subscription has been cancelled")
    return subscription


def get(call: Call) -> tuple[int, Json]:
    call.allow_query()
    return 200, view(call, find(call))


def update(call: Call) -> tuple[int, Json]:
    """Changes that count from the next charge on."""
    call.allow_body(*_UPDATE_KEYS)
    subscription = _living(call)
    customer = customers.find(call, subscription.customer_id)
    body = call.body
    if "amount" in body:
        subscription.amount_cents, subscription.currency = fields.amount(body)
    if "description" in body:
        subscription.description = _description(call, customer, subscription)
    if "times" in body:
        times = fields.whole(body, "times")
        if times is not None and times < subscription.charged:
            raise invalid("The times cannot be lower than what was charged already", "times")
        subscription.times = times
    if "mandateId" in body:
        subscription.mandate_id, subscription.method = _mandate(call, customer).id, None
    if "metadata" in body:
        subscription.metadata = fields.metadata(body)
    if "webhookUrl" in body:
        subscription.webhook_url = fields.address(body, "webhookUrl")
    _reschedule(call, subscription)
    call.world.books.subscriptions.save(subscription)
    return 200, view(call, subscription)


def _reschedule(call: Call, subscription: Subscription) -> None:
    """A new interval counts from the last charge; a new start only before the first one."""
    start_on, interval = fields.day(call.body, "startDate"), fields.text(call.body, "interval")
    if start_on is not None:
        if subscription.charged:
            raise invalid("The start date cannot be changed after the first charge", "startDate")
        if start_on <= local_day(call.now):
            raise invalid("The start date should be in the future", "startDate")
        subscription.start_on = subscription.anchor_on = start_on
    if interval is not None:
        renewals.parse(interval)
        if subscription.charged:
            subscription.anchor_on, subscription.steps = renewals.last_charged_on(subscription), 1
        subscription.interval = interval
    if (start_on or interval) and subscription.status in ("active", "pending"):
        renewals.plan(call.world, subscription, call.now)


def cancel(call: Call) -> tuple[int, Json]:
    call.allow_body()
    subscription = _living(call)
    consent.end_subscription(call.world, subscription, call.now)
    return 200, view(call, subscription)


def listing(call: Call) -> tuple[int, Json]:
    call.allow_query(*hal.PAGING)
    customer = customers.find(call, call.params["customer"])
    rows = call.world.books.subscriptions.where("customer_id", customer.id)
    return 200, hal.page(call, rows, "subscriptions", view)


def listing_all(call: Call) -> tuple[int, Json]:
    call.allow_query(*hal.PAGING, *(("profileId",) if call.who.kind == "access" else ()))
    return 200, hal.page(
        call, call.world.books.subscriptions.where("scope", call.scope), "subscriptions", view
    )


def payments_of(call: Call) -> tuple[int, Json]:
    call.allow_query(*hal.PAGING)
    rows = call.world.books.payments.where("subscription_id", find(call).id)
    return 200, hal.page(call, rows, "payments", payment_view.view)
