"""The log of messages: what came, what became of it, and once more."""

import pytest

from tests.flows.stage import Stage
from tests.web.owner.conftest import Team
from tests.web.visitor import Visitor, form_of, words_of

LOG = "/owner/studio/log"


def replay(visitor: Visitor, number: int) -> int:
    page = visitor.look(f"{LOG}/{number}")
    fields = {"form_token": form_of(page).fields["form_token"]}
    return visitor.client.post(f"{LOG}/{number}/replay", data=fields).status_code


def test_every_message_is_there_with_what_became_of_it(team: Team, stage: Stage) -> None:
    stage.buy("anna@example.com")
    stage.post("tr_nobodysowneverseen")
    words = words_of(team.signed_in().look(LOG))
    for said in ("booked", "waits for its turn", "tr_nobodysowneverseen"):
        assert said in words


def test_a_message_is_handled_again_without_a_second_booking(team: Team, stage: Stage) -> None:
    stage.buy("anna@example.com")
    visitor = team.signed_in()
    number = stage.messages()[-1].id
    assert replay(visitor, number) == 303
    stage.work()
    assert "nothing new" in words_of(visitor.look(f"{LOG}/{number}"))
    assert stage.kept_cents() == 5000


def test_what_is_parked_is_shown_alone(team: Team, stage: Stage) -> None:
    stage.buy("anna@example.com")
    stage.post("{}")
    stage.work()
    words = words_of(team.signed_in().look(f"{LOG}?parked=yes"))
    assert "Kajabi" in words
    assert "booked" not in words


def test_a_message_of_another_site_is_not_there(team: Team, stage: Stage) -> None:
    other = stage.open_shop("elsewhere", "test_anotherstageofitsown")
    with stage.on(other):
        stage.post("tr_fortheothersite")
    assert team.signed_in().look(f"{LOG}/{stage.messages()[-1].id}").status_code == 404


def test_bodies_show_no_markup_of_their_own(team: Team, stage: Stage) -> None:
    stage.post('{"a": "<script>alert(1)</script>"}')
    page = team.signed_in().look(f"{LOG}/{stage.messages()[-1].id}")
    assert "<script" not in page.text


@pytest.mark.parametrize("token", ["%00", "a%00b"])
def test_an_address_with_a_nul_sign_is_no_sites_and_asks_no_server_for_it(
    visitor: Visitor, token: str
) -> None:
    assert visitor.client.post(f"/webhooks/mollie/{token}", data={"id": "tr_abc"}).status_code == 404
    assert visitor.client.post(f"/webhooks/kajabi/{token}", json={}).status_code == 404


def test_who_did_what_is_asked_by_a_name_that_any_server_can_look_for(team: Team) -> None:
    assert team.signed_in().look("/owner/studio/audit?who=nina%00@example.com").status_code == 200
