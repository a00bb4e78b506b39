"""The last days of who leaves: moved, owed, and those of a course that is paid whole after all."""

from datetime import date

import pytest

from linkpay.domain.charge import ChargeState
from linkpay.domain.leaving import CancelMode
from linkpay.domain.subscription import SubscriptionState
from linkpay.services import debts, membership
from tests.flows import truth
from tests.flows.plans import YEAR, add_plan, cancel, reach_debit, stay_in, switch
from tests.flows.stage import Stage
from tests.flows.test_dunning import decide
from tests.flows.test_invariants import check

ANNA = "anna@example.com"
S = SubscriptionState


def state(stage: Stage) -> SubscriptionState:
    return stage.subscription(ANNA).state


def test_who_leaves_later_and_owes_is_not_let_in_anew_when_the_next_period_would_begin(stage: Stage) -> None:
    debit = reach_debit(stage)
    cancel(stage, ANNA, CancelMode.DATE, date(2026, 8, 31), actor="owner")
    stage.bank(debit, "failed", "AC04")
    stage.advance(days=32, hours=5)  # grace was over on 14 March, and it is 1 April
    assert len(stage.charges(ANNA)) == 2
    assert not stage.has_access(ANNA)
    assert check(stage) == []
    stage.pay_by_link(stage.charges(ANNA)[1])
    stage.advance(days=1)
    assert stage.has_access(ANNA)
    truth.check(stage)


def test_who_leaves_on_a_later_day_is_told_that_access_stays_for_all_that_is_collected(stage: Stage) -> None:
    stage.buy(ANNA)
    assert (
        str(cancel(stage, ANNA, CancelMode.DATE, date(2026, 3, 10)).access_until)
        == "2026-03-09 23:00:00+00:00"
    )
    stage.advance(days=32)
    assert stage.charges(ANNA)[-1].ends_on == date(2026, 3, 10)
    with stage.database.read() as tx:
        told = membership.preview_cancel(
            tx, stage.subscription(ANNA).id, CancelMode.DATE, date(2026, 5, 12), stage.clock.now()
        )
    assert str(told.access_until) == "2026-05-11 22:00:00+00:00"
    assert told == cancel(stage, ANNA, CancelMode.DATE, date(2026, 5, 12))
    stay_in(stage, 60)
    truth.check(stage)


def test_what_may_not_be_asked_for_before_the_last_day_is_not_foretold_and_never_asked_for(
    stage: Stage,
) -> None:
    add_plan(stage, "yearly", 36500, YEAR)
    stage.buy(ANNA, "weekly")
    stage.advance(days=5)
    switch(stage, ANNA, "yearly", at_once=True, actor="owner")  # which she has to be told of two days before
    stage.work()
    cancel(stage, ANNA, CancelMode.DATE, date(2026, 2, 6))
    stage.work()
    truth.check(stage)
    stage.advance(days=20)
    assert len(stage.charges(ANNA)) == 1
    truth.check(stage)


def test_a_last_day_that_moves_behind_a_short_period_is_charged_for_without_a_gap(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.advance(days=5)
    cancel(stage, ANNA, CancelMode.DATE, date(2026, 3, 15), actor="owner")
    stage.advance(days=30)  # 28 February to 15 March was charged
    again = cancel(stage, ANNA, CancelMode.PERIOD_END, actor="owner")
    assert again.ends_on == date(2026, 3, 15)
    later = cancel(stage, ANNA, CancelMode.DATE, date(2026, 4, 30), actor="owner")
    assert later.last_charge_on == date(2026, 4, 15)
    stay_in(stage, 53)
    assert [(str(one.starts_on), str(one.ends_on)) for one in stage.charges(ANNA)[1:]] == [
        ("2026-02-28", "2026-03-15"), ("2026-03-15", "2026-04-15"), ("2026-04-15", "2026-04-30"),
    ]  # fmt: skip
    stage.advance(days=2)
    assert (state(stage), stage.has_access(ANNA)) == (S.ENDED, False)
    truth.check(stage)


def test_a_course_that_ends_with_what_is_charged_is_hers_once_its_last_term_is_paid(stage: Stage) -> None:
    stage.buy(ANNA, "terms")
    stage.advance(days=60)
    assert stage.charges(ANNA)[2].state is ChargeState.COLLECTING
    leaving = cancel(stage, ANNA, actor="owner")
    assert (leaving.ends_on, leaving.last_charge_on) == (stage.charges(ANNA)[2].ends_on, None)
    stay_in(stage, 9)
    assert (state(stage), stage.kept_cents()) == (S.COMPLETED, 30000)
    stay_in(stage, 60)
    truth.check(stage)


def test_a_course_whose_last_term_bounces_ends_with_the_days_that_were_charged(stage: Stage) -> None:
    stage.buy(ANNA, "terms")
    stage.advance(days=60)
    cancel(stage, ANNA, actor="owner")
    last = stage.charges(ANNA)[2]
    stage.bank(stage.mollie_ids(last.id)[0], "failed", "AC04")
    stage.advance(days=31)
    assert (state(stage), stage.has_access(ANNA)) == (S.ENDED, False)
    truth.check(stage)


@pytest.mark.parametrize("term", [1, 2])
def test_a_course_of_which_a_term_was_let_go_of_is_hers_once_the_others_are_paid(
    stage: Stage, term: int
) -> None:
    stage.buy(ANNA, "terms")
    stage.advance(days=30 * term)
    owed = stage.charges(ANNA)[term]
    stage.bank(stage.mollie_ids(owed.id)[0], "failed", "AM04")
    stage.work()
    decide(stage, lambda tx, now: debts.write_off(tx, owed.id, "owner", now, ends=False))
    stay_in(stage, 200)
    assert (state(stage), stage.kept_cents()) == (S.COMPLETED, 20000)
    truth.check(stage)
