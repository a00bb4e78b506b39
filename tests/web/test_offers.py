"""What the order page sells besides a plain plan: trials, codes, extras, and the consent to each."""

import re

import pytest
from werkzeug.test import TestResponse

from linkpay.domain.snapshots import PaymentSnapshot
from linkpay.store.tables import Charge, Consent, Coupon, Mail, Plan, Redemption, Site, Subscription
from tests.flows.books import KEY
from tests.flows.stage import Stage
from tests.flows.stories_selling import open_counter
from tests.web.visitor import Visitor, form_of, words_of

BUY = "/studio/buy/members"
TRIAL = f"{BUY}?plan=trial"


@pytest.fixture(autouse=True)
def counter(stage: Stage) -> None:
    open_counter(stage)


def at_mollie(stage: Stage) -> list[PaymentSnapshot]:
    """Every payment, newest first."""
    return list(stage.bank_view.list_payments(KEY, limit=100))


def variants(page: TestResponse, place: str) -> dict[str, str]:
    """What the button says for each set of ticks of the plan at a place, from 1."""
    button = page.text[page.text.index('class="button button-pay"') :]
    found = re.findall(
        rf'<span class="only for-{place} variant ([^"]*)">(.*?)</span>\s*</span>', button, re.DOTALL
    )
    return {
        classes: " ".join(re.sub(r"<[^>]+>|&nbsp;", " ", text).replace("\xa0", " ").split())
        for classes, text in found
    }


def place_of(page: TestResponse, slug: str) -> str:
    """Where a plan stands among the choices, from 1."""
    found = re.search(rf'id="plan-(\d+)" value="{slug}"', page.text)
    assert found is not None
    return found[1]


def test_a_trial_is_told_in_words_and_asked_with_the_method_that_was_chosen(
    visitor: Visitor, stage: Stage
) -> None:
    page = visitor.look(TRIAL)
    words = words_of(page)
    assert "14 dagen gratis, daarna € 50,00 per maand" in words
    assert "de eerste afschrijving, van € 50,00, op 14 februari 2026" in words
    assert "Waarmee wil je later betalen?" in words
    told = variants(page, place_of(page, "trial"))
    assert told["without-1 by-1"].endswith("€ 0,01 betalen")
    assert told["without-1 by-3"].endswith("€ 0,00 betalen")
    assert told["with-1"].endswith("€ 27,00 betalen")
    answer = visitor.press(page, name="Anna", email="anna@example.com", agree="yes", method="creditcard")
    assert answer.status_code == 303
    (made,) = at_mollie(stage)
    assert (made.amount.cents, made.method) == (0, "creditcard")


def test_a_trial_without_a_method_is_asked_for_one_and_keeps_what_was_typed(
    visitor: Visitor, stage: Stage
) -> None:
    page = visitor.press(
        visitor.look(TRIAL), name="Anna", email="anna@example.com", agree="yes", method="klarna"
    )
    assert page.status_code == 422
    assert "Kies waarmee je later wilt betalen" in words_of(page)
    assert form_of(page).fields["name"] == "Anna"
    assert at_mollie(stage) == []


def test_with_an_extra_a_trial_needs_no_proof_of_its_own(visitor: Visitor, stage: Stage) -> None:
    visitor.order(TRIAL, bump="workbook")
    (made,) = at_mollie(stage)
    assert (made.amount.cents, made.method) == (2700, None)


def test_the_second_trial_is_answered_by_mail_with_a_link_that_sells_without(
    visitor: Visitor, stage: Stage
) -> None:
    stage.buy("anna@example.com", "trial", method="creditcard")
    stage.stop("anna@example.com")
    stage.work()
    page = visitor.order(TRIAL)
    assert page.status_code == 409
    assert "Kijk in je e-mail" in words_of(page)
    stage.work()
    (letter,) = [one for one in stage.mailer.letters if "trial=no" in one.text]
    (url,) = re.findall(r"https://pay\.example\.com(/\S*trial=no)", letter.text)
    again = visitor.look(url)
    assert "gratis" not in words_of(again).split("Hoe wil je betalen?")[0].split("Members")[1][:60]
    assert visitor.press(again, name="Anna", email="anna@example.com", agree="yes").status_code == 303
    assert at_mollie(stage)[0].amount.cents == 5000


def test_a_code_is_applied_by_a_button_and_nothing_is_asked_yet(visitor: Visitor, stage: Stage) -> None:
    page = visitor.press(visitor.look(BUY), coupon="ten", name="Anna", apply="yes")
    words = words_of(page)
    assert page.status_code == 200
    assert "Je code geldt: 10% korting op de eerste periode" in words
    assert "Korting TEN -€ 5,00" in words.replace("€ -5,00", "-€ 5,00")
    assert form_of(page).fields["name"] == "Anna"
    assert at_mollie(stage) == []
    assert visitor.press(page, email="anna@example.com", agree="yes").status_code == 303
    assert at_mollie(stage)[0].amount.cents == 4500


def test_a_code_that_was_typed_but_not_applied_is_shown_before_it_is_paid(
    visitor: Visitor, stage: Stage
) -> None:
    page = visitor.order(coupon="TEN")
    assert page.status_code == 422
    assert "De prijs is nu met je code berekend" in words_of(page)
    assert at_mollie(stage) == []
    assert visitor.press(page, agree="yes").status_code == 303
    assert at_mollie(stage)[0].amount.cents == 4500


def test_a_link_brings_its_code_along(visitor: Visitor, stage: Stage) -> None:
    assert "Je code geldt" in words_of(visitor.look(f"{BUY}?coupon=ten"))
    assert visitor.order(f"{BUY}?coupon=ten").status_code == 303
    assert at_mollie(stage)[0].amount.cents == 4500


@pytest.mark.parametrize(
    ("lang", "told"), [("nl", "Deze code kennen we niet"), ("en", "We do not know this code")]
)
@pytest.mark.parametrize("button", ["apply", "pay"])
def test_a_wrong_code_is_told_at_its_field_and_everything_is_kept(
    visitor: Visitor, stage: Stage, lang: str, told: str, button: str
) -> None:
    pressed = {"apply": "yes"} if button == "apply" else {}
    typed = {"name": "Anna", "email": "anna@example.com", "bump": "workbook", "coupon": "NOPE"}
    page = visitor.press(visitor.look(f"{BUY}?lang={lang}"), **typed, agree="yes", **pressed)
    assert page.status_code == 422
    assert told in words_of(page)
    assert form_of(page).fields.items() >= typed.items()
    assert at_mollie(stage) == []


def test_a_code_for_another_plan_is_refused_for_this_one_only(visitor: Visitor, stage: Stage) -> None:
    with stage.database.write() as tx:
        tx.query(Coupon).filter_by(code="TEN").one().plan_slugs = ["weekly"]
    assert "geldt niet voor de betaalkeuze" in words_of(visitor.look(f"{BUY}?coupon=TEN"))
    assert visitor.look(f"{BUY}?coupon=TEN&plan=weekly").status_code == 200


def test_who_comes_too_late_for_the_last_use_is_told_so(visitor: Visitor, stage: Stage) -> None:
    page = visitor.look(f"{BUY}?coupon=LAST")
    stage.begin("bea@example.com", coupon="LAST")
    answer = visitor.press(page, name="Anna", email="anna@example.com", agree="yes")
    assert answer.status_code == 422
    assert "Deze code is op" in words_of(answer)
    with stage.database.read() as tx:
        assert tx.query(Redemption).count() == 1


def test_an_order_that_lost_its_code_says_so_and_charges_nothing(visitor: Visitor, stage: Stage) -> None:
    charge = stage.begin("anna@example.com", coupon="LAST")
    stage.advance(minutes=90)
    stage.buy("bea@example.com", coupon="LAST")
    paid = len(at_mollie(stage))
    page = visitor.press(visitor.look(f"/studio/pay/{charge.token}"), agree="yes")
    assert page.status_code == 409
    assert "door anderen opgebruikt" in words_of(page)
    assert len(at_mollie(stage)) == paid


def test_an_extra_is_a_tick_that_the_button_counts_with(visitor: Visitor, stage: Stage) -> None:
    page = visitor.look(BUY)
    told = variants(page, place_of(page, "monthly"))
    assert told["without-1"].endswith("€ 50,00 betalen")
    assert told["with-1"].endswith("€ 77,00 betalen")
    assert "bump" not in form_of(page).fields
    visitor.press(page, name="Anna", email="anna@example.com", agree="yes", bump="workbook")
    assert at_mollie(stage)[0].amount.cents == 7700
    order = words_of(visitor.look(f"/studio/order/{stage.subscription('anna@example.com').token}"))
    assert "Workbook € 27,00" in order
    assert "Samen € 77,00" in order


def test_an_extra_that_is_not_offered_is_not_sold(visitor: Visitor, stage: Stage) -> None:
    visitor.order(bump="once")
    assert at_mollie(stage)[0].amount.cents == 5000


def test_a_course_for_nothing_opens_without_a_bank(visitor: Visitor, stage: Stage) -> None:
    answer = visitor.order(f"{BUY}?plan=once&coupon=GIFT", agree=None)
    assert answer.status_code == 303
    stage.work()
    assert "Je toegang is open" in words_of(visitor.look(answer.headers["Location"]))
    assert at_mollie(stage) == []
    assert stage.has_access("anna@example.com")


def test_both_consents_are_kept_with_their_words_and_figures(visitor: Visitor, stage: Stage) -> None:
    page = visitor.look(BUY)
    visitor.press(page, name="Anna", email="anna@example.com", agree="yes", start="yes", bump="workbook")
    with stage.database.read() as tx:
        kept = {one.kind: one for one in tx.query(Consent)}
    assert kept.keys() == {"mandate", "start_at_once"}
    assert kept["mandate"].data == {"notice_days": 2, "starts_at_once": True}
    shown = words_of(page)
    for consent in kept.values():
        for line in consent.text.replace("\xa0", " ").splitlines():
            assert line in shown or line == "Nu te betalen € 77,00", line
    assert "Workbook € 27,00" in kept["mandate"].text.replace("\xa0", " ")


def test_without_the_tick_nothing_is_agreed_to_start_at_once(visitor: Visitor, stage: Stage) -> None:
    visitor.order()
    with stage.database.read() as tx:
        (kept,) = tx.query(Consent)
    assert (kept.kind, kept.data["starts_at_once"]) == ("mandate", False)


def test_a_site_that_nobody_can_withdraw_from_asks_for_no_start_at_once(
    visitor: Visitor, stage: Stage
) -> None:
    with stage.database.write() as tx:
        tx.get_one(Site, stage.shop.site_id).policy = {"withdrawal_days": 0, "agreed_notice_days": 4}
    page = visitor.look(BUY)
    assert 'name="start"' not in page.text
    assert "minstens 4 dagen van tevoren" in words_of(page)
    visitor.press(page, name="Anna", email="anna@example.com", agree="yes", start="yes")
    with stage.database.read() as tx:
        (kept,) = tx.query(Consent)
    assert kept.data == {"notice_days": 4, "starts_at_once": False}


def test_a_site_without_codes_shows_no_field_for_one(visitor: Visitor, stage: Stage) -> None:
    with stage.database.write() as tx:
        tx.query(Coupon).delete()
    assert "kortingscode" not in words_of(visitor.look(BUY))


def test_a_mandate_link_of_a_trial_lets_her_choose_how_to_prove_it(visitor: Visitor, stage: Stage) -> None:
    with stage.database.write() as tx:
        tx.query(Plan).filter_by(slug="trial").one().position = -1
    stage.buy_at_kajabi("anna@example.com")
    stage.work()
    (charge,) = stage.charges("anna@example.com")
    page = visitor.look(f"/studio/pay/{charge.token}")
    assert "Proefperiode van 14 dagen € 0,00" in words_of(page)
    visitor.press(page, agree="yes", method="bancontact")
    (made,) = at_mollie(stage)
    assert (made.amount.cents, made.method) == (2, "bancontact")
    stage.bank(made.id, "paid")
    stage.work()
    with stage.database.read() as tx:
        assert tx.query(Subscription).one().state.value == "trialing"
        assert tx.query(Mail).filter_by(kind="mandate_wanted").count() == 1


def test_a_bill_shows_what_it_is_made_of_where_that_is_more_than_one_amount(
    visitor: Visitor, stage: Stage
) -> None:
    charge = stage.begin("anna@example.com", "paid-trial")
    words = words_of(visitor.look(f"/studio/pay/{charge.token}"))
    for told in (
        "Proefperiode van 14 dagen € 5,00",
        "Startkosten, eenmalig € 25,00",
        "Nu te betalen € 30,00",
    ):
        assert told in words
    with stage.database.read() as tx:
        assert tx.get_one(Charge, charge.id).amount_cents == 3000
