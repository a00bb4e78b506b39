"""Pausing: from the end of what is paid until a day, with or without access, and going on."""

from datetime import date, timedelta

import pytest

from linkpay.domain.charge import ChargeState
from linkpay.domain.subscription import SubscriptionState
from linkpay.errors import Conflict, InputError
from linkpay.services import pausing
from tests.flows import truth
from tests.flows.plans import (
    YEAR,
    add_plan,
    cancel,
    pause,
    reach_debit,
    resume,
    set_policy,
    stay_in,
    switch,
)
from tests.flows.stage import Stage
from tests.flows.test_invariants import check
from tests.flows.test_money_back import charge_back

ANNA = "anna@example.com"
S = SubscriptionState


def state(stage: Stage) -> SubscriptionState:
    return stage.subscription(ANNA).state


def starts(stage: Stage) -> list[str]:
    return [str(charge.starts_on) for charge in stage.charges(ANNA)]


def test_a_pause_begins_when_what_is_paid_is_over_and_goes_on_by_itself(stage: Stage) -> None:
    stage.buy(ANNA)
    agreed = pause(stage, ANNA, date(2026, 5, 10))
    assert (agreed.pause_on, agreed.keeps_access) == (date(2026, 2, 28), False)
    stage.advance(days=27)
    assert state(stage) is S.ACTIVE
    assert stage.has_access(ANNA)
    stage.advance(days=1)
    assert state(stage) is S.PAUSED
    assert not stage.has_access(ANNA)
    stage.advance_to(stage.clock.now() + timedelta(days=70))
    assert starts(stage) == ["2026-01-31"]
    stage.advance(days=2)
    assert state(stage) is S.ACTIVE
    assert stage.has_access(ANNA)
    assert starts(stage) == ["2026-01-31", "2026-05-10"]
    stage.advance(days=62)
    assert starts(stage) == ["2026-01-31", "2026-05-10", "2026-06-10", "2026-07-10"]
    kinds = stage.mail_kinds()
    assert (kinds.count("pause_confirmed"), kinds.count("resumed")) == (1, 1)
    truth.check(stage)


def test_with_access_the_door_stays_open_during_the_pause(stage: Stage) -> None:
    set_policy(stage, pause_keeps_access=True)
    stage.buy(ANNA)
    pause(stage, ANNA, date(2026, 4, 1))
    stay_in(stage, 75)
    assert starts(stage) == ["2026-01-31", "2026-04-01"]
    truth.check(stage)


def test_a_member_cannot_choose_access_that_the_policy_does_not_give(stage: Stage) -> None:
    stage.buy(ANNA)
    assert not pause(stage, ANNA, date(2026, 4, 1), keeps_access=True).keeps_access
    assert pause(stage, ANNA, date(2026, 4, 1), keeps_access=True, actor="owner").keeps_access


def test_the_preview_says_what_the_pause_will_be(stage: Stage) -> None:
    stage.buy(ANNA)
    with stage.database.read() as tx:
        told = pausing.preview_pause(
            tx, stage.subscription(ANNA).id, resume_on=date(2026, 4, 1), keeps_access=None, actor="member",
            now=stage.clock.now(),
        )  # fmt: skip
    assert pause(stage, ANNA, date(2026, 4, 1)) == told


def test_going_on_early_is_charged_from_that_day(stage: Stage) -> None:
    stage.buy(ANNA)
    pause(stage, ANNA, date(2026, 5, 10))
    stage.advance(days=40)
    resume(stage, ANNA)
    resume(stage, ANNA)
    stage.work()
    assert stage.has_access(ANNA)
    stage.advance(days=40)
    assert starts(stage) == ["2026-01-31", "2026-03-12", "2026-04-12"]
    assert all(charge.state is ChargeState.PAID for charge in stage.charges(ANNA)[:2])
    truth.check(stage)


def test_a_pause_that_has_not_begun_can_be_called_off(stage: Stage) -> None:
    stage.buy(ANNA)
    pause(stage, ANNA, date(2026, 5, 10))
    stage.advance(days=5)
    resume(stage, ANNA)
    stage.advance(days=30)
    assert starts(stage) == ["2026-01-31", "2026-02-28"]
    assert state(stage) is S.ACTIVE


def test_a_pause_can_be_made_longer_and_shorter(stage: Stage) -> None:
    stage.buy(ANNA)
    pause(stage, ANNA, date(2026, 3, 20))
    stage.advance(days=35)
    pause(stage, ANNA, date(2026, 4, 20))
    stage.advance(days=30)
    assert state(stage) is S.PAUSED
    pause(stage, ANNA, date(2026, 4, 10))
    stage.advance(days=6)
    assert starts(stage) == ["2026-01-31", "2026-04-10"]


@pytest.mark.parametrize("day", [date(2026, 2, 28), date(2026, 2, 1), date(2026, 8, 28)])
def test_a_pause_is_neither_nothing_nor_longer_than_the_policy_allows(stage: Stage, day: date) -> None:
    stage.buy(ANNA)
    with pytest.raises(InputError):
        pause(stage, ANNA, day)
    assert stage.subscription(ANNA).pause_on is None


def test_an_owner_may_allow_a_longer_pause(stage: Stage) -> None:
    set_policy(stage, pause_days=0)
    stage.buy(ANNA)
    with pytest.raises(Conflict) as refused:
        pause(stage, ANNA, date(2026, 4, 1))
    assert refused.value.code == "pause_not_offered"
    assert pause(stage, ANNA, date(2027, 4, 1), actor="owner").resume_on == date(2027, 4, 1)


def test_who_owes_or_leaves_cannot_pause(stage: Stage) -> None:
    stage.bank(reach_debit(stage), "failed", "AM04")
    stage.work()
    with pytest.raises(Conflict) as owing:
        pause(stage, ANNA, date(2026, 5, 1))
    cancel(stage, ANNA)
    with pytest.raises(Conflict) as leaving:
        pause(stage, ANNA, date(2026, 5, 1))
    assert (owing.value.code, leaving.value.code) == ("past_due", "canceled")


def test_a_running_debit_finishes_and_the_pause_begins_after_it(stage: Stage) -> None:
    stage.buy(ANNA, "weekly")
    stage.advance(days=14)
    running = stage.charges(ANNA)[-1]
    assert running.state is ChargeState.COLLECTING
    pause(stage, ANNA, date(2026, 4, 1))
    stage.advance(days=20)
    assert state(stage) is S.PAUSED
    assert stage.charges(ANNA)[-1].id == running.id
    assert stage.charges(ANNA)[-1].state is ChargeState.PAID
    stage.advance(days=40)
    assert starts(stage)[3:5] == ["2026-04-01", "2026-04-08"]
    truth.check(stage)


def test_a_debit_that_bounces_before_the_pause_is_helped_first(stage: Stage) -> None:
    debit = reach_debit(stage)
    pause(stage, ANNA, date(2026, 6, 1))
    stage.bank(debit, "failed", "MD01")
    stage.advance(days=33)
    assert state(stage) is S.SUSPENDED
    stage.pay_by_link(stage.charges(ANNA)[1])
    assert stage.has_access(ANNA)
    stage.advance(days=28)
    assert stage.has_access(ANNA)
    stage.advance(days=4)
    # What she paid reaches to 3 May; the pause lies behind it.
    assert state(stage) is S.PAUSED
    stage.advance(days=30)
    assert starts(stage)[-1] == "2026-06-01"
    truth.check(stage)


def test_money_taken_back_during_a_pause_is_owed_and_the_pause_goes_on_when_it_is_paid(stage: Stage) -> None:
    debit = reach_debit(stage)
    stage.advance(days=12)
    pause(stage, ANNA, date(2026, 6, 1))
    stage.advance(days=25)
    assert state(stage) is S.PAUSED
    stage.sandbox.call("POST", f"/_sandbox/payments/{debit}/chargebacks", {"reason": "MD06"})
    stage.work()
    assert state(stage) is S.PAST_DUE
    stage.pay_by_link(stage.charges(ANNA)[1])
    stage.advance(days=60)
    assert starts(stage)[-1] == "2026-06-01"
    assert state(stage) is S.ACTIVE
    truth.check(stage)


def test_a_pause_with_access_opens_nothing_any_more_once_money_taken_back_stays_out(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.advance(days=5)
    pause(stage, ANNA, date(2026, 5, 28), keeps_access=True, actor="owner")
    stage.advance(days=35)
    assert state(stage) is S.PAUSED
    charge_back(stage, stage.mollie_ids(stage.charges(ANNA)[0].id)[0])
    stage.advance(days=2)
    assert stage.has_access(ANNA)
    stage.advance(days=18)
    assert (state(stage), stage.kept_cents()) == (S.SUSPENDED, 0)
    assert not stage.has_access(ANNA)
    stage.pay_by_link(stage.charges(ANNA)[0])
    assert stage.has_access(ANNA)


def test_a_pause_with_access_that_never_began_for_a_debt_gives_nothing(stage: Stage) -> None:
    debit = reach_debit(stage)
    pause(stage, ANNA, date(2026, 5, 31), keeps_access=True, actor="owner")
    stage.bank(debit, "failed", "AC04")
    stage.advance(days=40)
    assert state(stage) is S.SUSPENDED
    assert not stage.has_access(ANNA)
    assert check(stage) == []
    truth.check(stage)


def test_instalments_may_be_paused_and_are_owed_whole(stage: Stage) -> None:
    stage.buy(ANNA, "terms")
    pause(stage, ANNA, date(2026, 5, 1))
    stage.advance(days=200)
    assert starts(stage) == ["2026-01-31", "2026-05-01", "2026-06-01"]
    assert state(stage) is S.COMPLETED
    assert stage.kept_cents() == 30000


def test_a_minimum_term_is_as_many_periods_after_a_pause_as_before(stage: Stage) -> None:
    add_plan(stage, "bound", 5000, minimum_periods=3)
    stage.buy(ANNA, "bound")
    assert stage.subscription(ANNA).bound_until == date(2026, 4, 30)
    pause(stage, ANNA, date(2026, 3, 15))
    stage.advance(days=30)
    assert stage.subscription(ANNA).bound_until == date(2026, 5, 15)


def test_cancelling_during_a_pause_ends_it_there_and_nothing_is_charged(stage: Stage) -> None:
    set_policy(stage, pause_keeps_access=True)
    stage.buy(ANNA)
    pause(stage, ANNA, date(2026, 5, 1))
    stage.advance(days=40)
    cancel(stage, ANNA)
    stage.advance(days=90)
    assert state(stage) is S.ENDED
    assert starts(stage) == ["2026-01-31"]
    assert not stage.has_access(ANNA)
    truth.check(stage)


def test_turning_twice_or_late_changes_nothing(stage: Stage) -> None:
    stage.buy(ANNA)
    pause(stage, ANNA, date(2026, 4, 1))
    stage.clock.advance(timedelta(days=45))  # nobody was at work on the day of the pause
    stage.work()
    assert state(stage) is S.PAUSED
    for row in stage.jobs("turn"):
        stage.make_due(row)
    stage.work()
    assert state(stage) is S.PAUSED
    stage.advance(days=25)
    assert starts(stage) == ["2026-01-31", "2026-04-01"]
    truth.check(stage)


def test_periods_before_a_pause_that_is_far_off_are_told_and_charged(stage: Stage) -> None:
    add_plan(stage, "yearly", 36500, YEAR)
    stage.buy(ANNA, "yearly")
    pause(stage, ANNA, date(2027, 2, 20))
    switch(stage, ANNA, "weekly", at_once=True)
    stage.work()
    truth.check(stage)
    stay_in(stage, 7)
    assert [str(one.starts_on) for one in stage.charges(ANNA)[1:]] == ["2026-01-31", "2026-02-07"]
    truth.check(stage)
