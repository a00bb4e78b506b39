"""Access tokens, OAuth, organisations and profiles."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from mollie.api.client import Client
from mollie.api.error import ResponseError, UnauthorizedError

from linkpay.sandbox.app import Sandbox
from tests.sandbox.desk import KEY, MOLLIE, SHOP, api, control, euro

BACK = "https://app.example.com/connected"
SCOPE = "payments.read payments.write profiles.read organizations.read"


@pytest.fixture
def app(sandbox: Sandbox) -> dict[str, str]:
    made: dict[str, str] = control(sandbox, "oauth/clients", name="LinkPay", redirect_url=BACK)
    return made


def authorize(app: dict[str, str], decision: str = "allow", **changes: str) -> dict[str, list[str]]:
    """Walk through the consent page; returns what came back in the address."""
    query = {"client_id": app["client_id"], "response_type": "code", "state": "s1", "scope": SCOPE}
    url = f"{MOLLIE}/oauth2/authorize?{urlencode(query | changes)}"
    body = {"decision": decision, "name": "Jane's Academy"}
    answer = requests.post(url, data=body, allow_redirects=False, timeout=5)
    assert answer.headers["Location"].startswith(BACK)
    return parse_qs(urlsplit(answer.headers["Location"]).query)


def tokens(app: dict[str, str], secret: str | None = None, **body: str) -> requests.Response:
    auth = (app["client_id"], secret or app["client_secret"])
    return requests.post(f"{MOLLIE}/oauth2/tokens", data=body, auth=auth, timeout=5)


def connect(app: dict[str, str], **changes: str) -> dict[str, Any]:
    code = authorize(app, **changes)["code"][0]
    answer: dict[str, Any] = tokens(app, grant_type="authorization_code", code=code).json()
    return answer


def signed_in(token: str) -> Client:
    client = Client(api_endpoint=MOLLIE)
    client.set_access_token(token)
    client.set_testmode(True)
    return client


def order(profile_id: str | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {"amount": euro("10.00"), "description": "Once", "redirectUrl": f"{SHOP}/back"}
    return body if profile_id is None else body | {"profileId": profile_id}


def test_an_app_gets_a_merchants_tokens(sandbox: Sandbox, app: dict[str, str]) -> None:
    page = requests.get(
        f"{MOLLIE}/oauth2/authorize",
        params={"client_id": app["client_id"], "response_type": "code", "state": "x", "scope": SCOPE},
        timeout=5,
    )
    assert "LinkPay asks for access" in page.text
    granted = connect(app)
    assert (granted["expires_in"], granted["token_type"]) == (3600, "bearer")
    client = signed_in(granted["access_token"])
    assert client.organizations.get("me")["name"] == "Jane's Academy"
    (profile,) = client.profiles.list()
    payment = client.payments.create(order(profile["id"]))
    assert (payment["mode"], payment["profileId"]) == ("test", profile["id"])
    assert payment["_links"]["self"]["href"].endswith("?testmode=true")
    assert api("GET", "/v2/payments", granted["access_token"]).json()["count"] == 0


def test_denial_and_bad_requests_come_back(app: dict[str, str]) -> None:
    assert authorize(app, "deny")["error"] == ["access_denied"]
    assert authorize(app, scope="everything")["error"] == ["invalid_scope"]
    assert authorize(app, state="")["error"] == ["invalid_request"]
    url = f"{MOLLIE}/oauth2/authorize?client_id=app_unknown"
    assert requests.get(url, timeout=5).status_code == 400


def test_a_code_lives_thirty_seconds_and_works_once(sandbox: Sandbox, app: dict[str, str]) -> None:
    code = authorize(app)["code"][0]
    sandbox.advance(timedelta(seconds=30))
    answer = tokens(app, grant_type="authorization_code", code=code)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    code = authorize(app)["code"][0]
    assert tokens(app, grant_type="authorization_code", code=code).status_code == 200
    assert tokens(app, grant_type="authorization_code", code=code).status_code == 400


def test_an_access_token_ends_after_an_hour_and_is_refreshed(sandbox: Sandbox, app: dict[str, str]) -> None:
    granted = connect(app)
    sandbox.advance(timedelta(seconds=3600))
    with pytest.raises(UnauthorizedError):
        signed_in(granted["access_token"]).payments.list()
    fresh = tokens(app, grant_type="refresh_token", refresh_token=granted["refresh_token"]).json()
    assert fresh["refresh_token"] == granted["refresh_token"]
    assert signed_in(fresh["access_token"]).payments.list().count == 0


def test_revoking_the_refresh_token_ends_everything(app: dict[str, str]) -> None:
    granted = connect(app)
    auth = (app["client_id"], app["client_secret"])
    body = {"token_type_hint": "refresh_token", "token": granted["refresh_token"]}
    assert requests.delete(f"{MOLLIE}/oauth2/tokens", data=body, auth=auth, timeout=5).status_code == 204
    with pytest.raises(UnauthorizedError):
        signed_in(granted["access_token"]).payments.list()
    again = tokens(app, grant_type="refresh_token", refresh_token=granted["refresh_token"])
    assert again.json()["error"] == "invalid_grant"


def test_wrong_client_credentials_are_refused(app: dict[str, str]) -> None:
    answer = tokens(app, secret="wrong", grant_type="refresh_token", refresh_token="x")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert tokens(app, grant_type="password").json()["error"] == "unsupported_grant_type"


def test_a_missing_scope_is_forbidden(app: dict[str, str]) -> None:
    client = signed_in(connect(app, scope="payments.read")["access_token"])
    assert client.payments.list().count == 0
    with pytest.raises(ResponseError) as caught:
        client.customers.list()
    assert caught.value.status == 403


def test_access_tokens_name_their_profile_and_keys_do_not(sandbox: Sandbox) -> None:
    missing = api("POST", "/v2/payments", "access_agency", json=order() | {"testmode": True})
    assert (missing.status_code, missing.json()["field"]) == (422, "profileId")
    foreign = api("POST", "/v2/payments", "access_agency", json=order("pfl_other") | {"testmode": True})
    assert (foreign.status_code, foreign.json()["field"]) == (422, "profileId")
    profile = api("GET", "/v2/profiles", "access_agency").json()["_embedded"]["profiles"][0]["id"]
    live = api("POST", "/v2/payments", "access_agency", json=order(profile))
    assert (live.status_code, live.json()["mode"]) == (201, "live")
    odd = api("GET", "/v2/payments?testmode=maybe", "access_agency")
    assert (odd.status_code, odd.json()["field"]) == (422, "testmode")
    assert api("GET", "/v2/methods", "access_agency").json()["field"] == "profileId"


def test_live_and_test_keys_see_different_books(sandbox: Sandbox) -> None:
    made = api("POST", "/v2/payments", "live_sandboxofourown", json=order())
    assert (made.status_code, made.json()["mode"]) == (201, "live")
    assert "changePaymentState" not in made.json()["_links"]
    assert api("GET", f"/v2/payments/{made.json()['id']}", KEY).status_code == 404


def test_profiles_are_kept_by_access_tokens_only(sandbox: Sandbox) -> None:
    body = {"name": "Shop", "website": SHOP, "email": "a@example.com", "phone": "+31201234567"}
    made = api("POST", "/v2/profiles", "access_agency", json=body)
    assert made.status_code == 201
    path = f"/v2/profiles/{made.json()['id']}"
    assert api("PATCH", path, "access_agency", json={"name": "Other"}).json()["name"] == "Other"
    assert api("GET", path, "access_agency").json()["status"] == "unverified"
    assert api("DELETE", path, "access_agency").status_code == 204
    assert api("GET", path, "access_agency").status_code == 404
    assert api("GET", "/v2/profiles").status_code == 403
    assert api("GET", "/v2/profiles/me").json()["id"].startswith("pfl_")
    assert api("GET", "/v2/organizations/me").status_code == 403
    assert api("GET", "/v2/permissions/payments.read", "access_agency").json()["granted"] is True
    assert api("GET", "/v2/permissions", "access_agency").json()["count"] > 10
    assert api("GET", "/v2/onboarding/me", "access_agency").json()["status"] == "completed"


def test_a_suspended_organisation_cannot_collect(sandbox: Sandbox, mollie: Client) -> None:
    control(sandbox, f"organizations/{KEY}", suspended=True)
    answer = api("POST", "/v2/payments", json=order())
    assert (answer.status_code, answer.json()["detail"]) == (422, "Your account is currently suspended")


def test_a_switched_off_method_is_not_offered(sandbox: Sandbox, mollie: Client) -> None:
    control(sandbox, f"organizations/{KEY}", disabled_methods=["ideal"])
    offered = [method["id"] for method in mollie.methods.list(sequenceType="first", amount=euro("10.00"))]
    assert "ideal" not in offered
    assert "bancontact" in offered
    assert api("POST", "/v2/payments", json=order() | {"method": "ideal"}).status_code == 422
    assert api("GET", "/v2/methods/ideal").status_code == 404
    assert api("POST", "/v2/profiles/me/methods/ideal").status_code == 201
    assert api("GET", "/v2/methods/ideal").status_code == 200
    assert api("DELETE", "/v2/profiles/me/methods/ideal").status_code == 204
    assert api("GET", "/v2/methods/ideal").status_code == 404
    assert api("POST", "/v2/profiles/pfl_other/methods/ideal").status_code == 404
