"""Mollie's own subscriptions, which charge by themselves."""

from datetime import date, timedelta
from typing import Any

import pytest
from mollie.api.client import Client
from mollie.api.error import UnprocessableEntityError

from linkpay.sandbox.app import Sandbox
from linkpay.sandbox.mollie.renewals import after
from tests.sandbox.desk import HOOK, Inbox, api, euro, first_payment, mandated, pay


def subscribe(mollie: Client, first: Any, **more: Any) -> Any:
    body = {"amount": euro("25.00"), "interval": "1 month", "description": "Monthly", "webhookUrl": HOOK}
    return mollie.customers.get(first["customerId"]).subscriptions.create(body | more)


def charges(mollie: Client, subscription: Any) -> list[Any]:
    path = f"/v2/customers/{subscription['customerId']}/subscriptions/{subscription['id']}/payments"
    return list(api("GET", path).json()["_embedded"]["payments"])


def again(subscription: Any) -> Any:
    return api("GET", f"/v2/customers/{subscription['customerId']}/subscriptions/{subscription['id']}").json()


def test_a_subscription_charges_by_itself(sandbox: Sandbox, mollie: Client, inbox: Inbox) -> None:
    first = mandated(mollie)
    subscription = subscribe(mollie, first, startDate="2026-03-31", metadata={"plan": "gold"})
    assert (subscription["status"], subscription["times"], subscription["timesRemaining"]) == (
        "active",
        None,
        None,
    )
    assert charges(mollie, subscription) == []
    sandbox.advance(timedelta(days=75))
    made = charges(mollie, subscription)
    assert [payment["createdAt"][:10] for payment in made] == ["2026-04-30", "2026-03-31"]
    assert {payment["status"] for payment in made} == {"paid"}
    assert made[0]["metadata"] == {"plan": "gold"}
    assert made[0]["subscriptionId"] == subscription["id"]
    assert again(subscription)["nextPaymentDate"] == "2026-05-31"
    sandbox.pump()
    assert inbox.ids == [first["id"], made[1]["id"], made[0]["id"]]


def test_without_a_start_it_charges_the_same_day(sandbox: Sandbox, mollie: Client) -> None:
    subscription = subscribe(mollie, mandated(mollie))
    sandbox.advance(timedelta(seconds=1))
    assert [payment["status"] for payment in charges(mollie, subscription)] == ["pending"]


def test_it_is_completed_after_its_times(sandbox: Sandbox, mollie: Client) -> None:
    subscription = subscribe(mollie, mandated(mollie), times=2, interval="1 week")
    sandbox.advance(timedelta(days=30))
    assert len(charges(mollie, subscription)) == 2
    shown = again(subscription)
    assert (shown["status"], shown["timesRemaining"], shown["nextPaymentDate"]) == ("completed", 0, None)


def test_test_mode_stops_after_ten_charges(sandbox: Sandbox, mollie: Client) -> None:
    subscription = subscribe(mollie, mandated(mollie), interval="1 day")
    sandbox.advance(timedelta(days=20))
    assert len(charges(mollie, subscription)) == 10
    assert again(subscription)["status"] == "canceled"


def test_it_ends_with_its_mandate(sandbox: Sandbox, mollie: Client) -> None:
    first = mandated(mollie)
    subscription = subscribe(mollie, first, startDate="2026-04-01")
    mollie.customers.get(first["customerId"]).mandates.delete(first["mandateId"])
    assert again(subscription)["status"] == "canceled"
    sandbox.advance(timedelta(days=60))
    assert charges(mollie, subscription) == []


def test_it_ends_with_its_customer(sandbox: Sandbox, mollie: Client) -> None:
    first = mandated(mollie)
    subscription = subscribe(mollie, first, startDate="2026-04-01")
    mollie.customers.delete(first["customerId"])
    sandbox.advance(timedelta(days=60))
    assert sandbox.world.books.subscriptions.rows[subscription["id"]].status == "canceled"
    assert api("GET", f"/v2/customers/{first['customerId']}").status_code == 410


def test_a_pending_mandate_makes_it_pending_and_an_unpaid_one_suspends_it(
    sandbox: Sandbox, mollie: Client
) -> None:
    payment = first_payment(mollie)
    subscription = subscribe(mollie, payment)
    assert subscription["status"] == "pending"
    pay(payment, "canceled")
    sandbox.advance(timedelta(days=1))
    assert again(subscription)["status"] == "suspended"


def test_canceling_twice_is_refused(mollie: Client) -> None:
    first = mandated(mollie)
    subscription = subscribe(mollie, first, startDate="2026-04-01")
    subscriptions = mollie.customers.get(first["customerId"]).subscriptions
    assert subscriptions.delete(subscription["id"])["status"] == "canceled"
    with pytest.raises(UnprocessableEntityError, match="The subscription has been cancelled"):
        subscriptions.delete(subscription["id"])
    with pytest.raises(UnprocessableEntityError):
        subscriptions.update(subscription["id"], {"description": "Other"})
    assert again(subscription)["status"] == "canceled"


def test_changes_count_from_the_next_charge(sandbox: Sandbox, mollie: Client) -> None:
    first = mandated(mollie)
    subscription = subscribe(mollie, first)
    sandbox.advance(timedelta(days=1))
    subscriptions = mollie.customers.get(first["customerId"]).subscriptions
    changed = subscriptions.update(subscription["id"], {"amount": euro("30.00"), "interval": "1 week"})
    assert changed["nextPaymentDate"] == "2026-03-09"
    with pytest.raises(UnprocessableEntityError):
        subscriptions.update(subscription["id"], {"startDate": "2026-09-01"})
    sandbox.advance(timedelta(days=7))
    assert [payment["amount"]["value"] for payment in charges(mollie, subscription)] == ["30.00", "25.00"]


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"interval": "1 year"}, "The interval unit is invalid"),
        ({"interval": "0 months"}, "The interval is invalid"),
        ({"interval": "13 months"}, "The interval is invalid"),
        ({"interval": "53 weeks"}, "The interval is invalid"),
        ({"interval": "366 days"}, "The interval is invalid"),
        ({"startDate": "2026-03-01"}, "The start date cannot be in the past"),
        ({"startDate": "1 April"}, "The startDate is not a valid date"),
        ({"times": 0}, "The times is invalid"),
        ({"amount": euro("1000.01")}, "The amount is higher than allowed"),
        ({"method": "ideal"}, "The method is invalid"),
        ({"trial": True}, 'Non-existent parameter "trial"'),
    ],
)
def test_a_wrong_subscription_is_refused(mollie: Client, change: dict[str, Any], detail: str) -> None:
    with pytest.raises(UnprocessableEntityError, match=detail):
        subscribe(mollie, mandated(mollie), **change)


def test_descriptions_are_unique_per_customer(mollie: Client) -> None:
    first = mandated(mollie)
    subscribe(mollie, first, startDate="2026-04-01")
    with pytest.raises(UnprocessableEntityError, match="same description already exists"):
        subscribe(mollie, first, startDate="2026-04-01")
    assert subscribe(mollie, mandated(mollie), startDate="2026-04-01")["status"] == "active"
    assert mollie.subscriptions.list().count == 2


def test_without_a_mandate_there_is_no_subscription(mollie: Client) -> None:
    customer = mollie.customers.create({"name": "Nobody"})
    with pytest.raises(UnprocessableEntityError, match="No suitable mandates found"):
        subscribe(mollie, {"customerId": customer["id"]})


@pytest.mark.parametrize(
    ("interval", "steps", "expected"),
    [
        ("1 month", 1, date(2026, 2, 28)),
        ("1 month", 2, date(2026, 3, 31)),
        ("3 months", 1, date(2026, 4, 30)),
        ("12 months", 2, date(2028, 1, 31)),
        ("2 weeks", 3, date(2026, 3, 14)),
        ("14 days", 0, date(2026, 1, 31)),
    ],
)
def test_months_keep_their_day(interval: str, steps: int, expected: date) -> None:
    assert after(date(2026, 1, 31), interval, steps) == expected
