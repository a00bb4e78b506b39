"""Withdrawing: who may, until when, what stops and what goes back, to the cent."""

from datetime import timedelta
from typing import Any

import pytest

from linkpay.domain.charge import ChargeState
from linkpay.domain.leaving import CancelMode
from linkpay.domain.subscription import SubscriptionState
from linkpay.errors import Conflict, SlowDown
from linkpay.services import reactivation, withdrawing
from linkpay.services.attention import items, solving
from linkpay.services.consent import Yes
from linkpay.store.tables import Bump, Event, Mail, Offer, Outbox, Plan, Refund
from tests.flows import truth
from tests.flows.plans import YEAR, add_plan, cancel, reactivate, set_policy, switch
from tests.flows.shelf import Shelf
from tests.flows.stage import Stage
from tests.flows.weather import in_between
from tests.flows.withdrawals import (
    ANNA,
    asked_to_start,
    declarations,
    declare,
    prove,
    refunds,
    withdraw,
)

S = SubscriptionState


def reach_debit(stage: Stage) -> str:
    """A weekly member in her second week, whose debit runs; its id at Mollie."""
    stage.buy(ANNA, "weekly")
    stage.advance(days=7, hours=1)
    return stage.mollie_ids(stage.charges(ANNA)[1].id)[0]


def test_without_a_start_at_once_all_goes_back_and_everything_ends(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.advance(days=3)
    coming = withdraw(stage)
    assert (coming.refund.cents, coming.pro_rata, coming.debit_runs) == (5000, False, False)
    held = stage.subscription(ANNA)
    assert (held.state, held.cancel_reason, held.next_charge_on) == (S.ENDED, "withdrawn", None)
    assert not stage.has_access(ANNA)
    assert stage.kept_cents() == 0
    stage.advance(days=60)
    assert len(stage.charges(ANNA)) == 1
    assert refunds(stage) == [("withdrawal", 5000)]
    assert stage.mail_kinds().count("withdrawal_received") == 1
    assert stage.mail_kinds().count("withdrawal_done") == 1
    truth.check(stage)


def test_who_asked_for_a_start_at_once_pays_for_the_days_until_she_declared_it(stage: Stage) -> None:
    stage.buy(ANNA)
    asked_to_start(stage, refund="pro_rata", days=14)
    stage.advance(days=7)
    number = declare(stage)
    stage.advance(days=5)
    assert stage.has_access(ANNA), "nobody has proven it yet"
    coming = prove(stage, number)
    stage.work()
    # Seven of twenty-eight days, however late she pressed the link.
    assert (coming.refund.cents, coming.pro_rata) == (3750, True)
    assert stage.kept_cents() == 1250
    assert not stage.has_access(ANNA)
    truth.check(stage)


@pytest.mark.parametrize(
    ("policy", "told"), [({"withdrawal_refund": "full"}, {}), ({}, {"refund": "full", "days": 14})]
)
def test_the_kinder_of_what_she_read_and_what_counts_now(
    stage: Stage, policy: dict[str, Any], told: dict[str, Any]
) -> None:
    set_policy(stage, **policy)
    stage.buy(ANNA)
    asked_to_start(stage, **told)
    stage.advance(days=7)
    assert withdraw(stage).refund.cents == 5000


def test_a_debit_under_way_is_stopped(stage: Stage) -> None:
    debit = reach_debit(stage)
    coming = withdraw(stage)
    assert (coming.refund.cents, coming.debit_runs) == (1500, True)
    assert stage.status(debit) == "canceled"
    assert [charge.state for charge in stage.charges(ANNA)] == [ChargeState.PAID, ChargeState.VOID]
    assert stage.kept_cents() == 0
    truth.check(stage)


def test_a_debit_that_lands_all_the_same_is_sent_back_but_for_the_days_used(stage: Stage) -> None:
    debit = reach_debit(stage)
    asked_to_start(stage)
    stage.advance(days=2)
    number = declare(stage)
    stage.bank(debit, "paid")
    prove(stage, number)
    stage.work()
    # The first week was used; of the second, two days of seven.
    assert stage.kept_cents() == 1500 + 428
    truth.check(stage)


def test_a_debit_that_lands_after_the_withdrawal_is_sent_back_by_itself(stage: Stage) -> None:
    debit = reach_debit(stage)
    in_between(stage, "payments", "cancel_payment", before=lambda: stage.bank(debit, "paid"))
    withdraw(stage)
    stage.advance(hours=1)
    assert refunds(stage) == [("withdrawal", 1500), ("withdrawal", 1500)]
    assert stage.kept_cents() == 0
    truth.check(stage)


def test_a_course_paid_once_and_terms_go_back_whole(stage: Stage) -> None:
    for plan, cents in (("once", 27500), ("terms", 10000)):
        stage.buy(ANNA, plan)
        asked_to_start(stage)
        stage.advance(days=5)
        assert withdraw(stage).refund.cents == cents
        assert stage.subscription(ANNA).state is S.ENDED
        assert not stage.has_access(ANNA)
    truth.check(stage)


def test_a_starting_fee_goes_back_whole_and_a_discount_is_reckoned_in(stage: Stage) -> None:
    add_plan(stage, "fee", 5600, setup_fee_cents=1000)
    stage.buy(ANNA, "fee")
    asked_to_start(stage)
    stage.advance(days=7)
    assert withdraw(stage).refund.cents == 1000 + 4200
    assert stage.kept_cents() == 1400


def test_a_free_trial_ends_and_the_cent_comes_back(stage: Stage) -> None:
    add_plan(stage, "try", 5000, trial_days=10)
    charge = stage.begin(ANNA, "try", method="ideal")
    stage.pay_by_link(charge)
    assert stage.subscription(ANNA).state is S.TRIALING
    asked_to_start(stage)
    assert withdraw(stage).refund.cents == 1
    assert stage.subscription(ANNA).state is S.ENDED
    assert not stage.has_access(ANNA)
    truth.check(stage)


def add_extra(stage: Stage) -> None:
    Shelf(stage).put("workshop", "Workshop")
    now, site_id = stage.clock.now(), stage.shop.site_id
    with stage.database.write() as tx:
        offer = tx.query(Offer).filter_by(slug="workshop").one()
        plan = Plan(site_id=site_id, offer_id=offer.id, slug="extra", title="Workshop", created_at=now)
        plan.kind, plan.amount_cents, plan.periods = "one_time", 900, 1  # type: ignore[assignment]
        tx.add(plan)
        tx.flush()
        bump = Bump(site_id=site_id, offer_id=stage.shop.offer_id, plan_id=plan.id, title="Extra")
        bump.created_at = now
        tx.add(bump)


def test_an_extra_falls_with_what_it_was_added_to_or_goes_alone(stage: Stage) -> None:
    add_extra(stage)
    stage.buy(ANNA, bumps=("extra",))
    assert Shelf(stage).open() == {"Course", "Workshop"}
    asked_to_start(stage)
    assert withdraw(stage, reference="workshop").refund.cents == 900
    assert Shelf(stage).open() == {"Course"}
    stage.advance(days=7)
    assert withdraw(stage, reference="Members").refund.cents == 3750
    assert Shelf(stage).open() == set()
    assert stage.kept_cents() == 1250
    truth.check(stage)


def test_an_extra_that_is_left_goes_back_whole_with_the_rest(stage: Stage) -> None:
    add_extra(stage)
    stage.buy(ANNA, bumps=("extra",))
    asked_to_start(stage)
    stage.advance(days=7)
    assert withdraw(stage).refund.cents == 3750 + 900
    assert Shelf(stage).open() == set()
    truth.check(stage)


def test_after_a_switch_only_used_days_are_kept_at_the_price_of_each_plan(stage: Stage) -> None:
    add_plan(stage, "year", 36500, YEAR)
    stage.buy(ANNA)
    asked_to_start(stage)
    stage.advance(days=7)
    switch(stage, ANNA, "year", at_once=True)
    stage.work()
    stage.bank(stage.mollie_ids(stage.charges(ANNA)[1].id)[-1], "paid")
    stage.advance(days=3)
    withdraw(stage)
    # Seven days of a month of 28 for 50.00, and three of a year for 365.00.
    assert stage.kept_cents() == 1250 + 300
    truth.check(stage)


def test_who_cancelled_can_still_withdraw(stage: Stage) -> None:
    stage.buy(ANNA)
    cancel(stage, ANNA)
    stage.advance(days=3)
    assert withdraw(stage).refund.cents == 5000
    assert stage.subscription(ANNA).state is S.ENDED
    truth.check(stage)


def test_who_has_not_paid_yet_is_let_go_and_gets_what_comes_after_all_back(stage: Stage) -> None:
    charge = stage.begin(ANNA)
    stage.go_pay(charge)
    assert withdraw(stage).refund.cents == 0
    assert stage.subscription(ANNA).state is S.ENDED
    stage.bank(stage.mollie_ids(charge.id)[0], "paid")
    stage.advance(hours=1)
    assert stage.kept_cents() == 0
    assert not stage.has_access(ANNA)
    truth.check(stage)


def test_the_last_day_runs_through_the_monday_and_the_declaration_is_what_counts(stage: Stage) -> None:
    stage.buy(ANNA)  # a Saturday: the fourteenth day is one as well
    stage.advance(days=16)
    number = declare(stage)
    stage.advance(days=9)
    assert prove(stage, number).refund.cents == 5000
    stage.work()
    assert stage.subscription(ANNA).state is S.ENDED


def test_after_the_days_nothing_happens(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.advance(days=17)
    number = declare(stage)
    with stage.database.write() as tx, pytest.raises(Conflict) as late:
        withdrawing.carry_out(tx, number, stage.subscription(ANNA).id, "buyer", stage.clock.now())
    assert late.value.code == "withdrawal_late"
    stage.work()
    assert stage.subscription(ANNA).state is S.ACTIVE
    assert refunds(stage) == []


def test_more_days_may_be_given_and_a_plan_may_have_none(stage: Stage) -> None:
    set_policy(stage, withdrawal_days=30)
    add_plan(stage, "none", 5000, policy={"withdrawal_days": 0})
    stage.buy(ANNA)
    stage.advance(days=25)
    assert withdraw(stage).refund.cents == 5000
    stage.buy(ANNA, "none")
    number = declare(stage)
    with stage.database.write() as tx, pytest.raises(Conflict):
        withdrawing.carry_out(tx, number, stage.subscription(ANNA).id, "buyer", stage.clock.now())


def test_pressing_again_changes_nothing_and_the_same_words_are_one_declaration(stage: Stage) -> None:
    stage.buy(ANNA)
    assert declare(stage) == declare(stage)
    number = declarations(stage)[0].id
    assert prove(stage, number) != prove(stage, number)
    stage.work()
    assert refunds(stage) == [("withdrawal", 5000)]
    assert stage.mail_kinds().count("withdrawal_done") == 1
    truth.check(stage)


def test_the_same_is_done_for_a_stranger_and_many_of_one_name_are_not_mailed(stage: Stage) -> None:
    stage.buy(ANNA)
    for email in (ANNA, "nobody@example.com"):
        for reference in ("a", "b", "c", "d"):
            declare(stage, email, reference)
    stage.work()
    with stage.database.read() as tx:
        mails = tx.query(Mail).filter_by(kind="withdrawal_received").all()
        assert sorted(mail.to or "" for mail in mails) == [ANNA] * 3 + ["nobody@example.com"] * 3
        told = {(mail.text or "").replace(mail.to or "", "") for mail in mails if "c." in (mail.text or "")}
        assert len(told) == 1, "the two read the same"
        tokens = [one.token for one in declarations(stage)]
        assert not any(token in (mail.text or "") + (mail.html or "") for token in tokens for mail in mails)
        assert any(tokens[0] in letter.text for letter in stage.mailer.letters)
    for number in range(4):
        declare(stage, ANNA, f"again {number}")
    with pytest.raises(SlowDown):
        declare(stage)


def test_a_declaration_that_nobody_proves_is_shown_to_the_owner_who_can_vouch_for_it(stage: Stage) -> None:
    stage.buy(ANNA)
    declare(stage, "nobody@example.com")
    declare(stage)
    stage.advance(days=2, hours=1)
    assert stage.troubles() == ["withdrawal"], "a stranger's is nobody's trouble"
    assert stage.subscription(ANNA).state is S.ACTIVE
    with stage.database.write() as tx:
        (item,) = items.open_items(tx, stage.shop.site_id)[0]
        assert ANNA in item.happened
        solving.solve(tx, stage.shop.site_id, item.id, "withdraw", "owner:eva", stage.clock.now())
    stage.work()
    assert stage.subscription(ANNA).state is S.ENDED
    assert refunds(stage) == [("withdrawal", 5000)]
    truth.check(stage)


def test_a_refused_refund_asks_for_a_person(stage: Stage) -> None:
    stage.buy(ANNA)
    withdraw(stage)
    with stage.database.read() as tx:
        refund = tx.query(Refund).one()
    stage.sandbox.call("POST", f"/_sandbox/refunds/{refund.mollie_id}", {"status": "failed"})
    stage.advance(hours=1)
    assert stage.troubles() == ["refund"]
    assert not stage.has_access(ANNA)


def test_what_was_withdrawn_from_cannot_run_again_but_can_be_bought_anew(stage: Stage) -> None:
    stage.buy(ANNA)
    withdraw(stage)
    with stage.database.write() as tx, pytest.raises(Conflict) as refused:
        reactivation.reactivate(
            tx, stage.subscription(ANNA).id, given=Yes("Again", "nl"), actor="member", now=stage.clock.now()
        )
    assert refused.value.code == "withdrawn"
    stage.buy(ANNA)
    assert stage.has_access(ANNA)
    truth.check(stage)


def test_who_came_back_on_days_that_were_paid_can_withdraw_from_that(stage: Stage) -> None:
    set_policy(stage, refund_unused_days=False)
    stage.buy(ANNA)
    stage.advance(days=5)
    cancel(stage, ANNA, CancelMode.NOW, actor="owner")
    reactivate(stage, ANNA)
    assert withdraw(stage).refund.cents == 0
    assert stage.subscription(ANNA).state is S.ENDED
    truth.check(stage)


def test_money_that_a_bank_takes_back_afterwards_is_asked_of_nobody(stage: Stage) -> None:
    stage.buy(ANNA)
    withdraw(stage)
    payment = stage.mollie_ids(stage.charges(ANNA)[0].id)[0]
    stage.sandbox.call("POST", f"/_sandbox/payments/{payment}/chargebacks", {"reason": "MD06"})
    stage.advance(days=9)
    assert stage.troubles() == ["loss"]
    assert "payment_taken_back" not in stage.mail_kinds()


def test_the_timeline_says_when_it_came_in_and_when_it_was_done(stage: Stage) -> None:
    stage.buy(ANNA)
    number = declare(stage)
    declared_at = stage.clock.now()
    stage.advance(days=1)
    prove(stage, number)
    stage.work()
    with stage.database.read() as tx:
        told = {event.kind: event for event in tx.query(Event)}
        waiting = tx.query(Outbox).filter_by(kind="withdrawal_waits").one()
    assert told["withdrawal_received"].created_at == declared_at
    assert told["withdrawn"].created_at == declared_at + timedelta(days=1)
    assert told["withdrawn"].data["amount_cents"] == 5000
    assert waiting.done_at is not None
