"""The door of the portal: nobody learns who is a customer, a link opens once, a session is one site's."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from linkpay.app import create_app
from linkpay.services import throttle
from linkpay.store.db import Tx
from linkpay.store.tables import Base, Customer, Mail, Site, Visit
from linkpay.web.edge import Edge
from tests.builders import make_customer, make_site
from tests.flows.stage import Stage
from tests.web.portal.guests import ANNA, PORTAL, ask, link_for, newest_link, sign_in
from tests.web.visitor import Visitor, form_of, words_of

#: What a stranger may see of the portal.
PUBLIC = {
    "portal_renewals.renewal",
    "portal_moving.knock",
    "portal_moving.confirm",
    "portal_entry.door",
    "portal_entry.ask",
    "portal_entry.knock",
    "portal_entry.enter",
    "portal_entry.leave",
}


@pytest.fixture
def member(stage: Stage) -> str:
    stage.buy(ANNA)
    return ANNA


def mails(stage: Stage, kind: str = "sign_in") -> list[Mail]:
    with stage.database.read() as tx:
        return tx.query(Mail).filter_by(kind=kind).order_by(Mail.id).all()


def test_a_member_signs_in_by_her_mail_and_out_again(visitor: Visitor, stage: Stage, member: str) -> None:
    page = sign_in(visitor, stage)
    assert "Hallo Anna de Vries" in words_of(page)
    assert f"Ingelogd als {ANNA}" in words_of(page)
    out = visitor.press(page)
    assert out.status_code == 303
    assert "Stuur me een link" in words_of(visitor.look(PORTAL))


def test_the_answer_is_the_same_whether_somebody_is_known_or_not(
    visitor: Visitor, stage: Stage, member: str
) -> None:
    known, unknown = ask(visitor, ANNA), ask(visitor, "eva@example.com")
    assert known.status_code == unknown.status_code == 200
    assert known.text.replace(ANNA, "eva@example.com") == unknown.text
    stage.work()
    assert [mail.to for mail in mails(stage)] == [ANNA]


@pytest.mark.parametrize("typed", ["", "anna", "anna@", "a" * 300, '"><script>@example.com'])
def test_what_is_no_address_is_said_so_and_kept(visitor: Visitor, stage: Stage, typed: str) -> None:
    page = ask(visitor, typed)
    assert page.status_code == 422
    assert "bijvoorbeeld naam@example.com" in words_of(page)
    assert 'aria-invalid="true"' in page.text
    assert form_of(page).fields["email"] == typed[:254]
    assert "<script" not in page.text


def test_an_address_is_found_however_it_is_typed(visitor: Visitor, stage: Stage, member: str) -> None:
    ask(visitor, "  Anna@Example.COM ")
    assert [mail.to for mail in mails(stage)] == [ANNA]


def test_looking_at_a_link_does_not_use_it_up(visitor: Visitor, stage: Stage, member: str) -> None:
    link = link_for(visitor, stage)
    for _ in range(3):
        assert "Druk op de knop" in words_of(visitor.look(link))
    visitor.client.head(link)
    assert visitor.press(visitor.look(link)).status_code == 303


def test_a_link_opens_once(new_visitor: Callable[[], Visitor], stage: Stage, member: str) -> None:
    hers, his = new_visitor(), new_visitor()
    link = link_for(hers, stage)
    assert hers.press(hers.look(link)).status_code == 303
    again = his.press(his.look(link))
    assert again.status_code == 409
    assert "Deze link werkt niet meer" in words_of(again)
    assert "Stuur me een link" in words_of(his.look(PORTAL))


def test_a_link_is_good_for_a_quarter_of_an_hour(visitor: Visitor, stage: Stage, member: str) -> None:
    link = link_for(visitor, stage)
    stage.clock.advance(timedelta(minutes=15, seconds=1))
    assert visitor.press(visitor.look(link)).status_code == 409
    assert visitor.press(visitor.look(link_for(visitor, stage))).status_code == 303


def test_a_session_is_over_after_twelve_hours(visitor: Visitor, stage: Stage, member: str) -> None:
    sign_in(visitor, stage)
    stage.clock.advance(timedelta(hours=11, minutes=59))
    assert "Hallo Anna" in words_of(visitor.look(PORTAL))
    stage.clock.advance(timedelta(minutes=2))
    assert "Stuur me een link" in words_of(visitor.look(PORTAL))


def test_a_stranger_who_keeps_asking_fills_no_mailbox_and_locks_nobody_out(
    new_visitor: Callable[[], Visitor], stage: Stage, member: str
) -> None:
    stranger, anna = new_visitor(), new_visitor()
    links = []
    for number in range(8):
        assert "Kijk in je e-mail" in words_of(ask(stranger))
        stage.work()
        links.append(newest_link(stage))
        assert len(mails(stage)) == min(number + 1, 3)
    for link in dict.fromkeys(links):
        assert anna.press(anna.look(link)).status_code == 303
    stage.clock.advance(timedelta(minutes=16))
    assert link_for(stranger, stage) not in links


def test_who_tries_one_name_after_the_other_is_slowed_down_and_members_elsewhere_are_not(
    new_visitor: Callable[[], Visitor], stage: Stage, member: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "LIMITS", {**throttle.LIMITS, "door": 60})
    stranger, anna = new_visitor(), new_visitor()
    stranger.client.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    answers = [ask(stranger, f"guess{number}@example.com").status_code for number in range(61)]
    assert answers == [200] * 60 + [429]
    assert "Wacht een kwartier" in words_of(ask(stranger))
    assert sign_in(anna, stage).status_code == 200
    with stage.database.read() as tx:
        assert tx.query(Mail).filter(Mail.to.like("guess%")).count() == 0
    stage.clock.advance(timedelta(minutes=16))
    assert ask(stranger).status_code == 200


def test_how_often_one_may_ask_tells_nobody_who_is_known(
    new_visitor: Callable[[], Visitor], stage: Stage, member: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "LIMITS", {**throttle.LIMITS, "door": 3})
    told = []
    for number, email in enumerate((ANNA, "stranger@example.com")):
        visitor = new_visitor()
        visitor.client.environ_base["REMOTE_ADDR"] = f"203.0.113.{number}"
        asked = ("guess1@example.com", "guess2@example.com", email, "guess3@example.com")
        told.append([ask(visitor, one).status_code for one in asked])
    assert told == [[200, 200, 200, 429]] * 2


def test_members_who_share_an_address_are_never_slowed_down(
    new_visitor: Callable[[], Visitor], stage: Stage, member: str
) -> None:
    with stage.database.write() as tx:
        for number in range(70):
            make_customer(tx, tx.get_one(Site, stage.shop.site_id), email=f"member{number}@example.com")
    office = new_visitor()
    assert {ask(office, f"member{number}@example.com").status_code for number in range(70)} == {200}


def test_what_is_kept_opens_nothing(visitor: Visitor, stage: Stage, member: str) -> None:
    secret = link_for(visitor, stage).rpartition("/")[2]
    visitor.press(visitor.look(f"{PORTAL}/enter/{secret}"))
    cookie = visitor.client.get_cookie("linkpay-portal-studio")
    assert cookie is not None
    with stage.database.read() as tx:
        kept = [*mails(stage), *tx.query(Visit)]
        everything = " ".join(str(vars(row)) for row in kept)
    assert secret not in everything
    assert cookie.value not in everything


def test_the_sessions_cookie_is_out_of_reach_for_others(stage: Stage, member: str) -> None:
    behind_https = Visitor(create_app(stage.parts, Edge("a made-up key", True)).test_client())
    behind_https.client.environ_base["wsgi.url_scheme"] = "https"
    link = link_for(behind_https, stage)
    entered = behind_https.press(behind_https.look(link))
    cookie = next(c for c in entered.headers.getlist("Set-Cookie") if "portal" in c)
    assert cookie.startswith("__Host-linkpay-portal-studio=")
    for flag in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=43200"):
        assert flag in cookie
    assert "Domain" not in cookie


def test_a_session_or_link_of_another_site_is_not_found(visitor: Visitor, stage: Stage, member: str) -> None:
    with stage.database.write() as tx:
        other = make_site(tx, slug="other")
        other.mollie_key_sealed = None
        tx.add(
            Customer(
                site_id=other.id, email=ANNA, name="Anna", idempotency_key="x", created_at=stage.clock.now()
            )
        )
    link = link_for(visitor, stage).rpartition("/")[2]
    assert visitor.press(visitor.look(f"/other/portal/enter/{link}")).status_code == 409
    sign_in(visitor, stage)
    assert "Stuur me een link" in words_of(visitor.look("/other/portal"))
    cookie = visitor.client.get_cookie("linkpay-portal-studio")
    assert cookie is not None
    visitor.client.set_cookie("linkpay-portal-other", cookie.value)
    assert visitor.look("/other/portal").status_code == 404


def test_a_site_that_is_none_has_no_door(visitor: Visitor, stage: Stage) -> None:
    assert visitor.look("/none/portal").status_code == 404
    assert visitor.look("/none/portal/enter/" + "a" * 43).status_code == 404


@pytest.mark.parametrize("secret", ["a" * 43, "é", "x", "", "a" * 5000])
def test_a_made_up_session_is_none(visitor: Visitor, stage: Stage, secret: str) -> None:
    visitor.client.set_cookie("linkpay-portal-studio", secret)
    assert "Stuur me een link" in words_of(visitor.look(PORTAL))


def test_every_room_of_the_portal_stands_behind_the_door(app: Flask, visitor: Visitor, stage: Stage) -> None:
    rooms = [
        rule for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("portal_") and rule.endpoint not in PUBLIC
    ]  # fmt: skip
    assert rooms
    for rule in rooms:
        with app.test_request_context():
            url = app.url_map.bind("").build(
                rule.endpoint, {a: "a" * 43 if a != "site" else "studio" for a in rule.arguments}
            )
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            answer = visitor.client.open(url, method=method, data={} if method == "POST" else None)
            if method == "POST":
                answer = visitor.client.post(url, data={"x": "y"})
            assert answer.status_code == 303, rule
            assert answer.headers["Location"] == PORTAL, rule
        assert visitor.look(url.replace("/studio/", "/none/")).status_code in (404, 405), rule


def test_no_form_from_elsewhere_changes_anything(
    app: Flask, visitor: Visitor, stage: Stage, member: str
) -> None:
    sign_in(visitor, stage)
    token = stage.subscription(ANNA).token
    with stage.database.read() as tx:
        before = whole(tx)
    posts = [
        rule for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("portal_") and "POST" in (rule.methods or set())
    ]  # fmt: skip
    assert len(posts) > 8
    for rule in posts:
        given = {name: token if name == "token" else "studio" for name in rule.arguments}
        url = app.url_map.bind("").build(rule.endpoint, given)
        answer = visitor.client.post(url, data={"form_token": "made-up", "sure": "yes", "language": "en"})
        assert answer.status_code in (303, 403), rule
    with stage.database.read() as tx:
        assert whole(tx) == before


def whole(tx: Tx) -> list[object]:
    """Everything that somebody could have changed."""
    return [tx.execute(select(table)).all() for table in Base.metadata.sorted_tables]


def test_a_form_from_elsewhere_signs_nobody_in_and_asks_for_no_mail(
    visitor: Visitor, stage: Stage, member: str
) -> None:
    link = link_for(visitor, stage)
    forged = visitor.client.post(link, data={"form_token": "made-up"})
    assert forged.status_code == 403
    assert visitor.press(forged).status_code == 303
    before = len(mails(stage))
    assert visitor.press(visitor.look("/studio/portal?x=1"), form_token="x").status_code in (303, 403)
    assert len(mails(stage)) == before


def test_the_mail_and_its_page_speak_the_language_in_which_it_was_asked(
    visitor: Visitor, stage: Stage, member: str
) -> None:
    page = visitor.look(f"{PORTAL}?lang=en")
    visitor.press(page, email=ANNA)
    stage.work()
    assert stage.mailer.letters[-1].subject == "Sign in at Studio Vecht"
    opened = visitor.look(newest_link(stage))
    assert "Press the button" in words_of(opened)
    assert form_of(opened).action.endswith("lang=en")
    stage.clock.advance(timedelta(minutes=20))
    visitor.press(visitor.look(PORTAL), email=ANNA)
    stage.work()
    assert stage.mailer.letters[-1].subject == "Inloggen bij Studio Vecht"


def test_pages_are_not_kept(visitor: Visitor, stage: Stage, member: str) -> None:
    assert sign_in(visitor, stage).headers["Cache-Control"] == "no-store"


def test_the_site_speaks_where_no_customer_does(visitor: Visitor, stage: Stage) -> None:
    with stage.database.write() as tx:
        tx.get_one(Site, stage.shop.site_id).locale = "en"
    assert "Send me a link" in words_of(visitor.look(PORTAL))


def test_who_asks_after_a_stranger_gets_her_mail_all_the_same(visitor: Visitor, stage: Stage) -> None:
    stage.buy(ANNA)
    for email in ("nobody@example.com", ANNA):
        visitor.press(visitor.look(PORTAL), email=email)
        stage.work()
    assert stage.mailer.letters[-1].subject == "Inloggen bij Studio Vecht"
