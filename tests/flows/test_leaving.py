"""Leaving: when it ends, what is still charged, what is sent back, and taking it back."""

from datetime import date, timedelta

import pytest

from linkpay.domain.charge import ChargeState
from linkpay.domain.leaving import CancelMode
from linkpay.domain.subscription import SubscriptionState
from linkpay.errors import Conflict, InputError
from linkpay.services import membership
from linkpay.store.tables import Mail, Refund
from tests.flows import truth
from tests.flows.plans import QUARTER, YEAR, add_plan, cancel, reach_debit, set_policy, stay_in, undo
from tests.flows.stage import Stage
from tests.flows.weather import in_between
from workers import jobs

ANNA = "anna@example.com"
S = SubscriptionState


def state(stage: Stage) -> SubscriptionState:
    return stage.subscription(ANNA).state


def refunds(stage: Stage) -> list[tuple[str, int]]:
    with stage.database.read() as tx:
        return [(refund.reason, refund.amount_cents) for refund in tx.query(Refund).order_by(Refund.id)]


# At the end of what is paid -------------------------------------------------------------------------


def test_a_member_who_cancels_keeps_what_she_paid_for_and_is_never_charged_again(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.advance(days=3)
    leaving = cancel(stage, ANNA)
    assert (leaving.ends_on, leaving.refund_cents, leaving.last_charge_on) == (date(2026, 2, 28), 0, None)
    assert str(leaving.access_until) == "2026-02-27 23:00:00+00:00"
    assert state(stage) is S.CANCELING
    stage.advance(days=24)
    assert stage.has_access(ANNA)
    stage.advance(days=1)
    assert state(stage) is S.ENDED
    assert not stage.has_access(ANNA)
    stage.advance(days=60)
    assert len(stage.charges(ANNA)) == 1
    assert stage.kept_cents() == 5000
    assert stage.mail_kinds() == ["welcome", "access_open", "cancel_confirmed", "access_ended"]
    truth.check(stage)


def test_the_preview_says_what_cancelling_then_does(stage: Stage) -> None:
    add_plan(stage, "yearly", 50000, YEAR)
    stage.buy(ANNA, "yearly")
    stage.advance(days=500)
    with stage.database.read() as tx:
        told = membership.preview_cancel(
            tx, stage.subscription(ANNA).id, CancelMode.PERIOD_END, None, stage.clock.now()
        )
    assert cancel(stage, ANNA) == told
    assert told.refund_cents > 0


def test_cancelling_twice_is_cancelling_once(stage: Stage) -> None:
    stage.buy(ANNA)
    first = cancel(stage, ANNA)
    stage.advance(days=2)
    assert cancel(stage, ANNA) == first
    stage.work()
    assert stage.mail_kinds().count("cancel_confirmed") == 1


def test_the_mail_says_when_it_ends_and_how_to_undo_it(stage: Stage) -> None:
    stage.buy(ANNA)
    cancel(stage, ANNA)
    stage.work()
    with stage.database.read() as tx:
        text = tx.query(Mail).filter_by(kind="cancel_confirmed").one().text or ""
    assert "28 februari 2026" in text
    assert "/studio/portal" in text
    assert "terug:" not in text


def test_undone_before_the_day_everything_goes_on_and_nothing_is_charged_twice(stage: Stage) -> None:
    stage.buy(ANNA)
    cancel(stage, ANNA)
    stage.advance(days=27)
    undo(stage, ANNA)
    undo(stage, ANNA)
    assert state(stage) is S.ACTIVE
    stage.advance(days=40)
    assert stage.has_access(ANNA)
    assert [str(charge.starts_on) for charge in stage.charges(ANNA)] == [
        "2026-01-31", "2026-02-28", "2026-03-31",
    ]  # fmt: skip
    assert stage.mail_kinds().count("cancel_undone") == 1
    truth.check(stage)


def test_after_the_day_a_cancellation_cannot_be_undone(stage: Stage) -> None:
    stage.buy(ANNA)
    cancel(stage, ANNA)
    stage.advance(days=28)
    with pytest.raises(Conflict) as refused:
        undo(stage, ANNA)
    assert refused.value.code == "already_over"


def test_what_has_ended_cannot_be_cancelled(stage: Stage) -> None:
    stage.buy(ANNA, "once")
    with pytest.raises(Conflict) as refused:
        cancel(stage, ANNA)
    assert refused.value.code == "nothing_runs"


# A minimum term, and after it -----------------------------------------------------------------------


def test_within_a_minimum_term_it_ends_with_the_term_and_charges_go_on_until_then(stage: Stage) -> None:
    add_plan(stage, "bound", 5000, minimum_periods=3)
    stage.buy(ANNA, "bound")
    stage.advance(days=5)
    leaving = cancel(stage, ANNA)
    assert leaving.bound
    assert (leaving.ends_on, leaving.last_charge_on) == (date(2026, 4, 30), date(2026, 3, 31))
    stage.advance(days=100)
    assert state(stage) is S.ENDED
    assert [charge.state for charge in stage.charges(ANNA)] == [ChargeState.PAID] * 3
    assert not stage.has_access(ANNA)


@pytest.mark.parametrize(
    ("mode", "on", "code"),
    [(CancelMode.NOW, None, "bound"), (CancelMode.DATE, date(2026, 3, 15), "bound")],
)
def test_the_term_binds_the_member_but_not_the_owner(
    stage: Stage, mode: CancelMode, on: date | None, code: str
) -> None:
    set_policy(stage, cancel_at="now")
    add_plan(stage, "bound", 5000, minimum_periods=3)
    stage.buy(ANNA, "bound")
    with pytest.raises(Conflict) as refused:
        cancel(stage, ANNA, mode, on)
    assert refused.value.code == code
    assert cancel(stage, ANNA, mode, on, actor="owner").ends_on < date(2026, 4, 30)


def test_a_renewed_year_ends_within_the_month_and_the_rest_is_sent_back(stage: Stage) -> None:
    add_plan(stage, "yearly", 36500, YEAR, minimum_periods=1)
    stage.buy(ANNA, "yearly")
    stage.advance(days=400)
    assert len(stage.charges(ANNA)) == 2
    leaving = cancel(stage, ANNA)
    assert leaving.ends_on == date(2027, 3, 31)
    assert leaving.refund_cents == 306 * 100
    assert not leaving.bound
    stage.advance(days=10)
    assert refunds(stage) == [("unused_days", 30600)]
    assert stage.kept_cents() == 36500 + 5900
    with pytest.raises(Conflict) as refused:
        undo(stage, ANNA)
    assert refused.value.code == "already_refunded"
    stage.advance(days=30)
    assert state(stage) is S.ENDED
    assert not stage.has_access(ANNA)
    truth.check(stage)


def test_the_first_year_is_what_was_bought_and_runs_out(stage: Stage) -> None:
    add_plan(stage, "yearly", 36500, YEAR)
    stage.buy(ANNA, "yearly")
    stage.advance(days=40)
    leaving = cancel(stage, ANNA)
    assert (leaving.ends_on, leaving.refund_cents) == (date(2027, 1, 31), 0)


def test_a_renewal_debit_under_way_is_sent_back_for_the_days_left_out(stage: Stage) -> None:
    add_plan(stage, "quarterly", 9000, QUARTER)
    debit = reach_debit(stage, "quarterly")
    leaving = cancel(stage, ANNA)
    assert leaving.ends_on == date(2026, 5, 30)
    stage.bank(debit, "paid")
    stage.advance(hours=1)
    assert refunds(stage) == [("unused_days", leaving.refund_cents)]
    stage.advance(days=60)
    assert state(stage) is S.ENDED
    truth.check(stage)


def test_notice_makes_the_last_period_as_short_as_the_notice_asks_and_as_cheap(stage: Stage) -> None:
    set_policy(stage, cancel_notice_days=31)
    stage.buy(ANNA)
    stage.advance(days=20)
    leaving = cancel(stage, ANNA)
    assert (leaving.ends_on, leaving.last_charge_on) == (date(2026, 3, 23), date(2026, 2, 28))
    stage.advance(days=60)
    last = stage.charges(ANNA)[-1]
    assert (str(last.starts_on), str(last.ends_on)) == ("2026-02-28", "2026-03-23")
    assert last.amount_cents == round(5000 * 23 / 31)
    assert not stage.has_access(ANNA)


def test_undone_within_a_short_last_period_the_next_begins_where_it_ends(stage: Stage) -> None:
    set_policy(stage, cancel_notice_days=31)
    stage.buy(ANNA)
    stage.advance(days=20)
    cancel(stage, ANNA)
    stage.advance(days=20)
    undo(stage, ANNA)
    stay_in(stage, 30)
    assert [str(charge.starts_on) for charge in stage.charges(ANNA)] == [
        "2026-01-31", "2026-02-28", "2026-03-23",
    ]  # fmt: skip


# At once, and on a date -----------------------------------------------------------------------------


def test_a_member_may_stop_at_once_only_where_the_policy_says_so(stage: Stage) -> None:
    stage.buy(ANNA)
    with pytest.raises(Conflict) as refused:
        cancel(stage, ANNA, CancelMode.NOW)
    assert refused.value.code == "not_at_once"
    set_policy(stage, cancel_at="now")
    leaving = cancel(stage, ANNA, CancelMode.NOW)
    stage.advance(hours=1)
    assert state(stage) is S.ENDED
    assert not stage.has_access(ANNA)
    assert leaving.refund_cents == round(5000 * 27 / 28)
    assert stage.kept_cents() == 5000 - leaving.refund_cents
    truth.check(stage)


@pytest.mark.parametrize("pays", [True, False])
def test_a_debit_under_way_is_honoured_and_buys_its_period(stage: Stage, pays: bool) -> None:
    debit = reach_debit(stage)
    leaving = cancel(stage, ANNA, CancelMode.NOW, actor="owner")
    assert leaving.running_debit == "honour"
    stage.work()
    assert stage.has_access(ANNA)
    stage.bank(debit, "paid" if pays else "failed", None if pays else "AM04")
    stage.work()
    assert stage.has_access(ANNA) is pays
    stage.advance(days=29)
    assert stage.has_access(ANNA) is pays
    stage.advance(days=40)
    assert not stage.has_access(ANNA)
    assert state(stage) is S.ENDED
    assert len(stage.bank_view_list()) == 2
    assert stage.kept_cents() == (10000 if pays else 5000)
    assert "payment_failed" not in stage.mail_kinds()
    truth.check(stage)


def test_a_debit_under_way_is_stopped_when_mollie_still_can(stage: Stage) -> None:
    set_policy(stage, running_debit_on_cancel="refund")
    debit = reach_debit(stage)
    cancel(stage, ANNA, CancelMode.NOW, actor="owner")
    stage.work()
    assert stage.status(debit) == "canceled"
    assert not stage.has_access(ANNA)
    stage.advance(days=40)
    assert stage.kept_cents() == 5000
    assert stage.mail_kinds().count("payment_failed") == 0
    truth.check(stage)


def test_a_debit_that_cannot_be_stopped_is_sent_back_when_it_comes_in(stage: Stage) -> None:
    set_policy(stage, running_debit_on_cancel="refund")
    debit = reach_debit(stage)
    in_between(stage, "payments", "cancel_payment", before=lambda: stage.bank(debit, "paid"))
    cancel(stage, ANNA, CancelMode.NOW, actor="owner")
    stage.advance(hours=1)
    assert refunds(stage) == [("canceled", 5000)]
    assert stage.kept_cents() == 5000
    assert not stage.has_access(ANNA)
    truth.check(stage)


def test_a_date_may_be_any_to_come(stage: Stage) -> None:
    stage.buy(ANNA)
    for on in (None, date(2026, 1, 31), date(2026, 1, 1)):
        with pytest.raises(InputError):
            cancel(stage, ANNA, CancelMode.DATE, on)
    leaving = cancel(stage, ANNA, CancelMode.DATE, date(2026, 3, 10))
    assert leaving.last_charge_on == date(2026, 2, 28)
    stage.advance(days=37)
    assert stage.has_access(ANNA)
    stage.advance(days=2)
    assert not stage.has_access(ANNA)
    assert [charge.amount_cents for charge in stage.charges(ANNA)] == [5000, round(5000 * 10 / 31)]


def test_the_owner_sends_the_days_after_her_date_back(stage: Stage) -> None:
    stage.buy(ANNA)
    leaving = cancel(stage, ANNA, CancelMode.DATE, date(2026, 2, 14), actor="owner")
    assert leaving.refund_cents == 2500
    stage.advance(days=15)
    assert not stage.has_access(ANNA)
    assert state(stage) is S.ENDED


# In trouble, in trial, in parts ---------------------------------------------------------------------


def test_a_past_due_member_may_leave_and_is_never_debited_again(stage: Stage) -> None:
    stage.bank(reach_debit(stage), "failed", "AM04")
    stage.work()
    leaving = cancel(stage, ANNA)
    assert leaving.ends_on == date(2026, 3, 31)
    stage.advance(days=60)
    assert state(stage) is S.ENDED
    assert len(stage.mollie_ids(stage.charges(ANNA)[1].id)) == 1
    assert not stage.has_access(ANNA)
    truth.check(stage)


def test_what_she_owes_stays_payable_until_she_is_gone(stage: Stage) -> None:
    stage.bank(reach_debit(stage), "failed", "MD01")
    stage.work()
    cancel(stage, ANNA)
    stage.advance(days=16)
    assert not stage.has_access(ANNA)
    stage.pay_by_link(stage.charges(ANNA)[1])
    assert stage.has_access(ANNA)
    stage.advance(days=20)
    assert state(stage) is S.ENDED
    assert not stage.has_access(ANNA)
    truth.check(stage)


def test_undone_while_something_is_owed_it_is_past_due_again(stage: Stage) -> None:
    stage.bank(reach_debit(stage), "failed", "AM04")
    stage.work()
    cancel(stage, ANNA)
    undo(stage, ANNA)
    assert state(stage) is S.PAST_DUE


def test_undone_after_her_grace_she_is_out_and_is_not_charged_until_she_pays(stage: Stage) -> None:
    stage.bank(reach_debit(stage), "failed", "AM04")
    stage.work()
    cancel(stage, ANNA)
    stage.advance(days=17)
    undo(stage, ANNA)
    assert state(stage) is S.SUSPENDED
    stage.work()
    assert any("Je toegang gaat open zodra betaald is" in one.text for one in stage.mailer.letters)
    stage.advance(days=65)
    stage.pay_by_link(stage.charges(ANNA)[1])
    stage.advance(days=10)
    assert stage.kept_cents() == 10000
    assert stage.has_access(ANNA)
    truth.check(stage)


def test_a_retry_prepared_before_the_cancellation_is_not_sent_after_it(stage: Stage) -> None:
    stage.bank(reach_debit(stage), "failed", "AM04")
    stage.advance(days=4, hours=23)
    stage.clock.advance(timedelta(hours=2))
    for step in stage.jobs("dunning_step"):
        jobs.run(stage.parts, "outbox", step.id)
    assert [row.done_at for row in stage.jobs("send_payment")].count(None) == 1
    cancel(stage, ANNA)
    stage.advance(days=30)
    assert len(stage.mollie_ids(stage.charges(ANNA)[1].id)) == 1


def test_a_trial_that_is_cancelled_ends_with_its_days_and_costs_nothing_more(stage: Stage) -> None:
    add_plan(stage, "tried", 5000, trial_days=14, trial_cents=100, minimum_periods=6)
    stage.buy(ANNA, "tried")
    leaving = cancel(stage, ANNA)
    assert not leaving.bound
    assert (leaving.ends_on, leaving.last_charge_on) == (date(2026, 2, 14), None)
    stage.advance(days=13)
    assert stage.has_access(ANNA)
    stage.advance(days=30)
    assert not stage.has_access(ANNA)
    assert stage.kept_cents() == 100


def test_instalments_are_owed_whole_unless_the_owner_lets_her_go(stage: Stage) -> None:
    stage.buy(ANNA, "terms")
    with pytest.raises(Conflict) as refused:
        cancel(stage, ANNA)
    assert refused.value.code == "instalments_are_owed"
    cancel(stage, ANNA, actor="owner")
    stage.advance(days=90)
    assert len(stage.charges(ANNA)) == 1
    assert not stage.has_access(ANNA)


def test_a_sign_up_that_was_never_paid_is_let_go(stage: Stage) -> None:
    stage.begin(ANNA)
    cancel(stage, ANNA)
    assert state(stage) is S.ENDED
    stage.work()
    assert stage.mail_kinds() == []
