"""Mollie's own subscriptions and the customers who have them: the part of `MollieProvider` for taking over.

Read from the JSON and never through the client's objects: theirs raise TypeError for `times` that is
null, which is every subscription without an end (measured with mollie-api-python 4.0.0).
"""

import re

from linkpay.adapters.mollie_calls import Call, MollieCalls
from linkpay.adapters.mollie_fields import (
    Json,
    Malformed,
    checked_id,
    day_if_any,
    optional_id,
    optional_text,
    read_id,
    read_instant,
    read_money,
    read_text,
    text_if_any,
)
from linkpay.adapters.mollie_reading import read_payment
from linkpay.domain.calendar import Interval, Unit
from linkpay.domain.snapshots import (
    CustomerSnapshot,
    PaymentSnapshot,
    SubscriptionSnapshot,
    SubscriptionStatus,
)

# The specification's form. Its longest are 12 months, 52 weeks and 365 days.
_INTERVAL = re.compile(r"(\d{1,3}) (day|week|month)s?", re.ASCII)


class MollieSubscriptions:
    """`SubscriptionProvider` over the calls of its heir."""

    _calls: MollieCalls

    def list_customers(self, key: str) -> tuple[CustomerSnapshot, ...]:
        """Every customer of the account, complete or an error."""
        return self._calls.list_all(key, "customers", read_customer)

    def list_subscriptions(self, key: str) -> tuple[SubscriptionSnapshot, ...]:
        """Every subscription of the account, complete or an error."""
        return self._calls.list_all(key, "subscriptions", read_subscription)

    def fetch_subscription(self, key: str, customer_id: str, subscription_id: str) -> SubscriptionSnapshot:
        """The subscription as it is now."""
        call = Call("GET", _path(customer_id, subscription_id), repeatable=True)
        return self._calls.ask(key, call, read_subscription)

    def cancel_subscription(self, key: str, customer_id: str, subscription_id: str) -> None:
        """Stop it. What is left unclear by a lost answer is `Retryable`: a second request does no harm."""
        self._calls.exchange(key, Call("DELETE", _path(customer_id, subscription_id), repeatable=True))

    def list_subscription_payments(
        self, key: str, customer_id: str, subscription_id: str
    ) -> tuple[PaymentSnapshot, ...]:
        """What it made so far, complete or an error."""
        path = f"{_path(customer_id, subscription_id)}/payments"
        return self._calls.list_all(key, path, read_payment)


def _path(customer_id: str, subscription_id: str) -> str:
    return f"customers/{checked_id('cst', customer_id)}/subscriptions/{checked_id('sub', subscription_id)}"


def read_customer(body: Json) -> CustomerSnapshot:
    """A customer; name and e-mail are as they were typed, or absent."""
    return CustomerSnapshot(
        id=read_id(body, "id", "cst"),
        name=text_if_any(body, "name"),
        email=text_if_any(body, "email"),
        locale=text_if_any(body, "locale"),
    )


def read_subscription(body: Json) -> SubscriptionSnapshot:
    """A subscription, whatever its status."""
    return SubscriptionSnapshot(
        id=read_id(body, "id", "sub"),
        customer_id=read_id(body, "customerId", "cst"),
        mode=read_text(body, "mode"),
        status=_status(read_text(body, "status")),
        amount=read_money(body, "amount"),
        interval=read_interval(read_text(body, "interval")),
        description=optional_text(body, "description") or "",
        created_at=read_instant(body, "createdAt"),
        started_on=day_if_any(body, "startDate") or read_instant(body, "createdAt").date(),
        next_on=day_if_any(body, "nextPaymentDate"),
        remaining=_remaining(body),
        mandate_id=optional_id(body, "mandateId", "mdt"),
        method=text_if_any(body, "method"),
    )


def _status(status: str) -> SubscriptionStatus:
    try:
        return SubscriptionStatus(status)
    except ValueError:
        return SubscriptionStatus.UNKNOWN


def read_interval(text: str) -> Interval | None:
    """``"3 months"``; None for what this version does not know how to count."""
    match = _INTERVAL.fullmatch(text)
    if match is None or int(match[1]) < 1:
        return None
    return Interval(Unit(match[2]), int(match[1]))


def _remaining(body: Json) -> int | None:
    """Charges still to come. An end that is given without them would be charged for ever: malformed."""
    times, remaining = body.get("times"), body.get("timesRemaining")
    if times is None and remaining is None:
        return None
    if not isinstance(remaining, int) or isinstance(remaining, bool) or remaining < 0:
        raise Malformed("timesRemaining is no count")
    return remaining
