"""Credit that lowered the price of a charge which nobody ever paid: it is hers again when she leaves."""

from linkpay.domain.charge import ChargeState
from linkpay.domain.leaving import CancelMode
from linkpay.domain.subscription import SubscriptionState as S
from linkpay.store import agreements
from linkpay.store.tables import Refund
from tests.flows.plans import QUARTER, YEAR, add_plan, cancel, reactivate, switch
from tests.flows.stage import Stage
from tests.flows.test_debits import ANNA


def switch_to_a_year(stage: Stage) -> str:
    """She paid a quarter and goes on by the year at once; the debit of the rest, at Mollie."""
    add_plan(stage, "quarterly", 12000, QUARTER)
    add_plan(stage, "yearly", 50000, YEAR)
    stage.buy(ANNA, "quarterly")
    stage.advance(days=10)
    switch(stage, ANNA, "yearly", at_once=True)
    stage.work()
    return stage.mollie_ids(stage.charges(ANNA)[-1].id)[0]


def back(stage: Stage) -> list[int]:
    with stage.database.read() as tx:
        return [one.amount_cents for one in tx.query(Refund).order_by(Refund.id)]


def in_hand(stage: Stage) -> int:
    with stage.database.read() as tx:
        return agreements.credit_cents(tx, stage.subscription(ANNA).id)


def test_it_goes_back_with_the_days_that_she_gave_up(stage: Stage) -> None:
    stage.bank(switch_to_a_year(stage), "failed", "MD01")
    stage.advance(days=20)
    assert stage.subscription(ANNA).state is S.SUSPENDED
    assert stage.has_access(ANNA), "by the quarter that she paid"
    cancel(stage, ANNA)
    stage.advance(days=3)
    (sent,) = back(stage)
    assert 0 < sent < 12000, "all but the days until the switch"
    assert stage.kept_cents() == 12000 - sent
    assert in_hand(stage) == 0
    assert stage.charges(ANNA)[-1].state is ChargeState.VOID, "nobody asks for the lowered price any more"
    assert not stage.has_access(ANNA)


def test_it_goes_back_when_the_debit_that_was_out_comes_to_nothing(stage: Stage) -> None:
    debit = switch_to_a_year(stage)
    cancel(stage, ANNA, CancelMode.NOW, actor="owner")
    stage.work()
    assert back(stage) == [], "the bank may still pay"
    stage.bank(debit, "failed", "AM04")
    stage.advance(days=3)
    assert len(back(stage)) == 1
    assert (stage.kept_cents(), in_hand(stage)) == (12000 - back(stage)[0], 0)


def test_who_comes_back_afterwards_pays_the_whole_price(stage: Stage) -> None:
    stage.bank(switch_to_a_year(stage), "failed", "MD01")
    stage.advance(days=20)
    cancel(stage, ANNA)
    stage.advance(days=3)
    to_pay = reactivate(stage, ANNA)
    assert to_pay is not None
    assert next(one for one in stage.charges(ANNA) if one.id == to_pay).amount_cents == 50000
    assert len(back(stage)) == 1
