"""Pre-notification: every SEPA debit is told in time, waits where it was not, and costs nobody her access."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from linkpay.domain.calendar import day_starts_at, local_day
from linkpay.domain.charge import ChargeState
from linkpay.domain.money import Money
from linkpay.domain.snapshots import MandateStatus
from linkpay.domain.subscription import SubscriptionState
from linkpay.errors import Retryable
from linkpay.ports import Letter
from linkpay.services import announcing, mail_texts
from linkpay.services.formats import day_text, money_text
from linkpay.store import agreements, people, subscriptions
from linkpay.store.tables import Consent, Credit, Mail, Mandate, Notice, Site, Subscription
from tests.flows import truth
from tests.flows.plans import add_plan, pause, set_policy, stay_in, switch
from tests.flows.stage import Letterbox, Stage
from tests.flows.stories_selling import ANNA, open_counter
from tests.flows.weather import at_once

BEA, ZONE = "bea@example.com", "Europe/Amsterdam"
SECOND = date(2026, 2, 28)


def notices(stage: Stage, email: str = ANNA) -> Sequence[Notice]:
    """What was told for the newest subscription, oldest first."""
    with stage.database.read() as tx:
        return (
            tx.query(Notice).filter_by(subscription_id=stage.subscription(email).id).order_by(Notice.id).all()
        )


def told_days(stage: Stage) -> list[tuple[int, date, bool]]:
    return [(one.amount_cents, one.due_on, one.series) for one in notices(stage)]


def text_of(stage: Stage, notice: Notice) -> str:
    with stage.database.read() as tx:
        return tx.get_one(Mail, notice.mail_id).text or ""


def debit_days(stage: Stage) -> list[date]:
    """When debits were asked for, oldest first."""
    made = [p for p in stage.bank_view_list() if p.sequence.value == "recurring"]
    return sorted(local_day(payment.created_at, ZONE) for payment in made)


def forget_notices(stage: Stage) -> None:
    """A member who was told of nothing, and at whom nobody looked yet."""
    with stage.database.write() as tx:
        tx.query(Notice).delete()
        tx.get_one(Subscription, stage.subscription(ANNA).id).notice_look_at = None


def forget_agreement(stage: Stage) -> None:
    """A member who never agreed to anything that we know of, and was told of nothing."""
    forget_notices(stage)
    with stage.database.write() as tx:
        for consent in people.consents(tx, stage.subscription(ANNA).id):
            tx.delete(consent)


class NoServer:
    """A mail server that is away."""

    def send(self, letter: Letter) -> None:
        raise Retryable("no mail server")


def pay_debits(stage: Stage) -> None:
    for charge in stage.charges(ANNA):
        if charge.state is ChargeState.COLLECTING:
            stage.bank(stage.mollie_ids(charge.id)[-1], "paid")
    stage.work()


def test_the_welcome_tells_of_the_whole_series_and_no_mail_follows(stage: Stage) -> None:
    stage.buy(ANNA)
    (notice,) = notices(stage)
    assert (notice.amount_cents, notice.due_on, notice.series) == (5000, SECOND, True)
    assert notice.sent_at is not None
    with stage.database.read() as tx:
        mandate = tx.get_one(Mandate, notice.mandate_id)
    text = text_of(stage, notice)
    for part in (
        money_text(Money(5000), "nl"),
        day_text(SECOND, "nl"),
        "elke maand",
        mandate.reference or "?",
    ):
        assert " ".join(part.split()) in text
    for _ in range(3):
        stage.advance(days=31)
        pay_debits(stage)
    assert debit_days(stage)[:3] == [SECOND, date(2026, 3, 31), date(2026, 4, 30)]
    assert stage.mail_kinds().count("debit_notice") == 0
    truth.check(stage)


def test_the_creditor_id_is_learnt_from_the_first_debit_and_told_from_then_on(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.advance(days=29)
    with stage.database.read() as tx:
        creditor_id = tx.get_one(Site, stage.shop.site_id).creditor_id
    assert creditor_id is not None
    assert creditor_id.startswith("NL")
    stage.buy(BEA)
    assert creditor_id in text_of(stage, notices(stage, BEA)[0])


def test_the_end_of_a_coupon_is_told_before_the_full_price_is_collected(stage: Stage) -> None:
    open_counter(stage)
    stage.buy(ANNA, coupon="TWICE")  # 35.00 twice, then 50.00
    assert told_days(stage) == [(3500, SECOND, False)]
    for _ in range(3):
        stage.advance(days=31)
        pay_debits(stage)
    assert told_days(stage) == [(3500, SECOND, False), (5000, date(2026, 3, 31), True)]
    assert [charge.amount_cents for charge in stage.charges(ANNA)][:4] == [3500, 3500, 5000, 5000]
    charges = stage.charges(ANNA)
    assert [local_day(charge.created_at, ZONE) for charge in charges] == [charge.due_on for charge in charges]
    truth.check(stage)


def test_credit_makes_one_debit_smaller_and_the_next_is_told_again(stage: Stage) -> None:
    subscription = stage.buy(ANNA)
    with stage.database.write() as tx:
        tx.add(
            Credit(
                site_id=subscription.site_id, subscription_id=subscription.id, amount_cents=1200,
                currency="EUR", reason="gift", ref="gift", created_at=stage.clock.now(),
            )
        )  # fmt: skip
    stage.advance(days=29)
    pay_debits(stage)
    stage.advance(days=31)
    assert told_days(stage)[1:] == [(3800, SECOND, False)]
    assert [charge.amount_cents for charge in stage.charges(ANNA)] == [5000, 3800, 5000]
    truth.check(stage)


def test_a_debit_waits_while_its_notice_cannot_leave_and_nobody_loses_access(stage: Stage) -> None:
    set_policy(stage, notice_days=2)
    stage.buy(ANNA)
    forget_agreement(stage)
    stage.advance(days=22)
    stage.replace_part("mailer", NoServer())
    stage.advance(days=9)
    assert len(stage.charges(ANNA)) == 1
    assert stage.has_access(ANNA)
    stage.replace_part("mailer", Letterbox())
    back_on = (stage.clock.now()).date()
    stage.advance(days=4)
    charge = stage.charges(ANNA)[1]
    assert (charge.starts_on, charge.state) == (SECOND, ChargeState.COLLECTING)
    assert stage.has_access(ANNA)
    assert debit_days(stage)[0] >= back_on + timedelta(days=2)
    truth.check(stage)


@pytest.mark.parametrize("days", [14, 30])
def test_the_full_notice_of_who_agreed_on_no_shorter_one_costs_no_access(stage: Stage, days: int) -> None:
    set_policy(stage, notice_days=days, collection_days=3)
    stage.buy(ANNA, "weekly")
    forget_agreement(stage)
    stay_in(stage, days + 4)
    first = min(debit_days(stage))
    assert first >= date(2026, 1, 31) + timedelta(days=days)
    assert stage.charges(ANNA)[1].starts_on == date(2026, 2, 7)
    truth.check(stage)


def test_a_card_is_charged_on_its_day_without_any_notice(stage: Stage) -> None:
    charge = stage.begin(ANNA)
    stage.go_pay(charge)
    stage.bank(stage.mollie_ids(charge.id)[-1], "paid", method="creditcard")
    stage.work()
    stage.advance(days=28)
    assert notices(stage) == []
    assert stage.charges(ANNA)[1].due_on == SECOND
    assert stage.charges(ANNA)[1].state is not ChargeState.SCHEDULED
    assert "debit_notice" not in stage.mail_kinds()
    truth.check(stage)


def test_the_mail_about_a_bounce_tells_of_the_tries_that_follow(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.advance(days=29)
    stage.bank(stage.mollie_ids(stage.charges(ANNA)[1].id)[0], "failed", "AM04")
    stage.work()
    failed_on = stage.clock.now().date()
    again = [one.due_on for one in notices(stage)[1:]]
    assert again == [failed_on + timedelta(days=5), failed_on + timedelta(days=8)]
    stage.advance(days=6)
    assert len(stage.mollie_ids(stage.charges(ANNA)[1].id)) == 2
    assert stage.mail_kinds().count("debit_notice") == 0
    truth.check(stage)


def test_a_try_that_no_mail_told_of_is_told_first_and_comes_later(stage: Stage) -> None:
    set_policy(stage, mail_days=[8])
    stage.buy(ANNA)
    stage.advance(days=29)
    stage.bank(stage.mollie_ids(stage.charges(ANNA)[1].id)[0], "failed", "AM04")
    stage.work()
    stage.advance(days=5, hours=1)
    charge = stage.charges(ANNA)[1]
    assert len(stage.mollie_ids(charge.id)) == 1
    assert stage.mail_kinds().count("debit_notice") == 1
    stage.advance(days=3)
    assert len(stage.mollie_ids(charge.id)) == 2
    truth.check(stage)


def test_a_debit_that_waited_for_its_mandate_is_told_anew_before_it_is_sent(stage: Stage) -> None:
    subscription = stage.buy(ANNA)
    stage.advance(days=27)
    books = stage.sandbox.world.books
    with books.lock:
        held = next(iter(books.mandates))
        held.status = "pending"
    with stage.database.write() as tx:
        mandate = tx.get_one(Mandate, subscription.mandate_id)
        mandate.status = MandateStatus.PENDING
    stage.advance(days=6)
    assert debit_days(stage) == []
    with books.lock:
        held.status = "valid"
    stage.advance(days=4)
    told = notices(stage)[-1]
    assert not told.series
    assert debit_days(stage)[0] >= told.due_on
    assert stage.has_access(ANNA)
    truth.check(stage)


@pytest.mark.races
def test_two_clocks_tell_once(stage: Stage) -> None:
    stage.buy(ANNA)
    forget_agreement(stage)
    stage.clock.advance(timedelta(days=12))

    def turn() -> int:
        return announcing.run(stage.database, stage.clock.now())

    at_once([turn, turn, turn])
    stage.work()
    assert stage.mail_kinds().count("debit_notice") == 1
    assert told_days(stage) == [(5000, SECOND, True)]


def test_a_plan_chosen_for_the_next_period_is_told_as_it_will_be_charged(stage: Stage) -> None:
    add_plan(stage, "large", 8000)
    stage.buy(ANNA)
    switch(stage, ANNA, "large", actor="owner")
    stage.advance(days=29)
    assert told_days(stage)[1:] == [(8000, SECOND, True)]
    assert [charge.amount_cents for charge in stage.charges(ANNA)] == [5000, 8000]
    assert debit_days(stage) == [SECOND]
    truth.check(stage)


def test_the_end_of_a_pause_is_told_before_it_is_charged(stage: Stage) -> None:
    stage.buy(ANNA)
    pause(stage, ANNA, date(2026, 5, 10))
    stage.advance(days=105)
    assert told_days(stage)[1:] == [(5000, date(2026, 5, 10), True)]
    assert debit_days(stage) == [date(2026, 5, 10)]
    truth.check(stage)


def test_an_owner_who_switches_at_once_tells_first_and_her_member_is_in_meanwhile(stage: Stage) -> None:
    add_plan(stage, "large", 8000)
    stage.buy(ANNA)
    stage.advance(days=14)
    switch(stage, ANNA, "large", at_once=True, actor="owner")
    stage.work()
    assert (len(stage.charges(ANNA)), stage.has_access(ANNA)) == (1, True)
    stage.advance(days=3)
    assert told_days(stage)[1:] == [(5500, date(2026, 2, 16), False)]
    assert debit_days(stage) == [date(2026, 2, 16)]
    assert "caught_up" not in stage.mail_kinds()
    truth.check(stage)


def test_her_own_switch_at_once_is_its_own_notice(stage: Stage) -> None:
    add_plan(stage, "large", 8000)
    stage.buy(ANNA)
    stage.advance(days=14)
    switch(stage, ANNA, "large", at_once=True)
    stage.work()
    assert debit_days(stage) == [date(2026, 2, 14)]
    with stage.database.read() as tx:
        proof = tx.get_one(Consent, notices(stage)[1].consent_id)
    assert (proof.kind, proof.text, proof.data["due_now_cents"]) == ("switch", "I switch", 5500)
    truth.check(stage)


def test_an_owners_words_that_name_no_day_are_not_used_to_tell_of_a_debit(stage: Stage) -> None:
    with stage.database.write() as tx:
        site, now = tx.get_one(Site, stage.shop.site_id), stage.clock.now()
        for kind in ("welcome", "debit_notice"):
            mail_texts.save(tx, site, kind, "nl", "Hallo\n\nEr komt iets aan.", "owner", now)
    stage.buy(ANNA)
    forget_agreement(stage)
    set_policy(stage, notice_days=5)
    stage.advance(days=29)
    assert text_of(stage, notices(stage)[-1]).count("28 februari 2026") == 1
    assert debit_days(stage) == [SECOND]
    truth.check(stage)


def test_nothing_is_told_to_who_left(stage: Stage) -> None:
    open_counter(stage)
    stage.buy(ANNA, coupon="TEN")
    with stage.database.write() as tx:
        tx.query(Notice).delete()
    stage.stop(ANNA)
    stage.advance(days=40)
    assert stage.subscription(ANNA).state is SubscriptionState.ENDED
    assert "debit_notice" not in stage.mail_kinds()
    assert debit_days(stage) == []


def test_a_notice_that_is_missing_is_sent_before_its_debit(stage: Stage) -> None:
    """As after a welcome in an owner's own words that names no day."""
    stage.buy(ANNA)
    forget_notices(stage)
    stage.advance(days=29)
    assert stage.mail_kinds().count("debit_notice") == 1
    assert debit_days(stage) == [SECOND]
    truth.check(stage)


def test_a_debit_of_a_series_that_was_told_is_looked_at_once(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.advance(days=29)
    looked_at = stage.subscription(ANNA).notice_look_at
    assert looked_at is not None
    assert looked_at > day_starts_at(date(2026, 3, 31), ZONE)
    assert "debit_notice" not in stage.mail_kinds()


def test_credit_that_makes_a_debit_smaller_is_told_before_it(stage: Stage) -> None:
    stage.buy(ANNA)
    set_policy(stage, notice_days=5)
    stage.advance(days=2)
    with stage.database.write() as tx:
        held = subscriptions.lock(tx, stage.subscription(ANNA).id)
        agreements.add_credit(tx, held, 500, reason="owner", ref="gift", now=stage.clock.now())
    stage.advance(days=24)
    assert "€ 45,00" in text_of(stage, notices(stage)[-1])
    stage.advance(days=3)
    assert debit_days(stage) == [SECOND]
