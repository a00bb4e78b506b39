"""The pages for people: checkout, change of state, and the sandbox's own."""

from datetime import timedelta
from html.parser import HTMLParser

import pytest
import requests
from mollie.api.client import Client

from linkpay.sandbox.app import Sandbox
from tests.sandbox.desk import MOLLIE, SHOP, charge, control, euro, first_payment, mandated, pay


class Form(HTMLParser):
    """The names and values a form offers, and the labels that are tied to something."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, list[str]] = {}
        self._select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "select":
            self._select = given["name"]
        name = given.get("name", self._select if tag == "option" else "")
        if tag in ("input", "option", "button") and name:
            self.values.setdefault(name, []).append(given.get("value", ""))


def test_the_checkout_page_says_what_is_paid_and_offers_methods(mollie: Client) -> None:
    payment = first_payment(mollie, description="Course <b>", cancelUrl=f"{SHOP}/stopped")
    page = requests.get(payment["_links"]["checkout"]["href"], timeout=5)
    assert page.status_code == 200
    assert "EUR 50.00" in page.text
    assert "Course &lt;b&gt;" in page.text
    form = Form(page.text)
    assert {"ideal", "bancontact", "creditcard"} <= set(form.values["method"])
    assert "directdebit" not in form.values["method"]
    assert "ideal_RABONL2U" in form.values["issuer"]
    assert form.values["status"] == ["paid", "failed", "canceled", "expired", "open"]
    assert pay(payment, "canceled").headers["Location"] == f"{SHOP}/stopped"


def test_a_preset_method_is_not_asked_again(mollie: Client) -> None:
    payment = first_payment(mollie, method="bancontact")
    page = requests.get(payment["_links"]["checkout"]["href"], timeout=5).text
    assert "You pay with <strong>Bancontact</strong>" in page
    assert "method" not in Form(page).values


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ({"status": "stolen"}, "Choose what should become of the payment."),
        ({"status": "paid", "method": "directdebit"}, "Choose one of the methods."),
        ({"status": "paid", "method": "ideal", "issuer": "ideal_X"}, "Choose one of the banks."),
    ],
)
def test_a_wrong_choice_is_asked_again(mollie: Client, form: dict[str, str], text: str) -> None:
    payment = first_payment(mollie)
    answer = requests.post(payment["_links"]["checkout"]["href"], data=form, timeout=5)
    assert answer.status_code == 422
    assert text in answer.text
    assert mollie.payments.get(payment["id"])["status"] == "open"


def test_a_finished_payment_cannot_be_paid_again(sandbox: Sandbox, mollie: Client) -> None:
    payment = first_payment(mollie)
    pay(payment, "failed")
    again = pay(payment)
    assert again.status_code == 200
    assert "This payment is failed" in again.text
    assert mollie.payments.get(payment["id"])["status"] == "failed"
    assert requests.get(f"{MOLLIE}/checkout/3.unknown", timeout=5).status_code == 404


def test_the_state_page_moves_a_debit_like_mollies(sandbox: Sandbox, mollie: Client) -> None:
    debit = charge(mollie, mandated(mollie))
    url = debit["_links"]["changePaymentState"]["href"]
    assert Form(requests.get(url, timeout=5).text).values["status"] == ["paid", "failed", "canceled"]
    assert requests.post(url, data={"status": "refund"}, timeout=5).status_code == 422
    assert requests.post(url, data={"status": "failed", "reason": "XX00"}, timeout=5).status_code == 422
    requests.post(url, data={"status": "paid"}, timeout=5)
    assert mollie.payments.get(debit["id"])["status"] == "paid"
    requests.post(url, data={"status": "chargeback", "reason": "MD06"}, timeout=5)
    payment = mollie.payments.get(debit["id"])
    assert payment["amountChargedBack"] == euro("50.00")
    assert requests.post(url, data={"status": "refund"}, timeout=5).status_code == 422
    dashboard = requests.get(payment["_links"]["dashboard"]["href"], timeout=5)
    assert debit["id"] in dashboard.text


def test_a_failed_debit_carries_the_chosen_reason(mollie: Client) -> None:
    debit = charge(mollie, mandated(mollie))
    url = debit["_links"]["changePaymentState"]["href"]
    requests.post(url, data={"status": "failed", "reason": "AM04"}, timeout=5)
    assert mollie.payments.get(debit["id"])["details"]["bankReasonCode"] == "AM04"


def test_controls_refuse_what_banks_do_not_do(sandbox: Sandbox, mollie: Client) -> None:
    first = mandated(mollie)
    for body, text in (
        ({"status": "failed"}, "is paid and cannot be failed"),
        ({"status": "lost"}, "status is one of"),
        ({}, "status is a text"),
    ):
        with pytest.raises(ValueError, match=text):
            control(sandbox, f"payments/{first['id']}", **body)
    with pytest.raises(ValueError, match="There is no payment"):
        control(sandbox, "payments/tr_nothing", status="paid")
    with pytest.raises(ValueError, match="not paid"):
        control(sandbox, f"payments/{first_payment(mollie)['id']}/chargebacks")
    with pytest.raises(ValueError, match="cents left to refund"):
        control(sandbox, f"payments/{first['id']}/refunds", amount=euro("60.00"))
    with pytest.raises(ValueError, match="time only moves forward"):
        control(sandbox, "clock", advance_seconds=-1)


def test_reset_forgets_all_but_the_time(sandbox: Sandbox, mollie: Client) -> None:
    payment = first_payment(mollie)
    profile = payment["profileId"]
    sandbox.advance(timedelta(minutes=5))
    now = control(sandbox, "reset")["now"]
    assert now == "2026-03-02T12:05:00+00:00"
    assert mollie.payments.list().count == 0
    assert first_payment(mollie)["profileId"] == profile
    sandbox.advance(timedelta(days=1))
    assert sandbox.pump() == 1


def test_state_shows_the_books_when_asked(sandbox: Sandbox, mollie: Client) -> None:
    payment = mandated(mollie)
    state = sandbox.call("GET", "/_sandbox/state?include=payments,mandates&organization=test_sandboxofourown")
    assert state["payments"][0]["id"] == payment["id"]
    assert state["mandates"][0]["status"] == "valid"
    assert state["payments_by_status"] == {"paid": 1}
    assert state["deliveries"]["ready"] == 1
    with pytest.raises(ValueError, match="include is one or more of"):
        sandbox.call("GET", "/_sandbox/state?include=secrets")
    with pytest.raises(ValueError, match="no such organisation"):
        sandbox.call("GET", "/_sandbox/state?include=payments&organization=test_unknown")


def test_the_front_page_explains_and_has_buttons(sandbox: Sandbox, mollie: Client) -> None:
    empty = requests.get(f"{MOLLIE}/", timeout=5).text
    assert f"{MOLLIE}/v2" in empty
    payment = first_payment(mollie)
    full = requests.get(f"{MOLLIE}/", timeout=5).text
    assert payment["id"] in full
    assert f'action="/_sandbox/payments/{payment["id"]}?then=page"' in full
    clicked = requests.post(
        f"{MOLLIE}/_sandbox/payments/{payment['id']}?then=page",
        data={"status": "paid"},
        headers={"Origin": MOLLIE},
        allow_redirects=False,
        timeout=5,
    )
    assert (clicked.status_code, clicked.headers["Location"]) == (303, "/")
    assert mollie.payments.get(payment["id"])["status"] == "paid"
    again = requests.post(
        f"{MOLLIE}/_sandbox/payments/{payment['id']}?then=page", data={"status": "paid"}, timeout=5
    )
    assert again.status_code == 409
    assert "cannot be paid" in again.text


def test_buttons_move_the_clock_and_plan_faults(sandbox: Sandbox) -> None:
    requests.post(f"{MOLLIE}/_sandbox/clock?then=page", data={"advance_seconds": "3600"}, timeout=5)
    assert sandbox.call("GET", "/_sandbox/clock")["now"] == "2026-03-02T13:00:00+00:00"
    form = {"target": "kajabi", "kind": "html", "match": "", "count": "2"}
    requests.post(f"{MOLLIE}/_sandbox/faults?then=page", data=form, timeout=5)
    assert "html at kajabi, 2 to come" in requests.get(f"{MOLLIE}/", timeout=5).text
    requests.post(f"{MOLLIE}/_sandbox/faults/drop?then=page", timeout=5)
    assert sandbox.call("GET", "/_sandbox/state")["faults"] == []


def test_foreign_pages_cannot_press_the_buttons(sandbox: Sandbox, mollie: Client) -> None:
    first_payment(mollie)
    foreign = {"Origin": "https://elsewhere.example.com"}
    assert requests.post(f"{MOLLIE}/_sandbox/reset", headers=foreign, timeout=5).status_code == 403
    assert mollie.payments.list().count == 1
