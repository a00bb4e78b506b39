"""Idempotency keys: one hour, POST only, scoped to the credential."""

import threading
from datetime import timedelta
from typing import Any

import requests

from linkpay.sandbox.app import Sandbox
from tests.sandbox.desk import SHOP, api, control, euro


def create(key: str, value: str = "10.00", credential: str = "test_one") -> requests.Response:
    body: dict[str, Any] = {"amount": euro(value), "description": "Once", "redirectUrl": f"{SHOP}/back"}
    return api("POST", "/v2/payments", credential, json=body, headers={"Idempotency-Key": key})


def test_the_same_call_is_answered_again(sandbox: Sandbox) -> None:
    first, again = create("a"), create("a")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"


def test_another_body_under_the_same_key_is_refused(sandbox: Sandbox) -> None:
    create("a")
    answer = create("a", "11.00")
    assert answer.status_code == 400
    assert answer.json()["_links"]["documentation"]["href"].endswith("api-idempotency")


def test_a_key_lives_one_hour(sandbox: Sandbox) -> None:
    first = create("a").json()["id"]
    sandbox.advance(timedelta(minutes=59))
    assert create("a").json()["id"] == first
    sandbox.advance(timedelta(minutes=1))
    assert create("a").json()["id"] != first


def test_forgetting_a_key_is_no_event_to_wait_for(sandbox: Sandbox) -> None:
    before = sandbox.call("GET", "/_sandbox/state")["next_event_at"]
    answer = api("POST", "/v2/customers", "test_one", json={"name": "Jane"}, headers={"Idempotency-Key": "b"})
    assert answer.status_code == 201
    assert sandbox.call("GET", "/_sandbox/state")["next_event_at"] == before is None


def test_a_key_belongs_to_its_credential(sandbox: Sandbox) -> None:
    assert create("a").json()["id"] != create("a", credential="test_two").json()["id"]


def test_refusals_are_remembered_but_not_failures(sandbox: Sandbox) -> None:
    assert create("a", "10").status_code == 422
    assert create("a", "10").headers["Idempotent-Replayed"] == "true"
    control(sandbox, "faults", target="mollie", kind="status:503")
    assert create("b").status_code == 503
    assert "Idempotent-Replayed" not in create("b").headers


def test_only_post_is_remembered(sandbox: Sandbox) -> None:
    headers = {"Idempotency-Key": "a"}
    api("GET", "/v2/payments", headers=headers)
    assert "Idempotent-Replayed" not in api("GET", "/v2/payments", headers=headers).headers


def test_a_running_call_is_a_conflict(sandbox: Sandbox) -> None:
    control(sandbox, "faults", target="mollie", kind="slow:400")
    answers: list[int] = []
    slow = threading.Thread(target=lambda: answers.append(create("a").status_code))
    slow.start()
    while not sandbox.world.running_keys:
        pass
    assert create("a").status_code == 409
    slow.join()
    assert answers == [201]
