"""Headers, form tokens, limits and what the log says: on every route, errors included."""

import logging
import re
from collections.abc import Callable

import pytest
from flask import Flask

from linkpay.app import create_app
from linkpay.store.tables import Customer
from linkpay.web.edge import Edge, checkout_origin
from tests.flows.books import KEY
from tests.flows.stage import Stage
from tests.web.visitor import Visitor, form_of, words_of

BUY = "/studio/buy/members"
SOMEWHERE = {
    "/": 200, "/healthz": 200, "/readyz": 200, BUY: 200, "/studio/buy/none": 404, "/x/y/z": 404,
    "/studio/order/" + "a" * 32: 404, "/studio/order/" + "a" * 32 + "/onward": 404,
    "/studio/pay/" + "a" * 32: 404, "/webhooks/mollie/x": 405, "/static/linkpay.css": 200,
    "/static/none.css": 404,
}  # fmt: skip
#: Each is tried with a token that is not ours in tests/web/portal.
PORTAL = {
    "portal_entry.ask", "portal_entry.enter", "portal_entry.leave", "portal_leaving.do_cancel",
    "portal_leaving.do_undo", "portal_account.renew", "portal_person.language", "portal_person.change_email",
    "portal_person.delete", "portal_moving.confirm", "portal_pausing.do_pause", "portal_pausing.do_resume",
    "portal_switching.do_switch", "portal_switching.do_stay", "portal_withdrawing.do_withdraw",
}  # fmt: skip
#: And each of these in tests/web/test_withdrawals.py.
WITHDRAWAL = {"withdrawals.confirm", "withdrawals.prove"}
#: These in tests/web/test_upsells.py.
UPSELL = {"upsells.buy", "upsells.ask"}
EXEMPT = {"webhooks.mollie", "webhooks.kajabi"}


@pytest.mark.parametrize(("url", "status"), SOMEWHERE.items())
def test_every_answer_protects_itself(visitor: Visitor, url: str, status: int) -> None:
    answer = visitor.look(url)
    assert answer.status_code == status
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    scripted = {"script-src": "'self'", "connect-src": "'self'"} if url == BUY else {}
    assert policy == scripted | {
        "default-src": "'none'", "style-src": "'self'", "img-src": "'self'", "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "form-action": "'self' https: http://mollie.sandbox.test",
    }  # fmt: skip
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "Strict-Transport-Security" not in answer.headers
    assert answer.headers["X-Request-Id"]


def test_behind_https_browsers_are_held_to_it_on_the_way_to_the_bank_too(stage: Stage) -> None:
    client = create_app(stage.parts, Edge("another made-up key", True)).test_client()
    answer = client.get(BUY)
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=6")
    assert answer.headers["Content-Security-Policy"].endswith("form-action 'self' https:")
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-linkpay=")
    for flag in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert flag in cookie
    assert "Domain" not in cookie
    assert "Expires" not in cookie


def test_the_sandboxs_pages_are_named_by_their_origin() -> None:
    assert checkout_origin("http://127.0.0.1:8090/v2/") == "http://127.0.0.1:8090"


def test_pages_bring_no_script_and_no_style_of_their_own(visitor: Visitor, stage: Stage) -> None:
    visitor.order()
    token = stage.subscription("anna@example.com").token
    for url in ("/", BUY, f"/studio/order/{token}"):
        text = re.sub(r'<script src="/static/checkout.js\?v=\w+" defer></script>', "", visitor.look(url).text)
        assert "<script" not in text
        assert "style=" not in text
        assert " on" not in text.replace("<", " ").split("<head")[0] or "onclick" not in text
        assert "//" not in text.replace("https://studio.example.com", "").replace("http://www.w3.org", "")


def test_secret_pages_are_not_kept_and_the_form_survives_the_back_button(
    visitor: Visitor, stage: Stage
) -> None:
    visitor.order()
    token, pay = stage.subscription("anna@example.com").token, stage.charges("anna@example.com")[0].token
    for url in (f"/studio/order/{token}", f"/studio/pay/{pay}", "/studio/order/" + "a" * 32):
        assert visitor.look(url).headers["Cache-Control"] == "no-store"
    assert visitor.look(BUY).headers["Cache-Control"] == "private, no-cache"


def test_static_files_are_kept_for_a_year_under_an_address_of_their_contents(visitor: Visitor) -> None:
    page = visitor.look("/").text
    address = page.split('rel="stylesheet" href="')[1].split('"')[0]
    assert "v=" in address
    assert "max-age=31536000" in visitor.look(address).headers["Cache-Control"]


def test_every_form_that_changes_something_asks_for_its_token(app: Flask) -> None:
    writing = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}
        and not rule.rule.startswith("/owner")  # the desk's matrix of routes and roles asks that
        and not rule.rule.startswith("/api/")  # programs show a key, and no cookie that a page could use
    }
    assert writing == {"checkout.order", "bills.pay"} | PORTAL | WITHDRAWAL | UPSELL | EXEMPT


@pytest.mark.parametrize("token", [None, "", "made-up", "é", "a" * 5000])
def test_a_missing_or_foreign_token_keeps_what_was_typed_and_lets_her_press_again(
    visitor: Visitor, stage: Stage, token: str | None
) -> None:
    page = visitor.order(form_token=token)
    assert page.status_code == 403
    assert "Druk nog een keer op de knop" in words_of(page)
    assert form_of(page).fields["email"] == "anna@example.com"
    assert form_of(page).fields["agree"] == "yes"
    with stage.database.read() as tx:
        assert tx.query(Customer).count() == 0
    assert visitor.press(page).status_code == 303


def test_a_token_is_good_for_one_browser_and_one_form(
    new_visitor: Callable[[], Visitor], stage: Stage
) -> None:
    hers, his = new_visitor(), new_visitor()
    his.look(BUY)
    stolen = form_of(hers.look(BUY)).fields["form_token"]
    assert his.order(form_token=stolen).status_code == 403
    other_form = form_of(hers.look("/studio/buy/solo")).fields["form_token"]
    assert hers.order(form_token=other_form).status_code == 403
    assert hers.order().status_code == 303


def test_a_pay_page_refuses_a_form_from_elsewhere(visitor: Visitor, stage: Stage) -> None:
    charge = stage.begin("anna@example.com")
    page = visitor.client.post(f"/studio/pay/{charge.token}", data={"agree": "yes"})
    assert page.status_code == 403
    assert not list(stage.parts.payments.list_payments(KEY, limit=1))
    assert visitor.press(page, agree="yes").status_code == 303


def test_the_log_names_routes_and_never_people_or_secrets(
    visitor: Visitor, stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        visitor.order()
        token = stage.subscription("anna@example.com").token
        visitor.look(f"/studio/order/{token}?email=anna@example.com")
    lines = [record for record in caplog.records if record.name == "linkpay.web.trace"]
    assert [(line.route, line.status) for line in lines] == [  # type: ignore[attr-defined]  # extra fields
        ("/<slug:site>/buy/<slug:offer>", 200),
        ("/<slug:site>/buy/<slug:offer>", 303),
        ("/<slug:site>/order/<token:token>", 200),
    ]
    written = " ".join(str(vars(record)) for record in lines)
    for secret in ("anna", "Anna", token, KEY):
        assert secret not in written
    assert len({record.correlation for record in caplog.records if hasattr(record, "correlation")}) <= 3
