"""Hundreds of strings that try to be more than text, through every input there is: forms, links, the API,
webhooks and files. Nothing breaks, nothing runs, and nothing comes out as anything but text."""

import csv
import html
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import cycle, islice, product
from typing import Any, NamedTuple
from urllib.parse import unquote

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from linkpay.domain.cells import write, write_text
from linkpay.domain.roles import Role
from linkpay.errors import InputError
from linkpay.services import contacts, import_csv, import_sheets, plan_map
from linkpay.store import exports
from linkpay.store.tables import Charge, Inbox, Member, Owner, Site
from tests import builders as make
from tests.adapters.kajabi_samples import purchase
from tests.daily import TODAY
from tests.flows.stage import Stage
from tests.security.injections import MARK, RESULT, formulas, harm_in, injections, is_formula, markup
from tests.security.test_pages import addresses
from tests.web.api.test_api import Program, key_of
from tests.web.owner.conftest import Team
from tests.web.portal.guests import sign_in
from tests.web.visitor import Form, Visitor, forms_of

ANNA, CANARY = "anna@example.com", "canary-of-another-site"
ALL = [*injections(), *markup()]
#: In a usual run each input gets every so-manieth string, other ones each day; with --fuzz 1000 all.
_EVERY = 12
#: Signing out would end the round, and these need no text.
_LEAVING = ("/sign-out", "/leave")


class Field(NamedTuple):
    """One field of one form, as somebody sees it."""

    browser: Visitor
    form: Form
    name: str


@pytest.fixture(autouse=True)
def sold(stage: Stage) -> None:
    """Anna bought, and on another site is somebody whom nobody here may ever see."""
    stage.buy(ANNA)
    other = stage.open_shop("elsewhere", "test_anotherstageofitsown")
    with stage.database.write() as tx:
        make.make_member(tx, tx.get_one(Site, other.site_id), name=CANARY, email=f"{CANARY}@example.com")


@pytest.fixture
def many(pytestconfig: pytest.Config) -> int:
    """How many strings each field gets at most."""
    asked: int = pytestconfig.getoption("--fuzz")
    return min(asked, len(ALL))


@pytest.fixture
def strings(many: int) -> Sequence[str]:
    return ALL if many >= len(ALL) else ALL[TODAY % _EVERY :: _EVERY]


def judge(answer: TestResponse, said: str) -> None:
    """No accident, nothing as markup, nothing calculated, nobody else's."""
    assert answer.status_code < 500, said
    text = answer.get_data(as_text=True)
    assert RESULT not in text, said
    assert CANARY not in text, said
    if answer.mimetype == "text/html":
        assert harm_in(text) == [], said


def everything_stands(stage: Stage) -> None:
    """The tables are there, nobody became somebody else, and no cent moved."""
    with stage.database.read() as tx:
        assert tx.scalar(select(func.sum(Charge.paid_cents))) == 5000
        assert tx.query(Member).filter_by(name=CANARY).count() == 1
        assert tx.query(Owner).count() <= 3


def test_the_strings_are_many_and_a_careless_page_would_be_caught() -> None:
    assert len(injections()) >= 500
    assert len(markup()) >= 300
    places = ("<p>%s</p>", '<i a="%s">', "<i a='%s'>", "<i a=%s>", "<b %s>", '<a href="%s">x</a>')
    for string in markup():
        read = unquote(unquote(html.unescape(string)))  # as what is decoded once too often comes out
        read = read.replace("\0", "").replace("＜", "<").replace("+ADw-", "<")
        assert any(harm_in(place.replace("%s", read)) for place in places), string
        escaped = string.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&#34;")
        assert harm_in(f'<p>{escaped}</p><input value="{escaped}">') == [], string


@pytest.mark.timeout(7_200)
def test_every_string_goes_through_forms_as_text(
    app: Flask, stage: Stage, team: Team, visitor: Visitor, strings: Sequence[str], many: int
) -> None:
    """In a usual run one string to a field, other pairs each day; with --fuzz N each field gets N."""
    sign_in(visitor, stage)
    found = list(_fields(app, stage, [(visitor, "member"), (team.signed_in(Role.OWNER), "owner")]))
    assert len(found) > 100
    usual = many < 100
    pairs = zip(strings, islice(cycle(found), TODAY * 7 % len(found), None), strict=False)
    for string, (browser, form, name) in pairs if usual else product(ALL[:: len(ALL) // many], found):
        answer = browser.client.post(form.action, data=form.fields | {name: string})
        judge(answer, f"{form.action} {name}={string!r}")
    stage.work()
    pages = list(_pages(app, stage, [(visitor, "member"), (found[-1].browser, "owner")]))
    for browser, url in pages[TODAY % 3 :: 3] if usual else pages:
        judge(browser.look(url), url)
    for letter in stage.mailer.letters:
        assert harm_in(letter.html) == [], letter.subject
        assert "\n" not in letter.subject + letter.to
    everything_stands(stage)


def _pages(app: Flask, stage: Stage, who: list[tuple[Visitor, str]]) -> Iterator[tuple[Visitor, str]]:
    for browser, name in who:
        for url in addresses(app, stage):
            if url.startswith("/owner") == (name == "owner") and not url.startswith("/static"):
                yield browser, url


def _fields(app: Flask, stage: Stage, who: list[tuple[Visitor, str]]) -> Iterator[Field]:
    """Every field of every form that these people see, each once."""
    seen = set()
    for browser, url in _pages(app, stage, who):
        page = browser.look(url)
        for form in forms_of(page) if page.mimetype == "text/html" else ():
            form.action = url if form.action in ("", "#") else form.action
            for name in form.fields:
                new = (form.action, name) not in seen and not form.action.endswith(_LEAVING)
                if new and name not in ("form_token", ""):
                    seen.add((form.action, name))
                    yield Field(browser, form, name)


@pytest.mark.parametrize("number", ["9223372036854775808", "9" * 40, "9" * 5_000, "-1"])
def test_a_number_that_no_row_can_have_is_no_accident(
    app: Flask, stage: Stage, team: Team, visitor: Visitor, number: str
) -> None:
    """In every address that names a row, and in every field and link that may."""
    owner = team.signed_in(Role.OWNER)
    sign_in(visitor, stage)
    browsers = {"owner": owner, "": visitor}
    tried = 0
    for rule in app.url_map.iter_rules():
        browser = browsers["owner" if rule.rule.startswith("/owner") else ""]
        if "<int:" in rule.rule:
            url = re.sub("<int:[a-z]+>", number, rule.rule).replace("<slug:site>", "studio")
            url = re.sub("<[^>]+>", "any", url)
            for call in (browser.client.get, browser.client.post):
                judge(call(url), url)
                tried += 1
    assert tried > 60
    for browser, url in _pages(app, stage, [(owner, "owner")]):
        judge(browser.look(f"{url}?before={number}&charge={number}&months={number}"), url)
    for browser, form, name in _fields(app, stage, [(visitor, "member"), (owner, "owner")]):
        judge(browser.client.post(form.action, data=form.fields | {name: number}), f"{form.action} {name}")


def test_every_string_in_a_link_is_text(visitor: Visitor, stage: Stage, strings: Sequence[str]) -> None:
    names = ("email", "name", "plan", "coupon", "lang", "n")
    for number in range(0, len(strings), len(names)):
        query = dict(zip(names, islice(cycle(strings), number, number + len(names)), strict=True))
        judge(visitor.client.get("/studio/buy/members", query_string=query), str(query))
    for string in strings[::9]:
        judge(visitor.client.get("/" + string), string)
        judge(visitor.client.get("/studio/portal", headers={"Accept-Language": _line(string)}), string)
    everything_stands(stage)


def _line(string: str) -> str:
    """As much of it as a header can hold."""
    return "".join(sign for sign in string if sign.isprintable() and sign.isascii())[:200]


def test_every_string_to_the_api_is_an_answer_of_the_contract(
    app: Flask, stage: Stage, strings: Sequence[str]
) -> None:
    program = Program(app.test_client(), key_of(stage))
    for string in strings:
        answer = program.client.get(
            "/api/v1/members", query_string={"email": string}, headers=program.headers
        )
        judge(answer, string)
        assert answer.get_json().get("data", []) == [], string
    number = stage.subscription(ANNA).id
    for string in strings[::12]:
        judge(program.post(f"/subscriptions/{number}/cancel", _line(string), reason=string), string)
        judge(program.post(f"/subscriptions/{number}/undo-cancel", _line(string) + "u"), string)
        judge(program.get(f"/members/{number}/{string}"), string)
    everything_stands(stage)


def test_every_string_in_a_webhook_is_kept_or_dropped_and_does_nothing(
    app: Flask, stage: Stage, strings: Sequence[str]
) -> None:
    client, token = app.test_client(), stage.shop.token
    with stage.database.read() as tx:
        before = tx.query(Inbox).count()
    for string in strings:
        judge(client.post(f"/webhooks/mollie/{token}", data={"id": string}), string)
    with stage.database.read() as tx:
        assert tx.query(Inbox).count() == before, "no string of these can be a payment's id"
    texts = [name for name, value in purchase()["payload"].items() if isinstance(value, str)]
    for number in range(0, len(strings), len(texts)):
        payload = dict(zip(texts, strings[number:], strict=False)) | {"member_email": "new@example.com"}
        message = purchase(**payload, offer_id=int(stage.shop.kajabi_offer))
        judge(client.post(f"/webhooks/kajabi/{token}", json=message), str(payload))
        judge(client.post(f"/webhooks/kajabi/{token}", data=payload), str(payload))
        stage.work()
    everything_stands(stage)
    assert all(harm_in(letter.html) == [] for letter in stage.mailer.letters)


def test_every_string_in_a_file_is_taken_as_text_or_refused(stage: Stage, strings: Sequence[str]) -> None:
    strings = list(dict.fromkeys(string.replace("\0", "") for string in strings))
    header = ("email", "name", "external_user_id", "blocked_at", "blocked_reason")
    rows = [
        (f"m{number}@example.com", write_text(s), write_text(s), "", write_text(s))
        for number, s in enumerate(strings)
    ]
    subscriptions = _csv(
        [
            (
                *import_sheets.SUBSCRIPTION,
                "state",
                *import_sheets._NAMED,
                *import_sheets._COUNTED,
                "discount_counted_at",
            )
        ]
    )
    read = import_sheets.read({"members": _csv([header, *rows]), "subscriptions": subscriptions})
    assert [row["name"] for row in read.members] == strings
    taken = 0
    for row in read.members:
        taken += _takes(stage, row)
        _takes(stage, row | {"email": row["name"]})
    assert taken == len(strings)
    for string in strings:
        for reader in (contacts.read, plan_map.read):
            with suppress(InputError):
                reader(_csv([("email", "plan", "amount"), (string, string, string)]), "f.csv")
    everything_stands(stage)


def test_a_file_with_what_no_database_holds_is_refused_as_a_whole() -> None:
    whole = _csv([("email", "name"), ("anna@example.com", "An\0na")])
    with pytest.raises(InputError, match="NUL"):
        contacts.read(whole, "f.csv")
    with pytest.raises(InputError, match="NUL"):
        plan_map.read(_csv([("plan", "description"), ("monthly", "old\0")]), "f.csv")
    with pytest.raises(InputError, match="NUL"):
        import_sheets.read({"members": whole, "subscriptions": b""})


def _takes(stage: Stage, row: dict[str, Any]) -> bool:
    with stage.database.read() as tx:
        site = tx.get_one(Site, stage.shop.site_id)
    with suppress(InputError), stage.database.write() as tx:
        return import_csv.put_member(tx, site, row, stage.clock.now())
    return False


def _csv(rows: list[Any]) -> bytes:
    written = io.StringIO(newline="")
    csv.writer(written).writerows(rows)
    return written.getvalue().encode()


def test_what_is_stored_is_shown_as_text_and_no_file_holds_a_formula(team: Team, stage: Stage) -> None:
    """Whatever names people have: on the desk's lists and pages, in its downloads and in every export."""
    names = [name.replace("\0", "") for name in (*markup(), *formulas())]
    with stage.database.write() as tx:
        site = tx.get_one(Site, stage.shop.site_id)
        plan = make.make_plan(tx, make.make_offer(tx, site), title=f"<{MARK}>=1")
        for name in names:
            customer, member = make.make_customer(tx, site, name=name), make.make_member(tx, site, name=name)
            make.make_subscription(tx, plan, customer, member=member, cancel_reason=name)
    desk = team.signed_in(Role.OWNER)
    page = desk.look("/owner/studio/members")
    for _ in range(len(names) // 100):
        judge(page, page.request.path)
        older = re.search(r"[?&;](before=\d+)", page.text)
        assert older is not None
        page = desk.look(f"/owner/studio/members?{older[1]}")
    for number in range(2, 2 + len(names), 40):
        judge(desk.look(f"/owner/studio/members/{number}"), f"member {number}")
    files = [desk.look("/owner/studio/members.csv").text]
    with stage.database.read() as tx:
        for sheet in exports.sheets(stage.shop.site_id):
            files.append(_csv([[write(value) for value in row] for row in exports.rows(tx, sheet)]).decode())
    cells = [cell for file in files for row in csv.reader(io.StringIO(file, newline="")) for cell in row]
    assert sum(cell.lstrip("'") in names for cell in cells) > len(names)
    assert [cell for cell in cells if is_formula(cell)] == []
