"""Pause, go on, and go over to another plan: said before to the day and the cent, done by a button."""

from datetime import date

import pytest

from linkpay.domain.calendar import Unit
from linkpay.domain.plan import PlanKind
from linkpay.domain.subscription import SubscriptionState as S
from linkpay.store.tables import Consent, Plan, Site, Subscription
from tests.flows.stage import Stage
from tests.web.portal.guests import ANNA, sign_in
from tests.web.portal.test_acts import page_of
from tests.web.visitor import Visitor, words_of


@pytest.fixture
def anna(visitor: Visitor, stage: Stage) -> Visitor:
    with stage.database.write() as tx:
        monthly = tx.query(Plan).filter_by(slug="monthly").one()
        yearly = Plan(
            site_id=monthly.site_id, offer_id=monthly.offer_id, slug="yearly", title="Een jaar",
            created_at=stage.clock.now(),
        )  # fmt: skip
        yearly.kind, yearly.amount_cents, yearly.interval_unit = PlanKind.MEMBERSHIP, 48000, Unit.YEAR
        tx.add(yearly)
    stage.buy(ANNA)
    sign_in(visitor, stage)
    return visitor


def test_a_pause_is_said_and_done(anna: Visitor, stage: Stage) -> None:
    page = anna.look(page_of(stage, "pause") + "?resume_on=2026-04-10")
    words = words_of(page)
    assert "Tot 28 februari 2026 verandert er niets: dat is betaald." in words
    assert "Van 28 februari 2026 tot 10 april 2026 wordt er niets afgeschreven." in words
    assert "Je hebt intussen geen toegang." in words
    done = anna.press(page, -1)
    assert "Het pauzeert vanaf het einde" in words_of(anna.look(done.headers["Location"]))
    held = stage.subscription(ANNA)
    assert (held.pause_on, held.resume_on) == (date(2026, 2, 28), date(2026, 4, 10))
    stage.advance(days=30)
    assert stage.subscription(ANNA).state is S.PAUSED
    assert len(stage.charges(ANNA)) == 1


def test_a_pause_without_a_day_is_a_month(anna: Visitor, stage: Stage) -> None:
    assert "tot 30 maart 2026 wordt er niets afgeschreven" in words_of(anna.look(page_of(stage, "pause")))


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("2026-02-01", "Kies een latere dag"),
        ("2028-01-01", "Kies een eerdere dag"),
        ("ooit", "Vul een dag in"),
    ],
)
def test_a_day_that_cannot_be_is_refused(anna: Visitor, stage: Stage, day: str, said: str) -> None:
    page = anna.look(page_of(stage, "pause") + f"?resume_on={day}")
    assert page.status_code == 422
    assert said in words_of(page)


def test_a_pause_that_is_not_offered_says_so(anna: Visitor, stage: Stage) -> None:
    with stage.database.write() as tx:
        tx.get_one(Site, stage.shop.site_id).policy = {"pause_days": 0}
    page = anna.look(page_of(stage, "pause"))
    assert page.status_code == 409
    assert "Pauzeren kan hier niet" in words_of(page)


def test_a_paused_member_goes_on_when_she_likes(anna: Visitor, stage: Stage) -> None:
    anna.press(anna.look(page_of(stage, "pause") + "?resume_on=2026-06-01"), -1)
    stage.advance(days=40)
    assert stage.subscription(ANNA).state is S.PAUSED
    sign_in(anna, stage)
    page = anna.look(page_of(stage, "resume"))
    assert "Vandaag wordt € 50,00 afgeschreven" in words_of(page)
    assert anna.press(page, -1).status_code == 303
    stage.advance(days=8)
    assert stage.subscription(ANNA).state is S.ACTIVE
    assert stage.has_access(ANNA)


def test_who_kept_her_access_during_a_pause_is_not_told_that_it_opens_again(
    anna: Visitor, stage: Stage
) -> None:
    with stage.database.write() as tx:
        tx.get_one(Subscription, stage.subscription(ANNA).id).policy = {"pause_keeps_access": True}
    anna.press(anna.look(page_of(stage, "pause") + "?resume_on=2026-06-01"), -1)
    stage.advance(days=40)
    sign_in(anna, stage)
    page = anna.look(page_of(stage, "resume"))
    assert "Het gaat vandaag verder, en je toegang blijft open." in words_of(page)
    anna.press(page, -1)
    stage.work()
    (told,) = [letter for letter in stage.mailer.letters if letter.subject == "Members gaat weer verder"]
    assert "Je pauze is voorbij; je toegang tot Members blijft open." in told.text


def test_a_pause_is_called_off_before_it_begins(anna: Visitor, stage: Stage) -> None:
    anna.press(anna.look(page_of(stage, "pause")), -1)
    page = anna.look(page_of(stage, "resume"))
    assert "De pauze die op 28 februari 2026 zou beginnen, gaat niet door." in words_of(page)
    anna.press(page, -1)
    assert stage.subscription(ANNA).pause_on is None


def test_a_switch_today_is_told_to_the_cent_and_agreed_to(anna: Visitor, stage: Stage) -> None:
    stage.advance(days=1)
    sign_in(anna, stage)
    page = anna.look(page_of(stage, "switch") + "?plan=yearly&when=now")
    words = words_of(page)
    assert "Vanaf 1 februari 2026 betaal je € 480,00 per jaar in plaats van € 50,00 per maand." in words
    assert "De dagen die je hebt betaald en niet meer gebruikt, zijn € 48,21 waard." in words
    assert "Vandaag wordt € 431,79 afgeschreven" in words
    refused = anna.press(page, -1)
    assert refused.status_code == 422
    assert "Vink het vakje aan" in words_of(refused)
    assert anna.press(refused, -1, agree="yes").status_code == 303
    stage.work()
    held = stage.subscription(ANNA)
    assert (held.amount_cents, held.interval_unit) == (48000, Unit.YEAR)
    assert stage.charges(ANNA)[-1].amount_cents == 43179
    assert stage.has_access(ANNA)
    with stage.database.read() as tx:
        consent = tx.query(Consent).filter_by(kind="switch").one()
    assert "elk jaar € 480,00" in consent.text.replace("\xa0", " ")


def test_a_switch_with_the_next_period_can_be_called_off(anna: Visitor, stage: Stage) -> None:
    page = anna.look(page_of(stage, "switch") + "?plan=yearly")
    assert "Tot die dag blijft alles zoals het is." in words_of(page)
    assert "De volgende afschrijving is € 480,00 op 28 februari 2026." in words_of(page)
    assert anna.press(page, -1, agree="yes").status_code == 303
    assert stage.subscription(ANNA).next_plan_id is not None
    page = anna.look(page_of(stage, "stay"))
    assert "Je had gekozen voor Een jaar; dat gaat niet door." in words_of(page)
    anna.press(page, -1)
    assert stage.subscription(ANNA).next_plan_id is None


def test_what_forbids_a_switch_is_said_and_another_can_be_chosen(anna: Visitor, stage: Stage) -> None:
    with stage.database.write() as tx:
        tx.get_one(Subscription, stage.subscription(ANNA).id).state = S.CANCELING
    page = anna.look(page_of(stage, "switch"))
    assert page.status_code == 409
    assert "Je hebt opgezegd. Draai dat eerst terug." in words_of(page)


def test_a_plan_of_another_offer_or_site_is_none_of_the_choices(anna: Visitor, stage: Stage) -> None:
    page = anna.look(page_of(stage, "switch") + "?plan=solo")
    assert "Retreat" not in words_of(page)
    assert 'value="solo"' not in page.text
