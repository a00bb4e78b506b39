"""Customers."""

import re

from linkpay.sandbox import ids
from linkpay.sandbox.mollie import consent, fields, hal
from linkpay.sandbox.mollie.call import Call, MollieError, documentation, invalid, missing
from linkpay.sandbox.moments import stamp
from linkpay.sandbox.records import Customer
from linkpay.sandbox.web import Json

_KEYS = ("name", "email", "locale", "metadata")
_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s.]+$")


def view(call: Call, customer: Customer) -> Json:
    path = f"/v2/customers/{customer.id}"
    organization, mode = customer.scope.split(":")
    return {
        "resource": "customer",
        "id": customer.id,
        "mode": mode,
        "name": customer.name,
        "email": customer.email,
        "locale": customer.locale,
        "metadata": customer.metadata,
        "createdAt": stamp(customer.created_at),
        "_links": {
            "self": call.link(path),
            "dashboard": call.page(f"/dashboard/{organization}/customers/{customer.id}"),
            "mandates": call.link(f"{path}/mandates"),
            "subscriptions": call.link(f"{path}/subscriptions"),
            "payments": call.link(f"{path}/payments"),
            "documentation": documentation("get-customer"),
        },
    }


def find(call: Call, customer_id: str) -> Customer:
    """The caller's customer. 404 when there is none, 410 when it was deleted."""
    customer = call.world.books.customers.get(customer_id)
    if customer is None or customer.scope != call.scope:
        raise missing("customer", customer_id)
    if customer.deleted_at is not None:
        raise MollieError(410, "The customer is no longer available")
    return customer


def create(call: Call) -> tuple[int, Json]:
    call.allow_body(*_KEYS)
    customer = Customer(id=ids.fresh("cst"), created_at=call.now, scope=call.scope)
    _read(call.body, customer)
    call.world.books.customers.add(customer)
    return 201, view(call, customer)


def _read(body: Json, customer: Customer) -> None:
    name, email = fields.text(body, "name", limit=255), fields.text(body, "email", limit=255)
    if email is not None and not _EMAIL.match(email):
        raise invalid("The email address is invalid", "email")
    locale, metadata = fields.locale(body), fields.metadata(body)
    customer.name = name if "name" in body else customer.name
    customer.email = email if "email" in body else customer.email
    customer.locale = locale if "locale" in body else customer.locale
    customer.metadata = metadata if "metadata" in body else customer.metadata


def get(call: Call) -> tuple[int, Json]:
    call.allow_query("include")
    return 200, view(call, find(call, call.params["customer"]))


def update(call: Call) -> tuple[int, Json]:
    call.allow_body(*_KEYS)
    customer = find(call, call.params["customer"])
    _read(call.body, customer)
    call.world.books.customers.save(customer)
    return 200, view(call, customer)


def delete(call: Call) -> tuple[int, None]:
    """Mandates and subscriptions end with their customer."""
    call.allow_body()
    customer = find(call, call.params["customer"])
    for mandate in call.world.books.mandates.where("customer_id", customer.id):
        consent.revoke(call.world, mandate, call.now)
    customer.deleted_at = call.now
    call.world.books.customers.save(customer)
    return 204, None


def listing(call: Call) -> tuple[int, Json]:
    call.allow_query(*hal.PAGING)
    rows = [each for each in call.world.books.customers.where("scope", call.scope) if not each.deleted_at]
    return 200, hal.page(call, rows, "customers", view)
