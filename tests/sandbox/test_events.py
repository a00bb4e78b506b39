"""Next-generation webhooks: registered, signed, pinged, blocked."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from linkpay.clock import ManualClock
from linkpay.sandbox.app import Sandbox, create_sandbox
from linkpay.sandbox.inprocess import mounted
from linkpay.sandbox.records import Delivery
from tests.sandbox.conftest import START
from tests.sandbox.desk import SHOP, api, control, euro

TOKEN = "access_agency"
TEST = {"testmode": True}


class Post:
    """Receives whole deliveries."""

    def __init__(self) -> None:
        self.got: list[Delivery] = []
        self.status = 200

    def __call__(self, delivery: Delivery) -> int:
        self.got.append(delivery)
        return self.status


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def box(post: Post) -> Iterator[Sandbox]:
    made = create_sandbox(clock=ManualClock(START), post=post)
    with mounted(made):
        yield made


def profile() -> str:
    found: str = api("GET", "/v2/profiles", TOKEN).json()["_embedded"]["profiles"][0]["id"]
    return found


def register(*types: str) -> dict[str, Any]:
    body = {"name": "Mine", "url": f"{SHOP}/events", "eventTypes": list(types)}
    answer = api("POST", "/v2/webhooks", TOKEN, json=body | TEST)
    assert answer.status_code == 201
    made: dict[str, Any] = answer.json()
    return made


def paid_payment(box: Sandbox) -> str:
    body = {"amount": euro("10.00"), "description": "Once", "redirectUrl": SHOP, "profileId": profile()}
    payment_id: str = api("POST", "/v2/payments", TOKEN, json=body | TEST).json()["id"]
    control(box, f"payments/{payment_id}", status="paid", method="ideal")
    return payment_id


def test_an_event_is_signed_and_carries_its_entity(box: Sandbox, post: Post) -> None:
    hook = register("payment.paid")
    payment_id = paid_payment(box)
    assert box.pump() == 1
    (delivery,) = post.got
    wanted = hmac.new(hook["webhookSecret"].encode(), delivery.body.encode(), hashlib.sha256).hexdigest()
    assert delivery.headers["X-Mollie-Signature"] == f"sha256={wanted}"
    event = json.loads(delivery.body)
    assert (event["type"], event["entityId"]) == ("payment.paid", payment_id)
    assert event["_embedded"]["entity"]["status"] == "paid"
    shown = api("GET", f"/v2/events/{event['id']}?testmode=true", TOKEN).json()
    assert shown["entityId"] == payment_id
    assert api("GET", f"/v2/events/{event['id']}", TOKEN).status_code == 404


def test_only_the_chosen_types_are_sent(box: Sandbox, post: Post) -> None:
    register("chargeback.received", "chargeback.reversed")
    payment_id = paid_payment(box)
    assert box.pump() == 0
    made = control(box, f"payments/{payment_id}/chargebacks")
    control(box, f"chargebacks/{made['id']}/reverse")
    box.pump()
    assert [json.loads(delivery.body)["type"] for delivery in post.got] == [
        "chargeback.received",
        "chargeback.reversed",
    ]


def test_the_secret_is_shown_once(box: Sandbox) -> None:
    hook = register("*")
    path = f"/v2/webhooks/{hook['id']}"
    assert "webhookSecret" not in api("GET", f"{path}?testmode=true", TOKEN).json()
    changed = api("PATCH", path, TOKEN, json={"name": "Other", "eventTypes": "refund.failed"} | TEST).json()
    assert (changed["name"], changed["eventTypes"]) == ("Other", ["refund.failed"])
    assert api("GET", "/v2/webhooks?testmode=true", TOKEN).json()["count"] == 1
    assert api("DELETE", path, TOKEN, json=TEST).status_code == 204
    assert api("GET", f"{path}?testmode=true", TOKEN).status_code == 404


def test_a_ping_arrives(box: Sandbox, post: Post) -> None:
    hook = register("payment.paid")
    assert api("POST", f"/v2/webhooks/{hook['id']}/ping", TOKEN, json=TEST).status_code == 202
    box.pump()
    assert json.loads(post.got[0].body)["type"] == "hook.ping"


def test_a_webhook_that_never_answers_is_blocked(box: Sandbox, post: Post) -> None:
    hook = register("payment.paid")
    post.status = 500
    for _ in range(3):
        paid_payment(box)
    for _ in range(10):
        box.pump()
        box.advance(timedelta(hours=23))
    box.pump()
    shown = api("GET", f"/v2/webhooks/{hook['id']}?testmode=true", TOKEN).json()
    assert shown["status"] == "blocked"
    before = len(post.got)
    paid_payment(box)
    assert box.pump() == 0
    assert len(post.got) == before == 30


def test_keys_and_odd_types_are_refused(box: Sandbox) -> None:
    assert api("GET", "/v2/webhooks").status_code == 403
    body = {"name": "Mine", "url": f"{SHOP}/events", "eventTypes": ["payment.*"]}
    answer = api("POST", "/v2/webhooks", TOKEN, json=body | TEST)
    assert (answer.status_code, answer.json()["field"]) == (422, "eventTypes")
