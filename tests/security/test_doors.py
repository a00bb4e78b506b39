"""Doors: where they lead on to, how often one may knock, and what a form may bring along."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from flask import Flask

from linkpay.domain.roles import Role
from linkpay.store import owners
from linkpay.store.tables import Charge, Customer, Owner, Payment, Subscription
from linkpay.web.owner import door
from tests.flows.stage import Stage
from tests.web.owner.conftest import PASSWORD, Team
from tests.web.portal.guests import PORTAL, link_for
from tests.web.visitor import Visitor, form_of

_HOSTS = ("evil.example", "pay.example.com.evil.example", "pay.example.com@evil.example", "evil.example#pay")
_SHAPES = (
    "//{}", "///{}", "/\\{}", "\\\\{}", "\\/{}", "https://{}", "https:{}", "http:///{}", "https:/{}",
    "/\t/{}",
    "\t//{}", "/\n/{}", "%2f%2f{}", "//%2f{}", "/%09/{}", "////{}", "https://{}/owner/studio", " //{}",
    "javascript:alert(1)//{}", "data:text/html,{}", "/owner/../..//{}", "//{}/%2e%2e",
    "/owner\r\nLocation: //{}",
)  # fmt: skip
ELSEWHERE = [shape.format(host) for shape in _SHAPES for host in _HOSTS]


def _stays(location: str) -> bool:
    """Whether a browser that gets this stays on our host: it reads backslashes as slashes and drops tabs."""
    read = location.replace("\\", "/").replace("\t", "").replace("\n", "").replace("\r", "").strip()
    return read.startswith("/") and not read.startswith("//") and not urlsplit(read).netloc


def test_no_door_leads_elsewhere(team: Team, app: Flask) -> None:
    """Each is asked of what decides where to go after the door; some go through the door itself."""
    assert len(ELSEWHERE) >= 60
    for target in ELSEWHERE:
        with app.test_request_context("/owner/sign-in", method="POST", data={"to": target}):
            assert _stays(door._onward()), f"{target!r} leads to {door._onward()!r}"
    team.person("owner@studio.example.com", Role.OWNER)
    for target in ELSEWHERE[::23]:
        browser = team.new_visitor()
        form = form_of(browser.client.get("/owner/sign-in", query_string={"to": target}))
        typed = {"email": "owner@studio.example.com", "password": PASSWORD, "to": target}
        answer = browser.client.post(form.action, data=form.fields | typed)
        assert answer.status_code == 303, target
        assert _stays(answer.headers["Location"]), f"{target!r} leads to {answer.headers['Location']!r}"


@pytest.mark.parametrize("target", ELSEWHERE[::4])
def test_no_page_of_buyers_and_members_leads_elsewhere(visitor: Visitor, target: str) -> None:
    for url in ("/studio/buy/members", PORTAL, "/"):
        for name in ("to", "next", "return_url", "redirect", "url", "lang"):
            answer = visitor.client.get(url, query_string={name: target})
            location = answer.headers.get("Location", "/")
            assert _stays(location), f"{url} {name}"


@pytest.mark.parametrize("url", ["/owner", "/owner/studio?to=1", "/studio//portal"])
def test_an_address_that_is_written_a_little_differently_leads_on_at_the_same_host(
    visitor: Visitor, url: str
) -> None:
    answer = visitor.client.open(
        "/", environ_overrides={"PATH_INFO": url.partition("?")[0], "HTTP_HOST": "evil.example"}
    )
    assert answer.status_code == 308
    assert answer.headers["Location"].startswith(("/owner/", "/studio/portal"))


def test_guessing_one_person_and_many_is_stopped_from_wherever_it_comes(team: Team, stage: Stage) -> None:
    """Of a thousand tries on one name at most ten in a quarter of an hour are looked at, whatever address the
    request claims to come from; afterwards the right one opens again."""
    team.person("owner@studio.example.com", Role.OWNER)
    browser = team.new_visitor()
    page = browser.look("/owner/sign-in")
    form = form_of(page)
    looked_at = 0
    for number in range(1_000):
        answer = browser.client.post(
            form.action,
            data=form.fields | {"email": "owner@studio.example.com", "password": f"guess{number}"},
            headers={"X-Forwarded-For": f"10.0.{number % 250}.{number // 250}"},
        )  # fmt: skip
        looked_at += answer.status_code == 200
        assert answer.status_code < 500
    assert looked_at <= 10
    stage.clock.advance(timedelta(minutes=16))
    _, opened = team.enter("owner@studio.example.com")
    assert opened.status_code == 303


def test_a_link_that_a_mail_scanner_opens_ten_times_still_opens_once(visitor: Visitor, stage: Stage) -> None:
    stage.buy("anna@example.com")
    link = link_for(visitor, stage)
    for _ in range(10):
        page = visitor.look(link)
        assert page.status_code == 200
        assert page.headers["Referrer-Policy"] == "no-referrer"
    assert visitor.press(page).status_code == 303
    assert visitor.press(page).status_code != 303


#: What forms carry on top, in the hope that some of it is taken over.
MORE = {
    "id": "1", "site_id": "999", "site": "other", "amount": "0.01", "amount_cents": "1", "price": "1",
    "state": "active", "status": "paid", "paid_at": "2020-01-01", "started_at": "2020-01-01", "role": "owner",
    "is_admin": "true", "customer_id": "1", "mandate_id": "1", "currency": "USD", "token": "mine",
    "external_user_id": "somebody", "periods": "1", "vat_basis_points": "0", "period": "-5",
}  # fmt: skip


def test_an_order_takes_nothing_over_that_its_form_does_not_ask(visitor: Visitor, stage: Stage) -> None:
    assert visitor.order(**MORE).status_code == 303
    with stage.database.read() as tx:
        subscription, charge = tx.query(Subscription).one(), tx.query(Charge).one()
        payment, customer = tx.query(Payment).one(), tx.query(Customer).one()
    assert subscription.site_id == stage.shop.site_id
    assert (subscription.state.value, subscription.started_at, charge.paid_at) == ("pending", None, None)
    assert (charge.amount_cents, charge.currency, charge.vat_basis_points) == (5000, "EUR", 2100)
    assert (payment.amount_cents, payment.currency) == (5000, "EUR")
    assert subscription.token != "mine"
    assert customer.email == "anna@example.com"


def test_every_form_of_the_desk_ignores_what_it_does_not_ask(team: Team, stage: Stage) -> None:
    """Each form of each page of the desk is sent as support, the least of roles, with all of that on top."""
    desk = team.signed_in(Role.SUPPORT)
    with stage.database.read() as tx:
        before = sorted((one.email, one.id) for one in tx.query(Owner))
    for url in ("/owner/", "/owner/account", "/owner/studio/", "/owner/studio/members", "/owner/studio/log"):
        page = desk.look(url)
        if page.status_code != 200 or "<form" not in page.text:
            continue
        form = form_of(page)
        answer = desk.client.post(form.action, data=form.fields | MORE)
        assert answer.status_code < 500, url
    with stage.database.read() as tx:
        assert sorted((one.email, one.id) for one in tx.query(Owner)) == before
        roles = {person.email: role for person, role in owners.of_site(tx, stage.shop.site_id)}
    assert roles["support@studio.example.com"] is Role.SUPPORT


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({f"f{number}": "x" for number in range(5_000)}, (400, 403, 413)),
        ({"name": "x" * 65_536}, (413,)),
        ({"email": "a" * 60_000}, (403, 413)),
        ({"email": "a@" + "b." * 20_000 + "c"}, (200, 403, 413, 422)),
    ],
)
def test_too_much_is_refused_quickly(visitor: Visitor, data: dict[str, str], status: tuple[int, ...]) -> None:
    for url in ("/studio/buy/members", PORTAL, "/owner/sign-in"):
        page = visitor.look(url)
        form = form_of(page)
        answer = visitor.client.post(form.action or url, data=form.fields | data)
        assert answer.status_code in (*status, 422, 200), url
        assert answer.status_code < 500
