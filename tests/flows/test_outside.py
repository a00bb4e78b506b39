"""Money that came past Mollie, as an owner says: it counts, it can be taken back, and it is not Mollie's."""

from datetime import date

import pytest

from linkpay.domain.charge import ChargeState
from linkpay.domain.leaving import CancelMode
from linkpay.domain.subscription import SubscriptionState
from linkpay.errors import Conflict, InputError, NotFound
from linkpay.services import debts, refunds, timeline
from linkpay.services.attention.items import open_items
from linkpay.store.tables import Attention
from tests.flows import plans, truth
from tests.flows.plans import YEAR, add_plan, cancel, reactivate
from tests.flows.stage import Stage
from tests.flows.test_debits import ANNA, debits, reach_debit
from tests.flows.test_dunning import bounce, decide


def note(stage: Stage, charge_id: int, cents: int | None = None) -> str:
    """The owner says that it was paid in cash; its reference."""
    with stage.database.write() as tx:
        ref = debts.paid_outside(tx, charge_id, cents, "in cash", "owner", stage.clock.now())
    stage.work()
    return ref


def undo(stage: Stage, ref: str) -> None:
    decide(stage, lambda tx, now: debts.undo_outside(tx, stage.shop.site_id, ref, "owner", now))


def test_a_month_paid_in_cash_is_a_month_paid(stage: Stage) -> None:
    note(stage, bounce(stage))
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    assert stage.charges(ANNA)[1].state is ChargeState.PAID
    stage.advance(days=20)
    assert stage.has_access(ANNA)
    assert debits(stage) == 1, "no more tries"
    stage.advance(days=20)
    assert [charge.state for charge in stage.charges(ANNA)] == [ChargeState.PAID] * 3
    truth.check(stage)


def test_who_was_shut_out_begins_anew_with_the_day_she_paid(stage: Stage) -> None:
    charge_id = bounce(stage, "MD01")
    stage.advance(days=40)
    assert not stage.has_access(ANNA)
    note(stage, charge_id)
    assert stage.has_access(ANNA)
    stage.advance(days=25)
    assert stage.has_access(ANNA)
    assert len(stage.charges(ANNA)) == 2
    truth.check(stage)


def test_of_a_part_that_came_outside_only_the_rest_is_asked_for(stage: Stage) -> None:
    charge_id = bounce(stage)
    note(stage, charge_id, 2000)
    assert stage.charges(ANNA)[1].asked_cents == 3000
    stage.pay_by_link(stage.charges(ANNA)[1])
    assert stage.kept_cents() == 5000 + 3000
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    truth.check(stage)


def test_money_that_did_not_come_after_all_is_owed_again_and_asked_for(stage: Stage) -> None:
    ref = note(stage, bounce(stage))
    stage.advance(days=2)
    for _ in range(2):
        undo(stage, ref)
    assert stage.charges(ANNA)[1].state is ChargeState.FAILED
    assert stage.subscription(ANNA).state is SubscriptionState.PAST_DUE
    assert "toch niet binnengekomen" in stage.mailer.letters[-1].text
    stage.advance(days=20)
    assert stage.charges(ANNA)[1].state is ChargeState.PAID, "debited again, as after any soft failure"
    truth.check(stage)


def test_a_debit_that_runs_meanwhile_and_is_paid_goes_back_by_itself(stage: Stage) -> None:
    debit = reach_debit(stage)
    note(stage, stage.charges(ANNA)[1].id)
    stage.bank(debit, "paid")
    stage.advance(hours=1)
    assert stage.charges(ANNA)[1].refunded_cents == 5000
    assert stage.mail_kinds().count("paid_twice") == 1
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    truth.check(stage)


def test_a_debit_that_bounces_after_it_was_paid_in_cash_starts_nothing(stage: Stage) -> None:
    debit = reach_debit(stage)
    note(stage, stage.charges(ANNA)[1].id)
    stage.bank(debit, "failed", "AM04")
    stage.work()
    assert stage.charges(ANNA)[1].state is ChargeState.PAID
    assert "payment_failed" not in stage.mail_kinds()
    truth.check(stage)


@pytest.mark.parametrize(("cents", "code"), [(0, "outside_amount"), (5001, "outside_amount")])
def test_no_more_than_is_owed_can_have_come(stage: Stage, cents: int, code: str) -> None:
    charge_id = bounce(stage)
    with pytest.raises(InputError) as refused:
        note(stage, charge_id, cents)
    assert refused.value.code == code


def test_what_is_paid_cannot_be_paid_outside_and_what_is_not_noted_cannot_be_undone(stage: Stage) -> None:
    charge_id = bounce(stage)
    note(stage, charge_id)
    with pytest.raises(Conflict):
        note(stage, charge_id)
    with pytest.raises(NotFound):
        undo(stage, "outside:nothing")


def test_a_refund_cannot_send_back_by_mollie_what_never_came_by_mollie(stage: Stage) -> None:
    charge_id = bounce(stage)
    note(stage, charge_id)
    with pytest.raises(Conflict) as refused:
        decide(stage, lambda tx, now: refunds.order(tx, charge_id, 1000, "gift", "owner", now))
    assert refused.value.code == "refund_too_much"


def test_the_timeline_shows_who_noted_and_who_took_back_how_much(stage: Stage) -> None:
    ref = note(stage, bounce(stage))
    undo(stage, ref)
    with stage.database.read() as tx:
        found = timeline.of(tx, ANNA)
    noted = [
        (moment.what, moment.who, moment.amount_cents) for moment in found.moments if "outside" in moment.what
    ]
    (money,) = found.money
    assert (money.outside_cents, money.kept_cents) == (0, 5000)
    assert noted == [("outside", "owner", 5000), ("outside_undone", "owner", -5000)]


# Sent back by who got it ----------------------------------------------------------------------------


def asked_to_send(stage: Stage) -> list[int]:
    """What the attention list asks somebody to send, in cents."""
    with stage.database.read() as tx:
        items, _ = open_items(tx, stage.shop.site_id, "en")
        assert all(ANNA in item.happened and "paid past Mollie" in item.happened for item in items)
        return [int(one.data["cents"]) for one in tx.query(Attention).filter_by(kind="refund")]


@pytest.mark.parametrize("in_cash", [None, 20000])
def test_unused_days_of_a_year_paid_in_cash_are_for_a_person_to_send(
    stage: Stage, in_cash: int | None
) -> None:
    add_plan(stage, "yearly", 36500, YEAR)
    stage.buy(ANNA, "yearly")
    stage.advance(days=366)
    charge = stage.charges(ANNA)[1]
    stage.bank(stage.mollie_ids(charge.id)[0], "failed", "AC04")
    stage.work()
    note(stage, charge.id, in_cash)
    if in_cash is not None:
        stage.pay_by_link(stage.charges(ANNA)[1])
    stage.advance(days=40)
    leaving = cancel(stage, ANNA)
    assert cancel(stage, ANNA).refund_cents == 0, "pressed again"
    stage.advance(days=3)
    assert leaving.refund_cents == 30600
    by_mollie = 0 if in_cash is None else 36500 - in_cash
    assert asked_to_send(stage) == [leaving.refund_cents - by_mollie]


def test_what_a_second_end_gives_back_is_asked_for_on_top(stage: Stage) -> None:
    note(stage, bounce(stage))
    stage.advance(days=2)
    first = cancel(stage, ANNA, CancelMode.DATE, date(2026, 3, 20), actor="owner").refund_cents
    reactivate(stage, ANNA)
    second = cancel(stage, ANNA, CancelMode.NOW, actor="owner").refund_cents
    had = round(5000 * 3 / 31)
    assert first + second == 5000 - had
    assert min(first, second) > 0
    assert asked_to_send(stage) == [first + second]


def test_days_paid_in_cash_while_their_debit_runs_go_back_once(stage: Stage) -> None:
    add_plan(stage, "yearly", 36500, YEAR)
    debit = plans.reach_debit(stage, "yearly")
    note(stage, stage.charges(ANNA)[1].id)
    leaving = cancel(stage, ANNA)
    stage.bank(debit, "paid")
    stage.advance(days=3)
    assert leaving.refund_cents == 36500 - 2800
    assert asked_to_send(stage) == [leaving.refund_cents]
    assert stage.kept_cents() == 36500, "the first year"


def test_cash_in_the_place_of_a_debit_that_was_paid_and_failed_is_asked_for_once(stage: Stage) -> None:
    debit = reach_debit(stage)
    stage.bank(debit, "paid")
    stage.work()
    stage.bank(debit, "failed", "AM04")
    stage.work()
    note(stage, stage.charges(ANNA)[1].id)
    stage.advance(days=2)
    first = cancel(stage, ANNA, CancelMode.DATE, date(2026, 3, 20), actor="owner").refund_cents
    reactivate(stage, ANNA)
    second = cancel(stage, ANNA, CancelMode.NOW, actor="owner").refund_cents
    assert min(first, second) > 0
    assert asked_to_send(stage) == [first + second]
    assert first + second < 5000
