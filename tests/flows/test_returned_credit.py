"""Credit is money that she paid: what it bought and was not used, or never paid, is hers when she leaves."""

from datetime import date

from linkpay.domain.calendar import Unit
from linkpay.domain.charge import ChargeState
from linkpay.domain.leaving import CancelMode
from linkpay.domain.subscription import SubscriptionState as S
from linkpay.store import agreements
from linkpay.store.tables import Refund
from tests.flows.plans import QUARTER, YEAR, add_plan, cancel, reactivate, switch
from tests.flows.stage import Stage
from tests.flows.test_debits import ANNA


def switch_at_once(stage: Stage, *sold: tuple[str, int, tuple[Unit, int]]) -> None:
    """She buys the first of two plans, and goes on by the other after ten days."""
    for plan in sold:
        add_plan(stage, *plan)
    (first, *_), (then, *_) = sold
    stage.buy(ANNA, first)
    stage.advance(days=10)
    switch(stage, ANNA, then, at_once=True)
    stage.work()


def switch_to_a_year(stage: Stage) -> str:
    """She paid a quarter and goes on by the year at once; the debit of the rest, at Mollie."""
    switch_at_once(stage, ("quarterly", 12000, QUARTER), ("yearly", 50000, YEAR))
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


def switch_to_quarters(stage: Stage) -> None:
    """Ten days into a year she goes on by quarters, of which her credit pays four."""
    switch_at_once(stage, ("yearly", 36500, YEAR), ("quarterly", 9000, QUARTER))


def test_unused_days_that_it_paid_go_back_as_well(stage: Stage) -> None:
    switch_to_quarters(stage)
    stage.advance(days=100)  # in the second quarter, 10 May to 10 August
    assert cancel(stage, ANNA).ends_on == date(2026, 6, 10)
    stage.advance(days=40)
    unused = 5967  # 61 of 92 days
    assert stage.kept_cents() == 1000 + 9000 + 9000 - unused
    assert in_hand(stage) == 0
    assert not stage.has_access(ANNA)


def test_days_that_were_given_back_are_given_back_once(stage: Stage) -> None:
    switch_to_quarters(stage)
    stage.advance(days=20)
    first = cancel(stage, ANNA, CancelMode.DATE, date(2026, 3, 20), actor="owner").refund_cents
    second = cancel(stage, ANNA, CancelMode.DATE, date(2026, 3, 10), actor="owner").refund_cents
    assert 0 < second < first
    stage.advance(days=40)
    assert in_hand(stage) == 0
    paid_for = 1000 + round(9000 * 28 / 89)  # ten days of the year, and 10 February to 10 March
    assert stage.kept_cents() - paid_for in (0, 1), "a part of a cent at each reckoning"
    stage.advance(days=400)
    assert stage.kept_cents() - paid_for in (0, 1)
