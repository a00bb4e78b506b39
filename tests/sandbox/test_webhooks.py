"""Classic webhooks: what is announced, when it is tried again, and how deliveries are disturbed."""

from datetime import timedelta

import pytest
from mollie.api.client import Client

from linkpay.sandbox.app import Sandbox
from tests.sandbox.desk import HOOK, Inbox, charge, control, euro, first_payment, mandated, pay


def test_open_and_pending_are_never_announced(sandbox: Sandbox, mollie: Client, inbox: Inbox) -> None:
    first = mandated(mollie)
    sandbox.pump()
    charge(mollie, first)
    first_payment(mollie)
    assert sandbox.pump() == 0
    assert inbox.ids == [first["id"]]


@pytest.mark.parametrize("status", ["failed", "canceled", "expired"])
def test_every_bad_end_is_announced(sandbox: Sandbox, mollie: Client, inbox: Inbox, status: str) -> None:
    payment = first_payment(mollie)
    pay(payment, status)
    sandbox.pump()
    assert inbox.ids == [payment["id"]]
    assert mollie.payments.get(payment["id"])["status"] == status


def test_leaving_the_page_open_changes_nothing(sandbox: Sandbox, mollie: Client) -> None:
    payment = first_payment(mollie)
    assert pay(payment, "open").status_code == 303
    assert mollie.payments.get(payment["id"])["status"] == "open"
    assert sandbox.pump() == 0


def test_refunds_and_chargebacks_are_announced_while_the_payment_stays_paid(
    sandbox: Sandbox, mollie: Client, inbox: Inbox
) -> None:
    debit = charge(mollie, mandated(mollie))
    sandbox.advance(timedelta(days=7))
    sandbox.pump()
    inbox.calls.clear()
    payment = mollie.payments.get(debit["id"])
    payment.refunds.create({"amount": euro("5.00")})
    assert sandbox.pump() == 0
    sandbox.advance(timedelta(hours=3))
    assert sandbox.pump() == 1
    control(sandbox, f"payments/{debit['id']}/chargebacks", reason="MD06")
    sandbox.pump()
    assert inbox.ids == [debit["id"]] * 2
    payment = mollie.payments.get(debit["id"], embed="refunds,chargebacks")
    assert (payment["status"], payment["amountChargedBack"]) == ("paid", euro("50.00"))
    assert payment["_embedded"]["chargebacks"][0]["reason"]["code"] == "MD06"
    assert payment["_embedded"]["refunds"][0]["status"] == "processing"


def test_a_refused_webhook_is_tried_ten_times_by_the_table(
    sandbox: Sandbox, mollie: Client, inbox: Inbox
) -> None:
    inbox.status = 500
    payment = first_payment(mollie)
    pay(payment)
    sandbox.pump()
    for _ in range(27 * 60):
        sandbox.advance(timedelta(minutes=1))
        sandbox.pump()
    assert len(inbox.calls) == 10
    log = sandbox.call("GET", f"/_sandbox/deliveries?subject={payment['id']}")[0]
    assert log["state"] == "given_up"
    starts = [attempt["at"][8:16] for attempt in log["attempts"]]
    first_day = ["12:00", "12:01", "12:03", "12:07", "12:15", "12:31", "13:00", "14:00", "16:00"]
    assert starts == [*(f"02T{start}" for start in first_day), "03T14:00"]


def test_a_later_200_ends_the_tries(sandbox: Sandbox, mollie: Client, inbox: Inbox) -> None:
    inbox.answers = [500, 200]
    pay(first_payment(mollie))
    sandbox.pump()
    assert sandbox.call("GET", "/_sandbox/state")["deliveries"]["retrying"] == 1
    sandbox.advance(timedelta(minutes=2))
    sandbox.pump()
    sandbox.advance(timedelta(days=2))
    assert sandbox.pump() == 0
    assert sandbox.waiting() == []


def test_anything_but_200_is_a_refusal(sandbox: Sandbox, mollie: Client, inbox: Inbox) -> None:
    inbox.status = 202
    pay(first_payment(mollie))
    sandbox.pump()
    assert len(sandbox.waiting()) == 1


def test_deliveries_can_be_lost_doubled_and_reordered(sandbox: Sandbox, mollie: Client, inbox: Inbox) -> None:
    payments = [first_payment(mollie) for _ in range(5)]
    ids = [payment["id"] for payment in payments]
    control(sandbox, "faults", target="mollie", kind="webhook_lost")
    pay(payments[0])
    control(sandbox, "faults", target="mollie", kind="webhook_twice")
    pay(payments[1])
    control(sandbox, "faults", target="mollie", kind="webhook_reordered")
    for payment in payments[2:]:
        pay(payment)
    sandbox.pump()
    assert inbox.ids == [ids[1], ids[1], ids[3], ids[4], ids[2]]


def test_an_early_webhook_arrives_before_the_answer(sandbox: Sandbox, mollie: Client, inbox: Inbox) -> None:
    first = mandated(mollie, "creditcard")
    sandbox.pump()
    inbox.calls.clear()
    control(sandbox, "faults", target="mollie", kind="webhook_early", match="hooks/mollie")
    paid = charge(mollie, first)
    assert inbox.calls == [(HOOK, {"id": paid["id"]})]
    assert sandbox.pump() == 0


def test_a_buyer_may_come_back_after_the_webhook(sandbox: Sandbox, mollie: Client, inbox: Inbox) -> None:
    payment = first_payment(mollie)
    control(sandbox, "faults", target="mollie", kind="webhook_early")
    assert pay(payment).status_code == 303
    assert inbox.ids == [payment["id"]]
    assert sandbox.pump() == 0


def test_dropping_the_faults_lets_go_of_what_was_held(sandbox: Sandbox, mollie: Client, inbox: Inbox) -> None:
    control(sandbox, "faults", target="mollie", kind="webhook_reordered")
    payment = first_payment(mollie)
    pay(payment)
    assert sandbox.pump() == 0
    sandbox.call("DELETE", "/_sandbox/faults")
    assert sandbox.pump() == 1
    assert inbox.ids == [payment["id"]]


def test_a_test_may_deliver_in_its_own_order(sandbox: Sandbox, mollie: Client, inbox: Inbox) -> None:
    payments = [first_payment(mollie) for _ in range(2)]
    for payment in payments:
        pay(payment)
    one, two = sandbox.take()
    for delivery in (two, one, two):
        sandbox.attempt(delivery)
    assert inbox.ids == [payments[1]["id"], payments[0]["id"], payments[1]["id"]]
    assert sandbox.pump() == 0
