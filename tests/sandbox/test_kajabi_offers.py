"""Kajabi's offer addresses with all their traps."""

from typing import Any

import pytest
import requests

from linkpay.sandbox.app import Sandbox
from tests.sandbox.desk import KAJABI, control

PERSON = {"name": "Jane Doe", "email": "jane@example.com", "external_user_id": "jane@example.com"}
Offer = dict[str, Any]


@pytest.fixture
def offer(sandbox: Sandbox) -> Offer:
    site = control(sandbox, "kajabi/sites", name="Academy")
    made: Offer = control(
        sandbox, "kajabi/offers", site_id=site["id"], title="Course", products=["Lessons", "Forum"]
    )
    return made


def send(offer: Offer, action: str, query: str = "", **changes: Any) -> tuple[int, str]:
    url = offer["activation_url"] if action == "activate" else offer["deactivation_url"]
    body = {key: value for key, value in (PERSON | changes).items() if value is not None}
    answer = requests.post(url + query, json=body, timeout=5)
    return answer.status_code, answer.text


def member(sandbox: Sandbox, email: str = "jane@example.com") -> dict[str, Any]:
    (found,) = sandbox.call("GET", f"/_sandbox/kajabi/members?email={email}")
    shown: dict[str, Any] = found
    return shown


def test_the_addresses_are_kajabis(offer: Offer) -> None:
    assert offer["activation_url"] == f"{KAJABI}/webhooks/offers/{offer['token']}/{offer['number']}/activate"
    assert len(offer["token"]) == 16
    assert offer["number"].isdigit()


def test_a_grant_opens_the_offer_and_a_revoke_closes_it(sandbox: Sandbox, offer: Offer) -> None:
    assert send(offer, "activate") == (200, '{"status":"ok"}')
    assert len(member(sandbox)["products"]) == 2
    assert send(offer, "deactivate")[0] == 200
    shown = member(sandbox)
    assert (shown["products"], shown["offers"][0]["state"]) == ([], "revoked")
    assert send(offer, "activate")[0] == 200
    assert member(sandbox)["offers"][0]["times"] == 2


def test_form_bodies_work_too(sandbox: Sandbox, offer: Offer) -> None:
    assert requests.post(offer["activation_url"], data=PERSON, timeout=5).status_code == 200
    assert member(sandbox)["external_id"] == "jane@example.com"


def test_a_second_grant_is_refused(sandbox: Sandbox, offer: Offer) -> None:
    send(offer, "activate")
    status, text = send(offer, "activate")
    assert status == 422
    assert "has already been granted to this member" in text


def test_a_site_may_refuse_to_grant_after_a_revoke(sandbox: Sandbox, offer: Offer) -> None:
    control(sandbox, f"kajabi/sites/{offer['site_id']}", regrant_refused=True)
    send(offer, "activate")
    send(offer, "deactivate")
    assert "already been granted" in send(offer, "activate")[1]
    assert member(sandbox)["offers"][0]["state"] == "revoked"


@pytest.mark.parametrize("name", ["name", "email", "external_user_id"])
def test_nothing_may_be_blank(offer: Offer, name: str) -> None:
    assert send(offer, "activate", **{name: " "}) == (
        422,
        f'{{"status":"error","errors":["{name} can\'t be blank"]}}',
    )


def test_an_odd_email_is_refused(offer: Offer) -> None:
    assert "email is invalid" in send(offer, "activate", email="jane")[1]


def test_an_email_under_another_id_is_taken(sandbox: Sandbox, offer: Offer) -> None:
    send(offer, "activate")
    status, text = send(offer, "activate", email="Jane@Example.com", external_user_id="cst_1")
    assert status == 422
    assert "Email: is already taken" in text
    assert "Email: is invalid" in send(offer, "activate", email="other@example.com")[1]


def test_the_external_id_is_case_sensitive_and_the_email_is_not(sandbox: Sandbox, offer: Offer) -> None:
    send(offer, "activate")
    assert "already been granted" in send(offer, "activate", email="JANE@example.com")[1]
    assert "Base: not found" in send(offer, "deactivate", external_user_id="Jane@example.com")[1]


def test_a_revoke_of_what_is_not_there_is_refused(offer: Offer) -> None:
    assert "Base: not found" in send(offer, "deactivate")[1]
    send(offer, "activate")
    send(offer, "deactivate")
    assert "Offer grant not found for offer on member" in send(offer, "deactivate")[1]


def test_the_mail_is_sent_only_when_asked_for(sandbox: Sandbox, offer: Offer) -> None:
    send(offer, "activate")
    send(offer, "deactivate")
    assert sandbox.call("GET", "/_sandbox/mail") == []
    send(offer, "activate", "?send_offer_grant_email=true")
    (mail,) = sandbox.call("GET", "/_sandbox/mail?to=jane@example.com")
    assert mail["subject"] == "You have access to Course"
    assert [call["send_offer_grant_email"] for call in member(sandbox)["calls"]] == [False, False, True]


def test_a_revoke_closes_shared_products_of_another_offer(sandbox: Sandbox, offer: Offer) -> None:
    second = control(
        sandbox, "kajabi/offers", site_id=offer["site_id"], title="Bundle", products=["Forum", "Extra"]
    )
    send(offer, "activate")
    send(second, "activate")
    assert len(member(sandbox)["products"]) == 3
    send(offer, "deactivate")
    assert len(member(sandbox)["products"]) == 1


def test_a_wrong_address_is_not_found(offer: Offer) -> None:
    wrong = offer["activation_url"].replace(offer["token"], "A" * 16)
    assert requests.post(wrong, json=PERSON, timeout=5).status_code == 404
    assert requests.get(offer["activation_url"], timeout=5).status_code == 404


def test_faults_hit_kajabi_alone(sandbox: Sandbox, offer: Offer) -> None:
    control(sandbox, "faults", target="kajabi", kind="status:429")
    answer = requests.post(offer["activation_url"], json=PERSON, timeout=5)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    control(sandbox, "faults", target="kajabi", kind="timeout_after")
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.post(offer["activation_url"], json=PERSON, timeout=5)
    assert member(sandbox)["offers"][0]["state"] == "granted"
