"""Keys of programs at the desk: shown once, told of in the audit, and shut out at once."""

import re

from werkzeug.test import TestResponse

from linkpay.domain.roles import Role
from linkpay.services import api_keys
from tests.builders import make_site
from tests.web.owner.conftest import Team
from tests.web.visitor import Visitor, form_of, words_of

PAGE = "/owner/studio/programs"


def send(visitor: Visitor, address: str, **typed: str) -> TestResponse:
    """A form of the page, sent."""
    form = form_of(visitor.look(PAGE), 1)
    return visitor.client.post(address, data={"form_token": form.fields["form_token"], **typed})


def make(visitor: Visitor, **typed: str) -> str:
    """Make a key by the form; the key."""
    answer = send(visitor, PAGE, name="Books", **typed)
    assert answer.status_code == 200
    found = re.search(r"lpk_[\w-]{43}", answer.text)
    assert found
    return found[0]


def asked_with(team: Team, key: str) -> int:
    """What /api/v1 answers to this key."""
    client = team.new_visitor().client
    return client.get("/api/v1/members", headers={"Authorization": f"Bearer {key}"}).status_code


def test_a_key_is_shown_once_and_opens_the_site_until_it_is_revoked(team: Team) -> None:
    mira = team.signed_in()
    key = make(mira)
    assert asked_with(team, key) == 200
    shown = mira.look(PAGE)
    assert key not in shown.text
    assert "Books" in words_of(shown)
    for _ in range(2):
        assert send(mira, f"{PAGE}/1/revoke").status_code == 303
    assert asked_with(team, key) == 401
    assert "Revoked keys" in words_of(mira.look(PAGE))
    done = words_of(mira.look("/owner/studio/audit"))
    assert "made a key for a program" in done
    assert done.count("revoked a program's key") == 1, "pressed twice, done once"
    assert key not in done


def test_only_a_key_that_may_write_is_said_to(team: Team) -> None:
    mira = team.signed_in()
    make(mira)
    assert "reads, and may cancel" not in words_of(mira.look(PAGE))
    make(mira, may_write="yes")
    assert "reads, and may cancel" in words_of(mira.look(PAGE))


def test_a_key_without_a_name_is_refused_with_what_was_chosen_kept(team: Team) -> None:
    mira = team.signed_in()
    answer = send(mira, PAGE, name=" ", may_write="yes")
    assert answer.status_code == 422
    assert "whose key it is" in words_of(answer)
    assert re.search(r'id="may_write"[^>]* checked', answer.text)


def test_a_key_of_another_site_cannot_be_revoked(team: Team) -> None:
    with team.stage.database.write() as tx:
        other = make_site(tx, slug="elsewhere")
        number, _key = api_keys.make(tx, other.id, "Theirs", "owner", team.stage.clock.now(), may_write=False)
    assert send(team.signed_in(), f"{PAGE}/{number}/revoke").status_code == 404


def test_whoever_does_not_manage_the_site_sees_no_keys(team: Team) -> None:
    assert team.signed_in(Role.SUPPORT).look(PAGE).status_code == 403
