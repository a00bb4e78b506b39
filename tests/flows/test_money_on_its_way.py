"""Money that is on its way back is nobody's any more: it buys no days, and becomes no credit."""

from linkpay.domain.leaving import CancelMode
from linkpay.services import refunds
from tests.flows.plans import MONTH, add_plan, cancel, switch
from tests.flows.stage import Stage
from tests.flows.test_debits import ANNA


def order_while_mollie_is_away(stage: Stage) -> None:
    """The owner sends all of the first month back, and it does not get through yet."""
    stage.disturb("status:503", "/refunds", count=99)
    with stage.database.write() as tx:
        refunds.order(tx, stage.charges(ANNA)[0].id, None, "sorry", "owner", stage.clock.now())
    stage.work()


def test_a_switch_gives_no_credit_for_money_that_is_on_its_way_back(stage: Stage) -> None:
    add_plan(stage, "big", 9000, MONTH)
    stage.buy(ANNA)
    stage.advance(days=2)
    order_while_mollie_is_away(stage)
    assert switch(stage, ANNA, "big", at_once=True).credit_cents == 0


def test_who_leaves_is_promised_no_money_that_is_on_its_way_back(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.advance(days=2)
    order_while_mollie_is_away(stage)
    assert cancel(stage, ANNA, CancelMode.NOW, actor="owner").refund_cents == 0
    stage.calm()
    stage.advance(days=1)
    assert stage.kept_cents() == 0
