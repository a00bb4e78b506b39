"""Disturbances: what the caller meets, and what really happened."""

import random
from typing import Any

import pytest
import requests
from mollie.api.client import Client
from mollie.api.error import RequestError, ResponseError, ResponseHandlingError

from linkpay.sandbox.app import Sandbox
from tests.sandbox.desk import SHOP, api, control, euro


def order() -> dict[str, Any]:
    return {"amount": euro("10.00"), "description": "Once", "redirectUrl": f"{SHOP}/back"}


def fault(sandbox: Sandbox, kind: str, **more: Any) -> None:
    control(sandbox, "faults", target="mollie", kind=kind, **more)


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_status_fault_does_nothing(sandbox: Sandbox, mollie: Client, status: int) -> None:
    fault(sandbox, f"status:{status}", match="/payments")
    assert api("GET", "/v2/customers").status_code == 200
    with pytest.raises(ResponseError) as caught:
        mollie.payments.create(order())
    assert caught.value.status == status
    assert mollie.payments.list().count == 0


@pytest.mark.parametrize(
    ("kind", "done"),
    [
        ("timeout_before", False),
        ("timeout_after", True),
        ("reset_before", False),
        ("reset_after", True),
    ],
)
def test_a_lost_answer_may_have_been_done(sandbox: Sandbox, mollie: Client, kind: str, done: bool) -> None:
    fault(sandbox, kind)
    with pytest.raises(RequestError):
        mollie.payments.create(order(), idempotency_key="the-same")
    assert mollie.payments.list().count == int(done)
    again = mollie.payments.create(order(), idempotency_key="the-same")
    assert [payment["id"] for payment in mollie.payments.list()] == [again["id"]]


@pytest.mark.parametrize(("kind", "done"), [("html", False), ("html_after", True)])
def test_a_page_instead_of_json(sandbox: Sandbox, mollie: Client, kind: str, done: bool) -> None:
    fault(sandbox, kind)
    with pytest.raises(ResponseHandlingError):
        mollie.payments.create(order())
    assert mollie.payments.list().count == int(done)


def test_accepted_has_no_id_but_was_done(sandbox: Sandbox, mollie: Client) -> None:
    fault(sandbox, "accepted_202")
    answer = api("POST", "/v2/payments", json=order())
    assert (answer.status_code, answer.json()["status"]) == (202, 202)
    assert mollie.payments.list().count == 1


def test_a_fresh_payment_may_be_invisible_for_one_read(sandbox: Sandbox, mollie: Client) -> None:
    fault(sandbox, "not_found_once", match="/v2/payments/tr_")
    payment = mollie.payments.create(order())
    assert api("GET", f"/v2/payments/{payment['id']}").status_code == 404
    assert api("GET", f"/v2/payments/{payment['id']}").status_code == 200


def test_slowness_delays_and_does(sandbox: Sandbox, mollie: Client) -> None:
    fault(sandbox, "slow:60")
    answer = api("POST", "/v2/payments", json=order())
    assert answer.status_code == 201
    line = sandbox.call("GET", "/_sandbox/log?path=/v2/payments&method=POST")[0]
    assert line["ms"] >= 60
    assert line["status"] == 201


def test_count_match_and_delete(sandbox: Sandbox) -> None:
    fault(sandbox, "status:500", match="/v2/customers", count=2)
    assert [api("GET", "/v2/customers").status_code for _ in range(3)] == [500, 500, 200]
    fault(sandbox, "status:500", count=100)
    assert sandbox.call("GET", "/_sandbox/state")["faults"][0]["count"] == 100
    sandbox.call("DELETE", "/_sandbox/faults")
    assert api("GET", "/v2/customers").status_code == 200


def test_a_seed_makes_chance_repeatable(sandbox: Sandbox) -> None:
    def run() -> list[int]:
        sandbox.call("DELETE", "/_sandbox/faults")
        fault(sandbox, "status:503", count=1000, probability=0.3, seed="seven")
        return [api("GET", "/v2/customers").status_code for _ in range(40)]

    one, two = run(), run()
    assert one == two
    assert 4 <= one.count(503) <= 22
    assert random.Random("seven:1").random() != random.Random("eight:1").random()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"target": "bank", "kind": "html"}, "target"),
        ({"target": "mollie", "kind": "explode"}, "kind"),
        ({"target": "mollie", "kind": "slow:soon"}, "kind"),
        ({"target": "mollie", "kind": "html", "count": 0}, "count"),
        ({"target": "mollie", "kind": "html", "count": "2"}, "count"),
        ({"target": "mollie", "kind": "html", "probability": 2}, "probability"),
        ({"target": "mollie", "kind": "html", "often": True}, "often"),
        ({"target": "mollie"}, "kind"),
    ],
)
def test_a_senseless_fault_is_refused(sandbox: Sandbox, body: dict[str, Any], field: str) -> None:
    answer = requests.post("http://mollie.sandbox.test/_sandbox/faults", json=body, timeout=5)
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == field


def test_broken_json_to_the_controls_is_refused(sandbox: Sandbox) -> None:
    url = "http://mollie.sandbox.test/_sandbox/clock"
    answer = requests.post(url, data=b"{", headers={"Content-Type": "application/json"}, timeout=5)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "malformed")
    assert requests.delete(url, timeout=5).status_code == 405
    assert requests.get(f"{url}s", timeout=5).status_code == 404
