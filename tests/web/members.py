"""Members in the states that pages speak of."""

from datetime import timedelta

from linkpay.store.tables import Charge
from tests.flows.books import KEY
from tests.flows.stage import Stage

ANNA = "anna@example.com"


def newest_payment(stage: Stage) -> str:
    """The id at Mollie of what was asked for last."""
    (newest,) = stage.parts.payments.list_payments(KEY, limit=1)
    return newest.id


def second_month(stage: Stage, plan: str = "monthly") -> Charge:
    """Anna bought and the next month came: its charge, whose debit runs."""
    stage.buy(ANNA, plan)
    stage.sandbox.advance(timedelta(days=28))
    stage.work()
    _, second = stage.charges(ANNA)
    return second


def bounced(stage: Stage, reason: str = "AM04", plan: str = "monthly") -> str:
    """The second month's debit bounced; where it is paid by hand."""
    charge = second_month(stage, plan)
    stage.bank(stage.mollie_ids(charge.id)[0], "failed", reason)
    stage.work()
    return f"/studio/pay/{charge.token}"
