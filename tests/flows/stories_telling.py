"""Stories of what members are told before money is collected."""

from linkpay.domain.charge import ChargeState
from linkpay.store import people
from linkpay.store.tables import Notice, Subscription
from tests.flows.plans import set_policy
from tests.flows.shelf import ANNA
from tests.flows.stage import Stage
from tests.flows.story import Story


def know_nothing(stage: Stage) -> None:
    """A member whose next debit nobody told of, some days before it has to be told."""
    set_policy(stage, notice_days=2)
    stage.buy(ANNA)
    stage.advance(days=22)
    with stage.database.write() as tx:
        tx.query(Notice).delete()
        tx.get_one(Subscription, stage.subscription(ANNA).id).notice_look_at = None
        for consent in people.consents(tx, stage.subscription(ANNA)):
            tx.delete(consent)


def be_told_and_pay(stage: Stage) -> None:
    stage.advance(days=6)
    bank_pays(stage)


def bank_pays(stage: Stage) -> None:
    stage.bank(stage.mollie_ids(stage.charges(ANNA)[1].id)[-1], "paid")
    stage.work()


def told_and_paid(stage: Stage) -> None:
    charge = stage.charges(ANNA)[1]
    assert charge.state is ChargeState.PAID
    assert charge.created_at.date().isoformat() == "2026-02-27"  # 23:00 UTC: the 28th in Amsterdam
    assert stage.mail_kinds().count("debit_notice") == 1
    assert stage.has_access(ANNA)


STORIES = {"a debit that has to be told": Story(know_nothing, be_told_and_pay, told_and_paid)}
