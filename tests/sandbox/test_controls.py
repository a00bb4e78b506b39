"""Controls take no nonsense: whatever is sent, the answer is a refusal in words or done, never a crash."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from linkpay.sandbox.app import Sandbox
from linkpay.sandbox.web import Request, Response
from tests.sandbox.desk import control, euro

ODD = ["", 0, -1, 1.5, 1e308, 10**30, True, [], {}, ["x"], {"a": 1}, "x" * 3000, "\0", "2026-13-40"]
#: A good body for each control; {site}, {offer} and so on stand for ids of the fixture.
BODIES: dict[str, dict[str, Any]] = {
    "clock": {"advance_seconds": 1},
    "faults": {"target": "mollie", "kind": "slow:10", "count": 1, "probability": 0.5, "seed": "a"},
    "payments/{payment}": {"status": "paid", "method": "ideal", "mandate_after_hours": 2},
    "payments/{paid}/chargebacks": {"reason": "AM04", "amount": euro("0.01")},
    "payments/{paid}/refunds": {"amount": euro("0.01"), "description": "Sorry"},
    "customers/{customer}": {"next_debit": {"status": "charged_back", "after_days": 3}, "count": 1},
    "organizations/test_other": {"suspended": False, "disabled_methods": [], "name": "Other"},
    "oauth/clients": {"name": "App", "redirect_url": "https://app.example.com/back"},
    "kajabi/sites": {"name": "Academy", "regrant_refused": False, "rate_limit": 60},
    "kajabi/sites/{site}": {"regrant_refused": False, "rate_limit": 60},
    "kajabi/offers": {"site_id": "{site}", "title": "Course", "products": ["A"], "price_cents": 5000},
    "kajabi/purchases": {"offer_id": "{offer}", "email": "k@example.com", "name": "K", "amount_cents": 1},
    "kajabi/hooks": {"site_id": "{site}", "target_url": "https://shop.example.com/hook", "shape": "A"},
    "kajabi/tags": {"site_id": "{site}", "name": "VIP"},
    "kajabi/form_submissions": {"site_id": "{site}", "email": "k@example.com", "name": "K"},
}


@pytest.fixture
def ids(sandbox: Sandbox) -> dict[str, str]:
    customer = _create(sandbox, "customers", {"name": "Jane"})
    made = {"customer": customer}
    for name in ("payment", "paid"):
        first = {"amount": euro("10.00"), "description": "First", "redirectUrl": "https://s.example.com"}
        made[name] = _create(sandbox, "payments", first | {"customerId": customer, "sequenceType": "first"})
    control(sandbox, f"payments/{made['paid']}", status="paid", method="ideal")
    made["site"] = control(sandbox, "kajabi/sites", name="Academy")["id"]
    made["offer"] = control(sandbox, "kajabi/offers", site_id=made["site"], title="Course")["id"]
    return made


def _create(sandbox: Sandbox, path: str, body: dict[str, Any]) -> str:
    answer = json.loads(_send(sandbox, f"/v2/{path}", json.dumps(body).encode()).body)
    found: str = answer["id"]
    return found


def _send(sandbox: Sandbox, path: str, body: bytes, method: str = "POST", query: str = "") -> Response:
    headers = {"content-type": "application/json", "authorization": "Bearer test_controls"}
    return sandbox.handle(Request(method, path, query, headers, body, sandbox.world.base))


def _variants(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for key, value in body.items():
        yield from ({**body, key: odd} for odd in ODD)
        if isinstance(value, dict):
            yield from ({**body, key: inner} for inner in _variants(value))


def _is_clear(response: Response) -> bool:
    if response.status < 400:
        return True
    error = json.loads(response.body)["error"]
    return response.status < 500 and bool(error["code"] and error["message"])


@pytest.mark.parametrize("path", BODIES)
def test_every_odd_value_is_taken_or_refused_in_words(
    sandbox: Sandbox, ids: dict[str, str], path: str
) -> None:
    good = json.loads(
        json.dumps(BODIES[path]).replace("{site}", ids["site"]).replace("{offer}", ids["offer"])
    )
    address = f"/_sandbox/{path.format(**ids)}"
    for body in [good, *_variants(good)]:
        response = _send(sandbox, address, json.dumps(body).encode())
        assert _is_clear(response), (body, response.status, response.body)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_in_json_is_none_here(sandbox: Sandbox, number: str) -> None:
    body = f'{{"target": "mollie", "kind": "html", "count": {number}}}'.encode()
    response = _send(sandbox, "/_sandbox/faults", body)
    assert (response.status, json.loads(response.body)["error"]["code"]) == (400, "malformed")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("kajabi/sites", {"name": "A", "rate_limit": 0}, "rate_limit"),
        ("kajabi/offers", {"site_id": "{site}", "title": "A", "price_cents": -1}, "price_cents"),
        ("kajabi/offers", {"site_id": "{site}", "title": "A", "currency": "euro"}, "currency"),
        ("kajabi/hooks", {"site_id": "{site}", "target_url": "shop", "shape": "A"}, "target_url"),
        ("kajabi/purchases", {"offer_id": "{offer}", "email": "k@example.com", "name": 7}, "name"),
        ("oauth/clients", {"name": "App", "redirect_url": "back"}, "redirect_url"),
        ("faults", {"target": "mollie", "kind": "html", "seed": ["a"]}, "seed"),
        ("payments/{payment}", {"status": "paid", "mandate_after_hours": -1}, "mandate_after_hours"),
        (
            "customers/{customer}",
            {"next_debit": {"status": "charged_back", "after_days": 1e6}},
            "after_days",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(
    sandbox: Sandbox, ids: dict[str, str], path: str, body: dict[str, Any], field: str
) -> None:
    filled = json.dumps(body).replace("{site}", ids["site"]).replace("{offer}", ids["offer"]).encode()
    response = _send(sandbox, f"/_sandbox/{path.format(**ids)}", filled)
    assert (response.status, json.loads(response.body)["error"]["field"]) == (422, field)


def test_a_refused_fate_leaves_the_one_before_in_place(sandbox: Sandbox, ids: dict[str, str]) -> None:
    address = f"customers/{ids['customer']}"
    control(sandbox, address, next_debit={"status": "failed", "reason": "AM04"})
    with pytest.raises(ValueError, match="count"):
        control(sandbox, address, next_debit={"status": "paid"}, count=0)
    assert sandbox.world.books.fates.rows[ids["customer"]].outcome["status"] == "failed"


@pytest.mark.parametrize("path", ["state", "mail", "log", "deliveries", "kajabi/members"])
def test_a_misspelt_query_key_does_not_find_everything(sandbox: Sandbox, path: str) -> None:
    response = _send(sandbox, f"/_sandbox/{path}", b"", "GET", "stauts=paid")
    assert (response.status, json.loads(response.body)["error"]["field"]) == (422, "stauts")
