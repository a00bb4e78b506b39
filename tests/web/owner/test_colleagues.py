"""Inviting, joining, other roles: and a site is never left without an owner."""

import re

import pytest

from linkpay.domain.roles import Role
from linkpay.store import owners
from tests.web.owner.conftest import Team
from tests.web.visitor import Visitor, form_of, words_of

NINA = "nina@studio.example.com"


def send(visitor: Visitor, page: str, to: str, **typed: str) -> str:
    """Send a form of the desk; what the answer says."""
    fields = {"form_token": form_of(visitor.look(page)).fields["form_token"], **typed}
    return words_of(visitor.client.post(to, data=fields, follow_redirects=True))


def invite(visitor: Visitor, role: str = "support") -> str:
    """Invite Nina; the path of her link."""
    page = "/owner/studio/colleagues"
    said = send(visitor, page, f"{page}/invite", email=NINA, role=role)
    found = re.search(r"https://pay\.example\.com(/owner/join/[\w-]+)", said)
    assert found
    return found[1]


def roles(team: Team) -> dict[str, Role]:
    with team.stage.database.read() as tx:
        return {owner.email: role for owner, role in owners.of_site(tx, team.stage.shop.site_id)}


def test_an_invited_colleague_chooses_a_password_and_is_in_with_her_role(team: Team) -> None:
    link = invite(team.signed_in())
    nina = team.new_visitor()
    answer = nina.press(nina.look(link), name="Nina", password="a good long sentence")
    assert answer.status_code == 303
    assert nina.look("/owner/studio/").status_code == 200
    assert nina.look("/owner/studio/colleagues").status_code == 403
    assert roles(team)[NINA] is Role.SUPPORT


def test_a_link_opens_once(team: Team) -> None:
    link = invite(team.signed_in())
    for status in (303, 404):
        nina = team.new_visitor()
        page = nina.look(link)
        if page.status_code == 200:
            page = nina.press(page, name="Nina", password="a good long sentence")
        assert page.status_code == status


def test_a_short_password_is_refused_and_the_link_still_opens(team: Team) -> None:
    link = invite(team.signed_in())
    nina = team.new_visitor()
    refused = nina.press(nina.look(link), name="Nina", password="short")
    assert refused.status_code == 422
    assert form_of(refused).fields["name"] == "Nina"
    assert nina.press(refused, password="a good long sentence").status_code == 303


def test_somebody_known_joins_but_the_link_does_not_sign_her_in(team: Team) -> None:
    team.person(NINA, None)
    link = invite(team.signed_in())
    nina = team.new_visitor()
    answer = nina.press(nina.look(link))
    assert answer.headers["Location"] == "/owner/sign-in"
    assert nina.look("/owner/studio/").status_code == 303
    assert roles(team)[NINA] is Role.SUPPORT


def test_a_withdrawn_invitation_opens_nothing(team: Team) -> None:
    owner = team.signed_in()
    link = invite(owner)
    send(owner, "/owner/studio/colleagues", "/owner/studio/invitations/1/withdraw")
    assert team.new_visitor().look(link).status_code == 404


@pytest.mark.parametrize("role", ["support", "none"])
def test_the_last_owner_stays(team: Team, role: str) -> None:
    owner = team.signed_in()
    number = team.person("owner@studio.example.com")
    said = send(owner, "/owner/studio/colleagues", f"/owner/studio/colleagues/{number}", role=role)
    assert "at least one owner" in said
    assert roles(team) == {"owner@studio.example.com": Role.OWNER}


def test_an_owner_of_another_site_cannot_change_people_here(team: Team) -> None:
    owner = team.signed_in()
    stranger = team.person("joost@elsewhere.example.com", None)
    assert "cannot find" in send(
        owner, "/owner/studio/colleagues", f"/owner/studio/colleagues/{stranger}", role="owner"
    )
    assert set(roles(team)) == {"owner@studio.example.com"}


def test_an_invitation_takes_no_right_away_from_who_has_it(team: Team) -> None:
    owner = team.signed_in()
    page = "/owner/studio/colleagues"
    said = send(owner, page, f"{page}/invite", email="owner@studio.example.com", role="read_only")
    found = re.search(r"https://pay\.example\.com(/owner/join/[\w-]+)", said)
    assert found
    owner.press(owner.look(found[1]))
    assert roles(team) == {"owner@studio.example.com": Role.OWNER}


@pytest.mark.parametrize("role", ["none", "read_only"])
def test_another_link_does_not_bring_back_what_was_taken_from_a_colleague(team: Team, role: str) -> None:
    owner = team.signed_in()
    lost, link = invite(owner, "owner"), invite(owner)
    nina = team.new_visitor()
    nina.press(nina.look(link), name="Nina", password="a good long sentence")
    with team.stage.database.read() as tx:
        number = next(one.id for one, _ in owners.of_site(tx, team.stage.shop.site_id) if one.email == NINA)
    send(owner, "/owner/studio/colleagues", f"/owner/studio/colleagues/{number}", role=role)
    assert nina.look(lost).status_code == 404
    assert roles(team).get(NINA) is (Role.READ_ONLY if role == "read_only" else None)
