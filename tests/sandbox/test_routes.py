"""What holds for every address: credentials, unknown keys, wrong methods, refusals."""

import re
from typing import Any

import pytest
import requests

from linkpay.sandbox.app import Sandbox
from linkpay.sandbox.control.routes import ROUTES as CONTROL
from linkpay.sandbox.kajabi.routes import ROUTES as KAJABI_API
from linkpay.sandbox.mollie.routes import ROUTES
from tests.sandbox.desk import KAJABI, KEY, MOLLIE, api, first_payment

NAMES = {
    "payment": "tr_unknown",
    "customer": "cst_unknown",
    "mandate": "mdt_unknown",
    "subscription": "sub_unknown",
    "refund": "re_unknown",
    "chargeback": "chb_unknown",
    "capture": "cpt_unknown",
    "webhook": "hook_unknown",
    "event": "event_unknown",
    "profile": "pfl_unknown",
    "organization": "org_1",
    "permission": "payments.none",
    "method": "none",
}
MOLLIE_ROUTES = [(method, pattern) for method, pattern, _ in ROUTES]


def path_of(pattern: str) -> str:
    """The pattern with ids that nobody has."""
    return re.sub(r"\{(\w+)\}", lambda match: NAMES.get(match[1], "0"), pattern)


@pytest.mark.parametrize(("method", "pattern"), MOLLIE_ROUTES)
def test_every_mollie_address_wants_a_credential(sandbox: Sandbox, method: str, pattern: str) -> None:
    answer = requests.request(method, f"{MOLLIE}{path_of(pattern)}", timeout=5)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("method", "pattern"), [route for route in MOLLIE_ROUTES if "{" in route[1] and "methods" not in route[1]]
)
def test_every_unknown_id_is_not_found(sandbox: Sandbox, method: str, pattern: str) -> None:
    answer = api(method, path_of(pattern), "access_agency")
    assert answer.status_code == 404
    assert set(answer.json()) == {"status", "title", "detail", "_links"}


@pytest.mark.parametrize(
    ("method", "pattern"), [route for route in MOLLIE_ROUTES if "{" not in route[1] and route[0] == "GET"]
)
def test_every_list_refuses_unknown_query_keys(sandbox: Sandbox, method: str, pattern: str) -> None:
    token = KEY if pattern == "/v2/profiles/me" else "access_agency"
    answer = api(method, f"{pattern}?colour=blue&profileId=x", token)
    assert (answer.status_code, answer.json()["field"] in ("colour", "profileId")) == (422, True)


@pytest.mark.parametrize(
    ("method", "pattern"), [route for route in MOLLIE_ROUTES if "{" not in route[1] and route[0] == "POST"]
)
def test_every_creation_refuses_unknown_body_keys(sandbox: Sandbox, method: str, pattern: str) -> None:
    answer = api(method, pattern, "access_agency", json={"colour": "blue"})
    assert (answer.status_code, answer.json()["field"]) == (422, "colour")


@pytest.mark.parametrize(("method", "pattern"), [(method, pattern) for method, pattern, _ in KAJABI_API])
def test_every_kajabi_address_wants_a_token(sandbox: Sandbox, method: str, pattern: str) -> None:
    answer = requests.request(method, f"{KAJABI}/kajabi{path_of(pattern)}", timeout=5)
    assert (answer.status_code, answer.json()["errors"][0]["status"]) == (401, "401")


@pytest.mark.parametrize(
    ("method", "pattern"), [(method, pattern) for method, pattern, _ in CONTROL if method == "POST"]
)
def test_every_control_refuses_senseless_bodies(sandbox: Sandbox, method: str, pattern: str) -> None:
    url = f"{MOLLIE}{path_of(pattern)}"
    broken = requests.request(method, url, data=b"{nonsense", timeout=5)
    assert (broken.status_code, broken.json()["error"]["code"]) == (400, "malformed")
    odd = requests.request(method, url, json={"colour": "blue"}, timeout=5)
    error = odd.json()["error"]
    assert odd.status_code in (404, 422)
    assert set(error) == {"code", "message", "field"}


def test_curl_may_call_its_json_a_form(sandbox: Sandbox, mollie: Any) -> None:
    payment = first_payment(mollie)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    url = f"{MOLLIE}/_sandbox/payments/{payment['id']}"
    answer = requests.post(url, data='{"status": "paid"}', headers=headers, timeout=5)
    assert (answer.status_code, answer.json()["status"]) == (200, "paid")
