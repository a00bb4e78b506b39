"""Stories of what the law asks: a buyer who withdraws, and one who buys more by one click."""

from linkpay.domain.charge import ChargeState
from linkpay.domain.subscription import SubscriptionState
from tests.flows.shelf import Shelf
from tests.flows.stage import Stage
from tests.flows.story import Story
from tests.flows.upsells import bought, charges, click, debits, link, put_extra
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


def be_offered_more(stage: Stage) -> None:
    """A member who has a link to something more."""
    put_extra(stage)
    stage.buy(ANNA)


def buy_more(stage: Stage) -> None:
    """She presses twice, and her bank pays."""
    secret = stage.insist(lambda: link(stage))
    for _ in range(2):
        stage.insist(lambda: click(stage, secret))
    stage.work()
    stage.bank(debits(stage)[-1], "paid")
    stage.advance(hours=2)


def has_more(stage: Stage) -> None:
    assert bought(stage).state is SubscriptionState.COMPLETED
    assert [charge.state for charge in charges(stage)] == [ChargeState.PAID]
    assert len(debits(stage)) == 1
    assert Shelf(stage).open() == {"Course", "Workshop"}
    assert stage.mail_kinds().count("upsell_agreed") == 1


STORIES = {
    "a withdrawal while a debit runs": Story(reach_debit, withdraw, withdrawn),
    "one more by one click": Story(be_offered_more, buy_more, has_more),
}
