"""Stories of what the law gives a buyer: to withdraw within two weeks."""

from linkpay.domain.charge import ChargeState
from linkpay.domain.subscription import SubscriptionState
from tests.flows.stage import Stage
from tests.flows.story import Story
from tests.flows.withdrawals import ANNA, declare, prove, refunds


def reach_debit(stage: Stage) -> None:
    """A member by the week whose second debit runs."""
    stage.buy(ANNA, "weekly")
    stage.advance(days=7, hours=1)


def withdraw(stage: Stage) -> None:
    """She declares it, opens the mail a little later and presses its button."""
    number = stage.insist(lambda: declare(stage))
    stage.work()
    stage.insist(lambda: prove(stage, number))
    stage.work()
    stage.advance(hours=2)


def withdrawn(stage: Stage) -> None:
    assert stage.subscription(ANNA).state is SubscriptionState.ENDED
    assert [charge.state for charge in stage.charges(ANNA)] == [ChargeState.PAID, ChargeState.VOID]
    assert refunds(stage) == [("withdrawal", 1500)]
    assert not stage.has_access(ANNA)
    assert stage.kept_cents() == 0
    assert stage.mail_kinds().count("withdrawal_received") == 1
    assert stage.mail_kinds().count("withdrawal_done") == 1


STORIES = {"a withdrawal while a debit runs": Story(reach_debit, withdraw, withdrawn)}
