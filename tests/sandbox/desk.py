"""What the sandbox's tests share: a receiver of webhooks and short ways to the usual things."""

from typing import Any

import requests
from mollie.api.client import Client

from linkpay.sandbox.app import Sandbox

MOLLIE = "http://mollie.sandbox.test"
KAJABI = "http://kajabi.sandbox.test"
KEY = "test_sandboxofourown"
SHOP = "https://shop.example.com"
HOOK = f"{SHOP}/webhooks/mollie"
EURO = {"currency": "EUR"}


class Inbox:
    """Receives webhooks; answers `status`, or what is queued in `answers` first."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, str]]] = []
        self.status = 200
        self.answers: list[int] = []

    def __call__(self, url: str, form: dict[str, str]) -> int:
        self.calls.append((url, form))
        return self.answers.pop(0) if self.answers else self.status

    @property
    def ids(self) -> list[str]:
        return [form.get("id", "") for _, form in self.calls]


def euro(value: str) -> dict[str, str]:
    return {"value": value, "currency": "EUR"}


def api(method: str, path: str, key: str = KEY, **kwargs: Any) -> requests.Response:
    """A bare call to the Mollie side, for what the client would not send."""
    headers = {"Authorization": f"Bearer {key}", **kwargs.pop("headers", {})}
    return requests.request(method, f"{MOLLIE}{path}", headers=headers, timeout=5, **kwargs)


def first_payment(mollie: Client, value: str = "50.00", **more: Any) -> Any:
    """An open first payment of a new customer."""
    customer = mollie.customers.create({"name": "Jane Doe", "email": "jane@example.com"})
    body = {
        "amount": euro(value),
        "description": "First month",
        "customerId": customer["id"],
        "sequenceType": "first",
        "redirectUrl": f"{SHOP}/back",
        "webhookUrl": HOOK,
    }
    return mollie.payments.create(body | more)


def pay(payment: Any, status: str = "paid", **form: str) -> requests.Response:
    """What the buyer posts on the hosted page."""
    url = payment["_links"]["checkout"]["href"]
    return requests.post(url, data={"status": status, **form}, allow_redirects=False, timeout=5)


def mandated(mollie: Client, method: str = "ideal") -> Any:
    """A paid first payment, whose customer can be charged from now on."""
    payment = first_payment(mollie)
    assert pay(payment, method=method).status_code == 303
    return mollie.payments.get(payment["id"])


def charge(mollie: Client, first: Any, value: str = "50.00", **more: Any) -> Any:
    """A recurring payment on the mandate of a first payment."""
    body = {
        "amount": euro(value),
        "description": "Next month",
        "customerId": first["customerId"],
        "mandateId": first["mandateId"],
        "sequenceType": "recurring",
        "webhookUrl": HOOK,
    }
    return mollie.payments.create(body | more)


def control(sandbox: Sandbox, path: str, **body: Any) -> Any:
    """A control call by POST."""
    return sandbox.call("POST", f"/_sandbox/{path}", body)
