"""The order page tells the truth at every stage and moves on by itself only while something moves."""

import re
from datetime import timedelta

import pytest

from linkpay.store.tables import Outbox, Subscription
from tests.builders import make_site
from tests.flows.books import KEY
from tests.flows.stage import Stage
from tests.web.members import ANNA, bounced, newest_payment, second_month
from tests.web.visitor import Visitor, form_of, words_of


def order_url(stage: Stage, email: str = ANNA) -> str:
    return f"/studio/order/{stage.subscription(email).token}"


def test_a_buyer_who_comes_back_is_told_that_her_payment_is_awaited(visitor: Visitor, stage: Stage) -> None:
    visitor.order()
    page = visitor.look(order_url(stage))
    assert "We wachten op je betaling" in words_of(page)
    assert page.headers["Refresh"].startswith("2; url=")
    on = visitor.press(page)
    assert on.headers["Location"].startswith("http://mollie.sandbox.test/checkout/")


def test_paid_is_told_before_access_is_and_access_once_kajabi_has_it(visitor: Visitor, stage: Stage) -> None:
    visitor.order()
    stage.bank(newest_payment(stage), "paid")
    away = {"target": "kajabi", "match": "", "kind": "status:503", "count": 1}
    stage.sandbox.call("POST", "/_sandbox/faults", away)
    stage.work()
    paid = visitor.look(order_url(stage))
    assert "Betaald. Je toegang wordt geopend" in words_of(paid)
    assert "Refresh" in paid.headers
    stage.sandbox.advance(timedelta(minutes=5))
    stage.work()
    done = visitor.look(order_url(stage))
    words = words_of(done)
    assert "Je toegang is open" in words
    assert ANNA in words
    assert "Volgende afschrijving € 50,00 28 februari 2026" in words
    assert 'href="https://studio.example.com/login"' in done.text
    assert "Refresh" not in done.headers


@pytest.mark.parametrize("status", ["failed", "canceled", "expired"])
def test_a_payment_that_failed_can_be_tried_again_with_everything_kept(
    visitor: Visitor, stage: Stage, status: str
) -> None:
    first = visitor.order().headers["Location"]
    stage.bank(newest_payment(stage), status)
    stage.work()
    page = visitor.look(order_url(stage))
    assert "De betaling is niet gelukt" in words_of(page)
    assert "Refresh" not in page.headers
    again = visitor.press(page)
    assert again.status_code == 303
    assert again.headers["Location"].startswith("http://mollie.sandbox.test/checkout/")
    assert again.headers["Location"] != first
    stage.bank(newest_payment(stage), "paid")
    stage.work()
    assert "Je toegang is open" in words_of(visitor.look(order_url(stage)))


def test_looking_again_slows_down_and_ends_with_an_explanation(visitor: Visitor, stage: Stage) -> None:
    visitor.order()
    url, pauses = order_url(stage), []
    for _ in range(100):
        page = visitor.look(url)
        if "Refresh" not in page.headers:
            break
        pause, _, url = page.headers["Refresh"].partition("; url=")
        pauses.append(int(pause))
    assert pauses == sorted(pauses)
    assert 240 < sum(pauses) < 420
    assert "Deze pagina ververst niet meer vanzelf" in words_of(page)
    assert f'href="{order_url(stage)}"' in page.text


def test_looking_again_can_be_stopped(visitor: Visitor, stage: Stage) -> None:
    visitor.order()
    page = visitor.look(order_url(stage))
    stop = re.search(r'href="([^"]+)">Niet meer verversen', page.text)
    assert stop is not None
    assert "Refresh" not in visitor.look(stop[1]).headers


def test_looking_again_keeps_the_language(visitor: Visitor, stage: Stage) -> None:
    visitor.order()
    page = visitor.look(f"{order_url(stage)}?lang=en")
    assert page.headers["Refresh"].endswith("&lang=en")


@pytest.mark.parametrize("turn", ["-1", "x", "²", "99999999999999", "1e3", ""])
def test_a_strange_counter_counts_as_none_or_enough(visitor: Visitor, stage: Stage, turn: str) -> None:
    visitor.order()
    assert visitor.look(f"{order_url(stage)}?n={turn}").status_code == 200


def test_a_waiting_buyer_makes_a_lost_webhook_be_looked_for(visitor: Visitor, stage: Stage) -> None:
    visitor.order()
    stage.sandbox.advance(timedelta(seconds=20))
    stage.posted.clear()
    visitor.look(order_url(stage))
    with stage.database.read() as tx:
        poll = tx.query(Outbox).filter_by(kind="poll_payment").one()
        assert poll.run_at <= stage.clock.now()


def test_an_order_that_was_let_go_for_another_plan_says_so(visitor: Visitor, stage: Stage) -> None:
    visitor.order()
    let_go = order_url(stage)
    visitor.order(plan="terms")
    page = visitor.look(let_go)
    assert "Deze bestelling is niet afgerond" in words_of(page)
    assert 'href="/studio/buy/members"' in page.text


def test_a_buyer_who_paid_both_tabs_is_told_and_refunded(visitor: Visitor, stage: Stage) -> None:
    visitor.order()
    first, url = newest_payment(stage), order_url(stage)
    visitor.order(plan="once", agree=None)
    for payment in (newest_payment(stage), first):
        stage.bank(payment, "paid")
        stage.work()
    words = words_of(visitor.look(url))
    assert "Je hebt twee keer betaald" in words
    assert "Er is niets betaald" not in words
    assert "Je toegang is open" in words_of(visitor.look(order_url(stage)))
    assert stage.parts.payments.fetch_payment(KEY, first).refunded_cents == 5000


def test_a_member_who_owes_is_led_to_the_pay_page(visitor: Visitor, stage: Stage) -> None:
    charge = second_month(stage)
    running = visitor.look(order_url(stage))
    assert "Je toegang is open" in words_of(running)
    stage.bank(stage.mollie_ids(charge.id)[0], "failed", "AM04")
    stage.work()
    page = visitor.look(order_url(stage))
    words = words_of(page)
    assert "Er staat nog een bedrag open" in words
    assert "Je houdt je toegang tot 14 maart 2026" in words
    assert f"/studio/pay/{charge.token}" in page.text


@pytest.mark.parametrize("days", [0, 15])
def test_who_paid_what_she_owed_is_not_asked_again_while_the_bank_has_not_told(
    visitor: Visitor, stage: Stage, days: int
) -> None:
    bill = bounced(stage, "AC04")
    stage.advance(days=days)
    assert visitor.press(visitor.look(bill), agree="yes").status_code == 303
    page = visitor.look(order_url(stage))
    assert "We wachten op je betaling" in words_of(page)
    assert "Er staat nog een bedrag open" not in words_of(page)
    assert page.headers["Refresh"]
    begun = newest_payment(stage)
    assert f'href="{bill}"' in page.text
    assert visitor.press(visitor.look(bill), agree="yes").status_code == 303
    assert newest_payment(stage) == begun, "going on leads to the same payment"
    stage.bank(begun, "paid")
    stage.work()
    assert "Je toegang is open" in words_of(visitor.look(order_url(stage)))


def test_a_site_is_told_when_kajabi_refuses_and_the_buyer_need_not_pay_again(
    visitor: Visitor, stage: Stage
) -> None:
    visitor.order()
    stage.bank(newest_payment(stage), "paid")
    gone = {"target": "kajabi", "match": "", "kind": "status:500", "count": 40}
    stage.sandbox.call("POST", "/_sandbox/faults", gone)
    stage.work()
    with stage.database.write() as tx:
        for row in tx.query(Outbox).filter_by(kind="apply_grant"):
            row.parked_at = stage.clock.now()
    words = words_of(visitor.look(order_url(stage)))
    assert "laat even op zich wachten" in words
    assert "je hoeft niet opnieuw te betalen" in words


@pytest.mark.parametrize("url", ["/studio/order/{}", "/studio/order/{}/onward", "/studio/pay/{}"])
def test_a_secret_that_is_not_ours_is_not_found(visitor: Visitor, stage: Stage, url: str) -> None:
    for token in ("a" * 32, "short", "a" * 65, "../../etc/passwd", "%00" * 16):
        assert visitor.look(url.format(token)).status_code == 404


def test_an_order_of_another_site_is_not_found(visitor: Visitor, stage: Stage) -> None:
    stage.buy(ANNA)
    with stage.database.write() as tx:
        make_site(tx, slug="other")
    token = stage.subscription(ANNA).token
    assert visitor.look(f"/other/order/{token}").status_code == 404
    assert visitor.look(f"/other/pay/{stage.charges(ANNA)[0].token}").status_code == 404


def test_going_on_by_address_alone_never_begins_a_payment(visitor: Visitor, stage: Stage) -> None:
    stage.begin(ANNA)
    answer = visitor.look(f"{order_url(stage)}/onward?go=1")
    assert answer.headers["Location"] == order_url(stage)
    assert not list(stage.parts.payments.list_payments(KEY, limit=5))


def test_a_provider_that_stays_silent_ends_in_an_explanation(visitor: Visitor, stage: Stage) -> None:
    away = {"target": "mollie", "match": "", "kind": "status:503", "count": 1000}
    stage.sandbox.call("POST", "/_sandbox/faults", away)
    url = visitor.order().headers["Location"]
    for _ in range(60):
        page = visitor.look(url)
        url = page.headers.get("Location") or page.headers.get("Refresh", "").partition("; url=")[2]
        if not url:
            break
    assert "geeft nog geen antwoord" in words_of(page)
    stage.sandbox.call("DELETE", "/_sandbox/faults")
    button = re.search(r'href="([^"]+)">Nu verdergaan', page.text)
    assert button is not None
    assert visitor.look(button[1]).headers["Location"].startswith("http://mollie.sandbox.test/checkout/")


def test_the_language_of_the_order_is_the_buyers(visitor: Visitor, stage: Stage) -> None:
    visitor.order("/studio/buy/members?lang=en")
    assert "We are waiting for your payment" in words_of(visitor.look(order_url(stage)))
    with stage.database.read() as tx:
        assert tx.query(Subscription).one().token in order_url(stage)
    assert form_of(visitor.look(order_url(stage))).action.endswith("lang=en")
