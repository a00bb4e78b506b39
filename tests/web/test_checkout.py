"""The order form: what it shows, what it refuses and keeps, and where it leads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from linkpay.domain.money import amount_string
from linkpay.domain.snapshots import PaymentSnapshot
from linkpay.store import charges
from linkpay.store.tables import Attention, Charge, Consent, Customer, Mail, Payment, Plan, Site, Subscription
from tests.flows.books import KEY
from tests.flows.stage import Stage
from tests.web.visitor import Visitor, form_of, words_of

BUY = "/studio/buy/members"


def at_mollie(stage: Stage) -> list[PaymentSnapshot]:
    """All payments that were made, oldest first."""
    return list(stage.parts.payments.list_payments(KEY, limit=50))[::-1]


def asked(stage: Stage) -> list[str]:
    return [amount_string(payment.amount) for payment in at_mollie(stage)]


def test_an_order_leads_to_the_bank_with_the_price_of_the_plan(visitor: Visitor, stage: Stage) -> None:
    answer = visitor.order()
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("http://mollie.sandbox.test/checkout/")
    assert asked(stage) == ["50.00"]


def test_the_page_says_what_is_owed_in_words_and_on_the_button(visitor: Visitor) -> None:
    words = words_of(visitor.look("/studio/buy/solo"))
    assert "Bestelling met betaalverplichting: € 25,00 betalen" in words
    assert "€ 25,00 per maand" in words
    assert "Nu te betalen € 25,00" in words


def test_every_way_of_paying_is_offered_with_its_own_price_and_permission(visitor: Visitor) -> None:
    page = visitor.look(BUY)
    words = words_of(page)
    assert page.text.count('type="radio"') == 4
    for told in ("€ 50,00 per maand", "€ 15,00 per week", "3 × € 100,00 per maand", "eenmalig € 275,00"):
        assert told in words
    assert "mag elke week € 15,00 afschrijven" in words
    assert "elke maand € 100,00 afschrijven, 2 keer in totaal" in words
    assert "Na 3 termijnen stopt het vanzelf" in words


def test_the_permission_is_kept_in_the_words_that_were_shown(visitor: Visitor, stage: Stage) -> None:
    page = visitor.look("/studio/buy/solo")
    visitor.press(page, name="Anna", email="anna@example.com", agree="yes")
    with stage.database.read() as tx:
        consent = tx.query(Consent).one()
    shown = words_of(page)
    for line in consent.text.replace("\xa0", " ").splitlines():
        assert line in shown
    facts = (
        "Studio Vecht|25,00|elke maand|28 februari 2026|SEPA-incasso|rekening of kaart|Stoppen kan|8 weken"
    )
    for fact in (*facts.split("|"), "van tevoren", "hallo@studio.example.com"):
        assert fact in consent.text
    assert consent.locale == "nl"


def test_a_plan_that_is_paid_once_asks_for_no_permission(visitor: Visitor, stage: Stage) -> None:
    answer = visitor.order(plan="once", agree=None)
    assert answer.status_code == 303
    with stage.database.read() as tx:
        assert tx.query(Consent).count() == 0
    assert asked(stage) == ["275.00"]


def test_the_price_comes_from_the_server_whatever_the_form_says(visitor: Visitor, stage: Stage) -> None:
    visitor.order(amount="0.01", amount_cents="1", price="1", site_id="2", state="paid")
    assert asked(stage) == ["50.00"]


def test_a_link_fills_in_the_form(visitor: Visitor) -> None:
    page = visitor.look(f"{BUY}?email=anna@example.com&name=Anna+de+Vries&plan=terms")
    assert form_of(page).fields | {"form_token": "", "seen": ""} == {
        "form_token": "", "seen": "", "applied": "", "plan": "terms", "name": "Anna de Vries",
        "email": "anna@example.com",
    }  # fmt: skip


def test_a_link_to_a_plan_that_is_gone_says_so_and_offers_the_others(visitor: Visitor) -> None:
    page = visitor.look(f"{BUY}?plan=gone&name=Anna")
    assert page.status_code == 422
    assert "bestaat niet (meer)" in words_of(page)
    assert form_of(page).fields["name"] == "Anna"


@pytest.mark.parametrize(
    "url", ["/studio/buy/nothing", "/nobody/buy/members", "/studio/buy/%00", "/STUDIO/buy/x"]
)
def test_what_is_not_for_sale_is_not_found(visitor: Visitor, url: str) -> None:
    assert visitor.look(url).status_code == 404


@pytest.mark.parametrize(
    ("typed", "told", "wrong"),
    [
        ({"name": " "}, "Vul je naam in", "name"),
        ({"email": ""}, "Vul je e-mailadres in", "email"),
        ({"email": "anna@"}, "Controleer je e-mailadres", "email"),
        ({"email": "anna example.com"}, "Controleer je e-mailadres", "email"),
        ({"agree": None}, "Vink het vakje aan", "agree"),
        ({"plan": "free"}, "Kies hoe je wilt betalen", "plan"),
    ],
)
def test_what_is_missing_is_said_beside_its_field_and_the_rest_is_kept(
    visitor: Visitor, stage: Stage, typed: dict[str, str | None], told: str, wrong: str
) -> None:
    page = visitor.order(**typed)
    assert page.status_code == 422
    assert words_of(page).count(told) == 2
    assert f'href="#{wrong}"' in page.text
    assert f'id="{wrong}"' in page.text
    kept = {"name": "Anna de Vries", "email": "anna@example.com", "agree": "yes"}
    for name in kept.keys() - typed.keys():
        assert form_of(page).fields[name] == kept[name]
    assert len(at_mollie(stage)) == 0


def test_a_likely_slip_is_asked_about_once_and_mended_with_one_press(visitor: Visitor, stage: Stage) -> None:
    page = visitor.order(email="anna@gmial.com")
    assert page.status_code == 422
    assert "Bedoel je anna@gmail.com?" in words_of(page)
    mended = visitor.press(page, meant="anna@gmail.com")
    fields = form_of(mended).fields
    assert (fields["email"], fields["name"], fields["agree"]) == ("anna@gmail.com", "Anna de Vries", "yes")
    assert visitor.press(mended).status_code == 303
    assert len(at_mollie(stage)) == 1


def test_pressing_pay_again_keeps_the_address_as_typed(visitor: Visitor, stage: Stage) -> None:
    assert visitor.press(visitor.order(email="anna@gmial.com")).status_code == 303
    with stage.database.read() as tx:
        assert tx.query(Customer).one().email == "anna@gmial.com"


def test_another_slip_after_the_first_is_asked_about_too(visitor: Visitor) -> None:
    again = visitor.press(visitor.order(email="anna@gmial.com"), email="anna@hotmial.com")
    assert "Bedoel je anna@hotmail.com?" in words_of(again)


def test_a_changed_price_is_shown_again_before_it_is_asked(visitor: Visitor, stage: Stage) -> None:
    page = visitor.look(BUY)
    with stage.database.write() as tx:
        tx.query(Plan).filter_by(slug="monthly").one().amount_cents = 6000
    again = visitor.press(page, name="Anna", email="anna@example.com", agree="yes")
    assert again.status_code == 422
    assert "De prijs of de voorwaarden zijn veranderd" in words_of(again)
    assert "agree" not in form_of(again).fields
    assert len(at_mollie(stage)) == 0
    assert visitor.press(again, agree="yes").status_code == 303
    assert asked(stage) == ["60.00"]


def test_a_double_click_makes_one_payment(visitor: Visitor, stage: Stage) -> None:
    page = visitor.look(BUY)
    given = {"name": "Anna", "email": "anna@example.com", "agree": "yes"}
    first, second = visitor.press(page, **given), visitor.press(page, **given)
    assert first.headers["Location"] == second.headers["Location"]
    assert len(at_mollie(stage)) == 1


@pytest.mark.races
def test_two_tabs_pressed_at_once_make_one_payment(new_visitor: Callable[[], Visitor], stage: Stage) -> None:
    tabs = [new_visitor() for _ in range(4)]
    pages = [tab.look(BUY) for tab in tabs]
    given = {"name": "Anna", "email": "anna@example.com", "agree": "yes"}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda pair: pair[0].press(pair[1], **given), zip(tabs, pages, strict=True)))
    assert {answer.status_code for answer in answers} == {303}
    assert len(at_mollie(stage)) == 1
    with stage.database.read() as tx:
        assert tx.query(Charge).count() == 1
        assert tx.query(Payment).count() == 1


def test_going_back_and_pressing_again_goes_on_with_the_same_payment(visitor: Visitor, stage: Stage) -> None:
    first = visitor.order()
    again = visitor.order(name="Anna")
    assert again.headers["Location"] == first.headers["Location"]
    assert len(at_mollie(stage)) == 1


def test_going_back_for_another_plan_lets_the_first_go(visitor: Visitor, stage: Stage) -> None:
    visitor.order()
    visitor.order(plan="terms")
    assert sorted(asked(stage)) == ["100.00", "50.00"]
    with stage.database.read() as tx:
        assert sorted(one.state.value for one in tx.query(Subscription)) == ["ended", "pending"]


def test_who_has_it_already_gets_a_mail_and_a_page_that_tells_a_stranger_nothing(
    visitor: Visitor, stage: Stage
) -> None:
    stage.buy("anna@example.com")
    paid = len(at_mollie(stage))
    page = visitor.order()
    assert page.status_code == 409
    words = words_of(page)
    assert "Kijk in je e-mail" in words
    assert "lidmaatschap" not in words.lower()
    assert "anna@example.com" not in words
    assert len(at_mollie(stage)) == paid
    with stage.database.read() as tx:
        assert tx.query(Mail).filter_by(kind="already_running").count() == 1


def test_a_refusal_by_mollie_is_told_plainly_and_to_the_owner(visitor: Visitor, stage: Stage) -> None:
    with stage.database.write() as tx:
        site = tx.get_one(Site, stage.shop.site_id)
        site.mollie_key_sealed = stage.parts.box.seal(site.id, "mollie_key", "a-key-mollie-never-gave-out")
    page = visitor.order()
    assert page.status_code == 409
    assert "De betaling kon niet beginnen" in words_of(page)
    assert "niets afgeschreven" in words_of(page)
    with stage.database.read() as tx:
        assert [item.kind for item in tx.query(Attention)] == ["checkout"]


def test_a_site_without_a_mollie_key_says_that_it_cannot_take_money(visitor: Visitor, stage: Stage) -> None:
    with stage.database.write() as tx:
        tx.get_one(Site, stage.shop.site_id).mollie_key_sealed = None
    page = visitor.order()
    assert page.status_code == 409
    assert "niets afgeschreven" in words_of(page)


@pytest.mark.parametrize(
    "kind", ["timeout_before", "timeout_after", "status:503", "status:429", "html", "accepted_202"]
)
def test_no_clear_answer_leads_to_a_page_that_goes_on_by_itself_to_one_payment(
    visitor: Visitor, stage: Stage, kind: str
) -> None:
    fault = {"target": "mollie", "match": "payments", "kind": kind, "count": 1}
    stage.sandbox.call("POST", "/_sandbox/faults", fault)
    answer = visitor.order()
    assert answer.status_code == 303
    page = visitor.look(answer.headers["Location"])
    assert "Een ogenblik" in words_of(page)
    pause, _, onward = page.headers["Refresh"].partition("; url=")
    assert int(pause) >= 3
    at_bank = visitor.look(onward)
    assert at_bank.headers["Location"].startswith("http://mollie.sandbox.test/checkout/")
    assert len(at_mollie(stage)) == 1


def test_the_names_people_have_are_taken_as_they_are(visitor: Visitor, stage: Stage) -> None:
    visitor.order(name="  Zoë  O'Brien-van 't \tHoff & <b>Zn</b>\x00 ")
    with stage.database.read() as tx:
        assert tx.query(Customer).one().name == "Zoë O'Brien-van 't Hoff & <b>Zn</b>"


def test_what_was_typed_cannot_become_markup(visitor: Visitor) -> None:
    page = visitor.order(name='"><script>alert(1)</script>', email='"><b>x', agree=None)
    assert "<script>" not in page.text
    assert "<b>x" not in page.text
    assert form_of(page).fields["name"] == '"><script>alert(1)</script>'


def test_the_charge_of_an_order_is_the_one_that_is_paid(visitor: Visitor, stage: Stage) -> None:
    visitor.order()
    stage.bank(at_mollie(stage)[0].id, "paid")
    stage.work()
    (charge,) = stage.charges("anna@example.com")
    with stage.database.read() as tx:
        assert charges.get(tx, charge.id).money.owed_cents == 0
    assert stage.has_access("anna@example.com")


def test_who_types_a_members_address_changes_not_her_language(visitor: Visitor, stage: Stage) -> None:
    stage.buy("anna@example.com")
    visitor.order("/studio/buy/solo?lang=en", name="Mallory", email="anna@example.com")
    with stage.database.read() as tx:
        assert tx.query(Customer).filter_by(email="anna@example.com").one().locale == "nl"
