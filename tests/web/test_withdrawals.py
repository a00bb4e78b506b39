"""The pages about withdrawing: two steps without signing in, a mailed link, and the portal's own."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from linkpay.domain.order_number import order_number
from linkpay.domain.subscription import SubscriptionState as S
from linkpay.ports import Letter
from linkpay.store.tables import Site, Withdrawal
from tests.flows.stage import Stage
from tests.web.members import ANNA
from tests.web.portal.guests import PORTAL, newest_link, sign_in
from tests.web.visitor import Visitor, form_of, words_of

PAGE = "/studio/withdraw"
TYPED = {"name": "Anna de Vries", "email": ANNA, "reference": "Members"}


def declare(visitor: Visitor, **typed: str) -> str:
    """Both steps; what the page says in the end."""
    second = visitor.press(visitor.look(PAGE), **TYPED | typed)
    return words_of(visitor.press(second, confirmed="yes"))


def link(visitor: Visitor, stage: Stage, **typed: str) -> str:
    """Both steps, and the link in the mail that follows."""
    declare(visitor, **typed)
    stage.work()
    return newest_link(stage)


def letter_of(stage: Stage, subject: str) -> Letter:
    (found,) = [letter for letter in stage.mailer.letters if letter.subject == subject]
    return found


def test_every_page_of_a_site_leads_there(visitor: Visitor, stage: Stage) -> None:
    stage.buy(ANNA)
    held, charge = stage.subscription(ANNA), stage.charges(ANNA)[0]
    pages = ["buy/members", f"order/{held.token}", f"pay/{charge.token}", "portal", "withdraw", "buy/none"]
    for page in pages:
        text = visitor.look(f"/studio/{page}").text
        assert f'href="{PAGE}"' in text, page
        assert "Overeenkomst herroepen" in text
    assert f'href="{PAGE}?lang=en"' in visitor.look(f"{PORTAL}?lang=en").text


def test_two_steps_and_the_mailed_link_end_it(visitor: Visitor, stage: Stage) -> None:
    stage.buy(ANNA)
    number = order_number(stage.subscription(ANNA).token)
    assert number in words_of(visitor.look(f"/studio/order/{stage.subscription(ANNA).token}"))
    second = visitor.press(visitor.look(PAGE), **TYPED | {"reference": number.lower()})
    assert "Herroeping bevestigen" in words_of(second)
    assert f"Hierbij herroep ik mijn overeenkomst over: {number.lower()}. Naam: Anna" in words_of(second)
    done = visitor.press(second, confirmed="yes")
    assert "Ontvangen op 31 januari 2026 10:30:00. Dat moment telt." in words_of(done)
    stage.work()
    letter = stage.mailer.letters[-1]
    assert "31 januari 2026 10:30:00 (Europe/Amsterdam)" in letter.text
    assert "Hierbij herroep ik" in letter.text
    page = visitor.look(newest_link(stage))
    assert stage.subscription(ANNA).state is S.ACTIVE, "looking does nothing"
    assert "Gekocht op 31 januari 2026. Herroepen kan tot en met 16 februari 2026." in words_of(page)
    assert "Je krijgt € 50,00 terug." in words_of(page)
    after = visitor.press(page)
    assert "Je herroeping is uitgevoerd" in words_of(after)
    stage.work()
    assert stage.subscription(ANNA).state is S.ENDED
    assert not stage.has_access(ANNA)
    assert "31 januari 2026 10:30:00" in letter_of(stage, "Je herroeping van Members is verwerkt").text
    assert "Je herroeping is uitgevoerd" in words_of(visitor.look(newest_link_of(stage)))
    assert visitor.press(page).status_code == 200, "pressed again"


def newest_link_of(stage: Stage) -> str:
    with stage.database.read() as tx:
        return f"{PAGE}/{tx.query(Withdrawal).one().token}"


def test_the_answer_is_the_same_whoever_is_named(new_visitor: Callable[[], Visitor], stage: Stage) -> None:
    stage.buy(ANNA)
    hers, nobodys = (declare(new_visitor(), email=email) for email in (ANNA, "nobody@example.com"))
    assert hers.replace(ANNA, "…") == nobodys.replace("nobody@example.com", "…")


def test_a_stranger_ends_nothing_and_the_seller_can_look_for_an_order(visitor: Visitor, stage: Stage) -> None:
    stage.buy(ANNA)
    page = visitor.look(link(visitor, stage, email="other@example.com"))
    assert "We vinden geen bestelling onder dit adres" in words_of(page)
    assert stage.troubles() == []
    assert "Studio Vecht weet ervan" in words_of(visitor.press(page))
    stage.work()
    assert stage.troubles() == ["withdrawal"]
    assert stage.subscription(ANNA).state is S.ACTIVE


def test_after_the_days_the_page_is_kind_and_points_at_cancelling(visitor: Visitor, stage: Stage) -> None:
    stage.buy(ANNA)
    stage.advance(days=20)
    page = visitor.look(link(visitor, stage))
    words = words_of(page)
    assert "De bedenktijd is voorbij" in words
    assert "Herroepen kon tot en met 16 februari 2026" in words
    assert f'href="{PORTAL}"' in page.text
    visitor.client.post(newest_link(stage), data=form_of(page).fields)
    assert stage.subscription(ANNA).state is S.ACTIVE


def test_of_several_orders_one_is_chosen(visitor: Visitor, stage: Stage) -> None:
    stage.buy(ANNA)
    charge = stage.begin(ANNA, "solo")
    stage.pay_by_link(charge)
    page = visitor.look(link(visitor, stage, reference="die ene"))
    assert "Om welke bestelling gaat het?" in words_of(page)
    refused = visitor.press(page)
    assert refused.status_code == 409
    token = stage.subscription(ANNA).token
    assert "Members is voorbij" in words_of(visitor.press(refused, contract=token))
    assert stage.subscription(ANNA).state is S.ENDED


def test_what_changed_meanwhile_is_said_before_it_is_done(visitor: Visitor, stage: Stage) -> None:
    stage.buy(ANNA)
    page = visitor.look(link(visitor, stage))
    stage.advance(days=30)
    again = visitor.press(page)
    assert again.status_code == 409
    assert "Er is iets veranderd" in words_of(again)
    assert stage.subscription(ANNA).state is S.ACTIVE


@pytest.mark.parametrize("field", ["name", "email", "reference"])
def test_what_is_missing_is_named_and_kept(visitor: Visitor, stage: Stage, field: str) -> None:
    page = visitor.press(visitor.look(PAGE), **TYPED | {field: " "})
    assert page.status_code == 422
    assert f'href="#{field}"' in page.text
    kept = form_of(page).fields
    assert [kept[name] for name in TYPED if name != field] == [TYPED[n] for n in TYPED if n != field]


def test_a_step_back_keeps_what_was_typed(visitor: Visitor, stage: Stage) -> None:
    second = visitor.press(visitor.look(f"{PAGE}?reference=7F3A-91C2"), name="Anna", email=ANNA)
    first = visitor.press(second, change="yes")
    assert form_of(first).fields["reference"] == "7F3A-91C2"


def test_forms_from_elsewhere_declare_and_end_nothing(visitor: Visitor, stage: Stage) -> None:
    stage.buy(ANNA)
    forged = visitor.client.post(PAGE, data=TYPED | {"confirmed": "yes", "form_token": "made-up"})
    assert forged.status_code == 403
    with stage.database.read() as tx:
        assert tx.query(Withdrawal).count() == 0
    url = link(visitor, stage)
    assert visitor.client.post(url, data={"form_token": "made-up"}).status_code == 403
    assert stage.subscription(ANNA).state is S.ACTIVE
    assert visitor.client.post(PAGE, json=TYPED).status_code == 415


def test_another_sites_declaration_is_not_found(visitor: Visitor, stage: Stage) -> None:
    url = link(visitor, stage)
    stage.open_shop("other", "test_another")
    assert visitor.look(url.replace("/studio/", "/other/")).status_code == 404
    assert visitor.look(f"{PAGE}/{'a' * 43}").status_code == 404


def test_an_old_link_is_for_people(visitor: Visitor, stage: Stage) -> None:
    url = link(visitor, stage)
    stage.clock.advance(timedelta(days=61))
    assert "Deze link is te oud" in words_of(visitor.look(url))


def test_too_many_from_one_place_have_to_wait(visitor: Visitor, stage: Stage) -> None:
    for number in range(60):
        stage.clock.advance(timedelta(seconds=1))
        assert "Je herroeping is ontvangen" in declare(visitor, email=f"a{number}@example.com")
    second = visitor.press(visitor.look(PAGE), **TYPED)
    assert visitor.press(second, confirmed="yes").status_code == 429


def test_what_strangers_declare_in_her_name_keeps_nobody_from_declaring(
    new_visitor: Callable[[], Visitor], stage: Stage
) -> None:
    stage.buy(ANNA)
    stranger, anna = new_visitor(), new_visitor()
    stranger.client.environ_base["REMOTE_ADDR"] = "203.0.113.7"
    for number in range(8):
        declare(stranger, reference=f"order {number}")
    assert "Je herroeping is ontvangen" in declare(anna)


def test_the_portal_withdraws_at_once(visitor: Visitor, stage: Stage) -> None:
    stage.buy(ANNA)
    home = sign_in(visitor, stage)
    url = f"{PORTAL}/subscriptions/{stage.subscription(ANNA).token}/withdraw"
    assert url in home.text
    page = visitor.look(url)
    assert "Je krijgt € 50,00 terug." in words_of(page)
    done = visitor.press(page, -1)
    assert "Je hebt herroepen" in words_of(visitor.look(done.headers["Location"]))
    stage.work()
    assert stage.subscription(ANNA).state is S.ENDED
    assert "€ 50,00" in letter_of(stage, "Je herroeping van Members is verwerkt").text.replace("\xa0", " ")
    assert visitor.look(url).status_code == 409


def test_the_portal_hides_it_after_the_days(visitor: Visitor, stage: Stage) -> None:
    stage.buy(ANNA)
    stage.advance(days=17)
    home = sign_in(visitor, stage)
    assert "/withdraw" not in home.text.replace(f'href="{PAGE}"', "")
    url = f"{PORTAL}/subscriptions/{stage.subscription(ANNA).token}/withdraw"
    assert "Opzeggen kan nog wel" in words_of(visitor.look(url))


def test_it_speaks_english_too(visitor: Visitor, stage: Stage) -> None:
    with stage.database.write() as tx:
        tx.get_one(Site, stage.shop.site_id).locale = "en"
    second = visitor.press(visitor.look(PAGE), **TYPED)
    assert "Confirm withdrawal" in words_of(second)
    assert "I hereby withdraw from my contract for: Members." in words_of(second)
