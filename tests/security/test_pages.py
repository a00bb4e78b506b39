"""Every page there is, as whoever may see it: what protects it, and what it never holds."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from flask import Flask
from werkzeug.routing import IntegerConverter, Rule
from werkzeug.test import TestResponse

from linkpay.domain.roles import Role
from tests.flows.stage import Stage
from tests.web.owner.conftest import Team
from tests.web.portal.guests import sign_in
from tests.web.visitor import Visitor

ANNA = "anna@example.com"
_FIELD = re.compile(r"<(?:input|select|textarea)[^>]*\bname=\"([^\"]+)\"", re.IGNORECASE)
#: Names of fields into which people would type what only Mollie may see.
_CARD = re.compile(r"^card(_?number|_?holder)?$|^cc-|cvc|cvv|iban|^pan$|expir|account_?number", re.IGNORECASE)


class Page(NamedTuple):
    """One answer and who got it."""

    who: str
    url: str
    answer: TestResponse


@pytest.fixture
def pages(stage: Stage, team: Team, visitor: Visitor, app: Flask) -> list[Page]:
    """Each address that takes GET, looked at by a stranger, by a member who bought, and by an owner."""
    stage.buy(ANNA)
    stage.advance(days=28)
    member = visitor
    sign_in(member, stage)
    desk, stranger = team.signed_in(Role.OWNER), team.new_visitor()
    found = []
    for who, browser in (("stranger", stranger), ("member", member), ("owner", desk)):
        for url in addresses(app, stage):
            found.append(Page(who, url, browser.look(url)))
    return found


def addresses(app: Flask, stage: Stage) -> Iterator[str]:
    values = {
        "filename": "linkpay.css",
        "site": "studio", "offer": "members", "token": stage.subscription(ANNA).token, "number": 1,
        "name": "growth", "language": "nl", "kind": "welcome", "act": "cancel",
        "plan": "monthly", "subscription": 1, "id": 1,
        "charge": stage.charges(ANNA)[0].token,
    }  # fmt: skip
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or set()):
            given = {name: values.get(name, _anything(rule, name)) for name in rule.arguments}
            built = rule.build(given, append_unknown=False)
            if built is not None:
                yield built[1]
    yield from ("/nothing/here", "/studio/buy/none", "/studio/pay/" + "a" * 32, "/owner/nowhere/members")


def _anything(rule: Rule, name: str) -> object:
    return 1 if isinstance(rule._converters[name], IntegerConverter) else "x"


def test_every_page_protects_itself_and_its_readers(stage: Stage, pages: list[Page]) -> None:
    _protects_itself(pages)
    _takes_no_card_and_brings_nothing_foreign(pages)
    _private_is_not_kept(pages)
    _strangers_see_nobody(pages)
    # GET is safe: all of it raised no charge, moved no access, and took no step for anybody.
    assert [charge.state.value for charge in stage.charges(ANNA)] == ["paid", "collecting"]
    assert stage.has_access(ANNA)
    assert stage.troubles() == []


def _protects_itself(pages: list[Page]) -> None:
    assert len(pages) > 100
    assert max(page.answer.status_code for page in pages) < 500
    for who, url, answer in pages:
        said, policy = f"{who} {url}", _policy(answer)
        sandboxed = "sandbox" in policy
        assert policy["default-src"] == "'none'", said
        assert answer.headers["X-Content-Type-Options"] == "nosniff", said
        assert answer.headers["Referrer-Policy"] == "no-referrer", said
        assert answer.headers.get("Cache-Control"), said
        if answer.mimetype != "text/html":
            continue
        assert policy.get("script-src", "'self'") == "'self'", said
        assert "script-src" not in policy or "/buy/" in url, said
        assert policy["frame-ancestors"] == "'none'" or url.startswith("/owner/"), said
        assert policy["frame-ancestors"] in ("'none'", "'self'"), said
        # A mail is shown as it will look, in a frame that may do nothing.
        assert "unsafe" not in str(policy) or sandboxed, said
        assert sandboxed or policy["base-uri"] == "'none'", said
        assert sandboxed or policy["form-action"].startswith("'self'"), said
        assert answer.headers.get("X-Frame-Options", "SAMEORIGIN") in ("DENY", "SAMEORIGIN"), said


def _policy(answer: TestResponse) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in answer.headers["Content-Security-Policy"].split(";"))
    return {name: value for name, _, value in parts}


def _takes_no_card_and_brings_nothing_foreign(pages: list[Page]) -> None:
    html = [page for page in pages if page.answer.mimetype == "text/html"]
    assert len(html) > 50
    for who, url, answer in html:
        said, text = f"{who} {url}", answer.text
        for script in re.findall(r"<script[^>]*>[^<]*</script>", text):
            assert re.fullmatch(r'<script[^>]* src="/static/[^"]+"[^>]*></script>', script), said
        for frame in re.findall(r"<iframe[^>]*>", text):
            assert re.search(r' src="/owner/[^"]+"', frame), said
            assert "sandbox" in frame, said
        for tag in ("<object", "<embed", "javascript:"):
            assert tag not in text.lower(), said
        assert not re.search(r"\son[a-z]+=", text), said
        fields = [name for name in _FIELD.findall(text) if _CARD.search(name)]
        assert fields == [], said


def _private_is_not_kept(pages: list[Page]) -> None:
    for who, url, answer in pages:
        if url.startswith(("/owner", "/studio/portal")) and answer.status_code == 200:
            said = f"{who} {url}"
            assert answer.headers["Cache-Control"] in ("no-store", "private, no-cache"), said


def _strangers_see_nobody(pages: list[Page]) -> None:
    for who, url, answer in pages:
        if who == "stranger" and "/order/" not in url:
            assert ANNA not in answer.get_data(as_text=True), url
