"""What follows a failed collection, step by step: who is asked what, when, and what money then does."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from linkpay.domain.charge import ChargeState
from linkpay.domain.snapshots import PaymentStatus
from linkpay.domain.subscription import SubscriptionState
from linkpay.errors import Conflict, InputError
from linkpay.services import debts, ladders
from linkpay.services.ladders import Rung
from linkpay.store import charges
from linkpay.store.db import Tx
from linkpay.store.tables import Site
from tests.flows import truth
from tests.flows.plans import stay_in
from tests.flows.stage import Stage
from tests.flows.test_debits import ANNA, reach_debit
from tests.flows.test_money_back import charge_back
from tests.flows.test_webhooks import take_to_the_bank
from tests.flows.weather import in_between


def policy(stage: Stage, **values: object) -> None:
    """The owner's choices, for every plan of the site."""
    with stage.database.write() as tx:
        site = tx.get_one(Site, stage.shop.site_id)
        site.policy = {**site.policy, **values}


# Faults that were found --------------------------------------------------------------------------------


def test_an_old_view_of_a_debit_that_was_paid_does_not_undo_its_bounce(stage: Stage) -> None:
    debit = reach_debit(stage)
    stage.bank(debit, "paid")
    stage.deliver()

    def meanwhile() -> None:
        stage.pass_time(timedelta(hours=1))
        stage.bank(debit, "failed", "AM04")
        stage.work()

    in_between(stage, "payments", "fetch_payment", after=meanwhile)
    stage.work()
    charge = stage.charges(ANNA)[1]
    with stage.database.read() as tx:
        (payment,) = charges.payments(tx, charge.id)
    assert payment.status is PaymentStatus.FAILED
    assert (charge.state, charge.paid_cents) == (ChargeState.FAILED, 0)
    truth.check(stage)


def owe_two(stage: Stage) -> None:
    """The second month is taken back while the third one's debit has bounced."""
    reach_debit(stage)
    stage.advance(days=31)
    second, third = (stage.mollie_ids(charge.id)[0] for charge in stage.charges(ANNA)[1:])
    stage.bank(third, "failed", "AM04")
    stage.work()
    charge_back(stage, second)
    stage.work()
    assert [charge.state for charge in stage.charges(ANNA)[1:]] == [ChargeState.FAILED] * 2


def test_paying_one_of_two_owed_periods_does_not_make_a_member_one_who_owes_nothing(stage: Stage) -> None:
    owe_two(stage)
    stage.pay_by_link(stage.charges(ANNA)[1])
    assert stage.subscription(ANNA).state is SubscriptionState.PAST_DUE
    stage.pay_by_link(stage.charges(ANNA)[2])
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    truth.check(stage)


def test_after_grace_both_owed_periods_are_paid_before_the_next_is_charged(stage: Stage) -> None:
    owe_two(stage)
    stage.advance(days=40)
    assert stage.subscription(ANNA).state is SubscriptionState.SUSPENDED
    stage.pay_by_link(stage.charges(ANNA)[2])
    assert stage.subscription(ANNA).state is SubscriptionState.SUSPENDED
    assert stage.has_access(ANNA), "what is paid is given"
    stage.pay_by_link(stage.charges(ANNA)[1])
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    before = len(stage.charges(ANNA))
    stage.advance(days=25)
    assert len(stage.charges(ANNA)) == before, "a whole month was bought by the last payment"
    truth.check(stage)


# The ladder ------------------------------------------------------------------------------------------


def bounce(stage: Stage, code: str = "AM04") -> int:
    """The second month's debit fails; its charge."""
    stage.bank(reach_debit(stage), "failed", code)
    stage.work()
    return stage.charges(ANNA)[1].id


def tries(stage: Stage) -> int:
    """How many debits were made of the second month."""
    return len(stage.mollie_ids(stage.charges(ANNA)[1].id))


def bounce_again(stage: Stage) -> None:
    stage.bank(stage.mollie_ids(stage.charges(ANNA)[1].id)[-1], "failed", "AM04")
    stage.work()


def bounce_from_now_on(stage: Stage, reason: str = "AM04", count: int = 99) -> None:
    """Her bank refuses what is asked for next."""
    customer = stage.bank_view_list()[0].customer_id
    fate = {"next_debit": {"status": "failed", "reason": reason}, "count": count}
    stage.sandbox.call("POST", f"/_sandbox/customers/{customer}", fate)


def newest_mail(stage: Stage) -> str:
    return stage.mailer.letters[-1].text


def rung(stage: Stage) -> Rung:
    with stage.database.read() as tx:
        (found,) = ladders.rungs(tx, stage.clock.now(), site_id=stage.shop.site_id)
    return found


def test_a_member_is_told_the_days_on_which_we_try_again_and_the_owner_sees_the_same(stage: Stage) -> None:
    bounce(stage)
    assert "5 maart 2026" in newest_mail(stage)
    assert "8 maart 2026" in newest_mail(stage)
    seen = rung(stage)
    assert seen.debits_on == [date(2026, 3, 5), date(2026, 3, 8)]
    assert (seen.next_step, seen.reason_class, seen.owed_cents) == ("debit", "soft", 5000)
    assert seen.access_until == seen.grace_until


def test_tries_wait_for_the_day_on_which_wages_come(stage: Stage) -> None:
    policy(stage, pay_days=[6], retry_days=[2, 9], grace_days=60)
    bounce(stage)
    assert rung(stage).debits_on == [date(2026, 3, 6), date(2026, 4, 7)], "6 April is Easter Monday"
    stage.advance_to(datetime(2026, 3, 5, 22, tzinfo=UTC))
    assert tries(stage) == 1
    stage.advance(days=1)
    assert tries(stage) == 2
    truth.check(stage)


def test_no_debit_is_made_whose_failure_would_cost_more_than_the_owner_allows(stage: Stage) -> None:
    policy(stage, bounce_cost_cents=750, bounce_cost_cap_cents=1500)
    charge_id = bounce(stage)
    stage.advance(days=5, minutes=10)
    bounce_again(stage)
    with pytest.raises(Conflict) as refused:
        decide(stage, lambda tx, now: debts.retry(tx, charge_id, "owner", now))
    assert refused.value.code == "retry_too_dear"
    stage.advance(days=30)
    assert tries(stage) == 2
    truth.check(stage)


def test_a_card_is_tried_on_its_own_days(stage: Stage) -> None:
    stage.bank(take_to_the_bank(stage), "paid", method="creditcard")
    stage.work()
    stage.advance(days=27, hours=12)
    bounce_from_now_on(stage, "insufficient_funds", count=2)
    stage.advance(hours=2)
    assert rung(stage).debits_on == [date(2026, 3, 1), date(2026, 3, 3), date(2026, 3, 7)]
    stage.advance(days=2)
    assert tries(stage) == 2
    stage.advance(days=1, hours=12)
    assert stage.charges(ANNA)[1].state is ChargeState.PAID
    truth.check(stage)


def test_without_grace_a_member_is_still_told_and_let_in_when_she_pays(stage: Stage) -> None:
    policy(stage, grace_days=0)
    bounce(stage)
    stage.advance(minutes=10)
    assert "payment_failed" in stage.mail_kinds()
    assert not stage.has_access(ANNA)
    stage.pay_by_link(stage.charges(ANNA)[1])
    assert stage.has_access(ANNA)
    truth.check(stage)


def test_no_try_is_made_while_somebody_has_the_payment_page_open(stage: Stage) -> None:
    bounce(stage)
    stage.go_pay(stage.charges(ANNA)[1])
    with pytest.raises(Conflict) as refused:
        decide(stage, lambda tx, now: debts.retry(tx, stage.charges(ANNA)[1].id, "owner", now))
    assert refused.value.code == "retry_being_paid"


# What an owner decides -------------------------------------------------------------------------------


def decide(stage: Stage, act: Callable[[Tx, datetime], object]) -> None:
    with stage.database.write() as tx:
        act(tx, stage.clock.now())
    stage.work()


def test_more_time_keeps_access_until_its_day_and_adds_the_tries_that_fall_into_it(stage: Stage) -> None:
    policy(stage, grace_days=6, retry_days=[5, 10])
    charge_id = bounce(stage)
    bounce_from_now_on(stage)
    until = date(2026, 3, 20)
    assert rung(stage).debits_on == [date(2026, 3, 5)]
    for _ in range(2):
        decide(stage, lambda tx, now: debts.extend(tx, charge_id, until, "owner", now))
    assert rung(stage).debits_on == [date(2026, 3, 5), date(2026, 3, 10)]
    stage.advance_to(datetime(2026, 3, 19, 22, 55, tzinfo=UTC))
    assert stage.has_access(ANNA)
    stage.advance(hours=1)
    assert not stage.has_access(ANNA)
    assert stage.subscription(ANNA).state is SubscriptionState.SUSPENDED
    truth.check(stage)


def test_more_time_after_grace_lets_a_member_in_again(stage: Stage) -> None:
    charge_id = bounce(stage, "MD01")
    stage.advance(days=20)
    assert not stage.has_access(ANNA)
    until = (stage.clock.now() + timedelta(days=5)).date()
    decide(stage, lambda tx, now: debts.extend(tx, charge_id, until, "owner", now))
    assert stage.has_access(ANNA)
    assert stage.subscription(ANNA).state is SubscriptionState.PAST_DUE
    stage.advance(days=6)
    assert not stage.has_access(ANNA)
    truth.check(stage)


def give_days(stage: Stage, charge_id: int, days: int) -> None:
    until = (stage.clock.now() + timedelta(days=days)).date()
    decide(stage, lambda tx, now: debts.extend(tx, charge_id, until, "owner", now))


def test_more_time_after_grace_is_over_on_its_day_and_months_without_access_are_not_charged(
    stage: Stage,
) -> None:
    charge_id = bounce(stage, "AC04")
    stage.advance(days=15)
    give_days(stage, charge_id, 5)
    stage.advance(days=6)
    assert not stage.has_access(ANNA)
    assert stage.subscription(ANNA).state is SubscriptionState.SUSPENDED
    stage.advance(days=64)
    stage.pay_by_link(stage.charges(ANNA)[1])
    stage.advance(days=10)
    assert stage.kept_cents() == 10000
    assert stage.has_access(ANNA)
    truth.check(stage)


def test_more_time_after_her_month_is_over_lets_her_month_begin_with_it(stage: Stage) -> None:
    charge_id = bounce(stage, "AC04")
    stage.advance(days=50)
    give_days(stage, charge_id, 5)
    stage.advance(days=3)
    stage.pay_by_link(stage.charges(ANNA)[1])
    stay_in(stage, 20)
    assert stage.kept_cents() == 10000
    assert [str(charge.starts_on) for charge in stage.charges(ANNA)] == ["2026-01-31", "2026-04-19"]
    truth.check(stage)


@pytest.mark.parametrize(
    ("until", "code"), [(date(2026, 3, 5), "grace_not_longer"), (date(2029, 1, 1), "grace_too_long")]
)
def test_less_time_or_a_year_more_is_refused(stage: Stage, until: date, code: str) -> None:
    charge_id = bounce(stage)
    with pytest.raises(InputError) as refused:
        decide(stage, lambda tx, now: debts.extend(tx, charge_id, until, "owner", now))
    assert refused.value.code == code


def test_a_stopped_ladder_mails_and_debits_no_more_and_ends_on_its_day(stage: Stage) -> None:
    charge_id = bounce(stage)
    decide(stage, lambda tx, now: debts.stop(tx, charge_id, "owner", now))
    mails = len(stage.mail_kinds())
    assert rung(stage).next_step == "end_grace"
    stage.advance(days=13, hours=20)
    assert (tries(stage), len(stage.mail_kinds())) == (1, mails)
    assert stage.has_access(ANNA)
    stage.advance(days=1)
    assert not stage.has_access(ANNA)
    truth.check(stage)


def test_one_more_try_now_is_a_debit_like_any_other(stage: Stage) -> None:
    charge_id = bounce(stage)
    decide(stage, lambda tx, now: debts.retry(tx, charge_id, "owner", now))
    assert tries(stage) == 2
    stage.advance(days=5, hours=1)
    assert stage.charges(ANNA)[1].state is ChargeState.PAID
    assert tries(stage) == 2, "the planned try was not needed"
    truth.check(stage)


@pytest.mark.parametrize(("code", "why"), [("MD06", "not_by_debit"), ("AC04", "not_by_debit")])
def test_a_try_that_the_rules_forbid_is_refused_in_words(stage: Stage, code: str, why: str) -> None:
    charge_id = bounce(stage, code)
    with pytest.raises(Conflict) as refused:
        decide(stage, lambda tx, now: debts.retry(tx, charge_id, "owner", now))
    assert refused.value.code == f"retry_{why}"


def test_letting_go_of_a_month_keeps_the_member_and_the_next_month_is_charged(stage: Stage) -> None:
    charge_id = bounce(stage)
    for _ in range(2):
        decide(stage, lambda tx, now: debts.write_off(tx, charge_id, "owner", now, ends=False))
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    stay_in(stage, 40)
    assert [charge.state for charge in stage.charges(ANNA)] == [
        ChargeState.PAID, ChargeState.WRITTEN_OFF, ChargeState.PAID,
    ]  # fmt: skip
    assert tries(stage) == 1
    truth.check(stage)


def test_letting_go_of_member_and_money_ends_both(stage: Stage) -> None:
    charge_id = bounce(stage)
    decide(stage, lambda tx, now: debts.write_off(tx, charge_id, "owner", now, ends=True))
    assert stage.subscription(ANNA).state is SubscriptionState.ENDED
    assert not stage.has_access(ANNA)
    stage.advance(days=40)
    assert len(stage.charges(ANNA)) == 2
    truth.check(stage)


def test_a_debit_that_runs_when_its_charge_is_let_go_of_still_counts_when_it_is_paid(stage: Stage) -> None:
    charge_id = bounce(stage)
    decide(stage, lambda tx, now: debts.retry(tx, charge_id, "owner", now))
    decide(stage, lambda tx, now: debts.write_off(tx, charge_id, "owner", now, ends=False))
    stage.advance(days=5)
    assert stage.charges(ANNA)[1].state is ChargeState.PAID
    truth.check(stage)


def test_a_debit_that_bounces_after_its_charge_was_let_go_of_starts_nothing(stage: Stage) -> None:
    charge_id = bounce(stage)
    decide(stage, lambda tx, now: debts.retry(tx, charge_id, "owner", now))
    decide(stage, lambda tx, now: debts.write_off(tx, charge_id, "owner", now, ends=False))
    mails = len(stage.mail_kinds())
    bounce_again(stage)
    stage.advance(days=10)
    assert stage.charges(ANNA)[1].state is ChargeState.WRITTEN_OFF
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    assert len(stage.mail_kinds()) == mails
    truth.check(stage)
