"""The pay page: one open charge, paid by hand, with the mandate renewed in the same go."""

from datetime import timedelta

import pytest

from linkpay.ports import Announcement
from linkpay.services import signup
from linkpay.store import sites
from linkpay.store.tables import Consent, Offer, Subscription
from tests.flows.books import KEY
from tests.flows.stage import Stage
from tests.web.members import ANNA, bounced, newest_payment, second_month
from tests.web.visitor import Visitor, form_of, words_of


def announced(stage: Stage) -> str:
    """A sign-up that came from Kajabi; where it is paid."""
    with stage.database.write() as tx:
        site = sites.get(tx, stage.shop.site_id)
        offer_id = tx.get_one(Offer, stage.shop.offer_id).kajabi_offer_id or ""
        made = signup.open_from_kajabi(tx, site, Announcement(offer_id, ANNA, "Anna"), stage.clock.now())
        assert made is signup.Outcome.OPENED
    return f"/studio/pay/{stage.charges(ANNA)[0].token}"


def test_the_page_says_what_for_how_much_and_what_it_renews(visitor: Visitor, stage: Stage) -> None:
    words = words_of(visitor.look(bounced(stage)))
    assert "28 februari 2026 tot 31 maart 2026" in words
    assert "Nu te betalen € 50,00" in words
    assert "dan loopt je toegang gewoon door" in words
    assert "Betaal en vernieuw je toestemming in één keer" in words
    assert "De volgende afschrijving is op 31 maart 2026" in words
    assert "Bestelling met betaalverplichting: € 50,00 betalen" in words


def test_paying_by_hand_settles_the_charge_and_renews_the_mandate(visitor: Visitor, stage: Stage) -> None:
    page = visitor.look(bounced(stage))
    before = stage.subscription(ANNA).mandate_id
    assert visitor.press(page, agree="yes").status_code == 303
    stage.bank(newest_payment(stage), "paid")
    stage.work()
    assert stage.subscription(ANNA).mandate_id != before
    assert stage.charges(ANNA)[1].money.owed_cents == 0
    with stage.database.read() as tx:
        newest = tx.query(Consent).order_by(Consent.id.desc()).first()
        assert newest is not None
        shown = words_of(page)
        assert all(line in shown for line in newest.text.replace("\xa0", " ").splitlines())
    assert "Dank je wel, dit is betaald" in words_of(
        visitor.look(f"/studio/pay/{stage.charges(ANNA)[1].token}")
    )


def test_without_a_tick_nothing_is_asked_and_nothing_is_kept(visitor: Visitor, stage: Stage) -> None:
    url = bounced(stage)
    with stage.database.read() as tx:
        consents = tx.query(Consent).count()
    payment = newest_payment(stage)
    page = visitor.press(visitor.look(url))
    assert page.status_code == 422
    assert words_of(page).count("Vink het vakje aan") == 2
    assert newest_payment(stage) == payment
    with stage.database.read() as tx:
        assert tx.query(Consent).count() == consents


def test_while_a_debit_runs_nobody_can_pay_as_well(visitor: Visitor, stage: Stage) -> None:
    url = f"/studio/pay/{second_month(stage).token}"
    page = visitor.look(url)
    assert "Betaal het niet nog eens" in words_of(page)
    assert "<form" not in page.text
    payment = newest_payment(stage)
    visitor.client.post(url, data={"agree": "yes"})
    assert newest_payment(stage) == payment


def test_a_double_press_makes_one_payment(visitor: Visitor, stage: Stage) -> None:
    page = visitor.look(bounced(stage))
    first, second = visitor.press(page, agree="yes"), visitor.press(page, agree="yes")
    assert first.headers["Location"] == second.headers["Location"]
    assert len(list(stage.parts.payments.list_payments(KEY, limit=50))) == 3


def test_conditions_that_changed_meanwhile_are_shown_again(visitor: Visitor, stage: Stage) -> None:
    page = visitor.look(bounced(stage))
    with stage.database.write() as tx:
        tx.query(Subscription).one().amount_cents = 6000
    again = visitor.press(page, agree="yes")
    assert again.status_code == 422
    assert "De voorwaarden zijn veranderd" in words_of(again)
    assert "elke maand € 60,00" in words_of(again)


def test_a_kajabi_sign_up_makes_its_mandate_here(visitor: Visitor, stage: Stage) -> None:
    page = visitor.look(announced(stage))
    words = words_of(page)
    assert "Je hebt al toegang gekregen van Studio Vecht" in words
    assert "voor het eerst" not in words
    assert visitor.press(page).status_code == 422
    assert visitor.press(page, agree="yes").status_code == 303
    stage.bank(newest_payment(stage), "paid")
    stage.work()
    subscription = stage.subscription(ANNA)
    assert subscription.state.value == "active"
    assert subscription.mandate_id is not None
    with stage.database.read() as tx:
        assert tx.query(Consent).count() == 1


def test_a_kajabi_sign_up_whose_time_is_over_cannot_be_paid(visitor: Visitor, stage: Stage) -> None:
    url = announced(stage)
    stage.sandbox.advance(timedelta(days=8))
    stage.work()
    page = visitor.look(url)
    assert "Deze bestelling is afgelopen" in words_of(page)
    assert "/studio/buy/members" in page.text
    assert "<form" not in page.text
    visitor.client.post(url, data={"agree": "yes"})
    assert not list(stage.parts.payments.list_payments(KEY, limit=5))


def test_who_agreed_at_the_checkout_need_not_tick_again_to_try_again(visitor: Visitor, stage: Stage) -> None:
    visitor.order()
    stage.bank(newest_payment(stage), "failed")
    stage.work()
    page = visitor.look(f"/studio/pay/{stage.charges(ANNA)[0].token}")
    assert form_of(page).fields["agree"] == "yes"
    assert visitor.press(page).status_code == 303
    with stage.database.read() as tx:
        assert tx.query(Consent).count() >= 1


def test_an_instalment_plan_says_when_it_stops(visitor: Visitor, stage: Stage) -> None:
    words = words_of(visitor.look(bounced(stage, plan="terms")))
    assert "Na 3 termijnen stopt het vanzelf" in words


@pytest.mark.parametrize("lang", ["nl", "en"])
def test_the_page_speaks_the_language_that_is_asked_for(visitor: Visitor, stage: Stage, lang: str) -> None:
    page = visitor.look(f"{bounced(stage)}?lang={lang}")
    assert f'<html lang="{lang}">' in page.text
    told = {"nl": "Nu te betalen € 50,00", "en": "To pay now €50.00"}
    assert told[lang] in words_of(page)


def test_after_a_suspension_no_day_is_promised_that_paying_moves(visitor: Visitor, stage: Stage) -> None:
    url = bounced(stage, "AC04")
    stage.advance(days=15)
    assert stage.subscription(ANNA).state.value == "suspended"
    words = words_of(visitor.look(url))
    assert "de datum van de volgende afschrijving krijg je per e-mail" in words
    assert "dan gaat je toegang weer open" in words
