"""Mollie's own subscriptions, read and stopped by the real adapter at the sandbox."""

import uuid
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from mollie.api.client import Client

from linkpay.adapters.mollie import MollieProvider
from linkpay.adapters.mollie_fields import Malformed
from linkpay.adapters.mollie_subscriptions import read_interval, read_subscription
from linkpay.domain.calendar import Interval, Unit
from linkpay.domain.money import Money
from linkpay.domain.snapshots import SubscriptionStatus
from linkpay.errors import Missing, Permanent
from tests.adapters.mollie_samples import SUBSCRIPTION
from tests.adapters.sandboxes import Place, in_process


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with in_process() as sandbox:
        yield sandbox


class Account:
    """One Mollie account, seen by our adapter and filled by the official client."""

    def __init__(self, place: Place) -> None:
        self.key = f"test_{uuid.uuid4().hex}"
        self.ours = MollieProvider(place.mollie_url)
        self.theirs = Client(api_endpoint=place.mollie_url)
        self.theirs.set_api_key(self.key)

    def subscribe(self, number: int = 0, **more: Any) -> tuple[str, str]:
        """(customer, subscription) ids of a new one that is first charged in some days."""
        customer = self.theirs.customers.create({"name": f"Anna {number}", "email": f"a{number}@example.com"})
        customer.mandates.create(
            {"method": "directdebit", "consumerName": "A", "consumerAccount": "NL91ABNA0417164300"}
        )
        body = {
            "amount": {"currency": "EUR", "value": "25.00"}, "interval": "1 month", "description": "Monthly",
            "startDate": "2090-01-31",
        }  # fmt: skip
        return customer["id"], customer.subscriptions.create(body | more)["id"]


@pytest.fixture
def account(place: Place) -> Account:
    return Account(place)


def test_one_without_an_end_is_read(account: Account) -> None:
    """Its `times` is null, which the official client's objects cannot read."""
    customer, number = account.subscribe()
    seen = account.ours.fetch_subscription(account.key, customer, number)
    assert (seen.id, seen.customer_id, seen.mode) == (number, customer, "test")
    assert (seen.status, seen.amount, seen.remaining) == (SubscriptionStatus.ACTIVE, Money(2500), None)
    assert (seen.interval, seen.next_on) == (Interval(Unit.MONTH), seen.started_on)


def test_an_end_is_read_as_what_is_left(account: Account) -> None:
    assert account.ours.fetch_subscription(account.key, *account.subscribe(times=3)).remaining == 3


def test_every_page_of_both_lists_is_read(account: Account) -> None:
    made = [account.subscribe(number) for number in range(260)]
    assert {one.id for one in account.ours.list_subscriptions(account.key)} == {sub for _, sub in made}
    listed = account.ours.list_customers(account.key)
    assert {one.id for one in listed} == {customer for customer, _ in made}
    assert {one.email for one in listed} == {f"a{number}@example.com" for number in range(260)}


def test_a_customer_without_name_and_mail_is_read(account: Account) -> None:
    account.theirs.customers.create({})
    (seen,) = account.ours.list_customers(account.key)
    assert (seen.name, seen.email, seen.locale) == (None, None, None)


def test_it_is_stopped_and_shows_so(account: Account) -> None:
    customer, number = account.subscribe()
    account.ours.cancel_subscription(account.key, customer, number)
    seen = account.ours.fetch_subscription(account.key, customer, number)
    assert (seen.status, seen.next_on) == (SubscriptionStatus.CANCELED, None)
    with pytest.raises(Permanent, match="has been cancelled"):
        account.ours.cancel_subscription(account.key, customer, number)


def test_one_that_is_not_there_is_missing(account: Account) -> None:
    customer, _ = account.subscribe()
    with pytest.raises(Missing):
        account.ours.fetch_subscription(account.key, customer, "sub_nobodys")
    with pytest.raises(Missing):
        account.ours.cancel_subscription(account.key, "cst_nobodys", "sub_nobodys")


@pytest.mark.parametrize("number", ["sub_x/../../../payments", "sub_x?testmode=true", "tr_x", "sub_", ""])
def test_an_id_that_is_none_is_never_asked_for(account: Account, number: str) -> None:
    for ask in (account.ours.fetch_subscription, account.ours.cancel_subscription):
        with pytest.raises(Permanent, match="not a Mollie id"):
            ask(account.key, "cst_anna", number)
    with pytest.raises(Permanent, match="not a Mollie id"):
        account.ours.list_subscription_payments(account.key, number, "sub_anna")


def test_what_it_made_is_listed(account: Account, place: Place) -> None:
    customer, number = account.subscribe()
    assert account.ours.list_subscription_payments(account.key, customer, number) == ()


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("1 month", Interval(Unit.MONTH)), ("12 months", Interval(Unit.MONTH, 12)),
        ("2 weeks", Interval(Unit.WEEK, 2)), ("14 days", Interval(Unit.DAY, 14)), ("1 year", None),
        ("0 months", None), ("month", None), ("1 month ", None),
    ],
)  # fmt: skip
def test_intervals(text: str, interval: Interval | None) -> None:
    assert read_interval(text) == interval


@pytest.mark.parametrize(
    "change",
    [
        {"id": "tr_x"}, {"customerId": None}, {"amount": None}, {"timesRemaining": None},
        {"timesRemaining": -1}, {"timesRemaining": "3"}, {"createdAt": "yesterday"}, {"status": ""},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_malformed(change: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        read_subscription(SUBSCRIPTION | change)


def test_what_is_new_to_us_is_unknown_and_no_error() -> None:
    seen = read_subscription(SUBSCRIPTION | {"status": "frozen", "startDate": None, "added": True})
    assert (seen.status, seen.started_on) == (SubscriptionStatus.UNKNOWN, date(2023, 4, 6))
