"""Her language, her address, her data."""

import json
import re
from collections.abc import Callable

import pytest
from sqlalchemy import select

from linkpay.domain.subscription import SubscriptionState as S
from linkpay.store import dossier
from linkpay.store.tables import Base, Customer, Member, Site, Subscription
from tests.builders import make_customer
from tests.flows.stage import Stage
from tests.flows.upsells import link as secret_to_buy
from tests.flows.upsells import put_extra
from tests.web.members import bounced
from tests.web.portal.guests import ANNA, PORTAL, newest_link, sign_in
from tests.web.visitor import Visitor, form_of, words_of

NEW = "anna@new.example.com"


def ask(visitor: Visitor, email: str) -> str:
    """Ask for another address; what the page says."""
    return words_of(visitor.press(visitor.look(f"{PORTAL}/email"), -1, email=email))


def move(visitor: Visitor, stage: Stage, email: str = NEW) -> str:
    """Ask, open the mail, press the button; the path of the link."""
    assert email in ask(visitor, email)
    stage.work()
    assert stage.mailer.letters[-1].to == email
    return newest_link(stage)


def test_the_language_is_kept_for_pages_and_mails(anna: Visitor, stage: Stage) -> None:
    home = anna.look(PORTAL)
    form = form_of(home, -1)
    answer = anna.client.post(form.action, data=form.fields | {"language": "en"})
    assert "From now on we speak English with you." in words_of(anna.look(answer.headers["Location"]))
    assert "Signed in as" in words_of(anna.look(PORTAL))
    with stage.database.read() as tx:
        assert tx.query(Customer).one().locale == "en"


def test_a_language_that_is_not_kept_is_spoken_and_not_promised(anna: Visitor, stage: Stage) -> None:
    answer = anna.client.post(f"{PORTAL}/language", data={"language": "en"})
    page = words_of(anna.look(answer.headers["Location"]))
    assert "Signed in as" in page
    assert "From now on" not in page
    with stage.database.read() as tx:
        assert tx.query(Customer).one().locale == "nl"


def test_another_address_takes_access_payer_and_mails_along(
    new_visitor: Callable[[], Visitor], anna: Visitor, stage: Stage
) -> None:
    link = move(anna, stage)
    elsewhere = new_visitor()
    page = elsewhere.look(link)
    assert "Druk op de knop" in words_of(page)
    assert anna.look(PORTAL).status_code == 200
    moved = elsewhere.press(page)
    assert moved.status_code == 303
    home = words_of(elsewhere.look(moved.headers["Location"]))
    assert "Alles staat nu onder dit adres." in home
    assert f"Ingelogd als {NEW}" in home
    assert "Members Loopt" in home
    stage.work()
    assert stage.has_access(NEW)
    assert not stage.has_access(ANNA)
    assert {letter.to for letter in stage.mailer.letters if "gewijzigd" in letter.subject} == {ANNA}
    assert "Stuur me een link" in words_of(anna.look(PORTAL)), "the old session is over"


def test_links_to_buy_that_lie_at_the_old_address_open_nothing_any_more(
    new_visitor: Callable[[], Visitor], anna: Visitor, stage: Stage
) -> None:
    put_extra(stage)
    offered = f"/studio/upsell/{secret_to_buy(stage)}"
    whoever = new_visitor()
    page = whoever.look(offered)
    anna.press(anna.look(move(anna, stage)))
    bought = whoever.press(page, agree="yes")
    assert bought.status_code == 409
    assert "Deze link is te oud" in words_of(bought)


def test_the_link_to_a_new_address_works_once(
    new_visitor: Callable[[], Visitor], anna: Visitor, stage: Stage
) -> None:
    link = move(anna, stage)
    elsewhere = new_visitor()
    assert elsewhere.press(elsewhere.look(link)).status_code == 303
    again = new_visitor()
    assert again.press(again.look(link)).status_code == 409
    assert again.press(again.look(f"{PORTAL}/email/confirm/{'a' * 43}")).status_code == 409


def test_a_link_to_sign_in_moves_nothing_and_one_that_moves_signs_nobody_in(
    new_visitor: Callable[[], Visitor], anna: Visitor, stage: Stage
) -> None:
    secret = move(anna, stage).rpartition("/")[2]
    stranger = new_visitor()
    assert stranger.press(stranger.look(f"{PORTAL}/enter/{secret}")).status_code == 409
    assert stranger.press(stranger.look(f"/studio/portal/email/confirm/{secret}")).status_code == 303


def test_a_payers_address_is_not_taken_over_and_that_is_told_only_to_its_reader(
    new_visitor: Callable[[], Visitor], anna: Visitor, stage: Stage
) -> None:
    with stage.database.write() as tx:
        make_customer(tx, tx.get_one(Site, stage.shop.site_id), email=NEW)
    link = move(anna, stage)
    page = new_visitor()
    refused = page.press(page.look(link))
    assert refused.status_code == 409
    assert "Onder dit adres betaalt hier al iemand" in words_of(refused)
    assert stage.has_access(ANNA)


@pytest.mark.parametrize(
    ("typed", "said"),
    [(ANNA, "Dit is het adres dat je al hebt"), ("anna@", "Vul je e-mailadres in"), ("", "Vul")],
)
def test_an_address_that_cannot_be_is_refused(anna: Visitor, stage: Stage, typed: str, said: str) -> None:
    assert said in ask(anna, typed)


def test_nobody_has_many_strangers_mailed(anna: Visitor, stage: Stage) -> None:
    answers = []
    for number in range(10):
        page = anna.press(anna.look(f"{PORTAL}/email"), -1, email=f"x{number}@example.com")
        answers.append(page.status_code)
    assert answers[-1] == 429
    assert answers.count(200) == 8


# Her data -----------------------------------------------------------------------------------------------


def test_the_download_holds_what_is_hers_and_no_secrets(anna: Visitor, stage: Stage) -> None:
    stage.buy("eva@example.com")
    answer = anna.look(f"{PORTAL}/data/download")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="studio-data.json"'
    held = json.loads(answer.text)
    assert held["payer"][0]["email"] == ANNA
    assert [one["amount_cents"] for one in held["charges"]] == [5000]
    assert held["money"][0]["amount_cents"] == 5000
    assert held["consents"]
    assert {mail["kind"] for mail in held["mails"]} >= {"welcome", "access_open"}
    assert held["access"][0]["wanted"] == "granted"
    assert "eva@example.com" not in answer.text
    for secret in (stage.subscription(ANNA).token, stage.charges(ANNA)[0].token):
        assert f'"{secret}"' not in answer.text
    assert "hash" not in held["visits"][0]


@pytest.mark.parametrize("state", [S.ACTIVE, S.CANCELING, S.PAST_DUE, S.PAUSED])
def test_who_still_has_something_running_is_not_forgotten(anna: Visitor, stage: Stage, state: S) -> None:
    with stage.database.write() as tx:
        tx.get_one(Subscription, stage.subscription(ANNA).id).state = state
    page = anna.look(f"{PORTAL}/data")
    assert "Er loopt nog iets" in words_of(page)
    assert "/data/delete" not in page.text


def test_who_owes_is_not_forgotten(visitor: Visitor, stage: Stage) -> None:
    bounced(stage)
    sign_in(visitor, stage)
    with stage.database.write() as tx:
        tx.get_one(Subscription, stage.subscription(ANNA).id).state = S.ENDED
    assert "Er staat nog een bedrag open" in words_of(visitor.look(f"{PORTAL}/data"))


def whole_database(stage: Stage) -> str:
    with stage.database.read() as tx:
        rows = [tx.execute(select(table)).all() for table in Base.metadata.sorted_tables]
    return "\n".join(str(row) for table in rows for row in table)


def test_nothing_of_a_forgotten_person_is_left_but_what_tax_law_needs(anna: Visitor, stage: Stage) -> None:
    stage.buy_at_kajabi(ANNA)
    stage.work()
    stage.stop(ANNA)
    stage.work()
    page = anna.look(f"{PORTAL}/data")
    done = anna.press(page, -1, sure="yes")
    assert done.status_code == 200, words_of(done)
    assert "We vergeten wie je bent" in words_of(done)
    stage.advance(minutes=5)
    assert stage.mailer.letters[-1].subject.startswith("We vergeten wie je bent")
    everything = whole_database(stage)
    for trace in (ANNA, "Anna de Vries", "Anna"):
        # As a word of its own: four letters of a random secret are nobody's name.
        named = re.compile(rf"(?<![\w-]){re.escape(trace)}(?![\w-])")
        assert [line for line in everything.splitlines() if named.search(line)] == []
    assert stage.mailer.letters[-1].to == ANNA
    assert "laatste mail" in stage.mailer.letters[-1].text
    assert not stage.has_access(ANNA)
    with stage.database.read() as tx:
        customer = tx.query(Customer).one()
        kept = dossier.whole(tx, customer.site_id, customer.email)
    assert [one["amount_cents"] for one in kept["money"]] == [5000]
    assert kept["consents"]
    assert "Stuur me een link" in words_of(anna.look(PORTAL))


def test_a_course_that_is_paid_for_ends_with_being_forgotten_and_that_is_said(
    visitor: Visitor, stage: Stage
) -> None:
    stage.buy(ANNA, "once")
    sign_in(visitor, stage)
    page = visitor.look(f"{PORTAL}/data")
    assert "Je toegang stopt nu: Members." in words_of(page)
    assert visitor.press(page, -1).status_code == 422, "not without being sure"
    assert stage.has_access(ANNA)
    visitor.press(page, -1, sure="yes")
    stage.advance(minutes=5)
    assert not stage.has_access(ANNA)
    with stage.database.read() as tx:
        assert tx.query(Member).one().email.endswith("@forgotten.invalid")


def test_another_person_with_a_longer_address_is_left_alone(visitor: Visitor, stage: Stage) -> None:
    stage.buy(f"jo{ANNA}")
    stage.buy(ANNA)
    stage.stop(ANNA)
    sign_in(visitor, stage)
    visitor.press(visitor.look(f"{PORTAL}/data"), -1, sure="yes")
    stage.advance(minutes=5)
    with stage.database.read() as tx:
        emails = {one.email for one in tx.query(Member)}
    assert f"jo{ANNA}" in emails
    assert ANNA not in emails


def test_who_buys_again_before_she_is_forgotten_is_not(anna: Visitor, stage: Stage) -> None:
    stage.stop(ANNA)
    anna.press(anna.look(f"{PORTAL}/data"), -1, sure="yes")
    charge = stage.begin(ANNA)
    stage.pay_by_link(charge)
    stage.advance(minutes=5)
    assert stage.subscription(ANNA).state is S.ACTIVE
    assert stage.has_access(ANNA)
