"""Switching to another plan: at once with credit for unused days, or with the next period."""

from datetime import date, timedelta

import pytest

from linkpay.domain.charge import ChargeState
from linkpay.domain.subscription import SubscriptionState
from linkpay.errors import Conflict, InputError, NotFound
from linkpay.services import debts, switching
from linkpay.services.consent import Yes
from linkpay.store import agreements
from linkpay.store.tables import Consent, Coupon, Plan, Redemption
from tests.flows import truth
from tests.flows.plans import YEAR, add_plan, cancel, pause, plan_id, reach_debit, set_policy, stay_in, switch
from tests.flows.stage import Stage
from tests.flows.test_dunning import decide

ANNA = "anna@example.com"
S = SubscriptionState


def asked(stage: Stage) -> list[tuple[str, int]]:
    return [(str(charge.starts_on), charge.amount_cents) for charge in stage.charges(ANNA)]


def credit(stage: Stage) -> int:
    with stage.database.read() as tx:
        return agreements.credit_cents(tx, stage.subscription(ANNA).id)


def use_coupon(stage: Stage, *plans: str) -> None:
    """Give Anna half off, for ever."""
    with stage.database.write() as tx:
        now, site_id = stage.clock.now(), stage.shop.site_id
        coupon = Coupon(
            site_id=site_id, code="HALF", kind="percent", value=5000, duration="forever",
            plan_slugs=list(plans), created_at=now,
        )  # fmt: skip
        tx.add(coupon)
        tx.flush()
        tx.add(
            Redemption(
                site_id=site_id, coupon_id=coupon.id, subscription_id=stage.subscription(ANNA).id,
                kind="percent", value=5000, duration="forever", counted_at=now, created_at=now,
            )
        )  # fmt: skip


# With the next period -------------------------------------------------------------------------------


def test_a_switch_for_later_begins_with_the_next_period(stage: Stage) -> None:
    add_plan(stage, "yearly", 50000, YEAR)
    stage.buy(ANNA)
    decided = switch(stage, ANNA, "yearly")
    assert (decided.begins_on, decided.credit_cents, decided.due_now_cents) == (date(2026, 2, 28), 0, 0)
    assert (decided.next_charge_on, decided.next_cents) == (date(2026, 2, 28), 50000)
    stage.advance(days=27)
    assert asked(stage) == [("2026-01-31", 5000)]
    stay_in(stage, 20)
    assert asked(stage) == [("2026-01-31", 5000), ("2026-02-28", 50000)]
    stage.advance(days=355)
    assert asked(stage)[2:] == [("2027-02-28", 50000)]
    assert stage.mail_kinds().count("switched") == 1
    truth.check(stage)


def test_choosing_the_same_plan_twice_is_choosing_it_once_and_can_be_taken_back(stage: Stage) -> None:
    stage.buy(ANNA)
    assert switch(stage, ANNA, "weekly") == switch(stage, ANNA, "weekly")
    for _ in range(2):
        with stage.database.write() as tx:
            switching.undo_switch(tx, stage.subscription(ANNA).id, "member", stage.clock.now())
    stage.advance(days=40)
    assert asked(stage) == [("2026-01-31", 5000), ("2026-02-28", 5000)]
    assert stage.mail_kinds().count("switched") == 1


def test_no_more_is_asked_than_was_agreed_to(stage: Stage) -> None:
    plan = add_plan(stage, "yearly", 50000, YEAR)
    stage.buy(ANNA)
    switch(stage, ANNA, "yearly")
    with stage.database.write() as tx:
        tx.get_one(Plan, plan).amount_cents = 60000
    stage.advance(days=29)
    assert asked(stage)[-1] == ("2026-02-28", 50000)


def test_what_she_agreed_to_and_took_back_does_not_bind_a_later_choice_of_the_owner(stage: Stage) -> None:
    number = add_plan(stage, "yearly", 50000, YEAR)
    stage.buy(ANNA)
    switch(stage, ANNA, "yearly")
    with stage.database.write() as tx:
        switching.undo_switch(tx, stage.subscription(ANNA).id, "member", stage.clock.now())
        tx.get_one(Plan, number).amount_cents = 60000
    told = switch(stage, ANNA, "yearly", actor="owner").next_cents
    stage.advance(days=29)
    assert asked(stage)[-1] == ("2026-02-28", 60000) == ("2026-02-28", told)


# At once --------------------------------------------------------------------------------------------


def test_a_switch_at_once_credits_unused_days_and_begins_today(stage: Stage) -> None:
    add_plan(stage, "yearly", 50000, YEAR)
    stage.buy(ANNA)
    stage.advance(days=14)
    decided = switch(stage, ANNA, "yearly", at_once=True)
    assert decided.credit_cents == 2500
    assert (decided.begins_on, decided.due_now_cents) == (date(2026, 2, 14), 47500)
    assert (decided.next_charge_on, decided.next_cents) == (date(2027, 2, 14), 50000)
    stay_in(stage, 20)
    assert asked(stage) == [("2026-01-31", 5000), ("2026-02-14", 47500)]
    assert stage.charges(ANNA)[-1].state is ChargeState.PAID
    assert credit(stage) == 0
    stage.advance(days=350)
    assert asked(stage)[2:] == [("2027-02-14", 50000)]
    truth.check(stage)


def test_the_preview_says_to_the_cent_what_the_switch_then_does(stage: Stage) -> None:
    add_plan(stage, "yearly", 50000, YEAR)
    stage.buy(ANNA)
    stage.advance(days=11)
    with stage.database.read() as tx:
        told = switching.preview_switch(
            tx, stage.subscription(ANNA).id, plan_id(stage, "yearly"), at_once=True, now=stage.clock.now()
        )
    assert switch(stage, ANNA, "yearly", at_once=True) == told
    assert asked(stage)[-1][1] == told.due_now_cents
    with stage.database.read() as tx:
        consent = tx.query(Consent).filter_by(kind="switch").one()
    assert consent.data["due_now_cents"] == told.due_now_cents


def test_what_credit_remains_pays_later_charges(stage: Stage) -> None:
    add_plan(stage, "yearly", 18250, YEAR)
    stage.buy(ANNA, "yearly")
    stage.advance(days=59)
    decided = switch(stage, ANNA, "monthly", at_once=True)
    assert (decided.credit_cents, decided.due_now_cents, decided.next_cents) == (15300, 0, 0)
    assert credit(stage) == 10300
    stage.advance(days=125)
    assert asked(stage)[1:] == [
        ("2026-03-31", 0), ("2026-04-30", 0), ("2026-05-31", 0), ("2026-06-30", 4700), ("2026-07-31", 5000),
    ]  # fmt: skip
    assert stage.has_access(ANNA)
    truth.check(stage)


def test_credit_is_worth_days_again_when_she_switches_back(stage: Stage) -> None:
    add_plan(stage, "yearly", 18250, YEAR)
    stage.buy(ANNA, "yearly")
    stage.advance(days=59)
    switch(stage, ANNA, "monthly", at_once=True)
    stage.advance(days=15)
    decided = switch(stage, ANNA, "yearly", at_once=True)
    # Fifteen of the thirty days of a month that credit had paid.
    assert decided.credit_cents == 2500
    assert decided.due_now_cents == 18250 - 10300 - 2500


def test_without_credit_the_days_are_lost(stage: Stage) -> None:
    set_policy(stage, switch_credit="none")
    add_plan(stage, "yearly", 50000, YEAR)
    stage.buy(ANNA)
    stage.advance(days=14)
    decided = switch(stage, ANNA, "yearly", at_once=True)
    assert (decided.credit_cents, decided.due_now_cents) == (0, 50000)


def test_a_switch_whose_debit_bounces_is_helped_like_any_other(stage: Stage) -> None:
    add_plan(stage, "yearly", 50000, YEAR)
    stage.buy(ANNA)
    stage.advance(days=14)
    switch(stage, ANNA, "yearly", at_once=True)
    stage.work()
    charge = stage.charges(ANNA)[-1]
    stage.bank(stage.mollie_ids(charge.id)[0], "failed", "MD01")
    stage.work()
    assert stage.subscription(ANNA).state is S.PAST_DUE
    stage.advance(days=5)
    stage.pay_by_link(charge)
    assert stage.subscription(ANNA).state is S.ACTIVE
    assert stage.has_access(ANNA)
    truth.check(stage)


def test_days_that_became_credit_are_not_sent_back_as_well(stage: Stage) -> None:
    add_plan(stage, "yearly", 18250, YEAR)
    stage.buy(ANNA, "yearly")
    stage.advance(days=59)
    switch(stage, ANNA, "monthly", at_once=True)
    assert cancel(stage, ANNA, actor="owner").refund_cents == 0


def test_credit_that_nothing_uses_any_more_goes_back_when_she_leaves(stage: Stage) -> None:
    add_plan(stage, "yearly", 18250, YEAR)
    stage.buy(ANNA, "yearly")
    stage.advance(days=59)
    switch(stage, ANNA, "monthly", at_once=True)
    stage.advance(days=5)
    leaving = cancel(stage, ANNA)
    assert (leaving.refund_cents, leaving.credit_cents) == (0, 10300)
    stage.advance(days=40)
    assert stage.kept_cents() == 18250 - 10300
    assert credit(stage) == 0
    assert not stage.has_access(ANNA)
    truth.check(stage)


def test_a_new_minimum_term_counts_from_the_switch(stage: Stage) -> None:
    add_plan(stage, "bound", 8000, minimum_periods=3)
    stage.buy(ANNA)
    stage.advance(days=14)
    assert switch(stage, ANNA, "bound", at_once=True).bound_until == date(2026, 5, 14)
    assert stage.subscription(ANNA).bound_until == date(2026, 5, 14)


# Refused --------------------------------------------------------------------------------------------


def code(stage: Stage, plan: str, **how: bool | str) -> str:
    with pytest.raises(Conflict) as refused:
        switch(stage, ANNA, plan, **how)  # type: ignore[arg-type]
    return refused.value.code


def test_during_a_running_debit_a_switch_at_once_waits_and_one_for_later_does_not(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.advance(days=29)
    assert stage.running_debits(ANNA) == 1
    assert code(stage, "weekly", at_once=True) == "debit_running"
    assert switch(stage, ANNA, "weekly").begins_on == date(2026, 3, 31)


def test_a_switch_at_once_waits_for_the_debit_of_a_charge_that_was_let_go_of_as_well(stage: Stage) -> None:
    debit = reach_debit(stage)
    charge = stage.charges(ANNA)[1]
    decide(stage, lambda tx, now: debts.write_off(tx, charge.id, "owner", now, ends=False))
    assert code(stage, "weekly", at_once=True, actor="owner") == "debit_running"
    stage.bank(debit, "paid")
    stage.work()
    assert switch(stage, ANNA, "weekly", at_once=True).credit_cents > 0
    stage.advance(days=3)
    truth.check(stage)


def test_what_cannot_be_is_refused_by_name(stage: Stage) -> None:
    archived = add_plan(stage, "old", 4000, archived_at=stage.clock.now())
    add_plan(stage, "dollars", 4000, currency="USD")
    stage.buy(ANNA)
    assert code(stage, "monthly") == "same_plan"
    assert code(stage, "dollars") == "other_currency"
    assert code(stage, "terms") == "not_a_membership"
    with stage.database.write() as tx, pytest.raises(Conflict) as refused:
        switching.switch(
            tx, stage.subscription(ANNA).id, archived, at_once=False, given=Yes("yes", "nl"),
            actor="member", now=stage.clock.now(),
        )  # fmt: skip
    assert refused.value.code == "plan_archived"
    pause(stage, ANNA, date(2026, 4, 1))
    stage.advance(days=30)
    assert code(stage, "weekly") == "paused"


def test_who_owes_or_leaves_cannot_switch(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.advance(days=28)
    stage.bank(stage.mollie_ids(stage.charges(ANNA)[1].id)[0], "failed", "AM04")
    stage.work()
    assert code(stage, "weekly") == "past_due"
    cancel(stage, ANNA)
    assert code(stage, "weekly") == "canceled"


def test_a_minimum_term_can_be_left_for_something_larger_only(stage: Stage) -> None:
    add_plan(stage, "bound", 5000, minimum_periods=6)
    add_plan(stage, "large", 9000)
    add_plan(stage, "small", 4000)
    add_plan(stage, "yearly", 30000, YEAR)
    stage.buy(ANNA, "bound")
    assert code(stage, "small") == "bound"
    assert switch(stage, ANNA, "small", actor="owner").bound_until == date(2026, 7, 31)
    assert switch(stage, ANNA, "yearly").begins_on == date(2026, 2, 28)
    assert switch(stage, ANNA, "large", at_once=True).bound_until == date(2026, 7, 31)


def test_a_member_agrees_first_and_plans_of_other_sites_are_unknown(stage: Stage) -> None:
    stage.buy(ANNA)
    weekly = plan_id(stage, "weekly")
    with stage.on(stage.open_shop("elsewhere", "test_anotherkeyhere")):
        foreign = plan_id(stage, "weekly")
    with stage.database.write() as tx:
        mine = stage.subscription(ANNA).id
        with pytest.raises(InputError) as refused:
            switching.switch(
                tx, mine, weekly, at_once=False, given=Yes(" ", "nl"), actor="member", now=stage.clock.now(),
            )  # fmt: skip
        assert refused.value.code == "consent_missing"
        with pytest.raises(NotFound):
            switching.preview_switch(tx, mine, foreign, at_once=False, now=stage.clock.now())


# What goes along ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plans", "second"), [(("monthly",), 50000), (("monthly", "yearly"), 25000), ((), 25000)]
)
def test_a_coupon_goes_along_where_it_allows_the_new_plan(
    stage: Stage, plans: tuple[str, ...], second: int
) -> None:
    add_plan(stage, "yearly", 50000, YEAR)
    stage.buy(ANNA)
    use_coupon(stage, *plans)
    assert switch(stage, ANNA, "yearly").next_cents == second
    stage.advance(days=29)
    assert asked(stage)[-1] == ("2026-02-28", second)


def test_from_a_trial_the_new_plan_begins_at_its_end_or_at_once(stage: Stage) -> None:
    add_plan(stage, "tried", 5000, trial_days=14, trial_cents=100)
    stage.buy(ANNA, "tried")
    assert switch(stage, ANNA, "monthly").begins_on == date(2026, 2, 14)
    stage.advance(days=7)
    assert switch(stage, ANNA, "weekly", at_once=True).credit_cents == 50
    stay_in(stage, 10)
    assert asked(stage)[:2] == [("2026-01-31", 100), ("2026-02-07", 1450)]
    truth.check(stage)


def test_a_switch_for_later_waits_for_nobody_to_be_at_work(stage: Stage) -> None:
    stage.buy(ANNA)
    switch(stage, ANNA, "weekly")
    stage.clock.advance(timedelta(days=30))
    stage.work()
    assert asked(stage)[1][0] == "2026-02-28"
    truth.check(stage)
