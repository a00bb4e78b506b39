"""Every route of the desk x every role x every site: who is not meant to be there is not there."""

import uuid
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.routing import Rule

from linkpay.domain.roles import Right, Role, may
from linkpay.store import owners
from linkpay.store.tables import Site
from tests.flows.stage import Stage
from tests.web.owner.conftest import Team
from tests.web.visitor import form_of

#: Routes that nobody needs to be signed in for, and those of the person alone, on no site.
OPEN = {"owner_door.sign_in", "owner_door.enter", "owner_door.second", "owner_door.give_second",
        "owner_door.leave", "owner_joining.join", "owner_joining.accept"}  # fmt: skip
PERSONAL = {"owner_home.home", "owner_account.account", "owner_account.language", "owner_account.new_codes",
            "owner_account.begin_second", "owner_account.confirm_second", "owner_first.new",
            "owner_first.make"}  # fmt: skip
#: What somebody changes for herself alone, whatever she may do for others.
OWN = {"owner_lists.keep", "owner_lists.forget"}


def rules(app: Flask) -> Iterator[tuple[Rule, str]]:
    """Every route of the desk with each method it takes."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/owner"):
            for method in sorted((rule.methods or set()) & {"GET", "POST"}):
                yield rule, method


def needs(app: Flask, rule: Rule) -> Right | None:
    """What the route says that one must be allowed to do."""
    found: Right | None = getattr(app.view_functions[rule.endpoint], "needs", None)
    return found


def address(rule: Rule, site: str) -> str:
    values = {
        "site": site, "number": 1, "token": "a" * 32, "name": "growth", "bump": 1, "kind": "welcome",
        "language": "nl", "act": "cancel", "mail": 1, "batch": uuid.UUID(int=1),
    }  # fmt: skip
    built = rule.build({name: values[name] for name in rule.arguments}, append_unknown=False)
    assert built is not None
    return built[1]


def test_every_route_says_who_may_use_it(app: Flask) -> None:
    for rule, _ in rules(app):
        if rule.endpoint not in OPEN | PERSONAL:
            assert needs(app, rule) is not None, rule.endpoint
            assert "site" in rule.arguments, rule.endpoint


def test_what_changes_something_needs_more_than_seeing(app: Flask) -> None:
    for rule, method in rules(app):
        if method == "POST" and rule.endpoint not in OPEN | PERSONAL | OWN:
            assert needs(app, rule) is not Right.SEE, rule.endpoint


def test_who_is_not_signed_in_is_sent_to_the_door(app: Flask, team: Team) -> None:
    visitor = team.new_visitor()
    for rule, method in rules(app):
        if rule.endpoint in OPEN:
            continue
        answer = visitor.client.open(address(rule, "studio"), method=method)
        assert answer.status_code == 303, rule.endpoint
        assert answer.headers["Location"].startswith("/owner/sign-in"), rule.endpoint


@pytest.mark.parametrize("role", Role)
def test_each_role_gets_what_it_may_and_nothing_of_another_site(
    app: Flask, team: Team, stage: Stage, role: Role
) -> None:
    with stage.database.write() as tx:
        tx.add(Site(slug="other", token="another-token", name="Other", created_at=stage.clock.now()))
    visitor = team.signed_in(role)
    for rule, method in rules(app):
        if rule.endpoint in OPEN | PERSONAL:
            continue
        assert visitor.client.open(address(rule, "other"), method=method).status_code == 404, rule.endpoint
        answer = visitor.client.open(address(rule, "studio"), method=method)
        needed = needs(app, rule)
        assert needed is not None
        if not may(role, needed):
            assert answer.status_code == 403, rule.endpoint
        elif method == "POST":
            assert answer.status_code in (403, 415), f"{rule.endpoint} takes a form that is not ours"
        else:
            assert answer.status_code in (200, 404), rule.endpoint


def test_a_form_of_one_browser_does_nothing_in_another(team: Team, stage: Stage) -> None:
    mine, theirs = team.signed_in(), team.new_visitor()
    stolen = form_of(theirs.look("/owner/sign-in")).fields["form_token"]
    answer = mine.client.post(
        "/owner/studio/colleagues/invite", data={"form_token": stolen, "email": "x@example.com"}
    )
    assert answer.status_code == 403


def test_who_lost_her_role_is_out_at_once(team: Team, stage: Stage) -> None:
    visitor = team.signed_in(Role.SUPPORT)
    assert visitor.look("/owner/studio/members").status_code == 200
    with stage.database.write() as tx:
        person = owners.by_email(tx, "support@studio.example.com")
        assert person is not None
        owners.drop_role(tx, stage.shop.site_id, person.id)
    assert visitor.look("/owner/studio/members").status_code == 404
