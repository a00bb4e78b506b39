"""Kajabi's public API and its outgoing hooks."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests

from linkpay.clock import ManualClock
from linkpay.sandbox.app import create_sandbox
from linkpay.sandbox.inprocess import mounted
from linkpay.sandbox.records import Delivery
from tests.sandbox.conftest import START
from tests.sandbox.desk import KAJABI, SHOP, control

API = f"{KAJABI}/kajabi/v1"


class Kajabi:
    """A signed-in API user of one site, and what its hooks received."""

    def __init__(self) -> None:
        self.got: list[Delivery] = []
        self.status = 200
        self.sandbox = create_sandbox(clock=ManualClock(START), post=self._post)

    def _post(self, delivery: Delivery) -> int:
        self.got.append(delivery)
        return self.status

    def sign_in(self) -> None:
        self.site = control(self.sandbox, "kajabi/sites", name="Academy")
        self.offer = self.make_offer("Course", "Lessons", "Forum")
        self.token = self.tokens()["access_token"]

    def make_offer(self, title: str, *products: str) -> Any:
        site_id = self.site["id"]
        return control(
            self.sandbox,
            "kajabi/offers",
            site_id=site_id,
            title=title,
            products=list(products),
            price_cents=4900,
        )

    def tokens(self, **changes: str) -> Any:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.site["client_id"],
            "client_secret": self.site["client_secret"],
        }
        return requests.post(f"{API}/oauth/token", data=form | changes, timeout=5).json()

    def __call__(self, method: str, path: str, body: Any = None, **query: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/vnd.api+json"}
        data = json.dumps(body) if body is not None else None
        return requests.request(method, f"{API}{path}", data=data, params=query, headers=headers, timeout=5)

    def contact(self, email: str = "jane@example.com", **attributes: str) -> Any:
        body = {
            "data": {
                "type": "contacts",
                "attributes": {"name": "Jane Doe", "email": email, **attributes},
                "relationships": {"site": {"data": {"type": "sites", "id": self.site["id"]}}},
            }
        }
        return self("POST", "/contacts", body)


@pytest.fixture
def kajabi() -> Iterator[Kajabi]:
    made = Kajabi()
    with mounted(made.sandbox):
        made.sign_in()
        yield made


def offers(*ids: str) -> dict[str, Any]:
    return {"data": [{"type": "offers", "id": each} for each in ids]}


def test_tokens_are_given_refreshed_and_revoked(kajabi: Kajabi) -> None:
    given = kajabi.tokens()
    assert (given["token_type"], given["expires_in"]) == ("Bearer", 3600)
    assert kajabi.tokens(client_secret="wrong") == {"error": "invalid_client"}
    fresh = kajabi.tokens(grant_type="refresh_token", refresh_token=given["refresh_token"])
    assert fresh["access_token"] != given["access_token"]
    assert kajabi("GET", "/me").status_code == 200
    requests.post(f"{API}/oauth/revoke", data={"token": kajabi.token}, timeout=5)
    answer = kajabi("GET", "/me")
    assert (answer.status_code, answer.json()["errors"][0]["status"]) == (401, "401")
    assert requests.post(f"{API}/oauth/token", json={"grant_type": "x"}, timeout=5).status_code == 400
    assert requests.get(f"{API}/version", timeout=5).status_code == 200


def test_a_token_ends_after_its_hour(kajabi: Kajabi) -> None:
    kajabi.sandbox.advance(timedelta(seconds=3600))
    assert kajabi("GET", "/me").status_code == 401


def test_offers_and_products_can_be_read(kajabi: Kajabi) -> None:
    (offer,) = kajabi("GET", "/offers", **{"filter[site_id]": kajabi.site["id"]}).json()["data"]
    assert (offer["id"], offer["attributes"]["price_in_cents"]) == (kajabi.offer["number"], 4900)
    assert offer["attributes"]["token"] != kajabi.offer["token"]
    whole = kajabi("GET", f"/offers/{offer['id']}", include="products").json()
    assert sorted(each["attributes"]["title"] for each in whole["included"]) == ["Forum", "Lessons"]
    listed = kajabi("GET", f"/offers/{offer['id']}/relationships/products").json()["data"]
    assert {each["type"] for each in listed} == {"products"}
    assert kajabi("GET", f"/products/{listed[0]['id']}").status_code == 200
    assert len(kajabi("GET", "/products").json()["data"]) == 2
    assert kajabi("GET", "/sites").json()["data"][0]["id"] == kajabi.site["id"]
    assert kajabi("GET", f"/sites/{kajabi.site['id']}").headers["Content-Type"] == "application/vnd.api+json"


def test_people_are_found_by_a_part_of_their_address_only(kajabi: Kajabi) -> None:
    kajabi.contact("jane@example.com")
    kajabi.contact("mary-jane@example.com")
    found = kajabi("GET", "/contacts", **{"filter[email_contains]": "jane@example.com"}).json()
    assert found["meta"]["total_count"] == 2
    assert kajabi("GET", "/contacts", **{"filter[search]": "mary"}).json()["meta"]["total_count"] == 1
    assert kajabi("GET", "/contacts", **{"filter[external_user_id]": "x"}).status_code == 400
    assert kajabi("GET", "/contacts", **{"filter[site_id]": "1"}).status_code == 403
    assert kajabi("GET", "/customers").json()["data"] == []


def test_contacts_are_checked(kajabi: Kajabi) -> None:
    assert kajabi.contact().status_code == 201
    assert kajabi.contact("JANE@example.com").status_code == 422
    assert kajabi.contact("nobody").json()["errors"][0]["source"]["pointer"] == "/data/attributes/email"
    assert kajabi.contact("a@example.com", external_user_id="x").status_code == 422
    body = {"data": {"type": "contacts", "attributes": {"email": "b@example.com"}}}
    assert kajabi("POST", "/contacts", body).status_code == 400
    assert kajabi("POST", "/contacts", {}).status_code == 400


def test_an_offer_is_granted_replaced_and_revoked(kajabi: Kajabi) -> None:
    contact = kajabi.contact().json()["data"]
    path = f"/contacts/{contact['id']}/relationships/offers"
    number = kajabi.offer["number"]
    assert kajabi("POST", path, offers(number)).json() == offers(number)
    assert kajabi("POST", path, offers(number)).status_code == 200
    (mail,) = kajabi.sandbox.call("GET", "/_sandbox/mail")
    assert mail["subject"] == "Welcome to Academy"
    (customer,) = kajabi("GET", "/customers").json()["data"]
    assert customer["relationships"]["contact"]["data"]["id"] == contact["id"]
    other = kajabi.make_offer("Bundle", "Forum", "Extra")["number"]
    assert kajabi("PATCH", path, offers(other)).json() == offers(other)
    by_customer = f"/customers/{customer['id']}/relationships/offers"
    assert kajabi("GET", by_customer).json() == offers(other)
    assert kajabi("DELETE", by_customer, offers(other)).status_code == 204
    assert kajabi("GET", path).json() == {"data": []}
    assert kajabi("POST", path, offers("404")).status_code == 404
    assert kajabi("POST", path, {"data": [{"type": "products", "id": "1"}]}).status_code == 422


def test_no_mail_when_told_so(kajabi: Kajabi) -> None:
    contact = kajabi.contact().json()["data"]
    body = offers(kajabi.offer["number"]) | {"meta": {"send_customer_welcome_email": False}}
    kajabi("POST", f"/contacts/{contact['id']}/relationships/offers", body)
    assert kajabi.sandbox.call("GET", "/_sandbox/mail") == []


def test_who_has_an_offer_can_be_asked(kajabi: Kajabi) -> None:
    kajabi.contact("other@example.com")
    person = {"name": "Jane", "email": "jane@example.com", "external_user_id": "j"}
    requests.post(kajabi.offer["activation_url"], json=person, timeout=5)
    found = kajabi("GET", "/contacts", **{"filter[has_offer_id]": kajabi.offer["number"]}).json()["data"]
    assert [each["attributes"]["email"] for each in found] == ["jane@example.com"]
    assert found[0]["attributes"]["external_user_id"] == "j"
    product = found[0]["relationships"]["products"]["data"][0]["id"]
    active = kajabi("GET", "/contacts", **{"filter[has_active_product_id]": product}).json()
    assert active["meta"]["total_count"] == 1


def test_the_external_id_can_be_set_once_she_is_a_customer(kajabi: Kajabi) -> None:
    contact = kajabi.contact().json()["data"]
    path = f"/contacts/{contact['id']}"
    body = {"data": {"type": "contacts", "id": contact["id"], "attributes": {"external_user_id": "ext"}}}
    assert kajabi("PATCH", path, body).status_code == 422
    kajabi("POST", f"{path}/relationships/offers", offers(kajabi.offer["number"]))
    assert kajabi("PATCH", path, body).json()["data"]["attributes"]["external_user_id"] == "ext"
    revoke = requests.post(kajabi.offer["deactivation_url"], json={"external_user_id": "ext"}, timeout=5)
    assert revoke.status_code == 200


def test_lists_are_paged_sorted_and_sparse(kajabi: Kajabi) -> None:
    for number in range(5):
        kajabi.contact(f"p{number}@example.com")
    query = {"page[size]": "2", "page[number]": "2", "sort": "-email", "fields[contacts]": "email"}
    page = kajabi("GET", "/contacts", **query).json()
    assert [each["attributes"] for each in page["data"]] == [
        {"email": "p2@example.com"},
        {"email": "p1@example.com"},
    ]
    assert page["meta"] == {"total_pages": 3, "total_count": 5, "current_page": 2}
    assert "page%5Bnumber%5D=3" in page["links"]["next"]
    assert kajabi("GET", "/contacts", **{"page[size]": "0"}).status_code == 400


def test_too_many_calls_are_refused_for_a_while(kajabi: Kajabi) -> None:
    control(kajabi.sandbox, f"kajabi/sites/{kajabi.site['id']}", rate_limit=3)
    answers = [kajabi("GET", "/me") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[3].headers["Retry-After"] == "1"


def hook(kajabi: Kajabi, event: str) -> Any:
    body = {
        "data": {
            "type": "hooks",
            "attributes": {"target_url": f"{SHOP}/kajabi", "event": event},
            "relationships": {"site": {"data": {"type": "sites", "id": kajabi.site["id"]}}},
        }
    }
    return kajabi("POST", "/hooks", body)


def test_a_purchase_is_told_in_all_three_shapes(kajabi: Kajabi) -> None:
    assert hook(kajabi, "purchase").status_code == 201
    assert hook(kajabi, "offer_granted").status_code == 422
    for shape in ("A", "B"):
        control(
            kajabi.sandbox,
            "kajabi/hooks",
            site_id=kajabi.site["id"],
            shape=shape,
            target_url=f"{SHOP}/kajabi",
        )
    sale = {"offer_id": kajabi.offer["number"], "email": "jane@example.com", "name": "Jane Doe"}
    made = control(kajabi.sandbox, "kajabi/purchases", **sale)
    assert made["hooks_told"] == 3
    assert kajabi.sandbox.pump() == 3
    by_api, flat, objects = (json.loads(delivery.body) for delivery in kajabi.got)
    assert [each["type"] for each in by_api["payload"]] == ["purchases", "offers", "customers"]
    assert flat["payload"]["member_email"] == objects["member"]["email"] == "jane@example.com"
    assert flat["payload"]["amount_paid"] == objects["payment_transaction"]["amount_paid"] == 4900
    (purchase,) = kajabi("GET", "/purchases", **{"filter[active]": "true"}).json()["data"]
    path = f"/purchases/{purchase['id']}"
    ended = kajabi("POST", f"{path}/deactivate").json()["data"]["attributes"]
    assert ended["deactivation_reason"] == "deactivated_by_api"
    assert kajabi("GET", "/purchases", **{"filter[active]": "true"}).json()["data"] == []
    assert kajabi("POST", f"{path}/reactivate").status_code == 200
    assert kajabi("POST", f"{path}/cancel_subscription").status_code == 422
    assert kajabi("GET", path).json()["data"]["attributes"]["deactivated_at"] is None
    assert kajabi("GET", "/transactions").json()["data"][0]["attributes"]["state"] == "succeeded"


def test_a_hook_that_fails_is_not_told_again(kajabi: Kajabi) -> None:
    made = control(
        kajabi.sandbox, "kajabi/hooks", site_id=kajabi.site["id"], shape="A", target_url=f"{SHOP}/kajabi"
    )
    kajabi.status = 500
    sent = control(kajabi.sandbox, f"kajabi/hooks/{made['id']}/test")
    assert (sent["payload"]["offer_id"], sent["payload"]["member_id"]) == (0, 0)
    kajabi.sandbox.pump()
    kajabi.sandbox.advance(timedelta(days=2))
    assert kajabi.sandbox.pump() == 0
    assert len(kajabi.got) == 1


@pytest.mark.parametrize(
    ("event", "kinds"),
    [
        ("purchase", ["purchases", "offers", "customers"]),
        ("payment_succeeded", ["transactions", "customers"]),
        ("order_created", ["transactions", "customers", "orders", "order_items"]),
        ("form_submission", ["form_submissions", "forms"]),
        ("tag_added", ["contacts", "contact_tags"]),
        ("tag_removed", ["contacts", "contact_tags"]),
    ],
)
def test_every_event_has_a_sample(kajabi: Kajabi, event: str, kinds: list[str]) -> None:
    sample = kajabi("GET", f"/hooks/{event}_sample").json()
    assert sample["event"] == event
    assert [each["type"] for each in sample["payload"]] == kinds


def test_tags_and_forms_are_told(kajabi: Kajabi) -> None:
    made = [hook(kajabi, event).json()["data"] for event in ("tag_added", "tag_removed", "form_submission")]
    tag = control(kajabi.sandbox, "kajabi/tags", site_id=kajabi.site["id"], name="unpaid")
    contact = kajabi.contact().json()["data"]
    path = f"/contacts/{contact['id']}/relationships/tags"
    body = {"data": [{"type": "contact_tags", "id": tag["id"]}]}
    assert kajabi("POST", path, body).json() == body
    assert kajabi("GET", "/contact_tags").json()["data"][0]["attributes"]["name"] == "unpaid"
    assert kajabi("DELETE", path, body).status_code == 204
    control(kajabi.sandbox, "kajabi/form_submissions", site_id=kajabi.site["id"], email="new@example.com")
    kajabi.sandbox.pump()
    events = [json.loads(delivery.body)["event"] for delivery in kajabi.got]
    assert events == ["tag_added", "tag_removed", "form_submission"]
    assert len(kajabi("GET", "/hooks").json()["data"]) == 3
    assert kajabi("DELETE", f"/hooks/{made[0]['id']}").status_code == 204
    assert kajabi("GET", f"/hooks/{made[0]['id']}").status_code == 404


def test_a_contact_with_a_running_subscription_stays(kajabi: Kajabi) -> None:
    sale = {"offer_id": kajabi.offer["number"], "email": "jane@example.com", "payment_type": "subscription"}
    made = control(kajabi.sandbox, "kajabi/purchases", **sale)
    path = f"/contacts/{made['member_id']}"
    assert kajabi("DELETE", path).status_code == 422
    assert kajabi("POST", f"/purchases/{made['id']}/cancel_subscription").status_code == 200
    assert kajabi("DELETE", path).status_code == 204
    assert kajabi("GET", path).status_code == 404


def test_the_library_shows_what_can_be_opened(kajabi: Kajabi) -> None:
    person = {"name": "Jane", "email": "jane@example.com", "external_user_id": "j"}
    requests.post(kajabi.offer["activation_url"], json=person, timeout=5)
    (member,) = kajabi.sandbox.call("GET", "/_sandbox/kajabi/members?email=jane@example.com")
    shown = requests.get(member["library_url"], timeout=5).text
    assert "Lessons" in shown
    assert "You had access" not in shown
    door = kajabi.offer["course_url"]
    assert "Open my library" in requests.get(door, timeout=5).text
    assert requests.get(door, params={"email": "JANE@example.com"}, timeout=5).text == shown
    assert requests.get(door, params={"email": "nobody@example.com"}, timeout=5).status_code == 404
    requests.post(kajabi.offer["deactivation_url"], json=person, timeout=5)
    assert "Nothing at the moment" in requests.get(member["library_url"], timeout=5).text
