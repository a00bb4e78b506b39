"""Customers, mandates, refunds, chargebacks, captures and methods through the real Mollie client."""

from datetime import timedelta
from typing import Any

import pytest
from mollie.api.client import Client
from mollie.api.error import NotFoundError, ResponseError, UnprocessableEntityError

from linkpay.sandbox.app import Sandbox
from tests.sandbox.desk import SHOP, Inbox, api, charge, control, euro, first_payment, mandated, pay


def test_customers_are_kept_and_deleted_for_good(mollie: Client) -> None:
    made = mollie.customers.create(
        {"name": "Jane", "email": "jane@example.com", "locale": "nl_NL", "metadata": {"id": 7}}
    )
    assert made["metadata"] == {"id": 7}
    assert made["_links"]["dashboard"]["href"].endswith(made["id"])
    changed = mollie.customers.update(made["id"], {"name": "Jane Doe"})
    assert (changed["name"], changed["email"]) == ("Jane Doe", "jane@example.com")
    assert mollie.customers.list().count == 1
    mollie.customers.delete(made["id"])
    with pytest.raises(ResponseError) as caught:
        mollie.customers.get(made["id"])
    assert caught.value.status == 410
    assert mollie.customers.list().count == 0
    with pytest.raises(NotFoundError):
        mollie.customers.get("cst_nobody")
    for wrong in ({"email": "jane"}, {"locale": "dutch"}, {"name": 7}, {"phone": "1"}):
        assert api("POST", "/v2/customers", json=wrong).status_code == 422


def test_a_customers_payments_are_listed_and_made_below_it(mollie: Client) -> None:
    first = mandated(mollie)
    customer = mollie.customers.get(first["customerId"])
    made = customer.payments.create(
        {"amount": euro("9.00"), "description": "Extra", "sequenceType": "recurring"}
    )
    assert made["mandateId"] == first["mandateId"]
    assert [each["id"] for each in customer.payments.list()] == [made["id"], first["id"]]


def test_a_paper_mandate_can_be_charged(mollie: Client) -> None:
    customer = mollie.customers.create({"name": "Jane"})
    body = {
        "method": "directdebit",
        "consumerName": "Jane Doe",
        "consumerAccount": "NL55INGB0000000000",
        "signatureDate": "2026-03-01",
        "mandateReference": "PAPER-1",
    }
    made = customer.mandates.create(body)
    assert (made["status"], made["details"]["consumerBic"]) == ("valid", "INGBNL2A")
    assert charge(mollie, {"customerId": customer["id"], "mandateId": made["id"]})["status"] == "pending"
    wrong: list[dict[str, Any]] = [
        {"consumerAccount": "NL00INGB0000000000"},
        {"signatureDate": "2026-03-03"},
        {"method": "creditcard"},
        {"consumerName": None},
        {"mandateReference": "PAPER-1"},
    ]
    for change in wrong:
        with pytest.raises(UnprocessableEntityError):
            customer.mandates.create(body | {"mandateReference": "PAPER-2"} | change)


def test_the_newest_valid_mandate_is_taken(mollie: Client) -> None:
    first = mandated(mollie)
    customer = {"customerId": first["customerId"]}
    second = first_payment(mollie, **customer)
    pay(second, method="creditcard")
    made = charge(mollie, first | {"mandateId": None}, mandateId=None)
    assert (made["mandateId"], made["method"]) == (second["mandateId"], "creditcard")
    chosen = charge(mollie, first)
    assert (chosen["mandateId"], chosen["method"]) == (first["mandateId"], "directdebit")


def test_a_mandate_may_become_valid_late(sandbox: Sandbox, mollie: Client) -> None:
    payment = first_payment(mollie)
    control(sandbox, f"payments/{payment['id']}", status="paid", method="belfius", mandate_after_hours=48)
    mandates = mollie.customers.get(payment["customerId"]).mandates
    assert mandates.get(payment["mandateId"])["status"] == "pending"
    with pytest.raises(UnprocessableEntityError):
        charge(mollie, payment)
    sandbox.advance(timedelta(hours=48))
    assert mandates.get(payment["mandateId"])["status"] == "valid"


def test_a_refund_goes_its_way(sandbox: Sandbox, mollie: Client) -> None:
    payment = mandated(mollie)
    refund = payment.refunds.create({"amount": euro("20.00"), "description": "Sorry"})
    assert refund["status"] == "pending"
    sandbox.advance(timedelta(hours=2))
    assert payment.refunds.get(refund["id"])["status"] == "processing"
    sandbox.advance(timedelta(days=1))
    assert payment.refunds.get(refund["id"])["status"] == "refunded"
    again = mollie.payments.get(payment["id"])
    assert (again["amountRefunded"], again["amountRemaining"]) == (euro("20.00"), euro("30.00"))
    assert [each["id"] for each in mollie.refunds.list()] == [refund["id"]]


def test_refunds_are_checked(sandbox: Sandbox, mollie: Client) -> None:
    payment = mandated(mollie)
    with pytest.raises(UnprocessableEntityError, match="higher than the maximum"):
        payment.refunds.create({"amount": euro("50.01")})
    payment.refunds.create({"amount": euro("10.00")})
    assert api("POST", f"/v2/payments/{payment['id']}/refunds", json={"amount": euro("10.00")}).json() | {
        "_links": None
    } == {
        "status": 409,
        "title": "Conflict",
        "detail": "A duplicate refund has been detected",
        "_links": None,
    }
    sandbox.advance(timedelta(hours=1))
    payment.refunds.create({"amount": euro("10.00")})
    with pytest.raises(UnprocessableEntityError):
        payment.refunds.create({"amount": {"value": "1.00", "currency": "USD"}})
    with pytest.raises(UnprocessableEntityError):
        first_payment(mollie).refunds.create({"amount": euro("1.00")})


def test_a_refund_can_be_stopped_in_time(sandbox: Sandbox, mollie: Client, inbox: Inbox) -> None:
    payment = mandated(mollie)
    refund = payment.refunds.create({"amount": euro("10.00")})
    payment.refunds.delete(refund["id"])
    assert mollie.payments.get(payment["id"])["amountRefunded"] == euro("0.00")
    other = payment.refunds.create({"amount": euro("5.00")})
    sandbox.advance(timedelta(hours=2))
    with pytest.raises(UnprocessableEntityError):
        payment.refunds.delete(other["id"])
    control(sandbox, f"refunds/{other['id']}", status="failed")
    assert mollie.payments.get(payment["id"])["amountRefunded"] == euro("0.00")
    sandbox.pump()
    assert inbox.ids == [payment["id"]] * 3


def test_chargebacks_come_back_when_won(sandbox: Sandbox, mollie: Client) -> None:
    debit = charge(mollie, mandated(mollie))
    sandbox.advance(timedelta(days=7))
    made = control(sandbox, f"payments/{debit['id']}/chargebacks", reason="MD06")
    payment = mollie.payments.get(debit["id"])
    (shown,) = payment.chargebacks.list()
    assert (shown["id"], shown["settlementAmount"]) == (made["id"], euro("-50.00"))
    assert payment.chargebacks.get(made["id"])["reversedAt"] is None
    assert mollie.chargebacks.list().count == 1
    assert (payment["amountChargedBack"], payment["amountRemaining"]) == (euro("50.00"), euro("0.00"))
    control(sandbox, f"chargebacks/{made['id']}/reverse")
    won = mollie.payments.get(debit["id"])
    assert "amountChargedBack" not in won
    assert won.chargebacks.get(made["id"])["reversedAt"].endswith("+00:00")
    with pytest.raises(ValueError, match="reversed already"):
        control(sandbox, f"chargebacks/{made['id']}/reverse")


def test_a_debit_can_be_charged_back_by_itself_weeks_later(sandbox: Sandbox, mollie: Client) -> None:
    first = mandated(mollie)
    fate = {"status": "charged_back", "reason": "MD06", "after_days": 20}
    control(sandbox, f"accounts/{first['details']['consumerAccount']}", next_debit=fate)
    debit = charge(mollie, first)
    sandbox.advance(timedelta(days=10))
    assert mollie.payments.get(debit["id"])["status"] == "paid"
    assert mollie.chargebacks.list().count == 0
    sandbox.advance(timedelta(days=15))
    assert mollie.chargebacks.list().count == 1


def test_a_payment_can_be_embedded_in_what_belongs_to_it(mollie: Client) -> None:
    payment = mandated(mollie)
    refund = payment.refunds.create({"amount": euro("5.00")})
    path = f"/v2/payments/{payment['id']}/refunds"
    for address in (f"{path}/{refund['id']}", path, "/v2/refunds"):
        body = api("GET", f"{address}?embed=payment").json()
        shown = body["_embedded"]["refunds"][0] if "count" in body else body
        assert shown["_embedded"]["payment"]["id"] == payment["id"]
    assert "_embedded" not in api("GET", f"{path}/{refund['id']}").json()
    assert api("GET", f"{path}?embed=customer").status_code == 422
    assert api("GET", "/v2/chargebacks?embed=payment").json()["count"] == 0


def test_an_authorized_payment_is_captured(sandbox: Sandbox, mollie: Client) -> None:
    order = {"amount": euro("30.00"), "description": "Later", "redirectUrl": SHOP, "captureMode": "manual"}
    payment = mollie.payments.create(order | {"method": "creditcard"})
    pay(payment)
    payment = mollie.payments.get(payment["id"])
    assert payment["status"] == "authorized"
    capture = payment.captures.create({"amount": euro("30.00")})
    assert payment.captures.get(capture["id"])["amount"] == euro("30.00")
    again = mollie.payments.get(payment["id"])
    assert (again["status"], again["amountCaptured"]) == ("paid", euro("30.00"))
    assert payment.captures.list().count == 1
    assert api("POST", f"/v2/payments/{payment['id']}/captures", json={}).status_code == 422


def test_methods_know_what_they_can(mollie: Client) -> None:
    def ids(**query: Any) -> set[str]:
        return {method["id"] for method in mollie.methods.list(**query)}

    assert ids(sequenceType="recurring") == {"creditcard", "directdebit", "paypal"}
    assert "directdebit" not in ids()
    assert ids(sequenceType="first", amount=euro("0.00")) == {"creditcard", "paypal"}
    assert "directdebit" not in ids(sequenceType="recurring", amount=euro("1000.01"))
    assert "ideal" not in ids(amount={"value": "10.00", "currency": "USD"})
    ideal = mollie.methods.get("ideal", include="issuers")
    assert len(ideal["issuers"]) > 5
    assert api("GET", "/v2/methods/all").json()["count"] > 10
    assert api("GET", "/v2/methods/sofort").status_code == 404
    assert api("GET", "/v2/methods?sequence=first").status_code == 422
    assert api("GET", "/v2/methods?sequenceType=second").status_code == 422


def test_what_may_still_change_can_be_changed(sandbox: Sandbox, mollie: Client, inbox: Inbox) -> None:
    payment = first_payment(mollie)
    changed = mollie.payments.update(
        payment["id"], {"description": "New", "redirectUrl": f"{SHOP}/new", "metadata": {"a": 1}}
    )
    assert (changed["description"], changed["redirectUrl"]) == ("New", f"{SHOP}/new")
    assert sandbox.pump() == 0
    pay(payment)
    with pytest.raises(UnprocessableEntityError, match="cannot be updated when the payment is finalized"):
        mollie.payments.update(payment["id"], {"redirectUrl": SHOP})
    assert mollie.payments.update(payment["id"], {"description": "Newer"})["description"] == "Newer"
    assert api("PATCH", f"/v2/payments/{payment['id']}", json={"amount": euro("1.00")}).status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/nothing", 404),
        ("PUT", "/v2/payments", 405),
        ("GET", "/v2/payments/tr_nothing", 404),
        ("GET", "/v2/payments/tr_nothing/refunds", 404),
        ("GET", "/v2/customers/cst_x/mandates", 404),
        ("GET", "/v2/payments?limit=0", 400),
        ("GET", "/v2/payments?sort=up", 400),
    ],
)
def test_what_is_not_there_is_refused_in_hal(sandbox: Sandbox, method: str, path: str, status: int) -> None:
    answer = api(method, path)
    assert answer.status_code == answer.json()["status"] == status
    assert answer.headers["Content-Type"] == "application/hal+json"
    assert answer.json()["_links"]["documentation"]["type"] == "text/html"


def test_unreadable_bodies_are_refused(sandbox: Sandbox) -> None:
    json = {"Content-Type": "application/json"}
    assert api("POST", "/v2/payments", data=b"{", headers=json).status_code == 400
    assert api("POST", "/v2/payments", data=b"[]", headers=json).status_code == 400
    xml = {"Content-Type": "application/xml"}
    assert api("POST", "/v2/payments", data=b"<a/>", headers=xml).status_code == 415
