"""First and recurring payments through the real Mollie client."""

from datetime import timedelta
from typing import Any

import pytest
import requests
from mollie.api.client import Client
from mollie.api.error import NotFoundError, ResponseError, UnauthorizedError, UnprocessableEntityError

from linkpay.sandbox.app import Sandbox
from tests.sandbox.desk import (
    HOOK,
    MOLLIE,
    SHOP,
    Inbox,
    api,
    charge,
    control,
    euro,
    first_payment,
    mandated,
    pay,
)

REQUIRED = set(
    "resource id mode createdAt amount description status sequenceType profileId _links".split()  # noqa: SIM905 - reads as the facts do
)


def test_a_first_payment_is_open_and_has_a_pending_mandate(mollie: Client) -> None:
    payment = first_payment(mollie)
    assert set(payment) >= REQUIRED
    assert payment["status"] == "open"
    assert payment["createdAt"] == "2026-03-02T12:00:00+00:00"
    assert payment["_links"]["self"]["href"].startswith(f"{MOLLIE}/v2/payments/tr_")
    assert not {"paidAt", "amountRefunded", "amountChargedBack"} & set(payment)
    mandate = mollie.customers.get(payment["customerId"]).mandates.get(payment["mandateId"])
    assert mandate["status"] == "pending"


def test_a_paid_first_payment_makes_its_mandate_valid_and_is_announced(
    sandbox: Sandbox, mollie: Client, inbox: Inbox
) -> None:
    payment = first_payment(mollie)
    answer = pay(payment, method="ideal", issuer="ideal_INGBNL2A")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{SHOP}/back")
    assert inbox.calls == []
    assert sandbox.pump() == 1
    assert inbox.calls == [(HOOK, {"id": payment["id"]})]
    paid = mollie.payments.get(payment["id"])
    assert (paid["status"], paid["method"], paid["amountRemaining"]) == ("paid", "ideal", euro("50.00"))
    assert "checkout" not in paid["_links"]
    mandate = mollie.customers.get(payment["customerId"]).mandates.get(payment["mandateId"])
    assert (mandate["status"], mandate["method"]) == ("valid", "directdebit")
    assert mandate["details"]["consumerAccount"][4:8] == "INGB"


def test_a_card_makes_a_card_mandate_and_is_charged_at_once(mollie: Client) -> None:
    first = mandated(mollie, "creditcard")
    mandate = mollie.customers.get(first["customerId"]).mandates.get(first["mandateId"])
    assert (mandate["method"], mandate["status"]) == ("creditcard", "valid")
    assert charge(mollie, first)["status"] == "paid"


@pytest.mark.parametrize(
    ("value", "reason"), [("1001.00", "invalid_card_number"), ("1007.00", "insufficient_funds")]
)
def test_documented_amounts_make_a_card_fail(mollie: Client, value: str, reason: str) -> None:
    failed = charge(mollie, mandated(mollie, "creditcard"), value)
    assert (failed["status"], failed["details"]["failureReason"]) == ("failed", reason)


def test_a_debit_is_pending_until_a_banking_day_after_its_due_day(
    sandbox: Sandbox, mollie: Client, inbox: Inbox
) -> None:
    first = mandated(mollie)
    sandbox.pump()
    sandbox.advance(timedelta(days=4))
    debit = charge(mollie, first)
    assert (debit["status"], debit["isCancelable"], debit["redirectUrl"]) == ("pending", True, None)
    assert debit["details"]["dueDate"] == "2026-03-09"
    assert "checkout" not in debit["_links"]
    assert "expiresAt" not in debit
    sandbox.advance(timedelta(days=3, hours=20))
    assert mollie.payments.get(debit["id"])["status"] == "pending"
    sandbox.advance(timedelta(hours=1))
    paid = mollie.payments.get(debit["id"])
    assert (paid["status"], paid["paidAt"]) == ("paid", "2026-03-10T09:00:00+00:00")
    sandbox.pump()
    assert inbox.ids == [first["id"], debit["id"]]


def test_the_next_debits_of_a_customer_can_be_predetermined(sandbox: Sandbox, mollie: Client) -> None:
    first = mandated(mollie)
    control(
        sandbox,
        f"customers/{first['customerId']}",
        next_debit={"status": "failed", "reason": "AM04"},
        count=1,
    )
    bounced, fine = charge(mollie, first), charge(mollie, first)
    sandbox.advance(timedelta(days=7))
    bounced, fine = mollie.payments.get(bounced["id"]), mollie.payments.get(fine["id"])
    assert (bounced["status"], bounced["details"]["bankReasonCode"]) == ("failed", "AM04")
    assert fine["status"] == "paid"


def test_the_bank_can_fail_a_paid_debit_late(sandbox: Sandbox, mollie: Client) -> None:
    debit = charge(mollie, mandated(mollie))
    sandbox.advance(timedelta(days=7))
    control(sandbox, f"payments/{debit['id']}", status="failed", reason="AC04")
    failed = mollie.payments.get(debit["id"])
    assert failed["status"] == "failed"
    assert "paidAt" not in failed
    mandate = mollie.customers.get(debit["customerId"]).mandates.get(debit["mandateId"])
    assert mandate["status"] == "invalid"


def test_a_payment_nobody_pays_expires_and_is_announced(
    sandbox: Sandbox, mollie: Client, inbox: Inbox
) -> None:
    payment = first_payment(mollie, method="ideal")
    assert payment["expiresAt"] == "2026-03-02T12:15:00+00:00"
    sandbox.advance(timedelta(minutes=16))
    expired = mollie.payments.get(payment["id"])
    assert (expired["status"], expired["expiredAt"]) == ("expired", "2026-03-02T12:15:00+00:00")
    sandbox.pump()
    assert inbox.ids == [payment["id"]]


def test_only_a_debit_before_its_due_day_can_be_canceled(sandbox: Sandbox, mollie: Client) -> None:
    first = mandated(mollie)
    early, late = charge(mollie, first), charge(mollie, first)
    assert mollie.payments.delete(early["id"])["status"] == "canceled"
    sandbox.advance(timedelta(days=1))
    with pytest.raises(UnprocessableEntityError):
        mollie.payments.delete(late["id"])
    with pytest.raises(UnprocessableEntityError):
        mollie.payments.delete(first_payment(mollie, method="ideal")["id"])


def test_nothing_is_charged_without_a_valid_mandate(mollie: Client) -> None:
    payment = first_payment(mollie)
    with pytest.raises(UnprocessableEntityError, match="No suitable mandates found for customer"):
        charge(mollie, payment)
    pay(payment, "canceled")
    mandate = mollie.customers.get(payment["customerId"]).mandates.get(payment["mandateId"])
    assert mandate["status"] == "pending"


def test_a_revoked_mandate_is_gone(mollie: Client) -> None:
    first = mandated(mollie)
    mandates = mollie.customers.get(first["customerId"]).mandates
    mandates.delete(first["mandateId"])
    with pytest.raises(ResponseError) as caught:
        mandates.get(first["mandateId"])
    assert caught.value.status == 410
    with pytest.raises(UnprocessableEntityError):
        charge(mollie, first)


def test_another_key_sees_nothing(sandbox: Sandbox, mollie: Client) -> None:
    payment = first_payment(mollie)
    other = Client(api_endpoint=MOLLIE)
    other.set_api_key("test_someoneelse")
    with pytest.raises(NotFoundError):
        other.payments.get(payment["id"])
    assert other.payments.list().count == 0


def test_a_wrong_key_is_refused(sandbox: Sandbox) -> None:
    assert api("GET", "/v2/payments", key="nonsense").status_code == 401
    bare = requests.get(f"{MOLLIE}/v2/payments", timeout=5)
    assert (bare.status_code, bare.json()["title"]) == (401, "Unauthorized Request")
    assert bare.headers["Content-Type"] == "application/hal+json"
    wrong = Client(api_endpoint=MOLLIE)
    wrong.set_access_token("access_oauth_unknown")
    with pytest.raises(UnauthorizedError):
        wrong.payments.list(testmode="true")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": {"value": 10, "currency": "EUR"}}, "amount.value"),
        ({"amount": {"value": "10", "currency": "EUR"}}, "amount.value"),
        ({"amount": {"value": "10.000", "currency": "EUR"}}, "amount.value"),
        ({"amount": {"value": "10.00", "currency": "ZZZ"}}, "amount.currency"),
        ({"amount": {"value": "10.50", "currency": "JPY"}}, "amount.value"),
        ({"amount": {"value": "0.00", "currency": "EUR"}, "method": "ideal"}, "amount"),
        ({"amount": {"value": "50000.01", "currency": "EUR"}, "method": "ideal"}, "amount"),
        ({"description": None}, "description"),
        ({"redirectUrl": None}, "redirectUrl"),
        ({"redirectUrl": "ftp://example.com"}, "redirectUrl"),
        ({"method": "sofort"}, "method"),
        ({"method": "directdebit"}, "method"),
        ({"locale": "nl"}, "locale"),
        ({"metadata": "x" * 2000}, "metadata"),
        ({"recurringType": "first"}, "recurringType"),
        ({"testmode": True}, "testmode"),
        ({"profileId": "pfl_1"}, "profileId"),
        ({"customerId": "cst_nobody"}, "customerId"),
    ],
)
def test_a_wrong_field_is_refused_by_name(mollie: Client, change: dict[str, object], field: str) -> None:
    customer = mollie.customers.create({"name": "Jane"})
    body = {
        "amount": euro("10.00"),
        "description": "First month",
        "customerId": customer["id"],
        "sequenceType": "first",
        "redirectUrl": f"{SHOP}/back",
    }
    answer = api("POST", "/v2/payments", json=body | change)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert answer.json()["_links"]["documentation"]["href"].startswith("https://")


def test_unknown_query_keys_are_refused(sandbox: Sandbox) -> None:
    answer = api("GET", "/v2/payments?status=paid")
    assert answer.status_code == 422
    assert 'Non-existent query parameter "status"' in answer.json()["detail"]


def test_pages_are_newest_first_with_an_inclusive_cursor(mollie: Client) -> None:
    made = [first_payment(mollie)["id"] for _ in range(5)]
    page: Any = mollie.payments.list(limit=2)
    assert [each["id"] for each in page] == [made[4], made[3]]
    assert not page.has_previous()
    following = page.get_next()
    assert [each["id"] for each in following] == [made[2], made[1]]
    assert [each["id"] for each in following.get_previous()] == [made[4], made[3]]
    assert api("GET", "/v2/payments?from=tr_nothing").status_code == 400
    assert api("GET", "/v2/payments?limit=251").status_code == 400


def test_bodies_may_be_forms(sandbox: Sandbox) -> None:
    body = {
        "amount[value]": "10.00",
        "amount[currency]": "EUR",
        "description": "By form",
        "redirectUrl": f"{SHOP}/back",
    }
    answer = api("POST", "/v2/payments", data=body)
    assert (answer.status_code, answer.json()["amount"]) == (201, euro("10.00"))
