"""Coming back: before the end, with paid days left, and after it, with and without a mandate."""

from datetime import date

import pytest

from linkpay.domain.charge import ChargeState
from linkpay.domain.leaving import CancelMode
from linkpay.domain.snapshots import MandateStatus
from linkpay.domain.subscription import SubscriptionState
from linkpay.errors import Conflict, InputError
from linkpay.services import blocks, debts, reactivation
from linkpay.store.tables import Consent, Mandate, Plan, Withdrawal
from tests.flows import truth
from tests.flows.plans import (
    YEAR,
    add_plan,
    cancel,
    plan_id,
    reach_debit,
    reactivate,
    set_policy,
    stay_in,
    undo,
)
from tests.flows.stage import Stage
from tests.flows.test_dunning import decide
from tests.flows.test_money_back import charge_back

ANNA = "anna@example.com"
S = SubscriptionState


def state(stage: Stage) -> SubscriptionState:
    return stage.subscription(ANNA).state


def starts(stage: Stage) -> list[str]:
    return [str(charge.starts_on) for charge in stage.charges(ANNA)]


def leave_and_be_gone(stage: Stage) -> None:
    """Bought on 31 January, cancelled, and out since 28 February; it is 10 March."""
    stage.buy(ANNA)
    cancel(stage, ANNA)
    stage.advance(days=38)
    assert state(stage) is S.ENDED


def lose_mandate(stage: Stage) -> None:
    with stage.database.write() as tx:
        tx.get_one(Mandate, stage.subscription(ANNA).mandate_id).status = MandateStatus.REVOKED


def test_before_the_end_coming_back_is_taking_the_cancellation_back(stage: Stage) -> None:
    stage.buy(ANNA)
    cancel(stage, ANNA)
    assert reactivate(stage, ANNA) is None
    assert state(stage) is S.ACTIVE
    stage.advance(days=30)
    assert starts(stage) == ["2026-01-31", "2026-02-28"]
    assert stage.mail_kinds().count("cancel_undone") == 1


def test_after_the_end_a_new_period_begins_today_and_access_follows_its_debit(stage: Stage) -> None:
    leave_and_be_gone(stage)
    assert reactivate(stage, ANNA) is None
    stage.work()
    assert state(stage) is S.ACTIVE
    assert stage.has_access(ANNA)
    assert stage.charges(ANNA)[-1].state is ChargeState.COLLECTING
    stage.advance(days=40)
    assert starts(stage) == ["2026-01-31", "2026-03-10", "2026-04-10"]
    assert stage.mail_kinds().count("reactivated") == 1
    with stage.database.read() as tx:
        assert tx.query(Consent).filter_by(kind="reactivate").one().data["amount_cents"] == 5000
    truth.check(stage)


def test_days_that_are_paid_and_not_used_come_first(stage: Stage) -> None:
    set_policy(stage, refund_unused_days=False)
    stage.buy(ANNA)
    stage.advance(days=5)
    cancel(stage, ANNA, CancelMode.NOW, actor="owner")
    stage.advance(days=5)
    assert not stage.has_access(ANNA)
    assert reactivate(stage, ANNA) is None
    stage.work()
    assert stage.has_access(ANNA)
    stage.advance(days=17)
    assert starts(stage) == ["2026-01-31"]
    stage.advance(days=2)
    assert starts(stage) == ["2026-01-31", "2026-02-28"]
    truth.check(stage)


def test_days_that_were_sent_back_are_paid_again_and_no_others(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.advance(days=5)
    cancel(stage, ANNA, CancelMode.NOW, actor="owner")
    stage.advance(days=5)
    reactivate(stage, ANNA)
    stage.advance(days=12)
    assert starts(stage) == ["2026-01-31", "2026-02-10"]
    assert stage.has_access(ANNA)
    truth.check(stage)


def test_back_before_the_end_of_a_refunded_year_the_next_charge_comes_with_that_end(stage: Stage) -> None:
    add_plan(stage, "yearly", 36500, YEAR)
    stage.buy(ANNA, "yearly")
    stage.advance(days=400)
    leaving = cancel(stage, ANNA)
    stage.advance(days=3)
    assert reactivate(stage, ANNA) is None
    stage.advance(days=60)
    assert stage.charges(ANNA)[-1].starts_on == leaving.ends_on
    assert stage.has_access(ANNA)
    truth.check(stage)


def test_without_a_mandate_she_pays_by_link_and_the_period_begins_with_her_payment(stage: Stage) -> None:
    leave_and_be_gone(stage)
    lose_mandate(stage)
    to_pay = reactivate(stage, ANNA)
    assert to_pay == reactivate(stage, ANNA) == stage.charges(ANNA)[-1].id
    stage.advance(days=4)
    assert not stage.has_access(ANNA)
    stage.pay_by_link(stage.charges(ANNA)[-1])
    assert state(stage) is S.ACTIVE
    assert stage.has_access(ANNA)
    assert starts(stage) == ["2026-01-31", "2026-03-14"]
    stage.advance(days=32)
    assert starts(stage)[2:] == ["2026-04-14"]
    assert stage.charges(ANNA)[2].state is ChargeState.COLLECTING
    truth.check(stage)


def test_who_left_owing_comes_back_by_paying_that(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.advance(days=28)
    stage.bank(stage.mollie_ids(stage.charges(ANNA)[1].id)[0], "failed", "AM04")
    stage.work()
    cancel(stage, ANNA)
    stage.advance(days=50)
    assert state(stage) is S.ENDED
    assert reactivate(stage, ANNA) == stage.charges(ANNA)[1].id
    stage.work()
    assert not stage.has_access(ANNA)
    stage.pay_by_link(stage.charges(ANNA)[1])
    assert stage.has_access(ANNA)
    assert starts(stage) == ["2026-01-31", "2026-04-19"]
    assert stage.kept_cents() == 10000
    truth.check(stage)


def leave_owing(stage: Stage) -> None:
    """Her second month bounced, she left, and has come back owing it; it is 19 April, and she is out."""
    stage.bank(reach_debit(stage), "failed", "AM04")
    stage.work()
    cancel(stage, ANNA)
    stage.advance(days=50)
    assert reactivate(stage, ANNA) is not None
    stage.work()


def test_who_comes_back_owing_and_is_given_time_is_in_at_once_and_pays_no_month_without_access(
    stage: Stage,
) -> None:
    leave_owing(stage)
    charge_id, until = stage.charges(ANNA)[1].id, date(2026, 4, 26)
    decide(stage, lambda tx, now: debts.extend(tx, charge_id, until, "owner", now))
    assert stage.has_access(ANNA)
    stage.advance(days=3)
    stage.pay_by_link(stage.charges(ANNA)[1])
    stay_in(stage, 20)
    assert state(stage) is S.ACTIVE
    assert starts(stage) == ["2026-01-31", "2026-04-19"]
    assert stage.kept_cents() == 10000
    truth.check(stage)


def test_who_comes_back_owing_and_lets_the_time_she_is_given_pass_is_out_again(stage: Stage) -> None:
    leave_owing(stage)
    charge_id, until = stage.charges(ANNA)[1].id, date(2026, 4, 26)
    decide(stage, lambda tx, now: debts.extend(tx, charge_id, until, "owner", now))
    stage.advance(days=8)
    assert state(stage) is S.SUSPENDED
    assert not stage.has_access(ANNA)
    stage.advance(days=40)
    stage.pay_by_link(stage.charges(ANNA)[1])
    stay_in(stage, 20)
    assert stage.kept_cents() == 10000
    truth.check(stage)


def test_a_month_that_is_let_go_of_after_coming_back_without_a_mandate_is_given(stage: Stage) -> None:
    leave_and_be_gone(stage)
    lose_mandate(stage)
    to_pay = reactivate(stage, ANNA)
    assert to_pay is not None
    decide(stage, lambda tx, now: debts.write_off(tx, to_pay, "owner", now, ends=False))
    stay_in(stage, 32)
    stage.pay_by_link(stage.charges(ANNA)[-1])
    assert (state(stage), stage.charges(ANNA)[-1].state) == (S.ACTIVE, ChargeState.PAID)
    assert stage.has_access(ANNA)
    truth.check(stage)


def taken_back_and_gone(stage: Stage) -> None:
    """The second month is paid, the first one is taken back, and her owner let her go at once."""
    set_policy(stage, refund_unused_days=False)
    stage.bank(reach_debit(stage), "paid")
    stage.advance(days=10)
    charge_back(stage, stage.mollie_ids(stage.charges(ANNA)[0].id)[0])
    stage.work()
    cancel(stage, ANNA, CancelMode.NOW, actor="owner")


def test_paid_days_that_are_left_make_nobody_one_who_owes_nothing(stage: Stage) -> None:
    taken_back_and_gone(stage)
    stage.advance(days=1)
    assert reactivate(stage, ANNA) is None
    assert state(stage) is S.PAST_DUE
    stage.advance(days=3)
    assert state(stage) is S.SUSPENDED
    assert stage.has_access(ANNA), "by the month that is paid"
    stage.pay_by_link(stage.charges(ANNA)[0])
    assert state(stage) is S.ACTIVE
    stage.advance(days=30)
    assert len(stage.charges(ANNA)) == 3
    truth.check(stage)


def test_with_paid_days_left_and_grace_over_the_old_debt_is_to_be_paid_first(stage: Stage) -> None:
    taken_back_and_gone(stage)
    stage.advance(days=5)
    assert reactivate(stage, ANNA) == stage.charges(ANNA)[0].id
    stage.work()
    assert state(stage) is S.SUSPENDED
    assert stage.has_access(ANNA)
    stage.pay_by_link(stage.charges(ANNA)[0])
    stay_in(stage, 40)
    assert state(stage) is S.ACTIVE
    truth.check(stage)


def test_before_the_end_a_debt_whose_grace_is_over_is_to_be_paid_first(stage: Stage) -> None:
    stage.bank(reach_debit(stage), "failed", "AM04")
    stage.work()
    cancel(stage, ANNA)
    stage.advance(days=17)
    assert reactivate(stage, ANNA) == stage.charges(ANNA)[1].id
    assert state(stage) is S.SUSPENDED
    stage.pay_by_link(stage.charges(ANNA)[1])
    assert state(stage) is S.ACTIVE
    assert stage.has_access(ANNA)
    truth.check(stage)


def test_what_nobody_asks_for_any_more_is_no_debt_when_a_cancellation_is_taken_back(stage: Stage) -> None:
    stage.bank(reach_debit(stage), "failed", "AM04")
    stage.advance(days=5, hours=2)
    cancel(stage, ANNA, CancelMode.NOW, actor="owner")
    stage.work()
    stage.bank(stage.mollie_ids(stage.charges(ANNA)[1].id)[-1], "failed", "AM04")
    stage.advance(days=30)
    assert stage.charges(ANNA)[1].state is ChargeState.VOID
    reactivate(stage, ANNA)
    stage.advance(days=20)
    cancel(stage, ANNA)
    undo(stage, ANNA)
    assert state(stage) is S.ACTIVE
    stage.advance(days=60)
    assert len(stage.charges(ANNA)) == 5
    truth.check(stage)


def test_a_mandate_that_was_refused_for_good_is_none_when_she_comes_back(stage: Stage) -> None:
    debit = reach_debit(stage)
    stage.bank(debit, "paid")
    stage.advance(days=3)
    stage.sandbox.call("POST", f"/_sandbox/payments/{debit}/chargebacks", {"reason": "MD06"})
    stage.work()
    owed = stage.charges(ANNA)[1].id
    decide(stage, lambda tx, now: debts.write_off(tx, owed, "owner", now, ends=True))
    stage.advance(days=40)
    assert reactivate(stage, ANNA) == stage.charges(ANNA)[-1].id
    stage.advance(days=10)
    assert not stage.has_access(ANNA)
    stage.pay_by_link(stage.charges(ANNA)[-1])
    stay_in(stage, 40)
    truth.check(stage)


def test_a_debit_that_is_honoured_is_not_asked_for_again(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.advance(days=29)
    cancel(stage, ANNA, CancelMode.NOW, actor="owner")
    assert reactivate(stage, ANNA) is None
    stage.advance(days=29)
    assert starts(stage) == ["2026-01-31", "2026-02-28"]
    stage.advance(days=3)
    assert starts(stage)[2:] == ["2026-03-31"]
    truth.check(stage)


def test_while_a_debit_is_being_stopped_coming_back_waits(stage: Stage) -> None:
    set_policy(stage, running_debit_on_cancel="refund")
    stage.buy(ANNA)
    stage.advance(days=29)
    cancel(stage, ANNA, CancelMode.NOW, actor="owner")
    assert refused(stage) == "debit_running"
    stage.work()
    assert reactivate(stage, ANNA) is None
    stage.advance(days=20)
    assert starts(stage)[-1] == "2026-03-01"
    assert stage.kept_cents() == 10000


def refused(stage: Stage) -> str:
    with pytest.raises(Conflict) as why:
        reactivate(stage, ANNA)
    return why.value.code


def test_what_runs_or_never_began_cannot_come_back(stage: Stage) -> None:
    stage.begin(ANNA)
    assert refused(stage) == "nothing_to_reactivate"
    stage.buy(ANNA)
    assert refused(stage) == "already_running"
    stage.buy("bea@example.com", "once")
    with stage.database.write() as tx, pytest.raises(Conflict):
        reactivation.reactivate(
            tx, stage.subscription("bea@example.com").id, given=None, actor="owner", now=stage.clock.now()
        )


def test_who_bought_it_anew_or_is_blocked_or_withdrew_is_told_so(stage: Stage) -> None:
    leave_and_be_gone(stage)
    gone = stage.subscription(ANNA)
    with stage.database.write() as tx:
        blocks.block(tx, gone.member_id, reason="abuse", actor="owner", now=stage.clock.now())
    assert refused(stage) == "blocked"
    with stage.database.write() as tx:
        blocks.unblock(tx, gone.member_id, actor="owner", now=stage.clock.now())
        now = stage.clock.now()
        done = Withdrawal(
            site_id=gone.site_id, token="t", subscription_id=gone.id, email=ANNA, statement="I withdraw",
            received_at=now, proven_at=now, done_at=now, created_at=now,
        )  # fmt: skip
        tx.add(done)
        tx.flush()
        number = done.id
    assert refused(stage) == "withdrawn"
    with stage.database.write() as tx:
        tx.delete(tx.get_one(Withdrawal, number))
        tx.get_one(Plan, plan_id(stage, "monthly")).archived_at = stage.clock.now()
    assert refused(stage) == "plan_archived"


def test_a_member_agrees_before_she_is_charged_again(stage: Stage) -> None:
    leave_and_be_gone(stage)
    with stage.database.write() as tx, pytest.raises(InputError) as why:
        reactivation.reactivate(
            tx, stage.subscription(ANNA).id, given=None, actor="member", now=stage.clock.now()
        )
    assert why.value.code == "consent_missing"
    assert state(stage) is S.ENDED
    assert stage.subscription(ANNA).cancel_on == date(2026, 2, 28)
