"""Money of a payment that goes back more than once for one reason, and never twice for one decision."""

from datetime import date

import pytest

from linkpay.domain.charge import ChargeState
from linkpay.domain.leaving import CancelMode
from linkpay.domain.subscription import SubscriptionState
from linkpay.services import debts
from linkpay.store import charges
from linkpay.store.tables import Refund
from tests.flows import truth
from tests.flows.plans import cancel, reach_debit, reactivate
from tests.flows.stage import Stage
from tests.flows.test_debits import ANNA
from tests.flows.test_money_back import charge_back, pay_the_link_and_let_the_debit_win_too, reverse


@pytest.fixture(params=["once", "twice"])
def told(request: pytest.FixtureRequest, stage: Stage) -> Stage:
    """A stage on which every message comes once, or twice, and every row is done as often."""
    if request.param == "twice":
        stage.deliveries = lambda posted: [*posted, *posted]
        stage.order = lambda rows: [*rows, *rows]
    return stage


def back(stage: Stage) -> list[tuple[str, int]]:
    with stage.database.read() as tx:
        return [(one.reason, one.amount_cents) for one in tx.query(Refund).order_by(Refund.id)]


def test_unused_days_of_one_payment_go_back_for_each_end_that_cuts_them(told: Stage) -> None:
    told.buy(ANNA)
    told.advance(days=5)
    cancel(told, ANNA, CancelMode.DATE, date(2026, 2, 20), actor="owner")
    told.advance(days=1)
    reactivate(told, ANNA)
    told.advance(days=1)
    assert cancel(told, ANNA, CancelMode.NOW, actor="owner").refund_cents == 2143
    told.advance(days=2)
    assert back(told) == [("unused_days", 1429), ("unused_days:1", 2143)]
    assert told.kept_cents() == 5000 - 1429 - 2143
    truth.check(told)


def test_the_second_end_counts_days_that_are_on_their_way_back_out(told: Stage) -> None:
    told.buy(ANNA)
    told.advance(days=5)
    told.disturb("status:503", "/refunds", count=99)
    cancel(told, ANNA, CancelMode.DATE, date(2026, 2, 20), actor="owner")
    told.advance(hours=1)
    reactivate(told, ANNA)
    assert cancel(told, ANNA, CancelMode.NOW, actor="owner").refund_cents == 2500
    told.calm()
    told.advance(days=2)
    assert sum(cents for _, cents in back(told)) == 1429 + 2500
    assert told.kept_cents() == 5000 - 1429 - 2500
    truth.check(told)


def test_two_surpluses_of_one_payment_both_go_back(told: Stage) -> None:
    debit = reach_debit(told)
    told.bank(debit, "paid")
    told.work()
    taken = charge_back(told, debit)
    told.advance(days=2)
    charge = told.charges(ANNA)[1]
    told.go_pay(charge)
    link = told.mollie_ids(charge.id)[-1]
    with told.database.write() as tx:
        debts.paid_outside(tx, charge.id, 2000, "cash", "owner", told.clock.now())
    told.bank(link, "paid")
    told.advance(days=1)
    assert back(told) == [("paid_twice", 2000)]
    reverse(told, taken)
    told.advance(days=2)
    assert sum(cents for _, cents in back(told)) == 7000
    assert told.mail_kinds().count("paid_twice") == len(back(told))
    told.advance(days=20)
    assert sum(cents for _, cents in back(told)) == 7000


@pytest.mark.parametrize("away", [False, True])
def test_days_sent_back_are_not_sent_again_when_the_bank_takes_and_returns_the_money(
    told: Stage, away: bool
) -> None:
    debit = reach_debit(told)
    cancel(told, ANNA, CancelMode.DATE, date(2026, 3, 15), actor="owner")
    if away:
        told.disturb("status:503", "/refunds", count=99)
    told.bank(debit, "paid")
    told.work()
    ((reason, cents),) = back(told)
    assert reason == "unused_days"
    for _ in range(2):
        reverse(told, charge_back(told, debit))
        told.advance(hours=1)
    told.calm()
    told.advance(days=30)
    assert back(told) == [(reason, cents)]
    assert told.kept_cents() == 10000 - cents


def test_a_surplus_that_mollie_could_not_send_back_stays_with_people(told: Stage) -> None:
    pay_the_link_and_let_the_debit_win_too(told)
    told.advance(minutes=5)
    with told.database.read() as tx:
        (refund,) = tx.query(Refund)
    told.sandbox.call("POST", f"/_sandbox/refunds/{refund.mollie_id}", {"status": "failed"})
    told.advance(days=2)
    assert told.charges(ANNA)[1].money.surplus_cents == 5000
    for one in told.mollie_ids(told.charges(ANNA)[1].id):
        reverse(told, charge_back(told, one))
        told.advance(hours=1)
    assert back(told) == [("paid_twice", 5000)]
    assert told.troubles() == ["refund"]


@pytest.mark.parametrize("known", [False, True])
def test_a_month_is_owed_when_its_bank_takes_one_payment_while_the_other_goes_back(
    told: Stage, known: bool
) -> None:
    told.disturb("timeout_after" if known else "status:503", "/refunds", count=99)
    pay_the_link_and_let_the_debit_win_too(told)
    with told.database.read() as tx:
        (sent,) = [charges.payment(tx, one.payment_id).mollie_id for one in tx.query(Refund)]
    (other,) = [one for one in told.mollie_ids(told.charges(ANNA)[1].id) if one != sent]
    taken = charge_back(told, other)
    told.work()
    told.calm()
    told.advance(hours=3)
    charge = told.charges(ANNA)[1]
    assert (charge.money.owed_cents, charge.money.kept_cents) == (5000, 0)
    assert charge.state is ChargeState.FAILED
    assert told.subscription(ANNA).state is SubscriptionState.PAST_DUE
    assert told.mail_kinds()[-1] == "payment_taken_back"
    reverse(told, taken)
    told.advance(hours=3)
    assert told.charges(ANNA)[1].state is ChargeState.PAID
    assert told.subscription(ANNA).state is SubscriptionState.ACTIVE
    assert len(back(told)) == 1
    truth.check(told)
